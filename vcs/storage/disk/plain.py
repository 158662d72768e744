"""Reading files that a stranger may have put there: no link is followed, nobody is waited for, nothing is endless."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from ...errors import DamagedError

_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OTHERS = (errno.ELOOP, errno.ENXIO, errno.EISDIR)
"""What opening a link, a socket or a folder says."""


def open_plain(path: str | os.PathLike[str], flags: int = os.O_RDONLY) -> tuple[int, os.stat_result]:
    """A plain file that was opened, and what the system says of it.

    Args:
        path: Where it is.
        flags: What it is opened for, as `os.open` has it.

    Raises:
        FileNotFoundError: There is none.
        DamagedError: It is a link, a folder, a pipe or the like.
    """
    try:
        fd = os.open(path, flags | _SAFELY, 0o666)
    except OSError as error:
        if error.errno in _OTHERS:
            raise no_file(path) from error
        raise
    info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode):
        os.close(fd)
        raise no_file(path)
    return fd, info


def look_plain(path: str | os.PathLike[str]) -> os.stat_result:
    """What the system says of a plain file. Raises as `open_plain`."""
    info = os.lstat(path)
    if not stat.S_ISREG(info.st_mode):
        raise no_file(path)
    return info


def is_plain(path: str | os.PathLike[str]) -> bool:
    """Whether there is a plain file."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def is_something_else(path: str | os.PathLike[str]) -> bool:
    """Whether there is something, and it is no plain file: one look, for others may remove it at any moment."""
    try:
        return not stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def read_plain(path: Path, most: int) -> bytes:
    """A small file's bytes.

    Args:
        path: The file.
        most: So many bytes it may have.

    Raises:
        FileNotFoundError: There is none.
        DamagedError: It is larger, or no plain file.
    """
    fd, info = open_plain(path)
    with open(fd, "rb") as file:
        if info.st_size > most:
            raise DamagedError(f"{path} is larger than anything written there; run `art fsck --repair`.")
        return file.read(most)


def no_file(path: str | os.PathLike[str]) -> DamagedError:
    """What is said of a link, a folder, a pipe or the like in place of a file."""
    return DamagedError(f"{os.fspath(path)} is no plain file; run `art fsck --repair`.")
