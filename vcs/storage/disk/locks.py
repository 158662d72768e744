"""Locks on files: they go with their process, and belong to it alone."""

from __future__ import annotations

import fcntl
import os
import stat
import time
import weakref
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import ClassVar

from ...errors import DamagedError
from .plain import is_something_else, no_file, read_plain

_POLL, _MAX_POLL = 0.0005, 0.02
_SELDOM, _LONG = 0.003, 0.01

_LONGEST_PID = 12

_CAREFULLY = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class Lock:
    """An exclusive lock on a file, held until it is released or its process dies.

    A forked child does not inherit it: what it would hold on to is closed there.
    """

    _held: ClassVar[weakref.WeakSet[Lock]] = weakref.WeakSet()

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path = path
        # Closed in one step, also where it is only forgotten: whoever had it may be interrupted at any moment.
        self._file = file
        Lock._held.add(self)

    @property
    def fd(self) -> int:
        """The file's descriptor."""
        return self._file.fileno()

    def __del__(self) -> None:
        if (file := self.__dict__.get("_file")) is not None:  # else making it was interrupted
            file.close()

    @classmethod
    def take(cls, path: Path) -> Lock | None:
        """Locks a file, creating it; None when somebody else holds the lock.

        Raises:
            DamagedError: It is a link, a folder, a pipe or the like.
        """
        while True:
            file = _opened(path)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever held it before may have removed the file: then this lock protects nothing.
                if os.fstat(file.fileno()).st_ino == _inode(path):
                    return cls(path, file)
            except BlockingIOError:
                file.close()
                return None
            except BaseException:
                file.close()
                raise
            file.close()

    @classmethod
    def wait(cls, path: Path, timeout: float, max_pause: float = _MAX_POLL) -> Lock | None:
        """As `take`, waiting for at most so many seconds, and looking again after at most so many."""
        give_up, pause = time.monotonic() + timeout, min(_POLL, max_pause)
        while (lock := cls.take(path)) is None:
            if time.monotonic() >= give_up:
                return None
            time.sleep(pause)
            pause = min(2 * pause, max_pause)
        return lock

    @classmethod
    def queue(cls, path: Path, timeout: float) -> Lock | None:
        """As `wait`, among many: who has waited longer looks more often, so that nobody is passed over for long."""
        begun = time.monotonic()
        while (lock := cls.take(path)) is None:
            waited = time.monotonic() - begun
            if waited >= timeout:
                return None
            time.sleep(_SELDOM / (1 + waited / _LONG))
        return lock

    @classmethod
    def make(cls, path: Path) -> Lock:
        """Locks a file of one's own, creating it.

        Whoever looks whether its owner is alive may hold it for a moment.
        """
        while (lock := cls.take(path)) is None:
            time.sleep(_POLL)
        return lock

    def sign(self) -> None:
        """Writes into the file which process has the lock, for those who wait for it."""
        with suppress(OSError):  # on a full disk, say: then nobody is named
            os.pwrite(self.fd, b"%d\n" % os.getpid(), 0)

    @staticmethod
    def owner(path: Path) -> int | None:
        """The process that has signed a lock; None where nobody says."""
        try:
            text = read_plain(path, _LONGEST_PID).partition(b"\n")[0]
        except (OSError, DamagedError):
            return None
        return int(text) if text.isdigit() else None

    @property
    def held(self) -> bool:
        """Whether it is ours: neither given up, nor that of the process that forked this one."""
        return self in Lock._held

    def remove(self) -> None:
        """Removes the file, and gives the lock up."""
        if self.held:
            try:
                self.path.unlink(missing_ok=True)
            finally:
                self.release()

    def release(self) -> None:
        """Gives the lock up."""
        if self.held:
            # Said outright: closing would leave it to a child that was forked and has not closed its copy yet.
            try:
                fcntl.flock(self._file, fcntl.LOCK_UN)
            finally:
                Lock._held.discard(self)
                self._file.close()

    @classmethod
    def forget_all(cls) -> None:
        """In a forked child: closes what is the parent's."""
        for lock in list(cls._held):
            lock._file.close()
        cls._held.clear()


os.register_at_fork(after_in_child=Lock.forget_all)


def _opened(path: Path) -> FileIO:
    """The file, made where there is none. Raises DamagedError where it is a link or the like: it may be anybody's."""
    try:
        file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | _CAREFULLY, 0o644), "r+")
    except PermissionError:
        if not os.access(path, os.R_OK):
            raise
        file = FileIO(os.open(path, os.O_RDONLY | _CAREFULLY))  # another user's: to lock it, reading is enough
    except OSError:
        if is_something_else(path):
            raise no_file(path) from None
        raise
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise no_file(path)


def _inode(path: Path) -> int | None:
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return None
