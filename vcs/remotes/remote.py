"""A repository elsewhere: the same files and the same commit point, with no server between.

    first use there → probe, first op, format
    each use        → is it the repository that it was? → the state last seen, or a newer one

What is known of it here lies in a folder of its own, which can be deleted at any time: copies of its index, what
was seen of it, and what is on its way there.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..catalog import catalog
from ..catalog.database import Database
from ..changes.publish import Publisher, now_ms
from ..changes.transaction import Transaction
from ..errors import DamagedError, InvalidName, RemoteChanged, RemoteRefused, RepositoryNotFound, storage_errors
from ..maps.refs import RefMap
from ..objects.oid import Oid
from ..repository import VERSIONS, Repository, check_versions, first_entry
from ..storage.disk import durable
from ..storage.disk.registers import decode, encode, read_register, write_register
from ..storage.layout import FORMAT, Layout, PackName, is_lineage_name, op_name
from ..storage.local import LocalFiles
from ..storage.packs.op_file import Entry, read_id
from .far_store import FarLog, FarStore
from .nearby import Nearby
from .places.far_files import FarFiles
from .places.probe import Guarantees, probe

_FORMAT = 64 << 10
"""No file `format` is longer."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


def check_remote_name(name: str) -> str:
    """`name` if it can be a remote's.

    Raises:
        InvalidName: It cannot.
    """
    if _NAME.match(name):
        return name
    raise InvalidName(f"{name[:64]!r} cannot name a remote; use letters, digits and . _ - after a letter or digit.")


class Remote:
    """A repository elsewhere, as it is known to one here. Opening it asks nothing.

    Args:
        name: What it is called here.
        where: Its address, for messages.
        files: Its files.
        near: The repository here.
        notes: Where what is known of it here is kept, if not in that repository.

    Attributes:
        store: Its objects; what is here, too, is read here.
        log: Its commit point.
        files: Its files, with copies of its index here.
        traffic: What was asked of it, and how much came and went.
        arriving: Packs of it that are on their way here.
    """

    def __init__(self, name: str, where: str, files: FarFiles, near: Repository, notes: Path | None = None) -> None:
        self.name = check_remote_name(name)
        self.where = where
        self._far = files
        self._near = near
        self.traffic = files.traffic
        self._layout = Layout(notes or near.layout.remote(name))
        self._seen = self._layout.folder / "seen"
        self._probed = self._layout.folder / "probed"
        self._taken = self._layout.folder / "taken"
        self._merged = self._layout.folder / near.layout.merged(name).name
        self._coming = self._layout.folder / near.layout.coming(name).name
        self.arriving = LocalFiles(self._layout.folder / "arriving", self._layout.tmp)
        self.files = Nearby(files, self._layout.folder / "copies")
        self.log = FarLog(files)
        self.store = FarStore(self.files, self.log, near.store)
        database = Database(self._layout.cache, catalog.SCHEMA)
        self._publisher = Publisher(self.store, self._layout, near.author, database)

    def look(self) -> Entry:
        """Its newest state, which is remembered.

        Raises:
            RepositoryNotFound: There is no repository yet.
            RemoteChanged: It is another repository than before, or an older state of it, or gone.
            UnsupportedFormat: A newer artvcs wrote it.
            RemoteError: It cannot be reached.
        """
        seen = self._note(self._seen)
        identity = seen.get("id") if seen else self._identity()
        self.recall()
        try:
            newest = self.store.look().entry
        except DamagedError as error:
            self._check_identity(identity)  # which says more, if it is not that one
            raise DamagedError(
                f"The newest change of {self.where} cannot be read; restore it, or run `art fsck --repair` there."
            ) from error
        if seen and seen["op"] != newest.oid:  # else its newest change says which repository it is
            self._check_identity(identity)
            self._check_order(seen, newest)
        self._remember(newest, identity, is_new=seen.get("op") != newest.oid)
        return newest

    def recall(self) -> bool:
        """Goes on from the state that was seen last, without asking whether there is a newer one; whether it can."""
        if self.store.is_new and (seen := self._note(self._seen)) and (entry := self._remembered(seen)) is not None:
            self.store.adopt(entry)
        return not self.store.is_new

    def begin_there(self) -> Entry:
        """As `look`; makes a repository there where there is none, once it was seen that it can be one.

        Raises:
            RemoteRefused: What a repository needs is not guaranteed there.
        """
        self._check_guarantees()
        try:
            found = self.look()
        except RepositoryNotFound:
            pass
        else:
            if self._note(self._seen).get("id") is None:
                raise RemoteRefused(
                    f"{self.where} is somebody's own repository, and its garbage is collected as such; push to an "
                    "empty place, from where it can fetch."
                )
            return found
        self.log.begin(first_entry(self._near.author()).data)
        # Last: where there is a format file is a repository. Whoever comes second reads what the first wrote.
        self._far.create(FORMAT, encode(FORMAT, {**VERSIONS, "id": os.urandom(16).hex()}))
        return self.look()

    def refs(self) -> RefMap:
        """Its refs as they are now. Raises as `look`."""
        return RefMap(self.store, self.look().op.state.refs)

    @property
    def merged(self) -> tuple[int, Oid | None]:
        """The change of it, and the root of its refs then, that were last brought together with what is here."""
        found = self._note(self._merged)
        return int(found.get("seq", 0)), found.get("root")

    @property
    def seen(self) -> int:
        """The number of its newest change that was seen; 0 where none was."""
        return int(self._note(self._seen).get("seq", 0))

    @property
    def looked(self) -> int | None:
        """When it was looked at last, in milliseconds since 1970; None where it never was."""
        looked = self._note(self._seen).get("looked")
        return looked if isinstance(looked, int) else None

    def taken(self) -> set[PackName]:
        """The packs of lineage there that were taken over, or came from here: what is in them is here."""
        try:
            lines = self._taken.read_text().splitlines()
        except (OSError, UnicodeDecodeError):
            return set()
        return {PackName(line) for line in lines if is_lineage_name(line)}

    def note_taken(self, names: Iterable[PackName]) -> None:
        """Notes all packs of lineage of which that can be said."""
        with storage_errors(f"writing to {self._layout.folder}"):
            text = "".join(f"{name}\n" for name in sorted(names))
            durable.write_file(self._taken, text.encode(), staging=self._layout.tmp)

    def note_coming(self, entry: Entry) -> None:
        """What is there is about to be brought together with what is here: from now on its data is promised."""
        with storage_errors(f"writing to {self._layout.folder}"):
            write_register(self._coming, {"root": entry.op.state.refs}, self._layout.tmp)

    def note_merged(self, entry: Entry) -> None:
        """What is there has been brought together with what is here."""
        with storage_errors(f"writing to {self._layout.folder}"):
            write_register(self._merged, {"seq": entry.seq, "root": entry.op.state.refs}, self._layout.tmp)

    def forget(self) -> None:
        """Forgets what is known of it here; another repository may have its name then."""
        shutil.rmtree(self._layout.folder, ignore_errors=True)

    def probe(self) -> Guarantees:
        """Looks at what the place guarantees, and remembers it. Raises as `probe.probe`."""
        found = probe(self._far)
        notes = {each.what: {"holds": each.holds, "detail": each.detail} for each in found.findings}
        with storage_errors(f"writing to {self._layout.folder}"):
            self._make_folders()
            content = {"where": self.where, "refusal": found.refusal, "found": notes}
            write_register(self._probed, content, self._layout.tmp)
        return found

    def transaction(self, why: str) -> Transaction:
        """Begins a change of the state that was looked at last; `why` is what its op log says about it.

        Raises:
            RemoteError: As `look`, where it was not looked at.
        """
        if self.store.is_new:
            self.look()
        with storage_errors(f"writing to {self._layout.folder}"):
            self._make_folders()
            transaction = Transaction(self.store, self._layout, self._publisher, why)
        transaction.when_published(self._remember_own)
        return transaction

    def _identity(self) -> Any:
        """The random id that it was given when it was made."""
        try:
            content = decode(FORMAT, self._far.read(FORMAT, 0, _FORMAT))
        except FileNotFoundError:
            raise RepositoryNotFound(f"Nothing has been pushed to {self.where} yet; `art push` does that.") from None
        check_versions(content, self.where)
        return content.get("id")

    def _check_identity(self, before: Any) -> None:
        """Raises RemoteChanged where it is another repository than before, or gone."""
        try:
            if self._identity() == before:
                return
            what = f"{self.where} holds another repository than before; if that is meant,"
        except RepositoryNotFound:
            what = f"The repository at {self.where} is gone; restore it from a copy, or"
        raise RemoteChanged(f"{what} remove the remote {self.name!r} and add it again.")

    def _check_order(self, seen: dict[str, Any], newest: Entry) -> None:
        """Raises RemoteChanged where it is in an older state than it was, or has gone on from one."""
        advice = f"restore it, or remove the remote {self.name!r} and add it again to go on from there."
        seq = int(seen["seq"])
        if newest.seq <= seq:
            raise RemoteChanged(
                f"{self.where} is in an older state than it was: change {newest.seq}, after {seq}; {advice}"
            )
        try:
            stands = newest.op.parent if newest.seq == seq + 1 else read_id(self._far, seq)
        except (FileNotFoundError, DamagedError):
            return  # it was cleaned up since
        if stands != seen["op"]:
            raise RemoteChanged(
                f"{self.where} has another change {seq} than it had: it was set back, and others went on; {advice}"
            )

    def _check_guarantees(self) -> None:
        """Looks once at what the place guarantees. Raises RemoteRefused."""
        known = self._note(self._probed)
        refusal = known.get("refusal") if known.get("where") == self.where else self.probe().refusal
        if refusal is not None:
            raise RemoteRefused(
                f"{self.where} cannot be pushed to, for changes of several people could be lost there ({refusal}); "
                "use another store."
            )

    def _remembered(self, seen: dict[str, Any]) -> Entry | None:
        """The state that was seen last, from its copy here."""
        try:
            entry = Entry.read(self.files, int(seen["seq"]))
        except (DamagedError, FileNotFoundError):
            return None
        return entry if entry.oid == seen["op"] else None

    def _remember(self, entry: Entry, identity: Any, *, is_new: bool = True) -> None:
        content = {"id": identity, "seq": entry.seq, "op": entry.oid, "looked": now_ms()}
        with storage_errors(f"writing to {self._layout.folder}"):
            self._make_folders()
            if is_new:
                self.files.keep(op_name(entry.seq), entry.data)
            write_register(self._seen, content, self._layout.tmp, lasting=False)

    def _remember_own(self) -> None:
        """After a change of ours, which is the newest that is known."""
        self._remember(self.store.snapshot.entry, self._note(self._seen).get("id") or self._identity())

    def _note(self, path: Path) -> dict[str, Any]:
        """What was noted here; nothing where that is lost."""
        try:
            return read_register(path)
        except DamagedError:
            return {}

    def _make_folders(self) -> None:
        for folder in (self._layout.folder, self._layout.incoming, self._layout.leases, self._layout.tmp):
            folder.mkdir(parents=True, exist_ok=True)
