"""A pack being written: objects wait in memory, land in a file of this machine, and end up as a pack.

Whoever adds an object can read it back at once. Thread-safe. An exception may come at any moment, as Ctrl-C does: what
counts changes in one step, by one assignment, and what came before it is as if it had not been.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import chain
from pathlib import Path

from blake3 import blake3

from ...objects.oid import Oid, hasher
from ..disk import durable, mutexes
from . import pack
from .pack import RECORD_SIZE, Item
from .table import Location

_FLUSH = 1 << 20


class _Content:
    """What has been added.

    Attributes:
        entries: The objects, in the order in which their records lie: an object is here as soon as it stands here.
        start: How many bytes have landed.
        hasher: Of these.
        waiting: Object → header and content of its record, for those that have not landed; where adding one was
            interrupted, of one more.
    """

    __slots__ = ("entries", "hasher", "start", "waiting")

    def __init__(self, entries: dict[Oid, Location], start: int, landed: blake3) -> None:
        self.entries, self.start, self.hasher = entries, start, landed
        self.waiting: dict[Oid, tuple[bytes, bytes]] = {}

    @property
    def end(self) -> int:
        """Where the next record goes."""
        last = next(reversed(self.entries.values()), None)
        return pack.HEADER_SIZE if last is None else last.offset + RECORD_SIZE + last.stored

    def bytes_waiting(self) -> bytes:
        """What has not landed."""
        records = (record for oid, record in self.waiting.items() if oid in self.entries)
        return b"".join([b"" if self.start else pack.header(), *chain.from_iterable(records)])


class PackWriter:
    """Objects on their way into the repository.

    Args:
        path: Where they land. The file is made when it is needed: what is published at once never needs it.
        on_file: Called before the file is made.
    """

    def __init__(self, path: Path, on_file: Callable[[], object] = lambda: None) -> None:
        self.path = path
        self._on_file = on_file
        self._fd: int | None = None
        self._process = os.getpid()
        self._mutex = mutexes.own(self)
        self._closed = False
        self._content = _nothing()

    @classmethod
    def resume(cls, path: Path, end: int, on_file: Callable[[], object] = lambda: None) -> PackWriter:
        """Takes over what a dead process left, keeping its first `end` bytes.

        Raises:
            DamagedError: Those bytes are not whole records.
        """
        writer = cls(path, on_file)
        data = path.read_bytes()[:end]
        entries = {at.oid: at for at in pack.scan(data, end)}
        writer._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        os.ftruncate(writer._fd, end)
        writer._content = _Content(entries, end, hasher("pack").update(data))
        return writer

    def __del__(self) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def entries(self) -> dict[Oid, Location]:
        """The objects, in the order in which they were added."""
        return self._content.entries

    @property
    def end(self) -> int:
        """How many bytes there are."""
        return self._content.end

    def add(self, item: Item) -> None:
        """Appends one object, unless it is here already; not if the system refuses to take it, when it has to."""
        with self._mutex:
            content = self._content
            if item.oid in content.entries:
                return
            at = Location(item.oid, item.kind, item.codec, content.end, len(item.stored), item.size)
            end = at.offset + RECORD_SIZE + at.stored
            content.waiting.pop(item.oid, None)  # left by an interrupt, and before what has come since
            content.waiting[item.oid] = pack.record_header(at), item.stored
            content.entries[item.oid] = at
            if end - content.start >= _FLUSH:
                try:
                    self.land()
                except OSError:
                    # The last one, so that nothing after it moves: for smaller ones there may be room.
                    del content.waiting[item.oid], content.entries[item.oid]
                    raise

    def read(self, at: Location) -> bytes | None:
        """The stored bytes of an object added before; None once the writer was closed or begun anew."""
        with self._mutex:
            content = self._content
            if content.entries.get(at.oid) is not at or self._closed:
                return None
            if at.oid in content.waiting:
                return content.waiting[at.oid][1]
            self.land()
            assert self._fd is not None, "landed"
            return os.pread(self._fd, at.stored, at.offset + RECORD_SIZE)

    def starting_with(self, prefix: str) -> dict[Oid, Location]:
        """The objects whose id starts so."""
        with self._mutex:
            return {oid: at for oid, at in self.entries.items() if oid.startswith(prefix)}

    def items(self) -> list[Item]:
        """Everything, as it goes into another pack."""
        with self._mutex:
            return [
                Item(at.oid, at.kind, at.codec, self.read(at) or b"", at.size) for at in list(self.entries.values())
            ]

    def land(self) -> None:
        """Hands everything to the operating system: it survives this process, not a power cut.

        What the system refuses stays waiting for the next call, so that a full disk tears no hole.
        """
        with self._mutex:
            content = self._content
            data = content.bytes_waiting()
            if not data or self._closed:
                return
            if self._fd is None:
                self._on_file()
                # Emptied: it may be left over from before it was begun anew. Nobody else makes one of this name.
                self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
            # Written where it belongs, not where the descriptor stands: a forked process shares that position.
            durable.write_at(self._fd, data, content.start)
            landed = content.hasher.copy().update(data)  # many at once: a call costs more than a small object's bytes
            self._content = _Content(content.entries, content.start + len(data), landed)

    def digest(self) -> Oid:
        """The hash of all bytes so far."""
        with self._mutex:
            return Oid(self._content.hasher.copy().update(self._content.bytes_waiting()).hexdigest())

    def seal(self) -> Oid:
        """Writes the end of the pack to the file and returns its name; the file is whole, but not durable yet.

        Should that or what follows fail, objects can still be added: they take the place of the end.
        """
        with self._mutex:
            self.land()
            assert self._fd is not None, "landed"
            ending = pack.ending(self.entries.values(), self.end, self.digest())
            durable.write_at(self._fd, ending, self.end)
            os.ftruncate(self._fd, self.end + len(ending))  # something longer may have been refused half-way
            return pack.pack_id(ending)

    def begin_anew(self) -> None:
        """Forgets everything; the file has been moved away, or is removed."""
        with self._mutex:
            self._content = _nothing()
            self._close_file()
            if self._process == os.getpid():
                self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Ends it; the file stays."""
        with self._mutex:
            self._closed = True
            self._close_file()

    def _close_file(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def _nothing() -> _Content:
    return _Content({}, 0, hasher("pack"))
