"""Making bytes survive: write, fsync, rename, lock. The order of these calls is the store's promise."""

from __future__ import annotations

import errno
import fcntl
import functools
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
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


# Files and folders of the user: many at once, exchanged and never overwritten

_MANY = 64
"""From so many files on, making a whole file system durable costs less than each file by itself."""

_NOT_HERE = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
_AT_FDCWD = -100
_LINUX_NOREPLACE, _LINUX_EXCHANGE = 1, 2
_MACOS_SWAP, _MACOS_EXCLUSIVE = 2, 4


def make_folders(folder: Path) -> None:
    """Makes a folder and those above that are missing, durably."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        sync_folder(path.parent)


def sync_below(top: Path) -> None:
    """Makes a file, or a folder with all below, durable; not the name of `top` itself."""
    found = [path for path, info in below(top) if not stat.S_ISLNK(info.st_mode)]
    if len(found) >= _MANY and sync_file_system(top):
        return
    for path in reversed(found):  # what a folder holds before the folder
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def below(top: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """A path and, where it is a folder, all below, parents first and in order of names. Links are not followed."""
    pending = [top]
    while pending:
        path = pending.pop()
        info = path.lstat()
        yield path, info
        if stat.S_ISDIR(info.st_mode):
            pending.extend(path / name for name in sorted(os.listdir(path), reverse=True))


def sync_file_system(path: Path) -> bool:
    """Makes everything on the file system of `path` durable; False where the system cannot (only Linux can)."""
    call = _libc("syncfs")
    if call is None:
        return False
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _done(call(fd), path)
    finally:
        os.close(fd)


def exchange(one: Path, other: Path) -> bool:
    """Exchanges what two names stand for, at once; False, with nothing done, where the file system cannot.

    Both have to exist, on one file system.
    """
    return _rename(one, other, _LINUX_EXCHANGE, _MACOS_SWAP)


def rename_new(source: Path, target: Path) -> None:
    """Renames, but never over something that exists.

    Raises:
        FileExistsError: There is something at `target`.
    """
    if _rename(source, target, _LINUX_NOREPLACE, _MACOS_EXCLUSIVE):
        return
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    os.rename(source, target)  # this file system cannot do better


def _rename(source: Path, target: Path, on_linux: int, on_macos: int) -> bool:
    ends = os.fsencode(source), os.fsencode(target)
    if (call := _libc("renameat2")) is not None:
        return _done(call(_AT_FDCWD, ends[0], _AT_FDCWD, ends[1], on_linux), target)
    if (call := _libc("renamex_np")) is not None:
        return _done(call(*ends, on_macos), target)
    return False


def _done(result: int, path: Path) -> bool:
    """Whether a call of the C library was done; False where it does not exist here."""
    import ctypes

    if result == 0:
        return True
    if (number := ctypes.get_errno()) in _NOT_HERE:
        return False
    raise OSError(number, os.strerror(number), str(path))


@functools.cache
def _libc(name: str) -> Callable[..., int] | None:
    """A function of the C library, if it has it."""
    import ctypes  # costs milliseconds, and most commands need none of this

    return getattr(ctypes.CDLL(None, use_errno=True), name, None)
