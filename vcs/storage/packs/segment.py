"""Index segments: which pack holds an object, for many packs. The bytes are described in docs/format/index.md.

A segment is immutable, is named after its hash, and is derived: it can be made again from the packs' own tables.
"""

from __future__ import annotations

import bisect
import functools
import struct
from collections.abc import Iterable, Iterator, Sequence

from ...errors import DamagedError
from ...objects.oid import Oid, hash_bytes, is_oid
from ..files import Buffer, Files
from ..layout import PackName, is_lineage_name, op_name, pack_name
from .table import ROW_SIZE, Table, renumbered

Rows = bytes | memoryview
"""Rows of a table, one after the other."""

_HEADER = struct.Struct("<4sIQQ")
_NAME = struct.Struct("<c32s")
_NUMBER = struct.Struct(">24xQ")
_MAGIC = b"ARTI"
_VERSION = 2

_AT_ONCE = 1 << 15
"""So many rows are sorted at once: one by one in memory, each takes several times what it takes there."""


class Segment(Table):
    """One segment of the index.

    Args:
        name: The hash of the bytes.
        data: The bytes.

    Raises:
        DamagedError: The bytes are not a segment.
    """

    def __init__(self, name: str, data: Buffer) -> None:
        self.name = Oid(name)
        damaged = DamagedError(f"Index segment {name[:12]} is damaged; run `art fsck --repair`.")
        if len(data) < _HEADER.size:
            raise damaged
        magic, version, self._named, rows = _HEADER.unpack_from(data)
        start = _HEADER.size + _NAME.size * self._named
        if (magic, version) != (_MAGIC, _VERSION) or len(data) != start + rows * ROW_SIZE:
            raise damaged
        super().__init__(data, start, rows)
        self._known: dict[int, PackName] = {}

    @functools.cached_property
    def packs(self) -> list[PackName]:
        """The packs that it lists. There may be a hundred thousand: who looks for one object needs none of these."""
        return [self.pack_of(number) for number in range(self._named)]

    @classmethod
    def open(cls, files: Files, path: str) -> Segment:
        """The segment in a file. Raises FileNotFoundError, and DamagedError as the class."""
        return cls(path.rpartition("/")[2], files.map(path))

    def whole(self) -> bool:
        """Whether the bytes are those that the name promises, and no row names a pack that is not listed."""
        return hash_bytes(memoryview(self._data), "index") == self.name and self.last_number() < max(self._named, 1)

    def pack_of(self, number: int) -> PackName:
        """The pack with this number. Raises DamagedError where there is none."""
        if number not in self._known:
            if number >= self._named:
                raise DamagedError(f"Index segment {self.name[:12]} names no such pack; run `art fsck --repair`.")
            self._known[number] = _decode_name(*_NAME.unpack_from(self._data, _HEADER.size + _NAME.size * number))
        return self._known[number]


def build(tables: Iterable[tuple[Sequence[PackName], Rows]], without: frozenset[PackName]) -> bytes:
    """The bytes of a segment.

    Args:
        tables: Names of packs, and rows whose pack numbers count in those.
        without: Packs that are left out.

    Raises:
        DamagedError: A row has a number that none of its names has.
    """
    tables = list(tables)
    packs = sorted({name for names, _ in tables for name in names} - without)
    numbers = {name: number for number, name in enumerate(packs)}
    become = [[numbers.get(name) for name in names] for names, _ in tables]
    made = bytearray()
    for part in _parts([rows for _, rows in tables]):
        rows = [row for found, new in zip(part, become, strict=True) for row in renumbered(found, new)]
        rows.sort()  # merges what is sorted in each
        made += b"".join(rows)
    header = _HEADER.pack(_MAGIC, _VERSION, len(packs), len(made) // ROW_SIZE)
    return b"".join([header, *map(_encode_name, packs), made])


def _parts(tables: Sequence[Rows]) -> Iterator[list[Rows]]:
    """The rows of sorted tables in parts that follow each other: of each table those whose ids begin in one span."""
    count = min(256, sum(map(len, tables)) // (ROW_SIZE * _AT_ONCE))
    if count <= 1:
        yield list(tables)
        return
    tables = [_sorted(rows) for rows in tables]
    beginnings = [memoryview(rows)[::ROW_SIZE].tobytes() for rows in tables]
    at = [0] * len(tables)
    for number in range(1, count + 1):
        ends = [bisect.bisect_left(each, 256 * number // count) for each in beginnings]
        yield [
            memoryview(rows)[start * ROW_SIZE : end * ROW_SIZE]
            for rows, start, end in zip(tables, at, ends, strict=True)
        ]
        at = ends


def _sorted(rows: Rows) -> Rows:
    """A table's rows in order, as they are unless somebody made them otherwise."""
    beginnings = memoryview(rows)[::ROW_SIZE].tobytes()
    if beginnings == b"".join(bytes([each]) * beginnings.count(each) for each in range(256)):
        return rows
    return b"".join(sorted(bytes(rows[at : at + ROW_SIZE]) for at in range(0, len(rows), ROW_SIZE)))


def _encode_name(pack: PackName) -> bytes:
    last = pack.rpartition("/")[2]
    if not is_oid(last):
        return _NAME.pack(b"o", _NUMBER.pack(int(last)))
    return _NAME.pack(b"l" if is_lineage_name(pack) else b"p", bytes.fromhex(last))


def _decode_name(kind: bytes, raw: bytes) -> PackName:
    if kind in (b"p", b"l"):
        return pack_name(Oid(raw.hex()), lineage=kind == b"l")
    return op_name(_NUMBER.unpack(raw)[0])
