"""Packs: many objects in one immutable file. The bytes are described in docs/format/packs.md.

A pack is written front to back, so that one fsync makes all its objects durable, and ends with a table of what it
holds and the hash of it all. A random nonce in its header makes two packs of the same objects differ, so that a pack
once condemned is never mistaken for a fresh one.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ...errors import DamagedError
from ...objects.oid import Oid, hash_bytes, hasher
from ..files import Buffer, Bytes, Files
from .table import CODES, KINDS, ROW_SIZE, Location, Table, build

_HEADER = struct.Struct("<4sI24s")
_RECORD = struct.Struct("<4sBBHQQ32s")
_TRAILER = struct.Struct("<4sIQQ32s32s")
_MAGIC, _RECORD_MAGIC, _TRAILER_MAGIC = b"ARTP", b"ARec", b"ArtE"
_VERSION = 2

RECORD_SIZE = _RECORD.size
"""Bytes before each object's own."""

TRAILER_SIZE = _TRAILER.size

HEADER_SIZE = _HEADER.size
"""Bytes before the first record."""

LARGEST = 1 << 30
"""No pack has so many bytes: what is being written is put at its place long before."""

BEGINNING, RECORD_MAGIC = _MAGIC + _VERSION.to_bytes(4, "little"), _RECORD_MAGIC
"""How every pack begins, and every record."""

FIRST_SIZE = _HEADER.size + _RECORD.size
"""So many bytes of a pack say what its first object is."""

_PARALLEL = 1 << 20
_AT_ONCE = 64 << 10
"""Of a pack up to this size one read gets the table and all before it."""

_WINDOW = 1 << 20

_GAP = 64 << 10
"""Reading so many bytes that nobody wants takes less than reading again."""


@dataclass(frozen=True, slots=True)
class Item:
    """An object as a pack stores it."""

    oid: Oid
    kind: str
    codec: int
    stored: bytes
    size: int


def header() -> bytes:
    """How a new pack begins."""
    return _HEADER.pack(_MAGIC, _VERSION, os.urandom(24))


def record_header(at: Location) -> bytes:
    """What stands before an object's bytes."""
    return _RECORD.pack(_RECORD_MAGIC, CODES[at.kind], at.codec, 0, at.stored, at.size, bytes.fromhex(at.oid))


def ending(entries: Iterable[Location], end: int, hash_so_far: Oid) -> bytes:
    """How a pack ends: its table, and its trailer less the hash of it all.

    Args:
        entries: What the pack holds.
        end: Where its records end.
        hash_so_far: The hash of all bytes up to there: of the records, whoever wrote the table.
    """
    table = build(entries)
    trailer = _TRAILER.pack(
        _TRAILER_MAGIC, _VERSION, len(table) // ROW_SIZE, end, bytes.fromhex(hash_so_far), table_hash(table, end)
    )
    return table + trailer


def table_hash(table: bytes | memoryview, end: int) -> bytes:
    """The hash of a table and of where it starts."""
    return hasher("pack-table").update(table).update(end.to_bytes(8, "little")).digest()


def pack_bytes(items: Iterable[Item]) -> bytes:
    """A whole pack, in memory."""
    parts, entries, end = [header()], [], _HEADER.size
    for item in items:
        at = Location(item.oid, item.kind, item.codec, end, len(item.stored), item.size)
        parts += [record_header(at), item.stored]
        entries.append(at)
        end += _RECORD.size + at.stored
    records = b"".join(parts)
    return records + ending(entries, end, hash_bytes(records, "pack"))


def pack_id(ending_bytes: bytes) -> Oid:
    """The name of a pack that ends so: the hash of its trailer, which holds the hashes of all the rest."""
    return hash_bytes(ending_bytes[-_TRAILER.size :], "pack-name")


class Pack:
    """A finished pack, read through its table.

    Attributes:
        table: Its table, checked against its hash.
        end: Where its records end.
    """

    def __init__(self, name: str, tail: Buffer, size: int) -> None:
        self.name = name
        damaged = DamagedError(f"Pack {name} is truncated or damaged; run `art fsck --repair`.")
        if size < _HEADER.size + _TRAILER.size or len(tail) < _TRAILER.size:
            raise damaged
        magic, version, rows, self.end, self._hash, checked = _TRAILER.unpack(tail[-_TRAILER.size :])
        length = rows * ROW_SIZE + _TRAILER.size
        if (magic, version) != (_TRAILER_MAGIC, _VERSION) or self.end + length != size or len(tail) < length:
            raise damaged
        start = len(tail) - length
        with memoryview(tail) as view:
            if table_hash(view[start : -_TRAILER.size], self.end) != checked:
                raise damaged
        self.table = Table(tail, start, rows)
        self._all = bytes(tail) if len(tail) == size <= _AT_ONCE else None

    @classmethod
    def open(cls, files: Files, name: str) -> Pack:
        """The pack in a file.

        Raises:
            FileNotFoundError: There is none.
            DamagedError: It is truncated or its table is damaged.
        """
        size = files.size(name)
        if size <= _AT_ONCE:
            return cls(name, files.read(name), size)
        trailer = files.read(name, size - _TRAILER.size)
        _, _, rows, end, _, _ = _TRAILER.unpack(trailer.ljust(_TRAILER.size, b"\0"))
        length = rows * ROW_SIZE + _TRAILER.size
        # A trailer that cannot be true is refused as it stands: what it claims to end may be all of a large file.
        return cls(name, files.read(name, end, length) if end + length == size else trailer, size)

    def locations(self) -> Iterator[Location]:
        """What it holds.

        Raises:
            DamagedError: A row points outside the records, or to another pack.
        """
        return (self.inside(at, number) for at, number in self.table)

    def held(self) -> Iterator[tuple[bytes, int, int]]:
        """Raw id, code of the kind and stored bytes of each object: `locations` for very many. Raises as that does."""
        least, most, kinds = _HEADER.size, self.end - _RECORD.size, len(KINDS)
        for row, (key, kind, reserved, number, offset, stored) in enumerate(self.table.held()):
            if reserved or number or offset < least or offset + stored > most or kind >= kinds:
                self.inside(*self.table.row(row))  # says what is wrong
            yield key, kind, stored

    def in_order(self, keys: AbstractSet[bytes]) -> list[Location]:
        """Where those of its objects are that are among `keys`, as they follow each other. Raises as `locations`."""
        found = (self.inside(at, number) for at, number in self.table.among(keys))
        return sorted(found, key=lambda at: at.offset)

    def sequence(self, longest: int) -> list[int] | None:
        """The rows of its table in the order of their records, if all make sense and these follow without a gap.

        Args:
            longest: No object may take more bytes than that.
        """
        order, position = self.table.by_offset(), _HEADER.size
        for row in order:
            _, kind, reserved, number, offset, stored = self.table.held_in(row)
            if offset != position or kind >= len(KINDS) or reserved or number or stored > longest:
                return None
            position += _RECORD.size + stored
        return order if position == self.end else None

    def inside(self, at: Location, number: int = 0) -> Location:
        """`at`, if it lies within the records. Raises DamagedError otherwise."""
        if number == 0 and at.offset >= _HEADER.size and at.offset + _RECORD.size + at.stored <= self.end:
            return at
        raise DamagedError(f"The table of pack {self.name} points outside it; run `art fsck --repair`.")

    def record(self, at: Location) -> bytes | None:
        """The stored bytes of an object, where the pack is in memory; None where it has to be read.

        Raises:
            DamagedError: It is not the one that the table promised.
        """
        if self._all is None:
            return None
        return check_record(self._all[at.offset : at.offset + _RECORD.size + at.stored], at)

    def whole(self, files: Files) -> bool:
        """Whether every byte is as it was written: reads all of the pack."""
        check = hasher("pack", parallel=self.end > _PARALLEL)
        with memoryview(files.map(self.name)) as view:
            check.update(view[: self.end])
        return self.is_hash(check.digest())

    def is_hash(self, digest: bytes) -> bool:
        """Whether this is the hash that its records had when it was written."""
        return bool(digest == self._hash)


def records(files: Files, name: str, places: Iterable[Location]) -> Iterator[tuple[Location, bytes]]:
    """The records of a pack at places that come in order, as they are; it is read from its front to its back."""
    for together in _close(places):
        start = together[0].offset
        window = files.read(name, start, _end(together[-1]) - start)
        yield from ((at, window[at.offset - start : _end(at) - start]) for at in together)


def _close(places: Iterable[Location]) -> Iterator[list[Location]]:
    """Places in order, those together that are read at once: as they follow each other, with little between them."""
    together: list[Location] = []
    for at in places:
        if together and (at.offset > _end(together[-1]) + _GAP or _end(at) > together[0].offset + _WINDOW):
            yield together
            together = []
        together.append(at)
    if together:
        yield together


def _end(at: Location) -> int:
    return at.offset + _RECORD.size + at.stored


def check_record(data: Bytes, at: Location) -> Bytes:
    """The stored bytes in a record that was read from its place.

    Raises:
        DamagedError: The record is not the one that the table promised.
    """
    if data[: _RECORD.size] != record_header(at) or len(data) != _RECORD.size + at.stored:
        raise DamagedError(f"Object {at.oid[:12]} is damaged in its pack; run `art fsck --repair`.")
    return data[_RECORD.size :]


def first_record(data: bytes) -> Location:
    """Where the first object of a pack is, from the pack's beginning. Raises DamagedError where there is none."""
    at = read_header(data, _HEADER.size, _HEADER.size) if data[:4] == _MAGIC else None
    if at is not None:
        return at
    raise DamagedError("A pack does not begin as a pack does; run `art fsck --repair`.")


def read_header(data: Buffer | memoryview, position: int, offset: int) -> Location | None:
    """The object whose record begins at a position in some bytes of a pack; None where none does.

    Args:
        data: The bytes.
        position: Where in them.
        offset: Where that is in the pack.
    """
    if position + _RECORD.size > len(data):
        return None
    magic, kind, codec, reserved, stored, size, raw = _RECORD.unpack_from(data, position)
    if magic != _RECORD_MAGIC or kind >= len(KINDS) or reserved:
        return None
    return Location(Oid(raw.hex()), KINDS[kind], codec, offset, stored, size)


def record_at(data: bytes, at: Location) -> bytes:
    """The stored bytes of an object in a whole pack in memory. Raises DamagedError as `check_record`."""
    return check_record(data[at.offset : at.offset + _RECORD.size + at.stored], at)


def scan(data: Buffer, end: int) -> list[Location]:
    """Lists the records of a pack by their headers up to `end`, without trusting its table.

    Raises:
        DamagedError: The first `end` bytes are not a header and whole records.
    """
    found, position = [], _HEADER.size
    good = bytes(data[:4]) == _MAGIC
    while good and position < end and (at := read_header(data, position, position)) is not None:
        found.append(at)
        position += _RECORD.size + at.stored
    if not good or position != end or end > len(data):
        raise DamagedError("A pack holds something that is not a record; run `art fsck --repair`.")
    return found
