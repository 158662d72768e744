"""The index: which pack holds an object, and where. The bytes are described in docs/format/index.md.

Immutable segments of rows sorted by id, searched in place through mmap. Publishing adds a segment for the
new pack; segments of similar size are merged into one, so that there are never more than a few. The index is
derived: a segment that is missing or torn is rebuilt from the packs' own tables.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

from . import durable, pack
from .errors import DamagedError
from .layout import Layout
from .oid import Oid, hash_bytes
from .pack import ROW_SIZE, Location, pack_row, unpack_row

_HEADER = struct.Struct("<4sIQQ")
_MAGIC = b"ARTI"
_VERSION = 1


class Segment:
    """One sorted, immutable part of the index.

    Raises:
        DamagedError: The file is not the one its name promises.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = Oid(path.name)
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        if hash_bytes(memoryview(self._data), "index") != path.name:
            raise DamagedError(f"Index segment {path.name[:12]} is damaged; run `art fsck`.")
        _, _, packs, self.rows = _HEADER.unpack_from(self._data)
        self._start = _HEADER.size + 32 * packs
        self.packs = [Oid(self._data[i : i + 32].hex()) for i in range(_HEADER.size, self._start, 32)]

    def find(self, oid: Oid) -> tuple[Oid, Location] | None:
        """The pack and location of an object, if this segment knows it."""
        row = self._first_at_least(bytes.fromhex(oid))
        if row < self.rows:
            at, number = self._row(row)
            if at.oid == oid:
                return self.packs[number], at
        return None

    def starting_with(self, prefix: str) -> Iterator[Location]:
        """Locations of all objects whose id starts with this hexadecimal prefix."""
        row = self._first_at_least(bytes.fromhex(prefix.ljust(64, "0")))
        while row < self.rows:
            at, _ = self._row(row)
            if not at.oid.startswith(prefix):
                return
            yield at
            row += 1

    def __iter__(self) -> Iterator[tuple[Oid, Location]]:
        for row in range(self.rows):
            at, number = self._row(row)
            yield self.packs[number], at

    def _row(self, row: int) -> tuple[Location, int]:
        offset = self._start + row * ROW_SIZE
        return unpack_row(self._data[offset : offset + ROW_SIZE])

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

    def find(self, oid: Oid) -> tuple[Oid, Location] | None:
        """The pack and location of an object, if any segment knows it."""
        for segment in self.segments():
            if found := segment.find(oid):
                return found
        return None

    def starting_with(self, prefix: str) -> list[Location]:
        """All objects whose id starts with this prefix, each once."""
        found = {at.oid: at for segment in self.segments() for at in segment.starting_with(prefix)}
        return [found[oid] for oid in sorted(found)]

    def segments(self) -> list[Segment]:
        """The segments that are whole; a torn one is treated as absent."""
        if self._segments is None:
            self.reload()
        return list((self._segments or {}).values())

    def reload(self) -> None:
        """Looks at the folder again: another process may have published."""
        known = self._segments or {}
        current = {}
        for name in sorted(os.listdir(self._layout.index)):
            try:
                current[name] = known.get(name) or Segment(self._layout.index / name)
            except (DamagedError, FileNotFoundError, struct.error):
                continue
        self._segments = current

    def add_pack(self, name: Oid, entries: list[Location]) -> None:
        """Adds a published pack, merging segments of similar size. Call under the repository's lock."""
        self.reload()
        rows = [(name, at) for at in entries]
        merged: list[Path] = []
        for segment in sorted(self.segments(), key=lambda segment: segment.rows):
            if segment.rows > 2 * len(rows):
                break
            rows.extend(segment)
            merged.append(segment.path)
        self._replace(rows, merged)

    def rebuild(self, leaving_out: AbstractSet[Oid] = frozenset()) -> None:
        """Makes the index anew from the tables of all packs but some. Call under the repository's lock."""
        rows: list[tuple[Oid, Location]] = []
        for path in sorted(self._layout.packs.glob("*/*")):
            if path.name in leaving_out:
                continue
            try:
                rows.extend((Oid(path.name), at) for at in pack.read_table(path))
            except DamagedError:
                continue  # fsck names it; what it held is missing, and said to be so when asked for
        self._replace(rows, [self._layout.segment(Oid(name)) for name in os.listdir(self._layout.index)])

    def _replace(self, rows: list[tuple[Oid, Location]], old: list[Path]) -> None:
        written = self._write(rows)
        # The new segment stands before the old ones go: a reader in between finds everything.
        for path in old:
            if path.name != written:
                path.unlink(missing_ok=True)
        self.reload()

    def _write(self, rows: list[tuple[Oid, Location]]) -> Oid:
        unique = {at.oid: (name, at) for name, at in rows}
        packs = sorted({name for name, _ in unique.values()})
        numbers = {name: number for number, name in enumerate(packs)}
        data = b"".join(
            [
                _HEADER.pack(_MAGIC, _VERSION, len(packs), len(unique)),
                *(bytes.fromhex(name) for name in packs),
                *(pack_row(at, numbers[name]) for _, (name, at) in sorted(unique.items())),
            ]
        )
        segment = hash_bytes(data, "index")
        # Not fsynced: after a power cut a torn segment fails its checksum and is rebuilt.
        durable.write_file(self._layout.segment(segment), data, durable=False)
        return segment
