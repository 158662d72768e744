"""Reading all of a pack: is the file as it was written, and which of its objects are sound?

Where its table lists records that follow each other, the file is read once, from its front to its back: each block is
hashed, and what is in it verified, while a processor has it at hand. Where it does not, its objects are looked for one
by one: by the table, or, where that is damaged too, by the marks with which records begin.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from blake3 import blake3

from ...errors import DamagedError
from ...objects.oid import hasher
from ...storage.files import Files
from ...storage.layout import PACKS
from ...storage.packs import pack
from ...storage.packs.pack import RECORD_SIZE, Pack
from ...storage.packs.table import Location
from . import verify
from .verify import Found

_BLOCK = 1 << 20
_LARGEST = 256 << 20
_EFFORT = 4
"""A damaged pack is read no more than so many times: records that overlap could be made to cost any time."""

_UNLIKE = "is made wrongly: its table does not list its records"

Told = Callable[[int], None]
"""Called with the number of bytes just read."""


@dataclass
class PackReader:
    """All of one pack's file.

    Attributes:
        files: Where it is.
        name: Its name; of an op too.
        told: How it goes.
        problems: What is wrong with the file as a whole, known once all objects were looked at.
        missing: Whether there is no such file.
        has_table: Whether its table can be read, once the first object was.
        refused: Why the system did not let it be read, if it did not.
    """

    files: Files
    name: str
    told: Told = lambda _: None
    problems: list[str] = field(default_factory=list)
    missing: bool = False
    has_table: bool = True
    refused: OSError | None = None
    _left: int = 0
    _torn: bool = False
    _unlike: bool = False  # whether a record is not what the table says

    def objects(self) -> Iterator[Found]:
        """Every object that can be made out, sound or not."""
        try:
            try:
                size = self.files.size(self.name)
            except DamagedError:
                self.problems, self.has_table = ["is no plain file"], False
                return
            table = self._open()
            self._left = _EFFORT * size + _BLOCK
            rows = None if table is None else table.sequence(_LARGEST)
            if table is not None and rows is not None:
                yield from self._in_order(table, rows)
            else:
                yield from self._one_by_one(table, size)
        except FileNotFoundError:
            self.missing = True
            self.problems = ["is missing"]
        except OSError as error:
            self.refused = error
            self.problems.append(f"cannot be read: {error.strerror}")

    def _open(self) -> Pack | None:
        try:
            found = Pack.open(self.files, self.name)
        except DamagedError:
            self.problems.append("is truncated, or its end is damaged")
            self.has_table = False
            return None
        if self.name.startswith(f"{PACKS}/"):
            trailer = self.files.read(self.name, self.files.size(self.name) - pack.TRAILER_SIZE)
            if pack.pack_id(trailer) != self.name.rpartition("/")[2]:
                self.problems.append("is damaged: its bytes do not match its name")
        return found

    # One whose records follow each other

    def _in_order(self, table: Pack, rows: list[int]) -> Iterator[Found]:
        check = hasher("pack")
        self._take(check, 0, pack.HEADER_SIZE)
        for block, length in self._blocks(table, rows):
            data = self._take(check, block[0].offset, length)
            yield from map(self._look, block) if data is None else self._verified(data, block)
            self.told(length)
        if self._compare(table, check.digest()) and self._unlike:
            self.problems.append(_UNLIKE)

    def _take(self, check: blake3, position: int, length: int) -> bytes | None:
        """Some bytes of the file, after they were hashed; None where the disk has a bad place."""
        try:
            data = self._read(position, length)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self._torn = True
            if (problem := f"cannot be read in part: {error.strerror}") not in self.problems:
                self.problems.append(problem)
            return None
        check.update(data)
        return data

    def _blocks(self, table: Pack, rows: list[int]) -> Iterator[tuple[list[Location], int]]:
        """The records that are read together, and how many bytes these are."""
        block: list[Location] = []
        length = 0
        for row in rows:
            at = table.inside(*table.table.row(row))
            if block and length + RECORD_SIZE + at.stored > _BLOCK:
                yield block, length
                block, length = [], 0
            block.append(at)
            length += RECORD_SIZE + at.stored
        if block:
            yield block, length

    def _verified(self, data: bytes, block: list[Location]) -> Iterator[Found]:
        """The objects of records that follow each other in some bytes."""
        view, base = memoryview(data), block[0].offset
        for at in block:
            yield self._verify(at, view[at.offset - base : at.offset - base + RECORD_SIZE + at.stored])

    def _verify(self, at: Location, record: memoryview) -> Found:
        try:
            return verify.check(at, pack.check_record(record, at))
        except DamagedError as error:
            self._unlike = True
            return Found(at, problem=str(error))

    def _compare(self, table: Pack, digest: bytes) -> bool:
        """Whether the bytes are those that were written."""
        whole = table.is_hash(digest) and not self._torn
        if not whole and not self._torn:
            self.problems.append("is damaged: its bytes are not those that were written")
        return whole

    # A damaged one

    def _one_by_one(self, table: Pack | None, size: int) -> Iterator[Found]:
        if table is not None and self._is_whole(table):
            self.problems.append(_UNLIKE)
        yield from self._in_table(table) if table is not None else self._by_marks(min(size, pack.LARGEST))
        if self._left <= 0:
            self.problems.append("holds records that overlap; what is left of it was not looked at")

    def _is_whole(self, table: Pack) -> bool:
        check, position = hasher("pack"), 0
        while position < table.end and (data := self._take(check, position, min(_BLOCK, table.end - position))):
            position += len(data)
            self.told(len(data))
        return self._compare(table, check.digest())

    def _in_table(self, table: Pack) -> Iterator[Found]:
        seen: set[int] = set()
        for number in range(table.table.rows):
            if self._left <= 0:
                return
            try:
                at = table.inside(*table.table.row(number))
            except DamagedError as error:
                self.problems.append(str(error))
                continue
            if at.offset not in seen:
                seen.add(at.offset)
                yield self._look(at)

    def _by_marks(self, size: int) -> Iterator[Found]:
        position, self._window = 0, (0, b"")
        while self._left > 0 and (position := self._next_mark(position, size)) >= 0:
            start, data = self._window
            at = pack.read_header(data, position - start, position)
            position += 1
            if at is not None and at.stored <= min(size, _LARGEST):
                found = self._look(at)
                yield found
                if found.problem is None:
                    position += RECORD_SIZE + at.stored - 1

    def _next_mark(self, position: int, size: int) -> int:
        """Where the next record seems to begin; the window holds its header. Below zero where none does any more."""
        while position + RECORD_SIZE <= size:
            start, data = self._window
            found = data.find(pack.RECORD_MAGIC, position - start) if start <= position else -1
            if found >= 0 and found + RECORD_SIZE <= len(data):
                return start + found
            # What begins at the end of the window is looked at again in the next one.
            position = max(position, start + len(data) - RECORD_SIZE + 1) if found < 0 else start + found
            if position + RECORD_SIZE <= size:
                self._window = position, self._read(position, _BLOCK)
                if len(self._window[1]) < RECORD_SIZE:
                    break  # cut off since
        return -1

    def _look(self, at: Location) -> Found:
        self._left -= RECORD_SIZE + at.stored
        if at.stored > _LARGEST:
            return Found(at, problem=f"It says that it takes {at.stored} bytes, and no object takes so many.")
        try:
            return self._verify(at, memoryview(self._read(at.offset, RECORD_SIZE + at.stored)))
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return Found(at, problem=f"It cannot be read: {error.strerror}.")

    def _read(self, position: int, length: int) -> bytes:
        return self.files.read(self.name, position, length)
