"""Packs: many objects in one immutable file. The bytes are described in docs/format/packs.md.

A pack is written front to back, so that one fsync makes all its objects durable, and ends with a table of
what it holds. Its name is the hash of its bytes; a random nonce in its header makes two packs of the same
objects differ, so that a pack once condemned is never mistaken for a fresh one.
"""

from __future__ import annotations

import os
import secrets
import struct
import threading
from dataclasses import dataclass
from pathlib import Path

from ..errors import DamagedError
from ..objects.oid import Oid, hasher
from . import durable

_HEADER = struct.Struct("<4sI24s")
_RECORD = struct.Struct("<4sBBHQQ32s")
_ROW = struct.Struct("<32sBBHIQQQ")
_TRAILER = struct.Struct("<4sIQQ")
_MAGIC, _RECORD_MAGIC, _TRAILER_MAGIC = b"ARTP", b"ARec", b"ArtE"
_VERSION = 1
_FLUSH = 1 << 20

KINDS = ("blob", "tree", "artifact", "version", "commit", "run", "op", "refs")
"""Object kinds in the order of their codes, 0 first."""

_CODES = {kind: code for code, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Location:
    """Where an object's record starts, and what it holds."""

    oid: Oid
    kind: str
    codec: int
    offset: int
    stored: int
    size: int


def pack_row(at: Location, pack_number: int = 0) -> bytes:
    """One 64-byte row of the table at a pack's end, or of an index segment."""
    return _ROW.pack(bytes.fromhex(at.oid), _CODES[at.kind], at.codec, 0, pack_number, at.offset, at.stored, at.size)


def unpack_row(row: bytes | memoryview) -> tuple[Location, int]:
    """Reads what `pack_row` wrote: the location and the pack's number.

    Raises:
        DamagedError: The kind is unknown, or the reserved bytes are not zero.
    """
    raw, kind, codec, reserved, pack_number, offset, stored, size = _ROW.unpack(row)
    if reserved:
        raise DamagedError("A row of a table of objects is damaged; run `art fsck`.")
    return Location(Oid(raw.hex()), kind_name(kind), codec, offset, stored, size), pack_number


ROW_SIZE = _ROW.size


def kind_name(code: int) -> str:
    """The kind that a code stands for.

    Raises:
        DamagedError: No kind has this code.
    """
    if code < len(KINDS):
        return KINDS[code]
    raise DamagedError(f"A stored object is of the unknown kind {code}; run `art fsck`.")


class PackWriter:
    """A pack being written. Thread-safe, so that what was added can be read while more is added.

    It owns the descriptor that it is given.
    """

    def __init__(self, path: Path, fd: int) -> None:
        self._begin(path, fd)
        self._append(_HEADER.pack(_MAGIC, _VERSION, secrets.token_bytes(24)))

    @classmethod
    def resume(cls, path: Path, fd: int, end: int) -> PackWriter:
        """Takes over a pack that a dead process left, keeping its first `end` bytes.

        Raises:
            DamagedError: Those bytes are not whole records.
        """
        writer = cls.__new__(cls)
        writer._begin(path, fd)
        os.ftruncate(fd, end)
        writer.entries = {at.oid: at for at in scan(path, end)}
        writer.end = writer._written = end
        writer._hasher.update_mmap(path)
        return writer

    def _begin(self, path: Path, fd: int) -> None:
        self.path = path
        self.entries: dict[Oid, Location] = {}
        self.end = 0
        self._fd: int | None = fd
        self._hasher = hasher("pack")
        self._buffer: list[bytes] = []
        self._written = 0
        self._mutex = threading.RLock()

    def add(self, oid: Oid, kind: str, codec: int, stored: bytes, size: int) -> None:
        """Appends one object."""
        with self._mutex:
            at = Location(oid, kind, codec, self.end, len(stored), size)
            self._append(_record_header(at))
            self._append(stored)
            self.entries[oid] = at
            # Only now, when header and content are both noted: should this fail, nothing is torn.
            if self.end - self._written >= _FLUSH:
                self.flush()

    def read(self, at: Location) -> bytes | None:
        """The stored bytes of an object added before; None once the pack was closed."""
        with self._mutex:
            if self._fd is None:
                return None
            self.flush()
            return os.pread(self._fd, at.stored, at.offset + _RECORD.size)

    def flush(self) -> None:
        """Hands everything to the operating system: it survives this process, not a power cut.

        What the system refuses stays waiting for the next call, so that a full disk tears no hole.
        """
        with self._mutex:
            if not self._buffer or self._fd is None:
                return
            # Written where it belongs, not where the descriptor stands: a forked process shares that position.
            self._buffer = [b"".join(self._buffer)]
            durable.write_at(self._fd, self._buffer[0], self._written)
            self._written += len(self._buffer.pop())

    def digest(self) -> Oid:
        """The hash of all bytes so far."""
        with self._mutex:
            return Oid(self._hasher.hexdigest())

    def finish(self) -> Oid:
        """Writes the table, makes the file durable, and returns the pack's name."""
        with self._mutex:
            start = self.end
            rows = [pack_row(self.entries[oid]) for oid in sorted(self.entries)]
            self._append(b"".join(rows))
            self._append(_TRAILER.pack(_TRAILER_MAGIC, _VERSION, len(rows), start))
            self.flush()
            assert self._fd is not None, "finished while open"
            os.fsync(self._fd)
            return self.digest()

    def move_to(self, target: Path) -> None:
        """Puts the finished file at its place, durably."""
        target.parent.mkdir(exist_ok=True)
        os.rename(self.path, target)
        durable.sync_folder(target.parent)
        durable.sync_folder(target.parent.parent)

    def close(self) -> None:
        """Closes the descriptor."""
        with self._mutex:
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None

    def _append(self, data: bytes) -> None:
        self._hasher.update(data)
        self._buffer.append(data)
        self.end += len(data)


def _record_header(at: Location) -> bytes:
    return _RECORD.pack(_RECORD_MAGIC, _CODES[at.kind], at.codec, 0, at.stored, at.size, bytes.fromhex(at.oid))


def read_stored(fd: int, at: Location) -> bytes:
    """The stored bytes of one object in an open pack.

    Raises:
        DamagedError: The record there is not the one that the index promised.
    """
    data = os.pread(fd, _RECORD.size + at.stored, at.offset)
    if data[: _RECORD.size] != _record_header(at) or len(data) != _RECORD.size + at.stored:
        raise DamagedError(f"Object {at.oid[:12]} is damaged in its pack; run `art fsck`.")
    return data[_RECORD.size :]


def scan(path: Path, end: int) -> list[Location]:
    """Lists the records of a pack by reading their headers up to `end`, without trusting its table.

    Raises:
        DamagedError: The first `end` bytes are not a header and whole records.
    """
    found = []
    with open(path, "rb") as file:
        magic = file.read(_HEADER.size)[:4]
        position = _HEADER.size
        while magic == _MAGIC and position < end:
            header = file.read(_RECORD.size)
            if len(header) < _RECORD.size or header[:4] != _RECORD_MAGIC:
                break
            _, kind, codec, _, stored, size, raw = _RECORD.unpack(header)
            found.append(Location(Oid(raw.hex()), kind_name(kind), codec, position, stored, size))
            position += _RECORD.size + stored
            if position > end:
                break
            file.seek(position)
    if position != end or magic != _MAGIC:
        raise DamagedError(f"Pack {path.name[:12]} holds something that is not a record; run `art fsck`.")
    return found


def read_table(path: Path) -> list[Location]:
    """The table at the end of a finished pack, checked against the file's size.

    Raises:
        DamagedError: The pack is truncated or its table makes no sense.
    """
    size = path.stat().st_size
    damaged = DamagedError(f"Pack {path.name[:12]} is truncated or damaged; run `art fsck`.")
    if size < _HEADER.size + _TRAILER.size:
        raise damaged
    with open(path, "rb") as file:
        file.seek(size - _TRAILER.size)
        magic, version, count, start = _TRAILER.unpack(file.read(_TRAILER.size))
        if (magic, version) != (_TRAILER_MAGIC, _VERSION):
            raise damaged
        if start + count * ROW_SIZE + _TRAILER.size != size:
            raise damaged
        file.seek(start)
        rows = file.read(count * ROW_SIZE)
    numbered = [unpack_row(rows[i : i + ROW_SIZE]) for i in range(0, len(rows), ROW_SIZE)]
    table = [at for at, number in numbered if number == 0]
    inside = all(at.offset >= _HEADER.size and at.offset + _RECORD.size + at.stored <= start for at in table)
    if len(table) != count or not inside:
        raise damaged
    return table


def records_end(path: Path) -> int:
    """Where a finished pack's records end and its table starts."""
    with open(path, "rb") as file:
        file.seek(-_TRAILER.size, os.SEEK_END)
        start: int = _TRAILER.unpack(file.read())[3]
    return start
