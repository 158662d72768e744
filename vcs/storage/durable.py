"""Making bytes survive: write, fsync, rename, lock. The order of these calls is the store's promise."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import RepositoryBusy

LOCK_TIMEOUT = 60.0
_POLL = 0.005


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


def open_locked(path: Path, *, shared: bool = False, wait: bool = False) -> int | None:
    """Opens `path`, creating it, and locks it until the descriptor is closed or the process dies.

    Returns:
        The descriptor, or None when somebody else holds the lock and `wait` is False.
    """
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, mode if wait else mode | fcntl.LOCK_NB)
            # Whoever held it before may have removed the file: then this lock protects nothing.
            if os.fstat(fd).st_ino == _inode(path):
                return fd
        except BlockingIOError:
            os.close(fd)
            return None
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _inode(path: Path) -> int | None:
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return None


@contextmanager
def lock(path: Path, *, shared: bool = False, timeout: float = LOCK_TIMEOUT, busy: str) -> Iterator[None]:
    """Holds the lock on `path` inside the block.

    Raises:
        RepositoryBusy: It was not to be had within `timeout` seconds; `busy` is the sentence to say.
    """
    give_up = time.monotonic() + timeout
    while (fd := open_locked(path, shared=shared)) is None:
        if time.monotonic() >= give_up:
            raise RepositoryBusy(busy)
        time.sleep(_POLL)
    try:
        yield
    finally:
        os.close(fd)
