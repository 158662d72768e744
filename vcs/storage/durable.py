"""Making bytes survive: write, fsync, rename, lock. The order of these calls is the store's promise."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
import weakref
from pathlib import Path
from typing import ClassVar

_POLL, _MAX_POLL = 0.0005, 0.02


def sync_folder(folder: Path) -> None:
    """Makes the names in `folder` durable: a rename is lost in a power cut until this returns."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_at(fd: int, data: bytes, offset: int) -> None:
    """Writes all of `data` at `offset`: the operating system may take only a part of it at a time."""
    rest = memoryview(data)
    while rest:
        done = os.pwrite(fd, rest, offset)
        rest, offset = rest[done:], offset + done


def write_file(path: Path, data: bytes, *, lasting: bool = True, staging: Path | None = None) -> None:
    """Puts `data` at `path` at once: a reader sees the old content or the new, never a part.

    Args:
        path: Where.
        data: What.
        lasting: Wait until it would survive a power cut. Without it, the file may be the old one afterwards, but a
            torn one it never is.
        staging: A folder on the same file system where a half-written file may lie after a crash; by default the
            folder of `path`.
    """
    if staging is not None:
        staging.mkdir(exist_ok=True)
    temporary = (staging or path.parent) / f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if lasting:
        sync_folder(path.parent)


class Lock:
    """An exclusive lock on a file, held until it is released or its process dies.

    A forked child does not inherit it: what it would hold on to is closed there.
    """

    _held: ClassVar[weakref.WeakSet[Lock]] = weakref.WeakSet()

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.fd = fd
        Lock._held.add(self)

    @classmethod
    def take(cls, path: Path) -> Lock | None:
        """Locks a file, creating it; None when somebody else holds the lock."""
        while True:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever held it before may have removed the file: then this lock protects nothing.
                if os.fstat(fd).st_ino == _inode(path):
                    return cls(path, fd)
            except BlockingIOError:
                os.close(fd)
                return None
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)

    @classmethod
    def wait(cls, path: Path, timeout: float) -> Lock | None:
        """As `take`, waiting for at most so many seconds."""
        give_up, pause = time.monotonic() + timeout, _POLL
        while (lock := cls.take(path)) is None:
            if time.monotonic() >= give_up:
                return None
            time.sleep(pause)
            pause = min(2 * pause, _MAX_POLL)
        return lock

    def remove(self) -> None:
        """Removes the file, and gives the lock up."""
        self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Gives the lock up."""
        if self in Lock._held:
            Lock._held.discard(self)
            # Said outright: closing would leave it to a child that was forked and has not closed its copy yet.
            fcntl.flock(self.fd, fcntl.LOCK_UN)
            os.close(self.fd)

    @classmethod
    def forget_all(cls) -> None:
        """In a forked child: closes what is the parent's."""
        for lock in list(cls._held):
            os.close(lock.fd)
        cls._held.clear()


os.register_at_fork(after_in_child=Lock.forget_all)


def _inode(path: Path) -> int | None:
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return None
