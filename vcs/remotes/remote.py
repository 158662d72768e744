"""A repository elsewhere: the same files and the same commit point, with no server between.

    first use there → probe, first op, format
    each use        → is it the repository that it was? → the state last seen, or a newer one

What is known of it here is in its notes.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from ..catalog import catalog
from ..catalog.database import Database
from ..changes.publish import Publisher
from ..changes.transaction import Transaction
from ..errors import (
    Collected,
    DamagedError,
    InvalidName,
    NothingPushed,
    RemoteChanged,
    RemoteRefused,
    RepositoryNotFound,
    storage_errors,
)
from ..maps.refs import RefMap
from ..objects.oid import Oid
from ..repository import VERSIONS, Repository, check_versions, first_entry
from ..storage.disk.registers import decode, encode
from ..storage.layout import FORMAT, PackName, op_name
from ..storage.packs.op_file import Entry, read_id
from ..storage.packs.pack import Pack
from .far_store import FarLog, FarStore
from .nearby import Nearby
from .notes import Notes, Seen
from .places.far_files import FarFiles, PlaceMissing
from .places.probe import Guarantees, probe

_FORMAT = 64 << 10
"""No file `format` is longer."""

_TRIES = 2
"""So often work is done anew that relied on what was collected: a push has to take longer than a collector waits."""

_MEANWHILE = 1.0
"""Seconds after which a file that is missing now is looked for once more."""

_FOLLOWED = 5
"""So often work is done with a newer state, where files are missing that the last one named."""

_Done = TypeVar("_Done")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


def check_remote_name(name: str) -> str:
    """`name` if it can be a remote's.

    Raises:
        InvalidName: It cannot.
    """
    if _NAME.match(name):
        return name
    raise InvalidName(f"{name[:64]!r} cannot name a remote; use letters, digits and . _ - after a letter or digit.")


def tried(attempt: Callable[[], _Done]) -> _Done:
    """What an attempt comes to that is made again where what it relies on was collected meanwhile. Raises Collected."""
    for _ in range(_TRIES):
        with suppress(Collected):
            return attempt()
    return attempt()


class Remote:
    """A repository elsewhere, as it is known to one here. Opening it asks nothing.

    Args:
        name: What it is called here.
        where: Its address, for messages.
        files: Its files.
        near: The repository here.
        notes: Where what is known of it here is kept, if not in that repository.

    Attributes:
        notes: What is known of it here.
        store: Its objects; what is here, too, is read here.
        log: Its commit point.
        files: Its files, with copies of its index here.
        traffic: What was asked of it, and how much came and went.
    """

    def __init__(self, name: str, where: str, files: FarFiles, near: Repository, notes: Path | None = None) -> None:
        self.name = check_remote_name(name)
        self.where = where
        self._far = files
        self._near = near
        self._first_identity: str | None = None
        self._placed: dict[PackName, Pack] = {}
        self.traffic = files.traffic
        self.notes = Notes(notes or near.layout.remote(name))
        self.files = Nearby(files, self.notes.layout.folder / "copies")
        self.log = FarLog(files, self._check)
        self.store = FarStore(self.files, self.log, near.store)
        database = Database(self.notes.layout.cache, catalog.SCHEMA)
        self._publisher = Publisher(self.store, self.notes.layout, near.author, database, leased=False)

    def look(self) -> Entry:
        """Its newest state, which is remembered.

        Raises:
            RepositoryNotFound: There is no repository yet.
            RemoteChanged: It is another repository than before, or an older state of it, or gone.
            UnsupportedFormat: A newer artvcs wrote it.
            RemoteError: It cannot be reached.
        """
        if self.notes.seen() is None:
            # Before all else: where nothing is, a web server does not say so of a list.
            self._first_identity = self._identity()
        self.recall()
        newest = self.store.look().entry
        self.notes.note_looked()
        return newest

    def recall(self) -> bool:
        """Goes on from the state that was seen last, without asking whether there is a newer one; whether it can."""
        if self.store.is_new and (entry := self._remembered()) is not None:
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
            seen = self.notes.seen()
            if seen is not None and seen.identity is None:
                raise RemoteRefused(
                    f"{self.where} is somebody's own repository, and its garbage is collected as such; push to an "
                    "empty place, from where it can fetch."
                )
            return found
        self.log.begin(first_entry(self._near.author()).data)
        # Last: where there is a format file is a repository. Whoever comes second reads what the first wrote.
        self._far.create(FORMAT, encode(FORMAT, {**VERSIONS, "id": os.urandom(16).hex()}))
        return self.look()

    def follow(self, entry: Entry, work: Callable[[Entry], _Done]) -> _Done:
        """What work on the state of an entry comes to; on a newer one where a file is missing that it names.

        Others may have put its index together since, or a collector written what it held anew elsewhere.

        Raises:
            DamagedError: It is the newest, and a file is missing that it names.
        """
        waited = False
        for _ in range(_FOLLOWED):
            try:
                return work(entry)
            except FileNotFoundError:
                missing, entry = entry, self.look()
                if missing.oid == entry.oid:
                    if waited:
                        break
                    time.sleep(_MEANWHILE)  # a collector that has swept what was just named puts it back
                    waited = True
        raise DamagedError(
            f"A file is missing or damaged at {self.where} that its newest state names; "
            "try again, or run `art fsck --repair` there."
        )

    def place_delivered(self, artifacts: Iterable[Oid]) -> set[PackName]:
        """Makes readable what was delivered there of artifacts, and no state there names yet.

        Returns:
            The packs that it is in, as far as they are there.
        """
        noted = self.notes.delivered()
        # What another process has had named since may lie elsewhere by now.
        self.unplace(self._placed.keys() - {name for names in noted.values() for name in names})
        wanted = {name for artifact in artifacts for name in noted.get(artifact, ())}
        return {name for name in wanted if self.place(name)}

    def place(self, name: PackName) -> bool:
        """Makes readable what is in a pack there that no state names; whether it is there."""
        if name not in self._placed:
            try:
                self._placed[name] = pack = Pack.open(self.files, name)
            except FileNotFoundError:
                return False
            self.store.pending.append(pack)
        return True

    def unplace(self, names: Iterable[PackName]) -> None:
        """Of these packs it is known by now whether a state there names them."""
        for name in names:
            if (pack := self._placed.pop(name, None)) is not None:
                self.store.pending.remove(pack)

    def refs(self) -> RefMap:
        """Its refs as they are now. Raises as `look`."""
        return RefMap(self.store, self.look().op.state.refs)

    def probe(self) -> Guarantees:
        """Looks at what the place guarantees, and notes it. Raises as `probe.probe`."""
        found = probe(self._far)
        self.notes.note_probed(self.where, found)
        return found

    def transaction(self, why: str) -> Transaction:
        """Begins a change of the state that was looked at last; `why` is what its op log says about it.

        Raises:
            RemoteError: As `look`, where it was not looked at.
        """
        if self.store.is_new:
            self.look()
        self.notes.make_folders()
        with storage_errors(f"writing to {self.notes.layout.folder}"):
            transaction = Transaction(self.store, self.notes.layout, self._publisher, why)
        transaction.when_published(self._remember_own)
        return transaction

    def _identity(self) -> str | None:
        """The random id that it was given when it was made."""
        try:
            content = decode(FORMAT, self._far.read(FORMAT, 0, _FORMAT))
        except PlaceMissing:
            raise NothingPushed(
                f"There is no folder {self.where}; correct its path, or mount it (the first `art push` makes it)."
            ) from None
        except FileNotFoundError:
            raise NothingPushed(f"Nothing has been pushed to {self.where} yet; `art push` does that.") from None
        check_versions(content, self.where)
        identity = content.get("id")
        return identity if isinstance(identity, str) else None

    def _check(self, newest: Entry | None) -> None:
        """Makes sure that the newest change, if it can be read, follows what was seen here; remembers it.

        Raises as `look`.
        """
        seen = self.notes.seen()
        identity = seen.identity if seen else self._first_identity or self._identity()
        if seen and (newest is None or seen.op != newest.oid):  # else the change says which repository it is
            self._check_identity(identity)
        if newest is None:
            raise DamagedError(
                f"The newest change of {self.where} cannot be read; restore it, or run `art fsck --repair` there."
            )
        if seen is None or seen.op != newest.oid:
            if seen:
                self._check_order(seen, newest)
            self._remember(newest, identity)

    def _check_identity(self, before: str | None) -> None:
        """Raises RemoteChanged where it is another repository than before, or gone."""
        try:
            if self._identity() == before:
                return
            what = f"{self.where} holds another repository than before; if that is meant,"
        except RepositoryNotFound:
            what = f"The repository at {self.where} is gone; restore it from a copy, or"
        raise RemoteChanged(f"{what} remove the remote {self.name!r} and add it again.")

    def _check_order(self, seen: Seen, newest: Entry) -> None:
        """Raises RemoteChanged where it is in an older state than it was, or has gone on from one."""
        advice = f"restore it, or remove the remote {self.name!r} and add it again to go on from there."
        if newest.seq <= seen.seq:
            raise RemoteChanged(
                f"{self.where} is in an older state than it was: change {newest.seq}, after {seen.seq}; {advice}"
            )
        try:
            stands = newest.op.parent if newest.seq == seen.seq + 1 else read_id(self._far, seen.seq)
        except (FileNotFoundError, DamagedError):
            return  # it was cleaned up since
        if stands != seen.op:
            raise RemoteChanged(
                f"{self.where} has another change {seen.seq} than it had: it was set back, and others went on; {advice}"
            )

    def _check_guarantees(self) -> None:
        """Looks once at what the place guarantees. Raises RemoteRefused."""
        try:
            refusal = self.notes.refusal(self.where)
        except KeyError:
            refusal = self.probe().refusal
        if refusal is not None:
            raise RemoteRefused(
                f"{self.where} cannot be pushed to, for changes of several people could be lost there ({refusal}); "
                "use another store."
            )

    def _remembered(self) -> Entry | None:
        """The state that was seen last, from its copy here."""
        seen = self.notes.seen()
        try:
            entry = None if seen is None else Entry.read(self.files, seen.seq)
        except (DamagedError, FileNotFoundError):
            return None
        return entry if seen is not None and entry is not None and entry.oid == seen.op else None

    def _remember(self, entry: Entry, identity: str | None) -> None:
        self.files.keep(op_name(entry.seq), entry.data)
        if self.notes.merged()[1] == entry.op.state.refs:  # as after a collector
            self.notes.note_merged(entry)
        self.notes.note_seen(entry, identity)

    def _remember_own(self) -> None:
        """After a change of ours, which is the newest that is known."""
        seen = self.notes.seen()
        self._remember(self.store.snapshot.entry, self._identity() if seen is None else seen.identity)
