"""What files held when they were last read, so that those that did not change are not read again.

One row for each leaf of a folder's tree: the names, what the file system said of each, and the leaf. A row says nothing
of whether the leaf's files are still stored: that says `kept`, by the packs that hold them. Derived: it can be deleted
at any time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ArtError
from ..objects.nodes import FOLDER, Tree
from ..objects.oid import Oid, hasher
from ..storage.layout import PackName, op_seq
from ..storage.packs.op_file import read_id
from ..storage.snapshot import Snapshot
from ..storage.store import ObjectStore
from .database import Database

if TYPE_CHECKING:
    import sqlite3

SCHEMA = (
    "CREATE TABLE leaves (folder BLOB, last TEXT, names TEXT, states BLOB, leaf TEXT, size INTEGER, files INTEGER,"
    " checksum BLOB, UNIQUE (folder, last))",
    "CREATE TABLE kept (leaf TEXT PRIMARY KEY, packs TEXT) WITHOUT ROWID",  # packs: as `_noted` spells them
)

MAX_LEAVES = 100_000
"""So many rows are kept, of about 130 files each; the oldest go."""

_TOGETHER = 50
"""So many folders are looked up together."""

_AT_ONCE = 256
"""So many rows are written, or looked up, together."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What one leaf of a folder's tree was made of.

    Attributes:
        last: The last of the names.
        names: All of them, joined by `/`.
        states: What the file system said of each when it was read, of equal length.
        leaf: The leaf.
        size: Bytes of what it stands for.
        files: How many files, links and empty folders that is.
        kept: Whether the leaf, and the files and links in it, are stored and sound. What is in folders does not count.
    """

    last: str
    names: str
    states: bytes
    leaf: Oid
    size: int
    files: int
    kept: bool = False

    @property
    def first(self) -> str:
        """The first of the names."""
        return self.names.partition("/")[0]

    def checksum(self) -> bytes:
        """Of all that it says: SQLite does not notice a flipped bit."""
        check = hasher("leaf-row").update(self.states)
        check.update(f"{self.names}\0{self.leaf} {self.size} {self.files}".encode("utf-8", "surrogateescape"))
        return check.digest(16)


class StatCache:
    """What is known of the files of this machine, and of what a repository holds of them.

    Args:
        database: Where it is kept.
        store: The repository's objects.
    """

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        self._moment: Snapshot | None = None
        self._packs: frozenset[str] = frozenset()  # those of that moment
        self._sound: dict[str, bool] = {}  # packs, as they stand in a row → whether all are there and sound
        self._expected: list[bytes] = []  # the next one last
        self._fetched: dict[bytes, list[tuple[Any, ...]]] = {}
        self._waiting: list[tuple[bytes, Sequence[str], Leaf | None]] = []
        self._unsettled: list[Oid] = []

    def leaves(self, folder: Path, moment: Snapshot) -> list[Leaf]:
        """What is known of a folder, in order of names, and whether it is stored at a moment."""
        if moment is not self._moment:
            self._moment, self._packs, self._sound = moment, frozenset(moment.packs()), {}
        key, found = _key(folder), []
        if self._expected and self._expected[-1] == key:
            self._expected.pop()
        if key not in self._fetched:
            self._fetch(key)
        for *fields, checksum, packs in self._fetched.pop(key):
            leaf = Leaf(*fields, self._is_sound(packs))  # type: ignore[call-arg]
            if leaf.checksum() == checksum:
                found.append(leaf)
        return found

    def expect(self, folders: Sequence[Path]) -> None:
        """Says which folders will be asked for next, in what order: then several are fetched together."""
        self._expected.extend([_key(folder) for folder in reversed(folders)])

    def _fetch(self, key: bytes) -> None:
        keys = [key, *self._expected[-_TOGETHER:]]
        query = (
            "SELECT folder, last, names, states, leaf, size, files, checksum, packs"
            f" FROM leaves LEFT JOIN kept USING (leaf) WHERE folder IN ({', '.join('?' * len(keys))}) ORDER BY last"
        )
        self._fetched = {each: [] for each in keys}
        for folder, *row in self._database.rows(query, keys):
            self._fetched[folder].append(tuple(row))

    def replace(self, folder: Path, outdated: Iterable[Leaf], leaf: Leaf | None) -> None:
        """Notes what is known now of a part of a folder."""
        self._waiting.append((_key(folder), [each.last for each in outdated], leaf))
        if leaf is not None:
            self._unsettled.append(leaf.leaf)
        if len(self._waiting) >= _AT_ONCE:
            self._write()

    def settle(self) -> None:
        """Writes what is new, and notes where it is stored, now that it is published. Never fails."""
        with suppress(ArtError, OSError):
            self._settle()

    def _settle(self) -> None:
        self._write()
        leaves, self._unsettled = self._unsettled, []
        for start in range(0, len(leaves), _AT_ONCE):
            self._note(self._whereabouts(leaves[start : start + _AT_ONCE]))

    def _note(self, rows: Sequence[tuple[Oid, str]]) -> None:
        if rows:
            self._database.write(lambda to: to.executemany("REPLACE INTO kept VALUES (?, ?)", rows), None)

    def _is_sound(self, packs: str | None) -> bool:
        if packs is None:
            return False
        if packs not in self._sound:
            self._sound[packs] = all(map(self._is_as_noted, packs.split(" ")))
        return self._sound[packs]

    def _is_as_noted(self, noted: str) -> bool:
        """Whether a pack is named by the moment and sound, and an op is the very one that was noted."""
        name = PackName(noted.partition("=")[0])
        return name in self._packs and self._store.soundness.vouches_for(name) and self._noted(name) == noted

    def _noted(self, name: PackName) -> str:
        """How a file stands in a row: a pack by its name, which says what is in it; an op also by its id.

        A repair may put another op in the place of one that was lost, and so may a backup.
        """
        if (seq := op_seq(name)) is None:
            return name
        with suppress(FileNotFoundError):
            return f"{name}={read_id(self._store.files, seq)}"
        return ""

    def _whereabouts(self, leaves: Sequence[Oid]) -> list[tuple[Oid, str]]:
        """Leaf → the packs that hold it and the files in it, for those that are stored and sound."""
        members: dict[Oid, list[Oid]] = {}
        for leaf in leaves:
            try:
                tree = self._store.record(leaf, Tree)
            except ArtError:
                continue  # never published
            members[leaf] = [leaf, *(entry[2] for entry in tree.entries if entry[1] != FOLDER)]
        kept = self._store.kept({oid for oids in members.values() for oid in oids})
        rows = []
        for leaf, oids in members.items():
            if all(oid in kept for oid in oids):
                packs = sorted({pack for oid in oids for pack in kept[oid]})
                rows.append((leaf, " ".join(map(self._noted, packs))))
        return rows

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._database.write(lambda to: _replace(to, waiting), None)


def _replace(to: sqlite3.Connection, changes: Sequence[tuple[bytes, Sequence[str], Leaf | None]]) -> None:
    for folder, outdated, leaf in changes:
        to.executemany("DELETE FROM leaves WHERE folder = ? AND last = ?", [(folder, last) for last in outdated])
        if leaf is not None:
            row = (folder, leaf.last, leaf.names, leaf.states, leaf.leaf, leaf.size, leaf.files, leaf.checksum())
            to.execute("REPLACE INTO leaves VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    if to.execute("DELETE FROM leaves WHERE rowid <= (SELECT max(rowid) FROM leaves) - ?", (MAX_LEAVES,)).rowcount:
        to.execute("DELETE FROM kept WHERE leaf NOT IN (SELECT leaf FROM leaves)")


def _key(folder: Path) -> bytes:
    return os.fsencode(os.path.abspath(folder))
