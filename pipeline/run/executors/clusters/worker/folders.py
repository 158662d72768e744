"""The folders of outposts, on a worker's machine.

An outpost removes its own as it ends. Where it is killed together with who would do it instead, as by a machine that is
out of memory, the folder is removed as the next outpost begins there: a lock says that nobody has it any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_PREFIX = "artvcs-outpost-"

_LOCK = "lock"

_YOUNG = 60.0
"""Seconds for which a folder is let be, whether there is a lock yet or not."""


def make() -> tuple[Path, int]:
    """A new folder, and a handle: as long as some process has that, the folder stays."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return folder, handle


def _sweep() -> None:
    """Removes what nobody has any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # it has just gone, or is somebody else's
            if _is_left(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    found = folder.lstat()
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    if not is_ours or found.st_mtime > time.time() - _YOUNG:
        return False
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
