"""The index: which pack holds an object, and where. The bytes are described in docs/format/index.md.

Immutable segments of rows sorted by id, searched in place through mmap. Publishing adds a segment for the
new pack; segments of similar size are merged into one, so that there are never more than a few. The index is
derived: a segment that is missing or torn is rebuilt from the packs' own tables.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

from ..errors import DamagedError, storage_errors
from ..objects.oid import Oid, hash_bytes, is_oid
from . import durable, pack
from .layout import Layout
from .pack import ROW_SIZE, Location, pack_row, unpack_row

_HEADER = struct.Struct("<4sIQQ")
_NUMBER, _NUMBER_AT = struct.Struct("<I"), 36
"""The pack number inside a row."""

_MAGIC = b"ARTI"
_VERSION = 1
_LOOKS = 10


class Segment:
    """One sorted, immutable part of the index.

    Args:
        name: The hash of the bytes.
        data: The bytes.

    Raises:
        DamagedError: The bytes are not the ones that the name promises.
    """

    def __init__(self, name: str, data: bytes | mmap.mmap) -> None:
        self.name = name
        self._data = data
        damaged = DamagedError(f"Index segment {name[:12]} is damaged; run `art fsck`.")
        if hash_bytes(memoryview(data), "index") != name or len(data) < _HEADER.size:
            raise damaged
        magic, version, packs, self.rows = _HEADER.unpack_from(data)
        self._start = _HEADER.size + 32 * packs
        if (magic, version) != (_MAGIC, _VERSION) or len(data) != self._start + self.rows * ROW_SIZE:
            raise damaged
        self.packs = [Oid(data[i : i + 32].hex()) for i in range(_HEADER.size, self._start, 32)]

    @classmethod
    def open(cls, path: Path) -> Segment:
        """The segment in a file. Raises DamagedError as the class."""
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            return cls(path.name, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b"")

    @classmethod
    def build(cls, tables: Iterable[tuple[list[Oid], Iterable[bytes]]]) -> tuple[str, bytes]:
        """The name and bytes of a segment.

        Args:
            tables: Names of packs, and rows whose pack numbers count in those.
        """
        tables = list(tables)
        packs = sorted({name for names, _ in tables for name in names})
        numbers = {name: _NUMBER.pack(number) for number, name in enumerate(packs)}
        unique: dict[bytes, bytes] = {}
        for names, rows in tables:
            mine = [numbers[name] for name in names]
            for row in rows:
                number = mine[_NUMBER.unpack_from(row, _NUMBER_AT)[0]]
                unique[row[:32]] = row[:_NUMBER_AT] + number + row[_NUMBER_AT + _NUMBER.size :]
        header = _HEADER.pack(_MAGIC, _VERSION, len(packs), len(unique))
        data = b"".join([header, *map(bytes.fromhex, packs), *(unique[oid] for oid in sorted(unique))])
        return hash_bytes(data, "index"), data

    def find(self, key: bytes) -> tuple[Oid, Location] | None:
        """The pack and location of the object with this id, if this segment knows it."""
        row = self._first_at_least(key)
        offset = self._start + row * ROW_SIZE
        if row == self.rows or self._data[offset : offset + 32] != key:
            return None
        at, number = self._row(row)
        return self.packs[number], at

    def starting_with(self, prefix: str) -> Iterator[Location]:
        """Locations of all objects whose id starts with this hexadecimal prefix."""
        row = self._first_at_least(bytes.fromhex(prefix.ljust(64, "0")))
        while row < self.rows:
            at, _ = self._row(row)
            if not at.oid.startswith(prefix):
                return
            yield at
            row += 1

    def raw_rows(self) -> Iterator[bytes]:
        """All rows as they are."""
        return (self._data[at : at + ROW_SIZE] for at in range(self._start, len(self._data), ROW_SIZE))

    def _row(self, row: int) -> tuple[Location, int]:
        offset = self._start + row * ROW_SIZE
        at, number = unpack_row(self._data[offset : offset + ROW_SIZE])
        if number >= len(self.packs):
            raise DamagedError(f"Index segment {self.name[:12]} names no such pack; run `art fsck`.")
        return at, number

    def _first_at_least(self, key: bytes) -> int:
        low, high, data, start = 0, self.rows, self._data, self._start
        while low < high:
            middle = (low + high) // 2
            offset = start + middle * ROW_SIZE
            if data[offset : offset + 32] < key:
                low = middle + 1
            else:
                high = middle
        return low


class Index:
    """All segments of one repository."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._segments: dict[str, Segment] | None = None
        self._in_memory: Segment | None = None
        self._unreadable: set[Oid] = set()

    def find(self, oid: Oid) -> tuple[Oid, Location] | None:
        """The pack and location of an object, if any segment knows it."""
        key = bytes.fromhex(oid)
        for segment in self.segments():
            if found := segment.find(key):
                return found
        return None

    def starting_with(self, prefix: str) -> list[Location]:
        """All objects whose id starts with this prefix, each once."""
        found = {at.oid: at for segment in self.segments() for at in segment.starting_with(prefix)}
        return [found[oid] for oid in sorted(found)]

    def segments(self) -> list[Segment]:
        """The segments that are whole; a torn one is treated as absent. The largest come first."""
        if self._segments is None:
            self.reload()
        found = list((self._segments or {}).values())
        return found if self._in_memory is None else [*found, self._in_memory]

    def reload(self) -> None:
        """Looks at the folder again: another process may have published."""
        known = self._segments or {}
        with storage_errors(f"reading {self._layout.index}"):
            current: dict[str, Segment] | None = None
            for _ in range(_LOOKS):
                if (current := self._read_folder(known)) is not None:
                    break
        self._segments = dict(sorted((current or {}).items(), key=lambda item: -item[1].rows))

    def _read_folder(self, known: dict[str, Segment]) -> dict[str, Segment] | None:
        """The segments in the folder; None when one went while we looked: its rows are in another now."""
        current = {}
        for name in _names(self._layout.index):
            try:
                current[name] = known.get(name) or Segment.open(self._layout.segment(Oid(name)))
            except DamagedError:
                continue
            except FileNotFoundError:
                return None
        return current

    def outdated(self) -> bool:
        """Whether the packs there are differ from the packs that the index knows."""
        there = {Oid(path.name) for path in self._layout.pack_files()}
        known = {name for segment in self.segments() for name in segment.packs}
        return there - self._unreadable != known

    def add_pack(self, name: Oid, entries: list[Location]) -> None:
        """Adds a published pack, merging segments of similar size. Call under the repository's lock."""
        self.reload()
        tables: list[tuple[list[Oid], Iterable[bytes]]] = [([name], [pack_row(at) for at in entries])]
        total, merged = len(entries), []
        for segment in reversed(list((self._segments or {}).values())):
            if segment.rows > 2 * total:
                break
            tables.append((segment.packs, segment.raw_rows()))
            total += segment.rows
            merged.append(segment.name)
        self._replace(tables, merged)

    def rebuild(self, leaving_out: AbstractSet[Oid] = frozenset()) -> None:
        """Makes the index anew from the tables of all packs but some. Call under the repository's lock."""
        self._replace(self._tables(leaving_out), _names(self._layout.index))

    def rebuild_in_memory(self) -> None:
        """As `rebuild`, but writes nothing: for a repository that must not or cannot be written."""
        self._in_memory = Segment(*Segment.build(self._tables()))

    def _tables(self, leaving_out: AbstractSet[Oid] = frozenset()) -> list[tuple[list[Oid], Iterable[bytes]]]:
        tables: list[tuple[list[Oid], Iterable[bytes]]] = []
        self._unreadable = set()
        for path in self._layout.pack_files():
            name = Oid(path.name)
            if name not in leaving_out:
                try:
                    tables.append(([name], [pack_row(at) for at in pack.read_table(path)]))
                except DamagedError:
                    # fsck names it; what it held is missing, and said to be so when asked for
                    self._unreadable.add(name)
        return tables

    def _replace(self, tables: list[tuple[list[Oid], Iterable[bytes]]], old: list[str]) -> None:
        name, data = Segment.build(tables)
        self._layout.index.mkdir(exist_ok=True)
        # After a power cut it may be missing, and is made anew then.
        durable.write_file(self._layout.segment(Oid(name)), data, lasting=False, staging=self._layout.tmp)
        # The new segment stands before the old ones go: a reader in between finds everything.
        for other in old:
            if other != name:
                self._layout.segment(Oid(other)).unlink(missing_ok=True)
        self._in_memory = None
        self.reload()


def _names(folder: Path) -> list[str]:
    try:
        return sorted(filter(is_oid, os.listdir(folder)))
    except FileNotFoundError:
        return []
