"""Reading all of a pack: is the file as it was written, and which of its objects are sound?

The file is hashed first. Where that is right, its records follow each other and are verified a block at a time, several
at once. Where it is not, its objects are looked for one by one: by its table, or, where that is damaged too, by the
marks with which records begin.
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from ...errors import DamagedError
from ...objects.oid import hasher
from ...storage.files import Files
from ...storage.layout import PACKS
from ...storage.packs import pack
from ...storage.packs.pack import RECORD_SIZE, Pack
from ...storage.packs.table import Location, pack_row
from . import verify
from .verify import Found

_BLOCK = 8 << 20
_AHEAD = 3
"""So many blocks are verified at once, or wait for it."""

_SMALL = 4 << 10
"""Of objects below this size verifying is work for the interpreter, and other threads would be in its way."""

_LARGEST = 256 << 20
_EFFORT = 4
"""A damaged pack is read no more than so many times: records that overlap could be made to cost any time."""

Told = Callable[[int], None]
"""Called with the number of bytes just read."""


@dataclass
class PackReader:
    """All of one pack's file.

    Attributes:
        files: Where it is.
        name: Its name; of an op too.
        executor: Where objects are verified.
        told: How it goes.
        problems: What is wrong with the file as a whole, known once all objects were looked at.
        missing: Whether there is no such file.
        has_table: Whether its table can be read, once the first object was.
        refused: Why the system did not let it be read, if it did not.
    """

    files: Files
    name: str
    executor: Executor
    told: Told = lambda _: None
    problems: list[str] = field(default_factory=list)
    missing: bool = False
    has_table: bool = True
    refused: OSError | None = None

    def objects(self) -> Iterator[Found]:
        """Every object that can be made out, sound or not."""
        try:
            size = self.files.size(self.name)
            table = self._open()
            if table is not None and self._is_whole(table):
                yield from self._in_order(table)
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

    def _is_whole(self, table: Pack) -> bool:
        check, position = hasher("pack"), 0
        try:
            while position < table.end:
                data = self.files.read(self.name, position, min(_BLOCK, table.end - position))
                if not data:
                    break
                check.update(data)
                position += len(data)
                self.told(len(data))
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self.problems.append(f"cannot be read in part: {error.strerror}")  # a bad place on the disk
            return False
        if table.is_hash(check.digest()):
            return True
        self.problems.append("is damaged: its bytes are not those that were written")
        return False

    # A whole pack

    def _in_order(self, table: Pack) -> Iterator[Found]:
        """The objects of a pack whose bytes are right, and whose records therefore follow each other."""
        position, count, rows = pack.HEADER_SIZE, 0, 0
        waiting: deque[Future[list[Found]]] = deque()
        while position < table.end:
            data = self.files.read(self.name, position, min(_BLOCK, table.end - position))
            block, length = _records(data, position)
            if not block and length:  # a record that is longer than a block
                data = self.files.read(self.name, position, min(length, table.end - position, _LARGEST))
                block, length = _records(data, position)
            if not block:
                self.problems.append("holds something that is not a record")
                break
            for at in block:
                rows += hash(pack_row(at))
            count += len(block)
            base, position = position, block[-1].offset + RECORD_SIZE + block[-1].stored
            if len(data) < _SMALL * len(block):
                yield from _verified(data, base, block)
                continue
            waiting.append(self.executor.submit(_verified, data, base, block))
            if len(waiting) >= _AHEAD:
                yield from waiting.popleft().result()
        for future in waiting:
            yield from future.result()
        # The same rows in another order have the same sum, and others practically never.
        if count != table.table.rows or rows != sum(map(hash, table.table.raw_rows())):
            self.problems.append("is made wrongly: its table does not list its records")

    # A damaged one

    def _one_by_one(self, table: Pack | None, size: int) -> Iterator[Found]:
        self._left = _EFFORT * size + _BLOCK
        yield from self._in_table(table) if table is not None else self._by_marks(size)
        if self._left <= 0:
            self.problems.append("holds records that overlap; what is left of it was not looked at")

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
        try:
            data = self._read(at.offset, RECORD_SIZE + at.stored)
            return verify.check(at, pack.check_record(data, at))
        except DamagedError as error:
            return Found(at, problem=str(error))
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return Found(at, problem=f"It cannot be read: {error.strerror}.")

    def _read(self, position: int, length: int) -> bytes:
        return self.files.read(self.name, position, length)


def _records(data: bytes, base: int) -> tuple[list[Location], int]:
    """The records that lie wholly in some bytes of a pack, and how long the next one is where none does."""
    found: list[Location] = []
    position = 0
    while (at := pack.read_header(data, position, base + position)) is not None:
        end = position + RECORD_SIZE + at.stored
        if end > len(data):
            return found, RECORD_SIZE + at.stored
        found.append(at)
        position = end
    return found, 0


def _verified(data: bytes, base: int, block: list[Location]) -> list[Found]:
    view = memoryview(data)
    return [verify.check(at, view[(start := at.offset - base + RECORD_SIZE) : start + at.stored]) for at in block]
