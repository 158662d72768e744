"""Reading a file that somebody may be writing: what is read is what it held at one moment, or nothing."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from ...errors import ChangedWhileRead, StorageError, storage_errors
from ...objects.nodes import EXECUTABLE, FILE
from ...objects.oid import Oid, hasher

T = TypeVar("T")

_PAUSES = (0.05, 0.2)
"""Seconds before a file that changed is read again."""

# Without O_NONBLOCK, opening what has become a pipe would wait for a writer.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


def read_steady(
    path: Path, read: Callable[[BinaryIO, os.stat_result], T], *, follow: bool = True
) -> tuple[T, os.stat_result]:
    """What `read` makes of a file that did not change meanwhile, and the file's state.

    Args:
        path: The file.
        read: Called with the open file and its state; again if the file changed by the time it returned.
        follow: Whether the path may be a symbolic link.

    Raises:
        ChangedWhileRead: The file changed each time.
        StorageError: It is something else than a file.
        OSError: The operating system refused.
    """
    for pause in (*_PAUSES, None):
        with open(open_to_read(path, follow=follow), "rb") as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise StorageError(f"{path} is neither a file nor a folder; only those can be stored.")
            result = read(file, before)
            if signature(os.fstat(file.fileno())) == signature(before):
                return result, before
        if pause is not None:
            time.sleep(pause)
    raise ChangedWhileRead(f"{path} changes while it is read; try again when nothing writes to it any more.")


def open_to_read(path: Path | str, *, follow: bool = True, folder: int | None = None) -> int:
    """A descriptor of a file, also of what is none any more.

    Args:
        path: The file.
        follow: Whether the path may be a symbolic link.
        folder: What the path starts from.
    """
    return os.open(path, _FLAGS if follow else _FLAGS | os.O_NOFOLLOW, dir_fd=folder)


def signature(info: os.stat_result) -> tuple[int, ...]:
    """What differs when a file was changed or replaced."""
    return info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino


def mode_of(info: os.stat_result) -> str:
    """The mode that a regular file has in a tree."""
    return EXECUTABLE if info.st_mode & stat.S_IXUSR else FILE


def hash_file(file: BinaryIO, _: os.stat_result) -> Oid:
    """The blob id of an open file's content."""
    check = hasher()
    while data := file.read(1 << 20):
        check.update(data)
    return Oid(check.hexdigest())


def file_id(path: Path) -> Oid:
    """The blob id that a file's content has, as `b3sum` prints it.

    Raises:
        StorageError: It cannot be read, or changes all the time.
    """
    with storage_errors(f"reading {path}"):
        return read_steady(path, hash_file)[0]
