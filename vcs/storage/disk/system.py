"""Calls of the operating system that Python does not have: exchanging two names, renaming over nothing, syncfs."""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Callable
from pathlib import Path

_NOT_HERE = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
_AT_FDCWD = -100
_LINUX_NOREPLACE, _LINUX_EXCHANGE = 1, 2
_MACOS_SWAP, _MACOS_EXCLUSIVE = 2, 4


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


def rename_if_new(source: Path, target: Path) -> bool:
    """Renames, but never over something that exists; False, with nothing done, where the file system cannot.

    Raises:
        FileExistsError: There is something at `target`.
    """
    return _rename(source, target, _LINUX_NOREPLACE, _MACOS_EXCLUSIVE)


def rename_new(source: Path, target: Path) -> None:
    """As `rename_if_new`, as well as the file system can. Raises the same."""
    if rename_if_new(source, target):
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
