"""What is known here of one repository elsewhere, without asking it.

All of it lies in a folder of its own, which can be deleted at any time: then that one is fetched anew.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..changes.publish import now_ms
from ..errors import DamagedError, RepositoryBusy, storage_errors
from ..maps import promises
from ..objects.oid import Oid, is_oid
from ..storage.disk import durable
from ..storage.disk.locks import Lock
from ..storage.disk.registers import read_register, write_register
from ..storage.layout import COMING, DELIVERED, MERGED, Layout, PackName, is_lineage_name
from ..storage.local import LocalFiles
from ..storage.packs.op_file import Entry
from .places.probe import Guarantees

_PATIENCE = 60.0
"""Seconds until it is said that somebody else does not come to an end."""


@dataclass(frozen=True)
class Seen:
    """The newest state that was seen there.

    Attributes:
        identity: The random id of the repository; None where it has none.
        seq: The number of its newest change.
        op: The id of that.
        looked: When it was looked at last, in milliseconds since 1970.
    """

    identity: str | None
    seq: int
    op: Oid
    looked: int


class Notes:
    """What is noted of one repository elsewhere. Where a note is lost or damaged, it is as if it had not been made.

    Attributes:
        layout: The folder, laid out as a repository for what is on its way there.
    """

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder)

    def seen(self) -> Seen | None:
        """The newest state that was seen there."""
        found = self._read("seen")
        return Seen(found["id"], int(found["seq"]), found["op"], int(found["looked"])) if found else None

    def note_seen(self, entry: Entry, identity: str | None) -> None:
        """Its newest state was seen just now."""
        content = {"id": identity, "seq": entry.seq, "op": entry.oid, "looked": now_ms()}
        self._write("seen", content, lasting=False)

    def note_looked(self) -> None:
        """It was looked at just now, and its newest state was the one that is noted."""
        if found := self._read("seen"):
            self._write("seen", {**found, "looked": now_ms()}, lasting=False)

    def merged(self) -> tuple[int, Oid | None]:
        """The change of it, and the root of its refs then, that were last brought together with what is here."""
        found = self._read(MERGED)
        return int(found.get("seq", 0)), found.get("root")

    def note_coming(self, entry: Entry) -> None:
        """What is there is about to be brought together with what is here: from now on its data is promised."""
        self._write(COMING, {"root": entry.op.state.refs})

    def note_merged(self, entry: Entry) -> None:
        """What is there has been brought together with what is here."""
        self._write(MERGED, {"seq": entry.seq, "root": entry.op.state.refs})

    def taken(self) -> set[PackName]:
        """The packs of lineage there that were taken over, or came from here: what is in them is here."""
        return {PackName(line) for line in self._lines("taken") if is_lineage_name(line)}

    def note_taken(self, names: Iterable[PackName]) -> None:
        """Notes all packs of lineage of which that can be said."""
        self._write_lines("taken", names)

    def given_up(self) -> set[Oid]:
        """The artifacts whose data was given up there and stayed here: it goes there again only if somebody says so."""
        return {Oid(line) for line in self._lines("given-up") if is_oid(line)}

    def note_given_up(self, artifacts: Iterable[Oid]) -> None:
        """Notes all artifacts of which that can be said."""
        self._write_lines("given-up", artifacts)

    def delivered(self) -> Mapping[Oid, tuple[PackName, ...]]:
        """Artifacts whose data is there in packs that no state there names yet → these packs."""
        return promises.delivered(self.layout.folder)

    def note_delivered(self, artifacts: Iterable[Oid], names: Iterable[PackName]) -> None:
        """Notes that the data of artifacts is there, in packs that no state names; it survives a power cut."""
        names = list(names)
        text = "".join(f"\n{artifact} {name}\n" for artifact in artifacts for name in names)
        with self._alone_with_delivered():
            durable.append(self.layout.folder / DELIVERED, text.encode())

    def forget_delivered(self, artifacts: AbstractSet[Oid]) -> None:
        """Of these artifacts a state there says so now, or their data is there no more."""
        with self._alone_with_delivered():
            left = {artifact: names for artifact, names in self.delivered().items() if artifact not in artifacts}
            self._write_lines(DELIVERED, (f"{artifact} {name}" for artifact, names in left.items() for name in names))

    @contextmanager
    def _alone_with_delivered(self) -> Iterator[None]:
        """Inside the block no other run notes or forgets what was delivered: what one adds another would leave out."""
        with self._writing():
            self.layout.folder.mkdir(parents=True, exist_ok=True)
            lock = Lock.wait(self.layout.folder / f"{DELIVERED}.lock", _PATIENCE)
        if lock is None:
            raise RepositoryBusy(f"Another process keeps {self.layout.folder / DELIVERED} busy; try again.")
        try:
            with self._writing():
                yield
        finally:
            lock.remove()

    def refusal(self, where: str) -> str | None:
        """Why nothing can be pushed to an address, as it was found out. Raises KeyError where it was not."""
        found = self._read("probed")
        if found.get("where") != where:
            raise KeyError(where)
        refusal: str | None = found["refusal"]
        return refusal

    def note_probed(self, where: str, found: Guarantees) -> None:
        """What an address was seen to guarantee."""
        findings = {each.what: {"holds": each.holds, "detail": each.detail} for each in found.findings}
        self._write("probed", {"where": where, "refusal": found.refusal, "found": findings})

    def make_folders(self) -> None:
        """Makes what a change needs that is on its way there."""
        with self._writing():
            for folder in (self.layout.incoming, self.layout.leases, self.layout.tmp):
                folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def arrivals(self) -> Iterator[LocalFiles]:
        """A place for packs on their way from there, which nobody else writes to as long as the block runs.

        What was left there by who was interrupted is still there, unless somebody else has the place just now.
        """
        with self._writing():
            self.layout.tmp.mkdir(parents=True, exist_ok=True)
            lock = Lock.take(self.layout.folder / "arriving.lock")
        if lock is not None:
            try:
                yield LocalFiles(self.layout.folder / "arriving", self.layout.tmp)
            finally:
                lock.remove()
            return
        folder = self.layout.tmp / f"arriving-{os.getpid()}-{os.urandom(4).hex()}"
        try:
            yield LocalFiles(folder, self.layout.tmp)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def forget(self) -> None:
        """Forgets all; another repository may have the name then."""
        with self._writing():
            if self.layout.folder.exists():
                shutil.rmtree(self.layout.folder)

    def _lines(self, name: str) -> list[str]:
        try:
            return (self.layout.folder / name).read_text().splitlines()
        except (OSError, UnicodeDecodeError):
            return []

    def _write_lines(self, name: str, lines: Iterable[str]) -> None:
        with self._writing():
            text = "".join(f"{line}\n" for line in sorted(lines))
            durable.write_file(self.layout.folder / name, text.encode(), staging=self.layout.tmp)

    def _read(self, name: str) -> dict[str, Any]:
        try:
            return read_register(self.layout.folder / name)
        except DamagedError:
            return {}

    def _write(self, name: str, content: dict[str, Any], *, lasting: bool = True) -> None:
        with self._writing():
            self.layout.tmp.mkdir(parents=True, exist_ok=True)
            write_register(self.layout.folder / name, content, self.layout.tmp, lasting=lasting)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with storage_errors(f"writing to {self.layout.folder}"):
            yield
