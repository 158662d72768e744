"""Tables of objects: rows of 64 bytes sorted by id, searched where they lie.

A pack ends with the table of its own objects; an index segment holds the tables of many packs merged into one. The
bytes are described in docs/format/packs.md.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from ...errors import DamagedError
from ...objects.oid import Oid
from ..files import Buffer

_ROW = struct.Struct("<32sBBHIQQQ")
_PLACE = struct.Struct("<32sBBHI8xQ8x")
"""Of a row the id, the codes of kind and codec, what is zero, the pack's number, and how long the object is."""
_HELD = struct.Struct("<32sBxHIQQ8x")
"""Of a row the id, the kind's code, what is zero, the pack's number, and where and how long the object is."""
_BEGINNING = struct.Struct(">Q56x")
"""Of a row the first bytes of the id, as a number that is sorted as they are."""
_OFFSET = struct.Struct("<40xQ16x")
_NUMBER, _NUMBER_AT, _NUMBER_SIZE = struct.Struct("<36xI24x"), 36, 4
"""Of a row the pack's number."""
_APART = struct.Struct("<36sI24s")
"""Of a row what is before the pack's number, this, and what is after it."""

ROW_SIZE = _ROW.size

_FEW = 20
"""Looking for one object takes as long as passing over so many."""

DATA = ("blob", "tree")
"""The kinds of objects that hold what users have; all others tell of it."""

KINDS = ("blob", "tree", "artifact", "version", "commit", "run", "op", "refs", "promotion", "steps", "step", "order")
"""Object kinds in the order of their codes, 0 first."""

CODES = {kind: code for code, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Location:
    """Where an object's record starts in its pack, and what it holds. Sizes are bytes."""

    oid: Oid
    kind: str
    codec: int
    offset: int
    stored: int
    size: int


def kind_name(code: int) -> str:
    """The kind that a code stands for.

    Raises:
        DamagedError: No kind has this code.
    """
    if code < len(KINDS):
        return KINDS[code]
    raise DamagedError(f"A stored object is of the unknown kind {code}; run `art fsck`.")


def pack_row(at: Location) -> bytes:
    """One row, for pack number 0."""
    return _ROW.pack(bytes.fromhex(at.oid), CODES[at.kind], at.codec, 0, 0, at.offset, at.stored, at.size)


def _location(row: tuple[bytes, int, int, int, int, int, int, int]) -> tuple[Location, int]:
    """What a row says. Raises DamagedError where it makes no sense."""
    raw, kind, codec, reserved, number, at, stored, size = row
    if reserved:
        raise DamagedError("A row of a table of objects is damaged; run `art fsck`.")
    return Location(Oid(raw.hex()), kind_name(kind), codec, at, stored, size), number


def renumbered(rows: bytes | memoryview, numbers: Sequence[int | None]) -> list[bytes]:
    """Rows with other numbers of packs.

    Args:
        rows: The rows, one after the other.
        numbers: What becomes of each number there was; rows of packs that get none are left out.

    Raises:
        DamagedError: A row has a number that is not among them.
    """
    try:
        found = [numbers[number] for (number,) in _NUMBER.iter_unpack(rows)]
    except IndexError:
        raise DamagedError("A table of objects names a pack that there is not; run `art fsck --repair`.") from None
    changed, column = bytearray(rows), struct.pack(f"<{len(found)}I", *(number or 0 for number in found))
    for byte in range(_NUMBER_SIZE):  # a column at once: there may be a million rows
        changed[_NUMBER_AT + byte :: ROW_SIZE] = column[byte::_NUMBER_SIZE]
    places = range(0, len(changed), ROW_SIZE)
    return [bytes(changed[at : at + ROW_SIZE]) for at, number in zip(places, found, strict=True) if number is not None]


def build(locations: Iterable[Location]) -> bytes:
    """The rows of a pack's own table."""
    rows = bytearray()
    for at in sorted(locations, key=lambda at: at.oid):
        rows += pack_row(at)
    return bytes(rows)


class Table:
    """Sorted rows inside a buffer.

    Args:
        data: The buffer.
        start: Where the first row starts.
        rows: How many there are.
    """

    def __init__(self, data: Buffer, start: int, rows: int) -> None:
        self.rows = rows
        self._data = data
        self._start = start
        self._sought = 0
        self._beginnings: array[int] | None = None  # of all ids, once so many are sought that this pays

    def find(self, key: bytes) -> Iterator[tuple[Location, int]]:
        """Where the object with this id is, and the number of its pack: in more than one where it was stored twice.

        Raises:
            DamagedError: A row makes no sense.
        """
        row = self.seek(key)
        while row < self.rows and self.key(row) == key:
            yield self.row(row)
            row += 1

    def seek(self, key: bytes) -> int:
        """The first row with this id; one after the last where there is none."""
        if self._beginnings is None:
            self._sought += 1
            if self._sought * _FEW > self.rows:
                self._beginnings = array("Q", [begins for (begins,) in self._columns(_BEGINNING)])
        if self._beginnings is None:
            row = self._first_at_least(key)
        else:
            begins = int.from_bytes(key[:8], "big")
            row = bisect_left(self._beginnings, begins)
            while row < self.rows and self._beginnings[row] == begins and self.key(row) < key:
                row += 1
        return row if row < self.rows and self.key(row) == key else self.rows

    def places(self, keys: AbstractSet[bytes]) -> Iterator[tuple[bytes, int, int, int, int]]:
        """Id, codes of kind and codec, number of the pack, and stored bytes, of all that are here among many."""
        if len(keys) * _FEW < self.rows:
            for key in keys:
                yield from ((key, CODES[at.kind], at.codec, number, at.stored) for at, number in self.find(key))
        else:
            for key, kind, codec, reserved, number, stored in self._columns(_PLACE):
                if key in keys and not reserved:
                    yield key, kind, codec, number, stored

    def among(self, keys: AbstractSet[bytes]) -> Iterator[tuple[Location, int]]:
        """As `find`, of many at once."""
        if len(keys) * _FEW < self.rows:
            for key in keys:
                yield from self.find(key)
        else:
            yield from (_location(row) for row in self._columns(_ROW) if row[0] in keys)

    def held(self) -> Iterator[tuple[bytes, int, int, int, int, int]]:
        """Of each row the id, the code of the kind, what is zero, the pack's number, offset and stored bytes."""
        return self._columns(_HELD)

    def by_offset(self) -> list[int]:
        """The numbers of the rows in the order in which their objects lie."""
        offsets = [offset for (offset,) in self._columns(_OFFSET)]
        return sorted(range(self.rows), key=offsets.__getitem__)

    def check(self) -> None:
        """Looks at all rows. Raises DamagedError where one makes no sense."""
        for row, (_, kind, reserved, *_) in enumerate(self.held()):
            if reserved or kind >= len(KINDS):
                self.row(row)  # says what is wrong

    def held_in(self, row: int) -> tuple[bytes, int, int, int, int, int]:
        """As `held`, of one row."""
        return _HELD.unpack_from(self._data, self._start + row * ROW_SIZE)

    def starting_with(self, prefix: str) -> Iterator[tuple[Location, int]]:
        """The rows whose id starts with this hexadecimal prefix."""
        for row in range(self._first_at_least(bytes.fromhex(prefix.ljust(64, "0"))), self.rows):
            found = self.row(row)
            if not found[0].oid.startswith(prefix):
                return
            yield found

    def row(self, row: int) -> tuple[Location, int]:
        """One row. Raises DamagedError as `find`."""
        offset = self._start + row * ROW_SIZE
        return _location(_ROW.unpack_from(self._data, offset))

    def __iter__(self) -> Iterator[tuple[Location, int]]:
        return (self.row(row) for row in range(self.rows))

    def raw(self) -> memoryview:
        """All rows as they are, where they lie."""
        return memoryview(self._data)[self._start : self._start + self.rows * ROW_SIZE]

    def last_number(self) -> int:
        """The greatest number of a pack in the rows; 0 where there are none."""
        return max((number for (number,) in self._columns(_NUMBER)), default=0)

    def sums(self) -> Counter[int]:
        """Of each pack's number a sum of its rows, which says in this process whether others are the same.

        In another order they have the same sum, and other ones practically never.
        """
        sums = Counter[int]()
        for before, number, after in self._columns(_APART):
            sums[number] += hash((before, after))
        return sums

    def _columns(self, columns: struct.Struct) -> Iterator[Any]:
        """Some columns of all rows."""
        rows = memoryview(self._data)[self._start : self._start + self.rows * ROW_SIZE]
        return columns.iter_unpack(rows) if self.rows else iter(())

    def key(self, row: int) -> bytes:
        """The raw id in one row."""
        offset = self._start + row * ROW_SIZE
        return bytes(self._data[offset : offset + 32])

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
