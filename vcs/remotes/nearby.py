"""Copies on this machine of what is asked for again and again of a repository elsewhere: its index and tables of packs.

What has a name there never changes, so a copy is as good as the file, as long as it is the same repository. Each copy
carries a checksum: one that was damaged here is as one that is not here.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from blake3 import blake3

from ..errors import Collected, DamagedError
from ..storage.disk.plain import open_plain
from ..storage.files import Buffer, Signature, check_name, nothing
from ..storage.layout import INDEX, is_pack_name, op_seq
from .places.far_files import FarFiles

_TAIL = 64 << 10
"""So many bytes of a pack's end are asked for at once: of most packs they hold the whole table."""

_TABLE = 32 << 20
"""No pack's table is longer."""

_PIECE = 1 << 20
_CHECKSUM = 32
_SIZE = 8


class Nearby:
    """Files elsewhere, with copies here of ops, index segments and the ends of packs.

    Args:
        far: The files.
        folder: Where the copies are; it can be deleted at any time.
    """

    def __init__(self, far: FarFiles, folder: Path) -> None:
        self._far = far
        self.traffic = far.traffic
        self._folder = folder
        self._tails: dict[str, tuple[int, bytes]] = {}

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """See `Files.read`."""
        if _is_kept(name):
            return self._whole(name)[start : None if length is None else start + length]
        if not is_pack_name(name):
            return self._far.read(name, start, length)
        if length is not None and name not in self._tails and not self._path(name).exists():
            return self._far.read(name, start, length)  # whoever knows what he wants need not know where a pack ends
        size, tail = self._tail(name)
        end = size if length is None else min(size, start + length)
        if start >= size - len(tail):
            return tail[start - (size - len(tail)) : end - (size - len(tail))]
        if end < size or size - start > _TABLE:
            return self._far.read(name, start, length)
        tail = self._far.read(name, start, size - len(tail) - start) + tail
        self._note(name, size, tail)
        return tail

    def map(self, name: str) -> Buffer:
        """See `Files.map`."""
        if not _is_kept(name):
            return self._far.map(name)
        if (found := self._mapped(name)) is not None:
            return found
        data = self._whole(name)
        return self._mapped(name) or data

    def size(self, name: str) -> int:
        """See `Files.size`."""
        if _is_kept(name):
            return len(self._whole(name))
        return self._tail(name)[0] if is_pack_name(name) else self._far.size(name)

    def signature(self, name: str) -> Signature:
        """See `Files.signature`."""
        return self._far.signature(name)

    def exists(self, name: str) -> bool:
        """See `Files.exists`."""
        return self._far.exists(name)

    def put(self, name: str, data: bytes) -> None:
        """See `Files.put`."""
        self._forget(name)
        self._far.put(name, data)
        if _is_kept(name):
            self.keep(name, data)

    def adopt(self, name: str, path: Path) -> None:
        """See `Files.adopt`."""
        self._forget(name)
        try:
            self._far.adopt(name, path)
            self._tail(name)  # as it is there; who adopts a pack opens it
        except FileNotFoundError as error:
            raise Collected(f"{name} is gone as soon as it was sent; try again.") from error

    def create(self, name: str, data: bytes, visible: Callable[[], object] = nothing) -> bool:
        """See `Files.create`."""
        self._forget(name)
        return self._far.create(name, data, visible)

    def hint(self, name: str, data: bytes) -> None:
        """See `Files.hint`."""
        self._far.hint(name, data)

    def list(self, folder: str) -> Iterator[str]:
        """See `Files.list`."""
        return self._far.list(folder)

    def ages(self, folder: str) -> Iterator[tuple[str, float]]:
        """See `FarFiles.ages`."""
        return self._far.ages(folder)

    def delete(self, name: str) -> None:
        """See `Files.delete`."""
        self._forget(name)
        self._far.delete(name)

    def pieces(self, name: str, start: int) -> Iterator[bytes]:
        """See `FarFiles.pieces`."""
        return self._far.pieces(name, start)

    def keep(self, name: str, data: bytes) -> None:
        """Keeps a copy of what was just read, or written, there."""
        self._write(name, data)

    def _mapped(self, name: str) -> Buffer | None:
        """A copy of a file, mapped, or None: an index may be large, and only little of it is looked at."""
        try:
            fd, info = open_plain(self._path(name))
        except (OSError, DamagedError):
            return None
        with open(fd, "rb") as file:
            size = info.st_size - _CHECKSUM
            if size <= 0:
                return None
            digest, left = blake3(), size
            while left and (piece := file.read(min(left, _PIECE))):
                digest.update(piece)
                left -= len(piece)
            if left or file.read(_CHECKSUM) != digest.digest():
                return None
            return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)

    def _whole(self, name: str) -> bytes:
        data = self._copy(name)
        if data is None:
            data = self._far.read(name)
            self._write(name, data)
        return data

    def _tail(self, name: str) -> tuple[int, bytes]:
        found = self._tails.get(name)
        if found is None and (data := self._copy(name)) is not None:
            found = self._tails[name] = int.from_bytes(data[:_SIZE], "little"), data[_SIZE:]
        if found is None:
            found = self._far.tail(name, _TAIL)
            self._note(name, *found)
        return found

    def _note(self, name: str, size: int, tail: bytes) -> None:
        self._tails[name] = size, tail
        self._write(name, size.to_bytes(_SIZE, "little") + tail)

    def _path(self, name: str) -> Path:
        return self._folder / check_name(name).replace("/", "-")

    def _copy(self, name: str) -> bytes | None:
        try:
            fd, info = open_plain(self._path(name))
            with open(fd, "rb") as file:
                data = file.read(info.st_size)
        except (OSError, DamagedError):
            return None
        body = data[:-_CHECKSUM]
        return body if blake3(body).digest() == data[-_CHECKSUM:] else None

    def _write(self, name: str, data: bytes) -> None:
        with suppress(OSError):  # where nothing can be written, all is asked for again
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._path(name)
            unfinished = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
            try:
                with open(unfinished, "wb") as file:  # not durable: a torn one is told by its checksum
                    file.write(data)
                    file.write(blake3(data).digest())
                unfinished.replace(path)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise

    def _forget(self, name: str) -> None:
        self._tails.pop(check_name(name), None)
        with suppress(OSError):
            self._path(name).unlink(missing_ok=True)


def _is_kept(name: str) -> bool:
    """Whether all of a file is kept here."""
    return op_seq(name) is not None or name.startswith(f"{INDEX}/")
