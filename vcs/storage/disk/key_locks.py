"""Locks on keys, as many as somebody wants: each is a place in one of a few files, so that none costs its own file.

They are record locks as POSIX has them (fcntl(2)): they belong to a process, go with it, and are not inherited by one
that is forked from it. Closing a file would give up all that the process has locked in it; so each is opened once in a
process, and what keeps the instances there from each other is noted beside it.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ...errors import storage_errors
from ...objects.oid import Oid
from . import mutexes
from .plain import open_plain

_FILES = 4
"""The system goes through the locks in a file one by one."""

_DIGITS = 15
"""So many hexadecimal digits of a key are its place, and the one before them tells the file: no two agree by chance."""

_FLOCK, _FIELDS = (
    ("qqihh", ("start", "len", "pid", "type", "whence"))
    if sys.platform == "darwin"
    else ("hhqqi4x", ("type", "whence", "start", "len", "pid"))
)
"""`struct flock` of the system, and what is in it."""


class KeyLocks:
    """Exclusive locks on keys, held until they are released or the process dies. For one thread at a time.

    What another instance holds is another's, also in the same process.

    Args:
        folder: Where the files are; made with the first of them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[int, _File] = {}
        self._held: set[Oid] = set()

    def __contains__(self, key: Oid) -> bool:
        return key in self._held

    def __iter__(self) -> Iterator[Oid]:
        return iter([*self._held])

    def take(self, key: Oid) -> bool:
        """Locks a key, unless it is locked already; whether it is ours now.

        Raises:
            DamagedError: What stands in the place of a file is a link, a folder, a pipe or the like.
            StorageError: A file cannot be written, or nothing can be locked there.
        """
        if key not in self._held:
            with storage_errors(f"locking in {self._folder}"):
                if not self._file(key).take(_place(key)):
                    return False
            self._held.add(key)
        return True

    def release(self, key: Oid) -> None:
        """Gives a lock up, if it is ours."""
        if key in self._held:
            self._held.remove(key)
            self._file(key).release(_place(key))

    def owner(self, key: Oid) -> int | None:
        """The process that has locked a key; None where nobody has, or that cannot be told."""
        return self._file(key).owner(_place(key))

    def _file(self, key: Oid) -> _File:
        number = int(key[0], 16) % _FILES
        if (found := self._files.get(number)) is None:
            found = self._files[number] = _open.use(self._folder / str(number))
        return found

    def close(self) -> None:
        """Gives up all locks."""
        for key in self:
            self.release(key)
        for file in self._files.values():
            _open.give_back(file)
        self._files.clear()


def _place(key: Oid) -> int:
    return int(key[1 : 1 + _DIGITS], 16)


class _File:
    """A file with locks in it, as this process has it open.

    Attributes:
        identity: Its device and inode.
        users: So many instances use it.
    """

    def __init__(self, fd: int, identity: tuple[int, int]) -> None:
        self.identity = identity
        self.users = 0
        self._fd = fd
        self._mutex = mutexes.own(self)
        self._taken: set[int] = set()

    def take(self, place: int) -> bool:
        with self._mutex:
            if place in self._taken:
                return False
            try:
                fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except (BlockingIOError, PermissionError):
                return False
            self._taken.add(place)
            return True

    def release(self, place: int) -> None:
        with self._mutex:
            self._taken.discard(place)
            fcntl.lockf(self._fd, fcntl.LOCK_UN, 1, place)

    def owner(self, place: int) -> int | None:
        if place in self._taken:
            return os.getpid()
        wanted = {"type": fcntl.F_WRLCK, "whence": os.SEEK_SET, "start": place, "len": 1, "pid": 0}
        asked = struct.pack(_FLOCK, *(wanted[name] for name in _FIELDS))
        with suppress(OSError):
            told = struct.unpack(_FLOCK, fcntl.fcntl(self._fd, fcntl.F_GETLK, asked))
            found = dict(zip(_FIELDS, told, strict=True))
            if found["type"] != fcntl.F_UNLCK and found["pid"] > 0:
                return int(found["pid"])
        return None

    def close(self) -> None:
        os.close(self._fd)

    def forget(self) -> None:
        """In a forked child: what is locked is its parent's."""
        self._taken.clear()


class _Open:
    """The files that are open in this process. Their `_mutex` is held while any is opened or closed."""

    def __init__(self) -> None:
        self._mutex = mutexes.own(self)
        self._files: dict[tuple[int, int], _File] = {}
        os.register_at_fork(after_in_child=self._forget)

    def use(self, path: Path) -> _File:
        with self._mutex:
            file = self._known(path) or self._opened(path)
            file.users += 1
            return file

    def _known(self, path: Path) -> _File | None:
        with suppress(FileNotFoundError):
            info = os.lstat(path)
            return self._files.get((info.st_dev, info.st_ino))
        return None

    def _opened(self, path: Path) -> _File:
        path.parent.mkdir(exist_ok=True)
        fd, info = open_plain(path, os.O_RDWR | os.O_CREAT)
        identity = info.st_dev, info.st_ino
        return self._files.setdefault(identity, _File(fd, identity))

    def give_back(self, file: _File) -> None:
        with self._mutex:
            file.users -= 1
            if not file.users and self._files.pop(file.identity, None) is not None:
                file.close()

    def _forget(self) -> None:
        for file in self._files.values():
            file.forget()


_open = _Open()
