"""Space kept back for a full disk: deleting writes a little first, and must be possible at zero bytes free."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIZE = 256 << 10
"""Bytes kept back: enough for several small changes."""

_LOW = 16 * SIZE
"""With more than so many bytes free nothing needs to be given up."""


def fill(path: Path) -> None:
    """Takes the space, if there is plenty of it."""
    with suppress(OSError):  # full, or not to be written: the next time perhaps
        if _free(path.parent) < 2 * SIZE or path.exists():
            return
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            os.posix_fallocate(fd, 0, SIZE)
        except OSError:
            path.unlink(missing_ok=True)
        finally:
            os.close(fd)


@contextmanager
def opened(path: Path) -> Iterator[None]:
    """Inside the block the space is there to be used, where the disk is nearly full; afterwards it is taken again."""
    with suppress(OSError):
        if _free(path.parent) < _LOW:
            path.unlink(missing_ok=True)
    try:
        yield
    finally:
        fill(path)


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
