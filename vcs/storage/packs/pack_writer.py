"""A pack being written: objects wait in memory, land in a file of this machine, and end up as a pack.

Whoever adds an object can read it back at once. Thread-safe.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from ...objects.oid import Oid, hasher
from ..disk import durable
from . import pack
from .pack import RECORD_SIZE, Item
from .table import Location

_FLUSH = 1 << 20


class PackWriter:
    """Objects on their way into the repository.

    Args:
        path: Where they land. The file is made when it is needed: what is published at once never needs it.
        on_file: Called before the file is made.
    """

    def __init__(self, path: Path, on_file: Callable[[], object] = lambda: None) -> None:
        self.path = path
        self._on_file = on_file
        self.entries: dict[Oid, Location] = {}
        self._fd: int | None = None
        self._process = os.getpid()
        self._mutex = threading.RLock()
        self._closed = False
        self._waiting: list[bytes] = []
        self._begin()

    @classmethod
    def resume(cls, path: Path, end: int, on_file: Callable[[], object] = lambda: None) -> PackWriter:
        """Takes over what a dead process left, keeping its first `end` bytes.

        Raises:
            DamagedError: Those bytes are not whole records.
        """
        writer = cls(path, on_file)
        data = path.read_bytes()[:end]
        writer.entries = {at.oid: at for at in pack.scan(data, end)}
        writer._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        os.ftruncate(writer._fd, end)
        writer._waiting, writer._landed, writer.end = [], end, end
        writer._hasher = hasher("pack").update(data)
        return writer

    def __del__(self) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, item: Item) -> None:
        """Appends one object, unless it is here already."""
        with self._mutex:
            if item.oid in self.entries:
                return
            at = Location(item.oid, item.kind, item.codec, self.end, len(item.stored), item.size)
            self._append(pack.record_header(at), item.stored)
            self.entries[item.oid] = at
            # Only now, when header and content are both noted: should this fail, nothing is torn.
            if self.end - self._landed >= _FLUSH:
                self.land()

    def read(self, at: Location) -> bytes | None:
        """The stored bytes of an object added before; None once the writer was closed or begun anew."""
        with self._mutex:
            if self.entries.get(at.oid) is not at or self._closed:
                return None
            start = at.offset + RECORD_SIZE
            if start >= self._landed:
                self._waiting = [b"".join(self._waiting)]
                return self._waiting[0][start - self._landed : start - self._landed + at.stored]
            self.land()
            assert self._fd is not None, "landed"
            return os.pread(self._fd, at.stored, start)

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
            if not self._waiting or self._closed:
                return
            if self._fd is None:
                self._on_file()
                self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            # Written where it belongs, not where the descriptor stands: a forked process shares that position.
            self._waiting = [b"".join(self._waiting)]
            durable.write_at(self._fd, self._waiting[0], self._landed)
            self._hasher.update(self._waiting[0])  # many at once: a call costs more than a small object's bytes
            self._landed += len(self._waiting.pop())

    def digest(self) -> Oid:
        """The hash of all bytes so far."""
        with self._mutex:
            return Oid(self._hasher.copy().update(b"".join(self._waiting)).hexdigest())

    def seal(self) -> Oid:
        """Writes the end of the pack to the file and returns its name; the file is whole, but not durable yet.

        Should that or what follows fail, objects can still be added: they take the place of the end.
        """
        with self._mutex:
            self.land()
            assert self._fd is not None, "landed"
            ending = pack.ending(self.entries.values(), self.end, self.digest())
            durable.write_at(self._fd, ending, self.end)
            return pack.pack_id(ending)

    def begin_anew(self) -> None:
        """Forgets everything; the file has been moved away, or is removed."""
        with self._mutex:
            self._close_file()
            if self._process == os.getpid():
                self.path.unlink(missing_ok=True)
            self._begin()

    def close(self) -> None:
        """Ends it; the file stays."""
        with self._mutex:
            self._closed = True
            self._close_file()

    def _begin(self) -> None:
        self.entries = {}
        self.end = self._landed = 0
        self._waiting = []
        self._hasher = hasher("pack")  # of what has landed
        self._append(pack.header())

    def _append(self, *pieces: bytes) -> None:
        self._waiting += pieces
        self.end += sum(map(len, pieces))

    def _close_file(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
