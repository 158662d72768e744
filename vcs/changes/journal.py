"""What has landed and is not published yet, so that a killed process loses nothing finished.

One line a checkpoint, appended after the objects were handed to the operating system: how far the incoming pack is
good, the hash of it so far, and what is meant with it. Each line carries its own checksum; a torn last line is as if it
had never been written. The bytes are described in docs/format/journal.md.

Whoever holds the lock on a journal is alive.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from ..errors import DamagedError
from ..objects.limits import MAX_RECORD
from ..objects.oid import Oid, hash_bytes
from ..objects.records import Record, record
from ..storage.disk import durable
from ..storage.disk.locks import Lock
from ..storage.disk.plain import is_plain, open_plain
from ..storage.layout import LAST_OP, Layout, is_pack_name
from .intents import Intent, decode, encode

_LONGEST = MAX_RECORD + 100
"""Bytes of a line."""


@record
class Checkpoint(Record):
    """One line of a journal.

    Attributes:
        end: How many bytes of the incoming pack are good.
        pack: The hash of those bytes.
        packs: Full packs that were put at their place since the line before.
        intents: What is meant since the line before.
        publishing: The nonce under which all lines so far are about to be published, if they are.
        seq: The op whose state the transaction had looked at.
    """

    KIND: ClassVar[str] = "journal"
    end: int
    pack: Oid
    why: str
    packs: tuple[str, ...]
    intents: tuple[Any, ...]
    publishing: str | None = None
    seq: int = 0


class Journal:
    """The locked journal beside one incoming pack."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._end = 0

    @classmethod
    def take(cls, path: Path) -> Journal | None:
        """The journal at `path`, created where there is none; None when its owner is alive."""
        lock = Lock.take(path)
        return None if lock is None else cls(lock)

    @classmethod
    def make(cls, path: Path) -> Journal:
        """A new journal at `path`."""
        return cls(Lock.make(path))

    def append(self, checkpoint: Checkpoint) -> None:
        """Adds a line, in place of a torn one that may stand at the end."""
        line = _line(checkpoint)
        if os.fstat(self._lock.fd).st_size > self._end:
            os.ftruncate(self._lock.fd, self._end)
        durable.write_at(self._lock.fd, line, self._end)
        self._end += len(line)

    def begin_anew(self, checkpoint: Checkpoint) -> None:
        """As `clear` and `append`, and at no moment is there neither what was published nor the new line."""
        line = _line(checkpoint)
        # What is left of older lines would be read as following it: should we die now, zeros without an end do.
        durable.write_at(self._lock.fd, line.ljust(os.fstat(self._lock.fd).st_size, b"\0"), 0)
        os.ftruncate(self._lock.fd, len(line))
        self._end = len(line)

    def read(self) -> list[Checkpoint]:
        """All lines up to the first one that is damaged."""
        found, self._end = [], 0
        for line in lines_of(self._lock.path):
            checkpoint = parse_line(line)
            if checkpoint is None:
                break
            found.append(checkpoint)
            self._end += len(line)
        return found

    def clear(self) -> None:
        """Forgets all lines: they were published."""
        os.ftruncate(self._lock.fd, 0)
        self._end = 0

    def remove(self) -> None:
        """Forgets everything: it was published, or is not wanted."""
        self._lock.remove()

    def close(self) -> None:
        """Gives up the lock. What the journal says is published by `recovery`."""
        self._lock.release()


def _line(checkpoint: Checkpoint) -> bytes:
    data = checkpoint.encode()
    return hash_bytes(data, Checkpoint.KIND).encode() + b" " + data + b"\n"


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a journal, each with its newline; of one that is longer than any, only the beginning.

    Raises:
        FileNotFoundError: There is none.
        DamagedError: It is no plain file.
    """
    fd, _ = open_plain(path)
    with open(fd, "rb") as file:
        while line := file.readline(_LONGEST):
            yield line
            if not line.endswith(b"\n"):
                return


def parse_line(line: bytes) -> Checkpoint | None:
    """What one line says, its newline included; None when it is not whole."""
    checksum, _, body = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or hash_bytes(body, Checkpoint.KIND).encode() != checksum:
        return None
    try:
        found = Checkpoint.decode(body)
    except DamagedError:
        return None
    makes_sense = found.end >= 0 and 0 <= found.seq <= LAST_OP and all(map(is_pack_name, found.packs))
    return found if makes_sense else None


def as_lines(intents: Sequence[Intent]) -> tuple[Any, ...]:
    """Intents as a checkpoint holds them."""
    return tuple(encode(intent) for intent in intents)


def intents_of(checkpoints: Iterable[Checkpoint]) -> list[Intent]:
    """The intents of several lines, in order.

    Raises:
        DamagedError: One of them is none.
    """
    return [decode(each) for checkpoint in checkpoints for each in checkpoint.intents]


def packs_in_journals(layout: Layout) -> set[str]:
    """The full packs that transactions have put at their places and not published, be they alive or dead."""
    names = set[str]()
    for path in leftovers(layout):
        with suppress(FileNotFoundError, DamagedError):  # published since, and named by the state
            for line in lines_of(path):
                if (checkpoint := parse_line(line)) is not None:
                    names.update(checkpoint.packs)
    return names


def leftovers(layout: Layout) -> list[Path]:
    """The journals there are; which of them have been left behind shows only an attempt to lock them."""
    found = layout.incoming.glob("*.journal") if layout.incoming.is_dir() else ()
    return sorted(path for path in found if is_plain(path))
