"""Which content a file had when it was last hashed, so that an unchanged file is not read again.

Racy-safe, as Git's index is: a file changed in the same tick of the clock in which it was hashed looks unchanged, so
only files that were at rest for a while are remembered. Derived: it can be deleted at any time.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from ..errors import DamagedError
from ..objects.oid import Oid, check_oid
from ..storage.layout import Layout
from ..storage.registers import read_register, write_register

AT_REST = 2.0
"""Seconds since a file's last change before it is remembered: longer than the tick of any file system."""

MAX_FILES = 100_000


class StatCache:
    """What is known of the files of one machine. Read when first asked, written by `save`."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._files: dict[str, list[int | str]] | None = None
        self._changed = False

    def find(self, path: Path, info: os.stat_result) -> Oid | None:
        """The blob id of a file, if it is known and the file has not changed since."""
        if self._ours(path):
            return None
        known = self._known().get(os.path.abspath(path))
        if known is None or known[:-1] != _signature(info):
            return None
        return check_oid(known[-1])

    def remember(self, path: Path, info: os.stat_result, oid: Oid) -> None:
        """Notes a file's blob id; `info` is its state from before it was read."""
        at_rest = time.time() - max(info.st_mtime, info.st_ctime) > AT_REST
        key = os.path.abspath(path)
        if at_rest and key.isprintable() and not self._ours(path) and _signature(os.stat(path)) == _signature(info):
            self._known()[key] = [*_signature(info), oid]
            self._changed = True

    def save(self) -> None:
        """Writes what is new; the newest files are kept when there are too many."""
        if self._changed and self._files is not None:
            kept = dict(list(self._files.items())[-MAX_FILES:])
            # Derived: a disk too full for it must not make a publish fail.
            with contextlib.suppress(OSError):
                write_register(self._layout.stat_cache, {"files": kept}, self._layout.tmp, lasting=False)
                self._changed = False

    def _ours(self, path: Path) -> bool:
        """Whether a file is a temporary one of the repository: it will never be met again."""
        return self._layout.tmp in path.parents

    def _known(self) -> dict[str, list[int | str]]:
        if self._files is None:
            self._files = {}
            try:
                files = read_register(self._layout.stat_cache)["files"]
                self._files = {str(path): list(entry) for path, entry in files.items() if len(entry) == 6}
            except (DamagedError, KeyError, AttributeError, TypeError):
                pass  # missing or damaged: then nothing is known
        return self._files


def _signature(info: os.stat_result) -> list[int | str]:
    # As text where a number can exceed what canonical JSON holds.
    return [info.st_size, str(info.st_mtime_ns), str(info.st_ctime_ns), str(info.st_ino), str(info.st_dev)]
