"""Making bytes survive: write, fsync, rename. The order of these calls is the store's promise."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from . import system

_MANY = 64
"""From so many files on, making a whole file system durable costs less than each file by itself."""


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
    temporary = (staging or path.parent) / f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
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


def append(path: Path, data: bytes) -> None:
    """Adds `data` at the end of a file, made where there is none; waits until it would survive a power cut.

    Of several who do so at once, each adds whole pieces.
    """
    is_new = not path.exists()
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        os.fsync(fd)
    finally:
        os.close(fd)
    if is_new:
        sync_folder(path.parent)


def make_folders(folder: Path) -> None:
    """Makes a folder and those above that are missing, durably."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        sync_folder(path.parent)


def sync_below(top: Path) -> None:
    """Makes a file, or a folder with all below, durable; not the name of `top` itself."""
    found = [path for path, info in below(top) if not stat.S_ISLNK(info.st_mode)]
    if len(found) >= _MANY and system.sync_file_system(top):
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
