"""The folder of one stored value: small files stay in memory until somebody asks for a path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

SMALL = 1 << 20
"""Bytes of all files together up to which they stay in memory: each is one blob, stored or refused as a whole."""


class Folder:
    """Files by name, in memory or in a folder on disk; once on disk, they stay there.

    Args:
        place: A folder on disk, or what makes an empty one when a path is asked for.
        held: Files that are in memory already.
    """

    def __init__(self, place: Path | Callable[[], Path], held: Mapping[str, bytes] | None = None) -> None:
        self._place = place
        self._path = place if isinstance(place, Path) else None
        self._held = dict(held or {})
        self._size = sum(map(len, self._held.values()))

    @property
    def path(self) -> Path:
        """The folder on disk, made when it is first asked for."""
        if self._path is None:
            assert not isinstance(self._place, Path), "it has a path"
            self._path = self._place()
            for name, content in self._held.items():
                (self._path / name).write_bytes(content)
            self._held.clear()
        return self._path

    @property
    def held(self) -> Mapping[str, bytes] | None:
        """The files, by name, as long as all of them are in memory; None once they are on disk."""
        return self._held if self._path is None else None

    def write(self, name: str, content: bytes) -> None:
        """Writes a file that stands directly in the folder."""
        self._size += len(content)
        if self._path is None and self._size <= SMALL:
            self._held[name] = content
        else:
            (self.path / name).write_bytes(content)

    def read(self, name: str) -> bytes:
        """What a file holds. Raises FileNotFoundError."""
        if self._path is not None:
            return (self._path / name).read_bytes()
        if name not in self._held:
            raise FileNotFoundError(f"{name} is missing")
        return self._held[name]

    def size(self, name: str) -> int:
        """Bytes of a file. Raises FileNotFoundError."""
        return (self._path / name).stat().st_size if self._path is not None else len(self.read(name))

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self._path / name).exists() if self._path is not None else name in self._held

    def remove(self, name: str) -> None:
        """Removes a file."""
        if self._path is not None:
            (self._path / name).unlink()
        else:
            self._size -= len(self._held.pop(name))
