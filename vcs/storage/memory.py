"""Files kept in memory: for tests, and the simplest example of what `Files` asks for."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from .files import Buffer, Signature, check_name, nothing


class MemoryFiles:
    """A set of files that goes with the process."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[bytes, int]] = {}
        self._writes = itertools.count()
        self._mutex = threading.Lock()

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """See `Files.read`."""
        return self._get(name)[0][start : None if length is None else start + length]

    def map(self, name: str) -> Buffer:
        """See `Files.map`."""
        return self._get(name)[0]

    def size(self, name: str) -> int:
        """See `Files.size`."""
        return len(self._get(name)[0])

    def signature(self, name: str) -> Signature:
        """See `Files.signature`."""
        data, write = self._get(name)
        return len(data), write

    def exists(self, name: str) -> bool:
        """See `Files.exists`."""
        return check_name(name) in self._files

    def put(self, name: str, data: bytes) -> None:
        """See `Files.put`."""
        self._files[check_name(name)] = bytes(data), next(self._writes)

    def adopt(self, name: str, path: Path) -> None:
        """See `Files.adopt`."""
        self.put(name, path.read_bytes())
        path.unlink()

    def create(self, name: str, data: bytes, visible: Callable[[], object] = nothing) -> bool:
        """See `Files.create`."""
        with self._mutex:
            if name in self._files:
                return False
            self.put(name, data)
        visible()
        return True

    def hint(self, name: str, data: bytes) -> None:
        """See `Files.hint`."""
        self.put(name, data)

    def list(self, folder: str) -> Iterator[str]:
        """See `Files.list`."""
        start = f"{check_name(folder)}/"
        return iter([name for name in sorted(self._files.copy()) if name.startswith(start)])

    def delete(self, name: str) -> None:
        """See `Files.delete`."""
        self._files.pop(check_name(name), None)

    def _get(self, name: str) -> tuple[bytes, int]:
        try:
            return self._files[check_name(name)]
        except KeyError:
            raise FileNotFoundError(2, "No such file", name) from None
