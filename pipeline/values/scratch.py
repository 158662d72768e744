"""Folders in which materializers write and read files: made once, emptied and used again, gone with the process."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from artvcs.vcs import Layout, Lock, storage_errors

_mutex = threading.Lock()
_scratches: dict[Path, Scratch] = {}


class Scratch:
    """The scratch folders of this process in one repository; a lock beside them says that it is alive.

    Where the repository cannot be written, each is in the system's folder for temporary files, and goes at once: what
    is stored on a disk that is only read can still be loaded.
    """

    def __init__(self, layout: Layout) -> None:
        self.process = os.getpid()
        self._lock: Lock | None = None
        self._top: Path | None = None
        if os.access(layout.folder, os.W_OK):
            layout.tmp.mkdir(exist_ok=True)
            self._top = layout.scratch(os.urandom(8).hex())
            self._lock = Lock.make(layout.scratch_lock(self._top))
            self._top.mkdir()
        self._idle: list[Path] = []
        self._made = 0
        self._kept: set[Path] = set()

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder, for the time of the block."""
        folder = self._take()
        try:
            yield folder
        finally:
            if folder not in self._kept:
                self._give_back(folder)

    def keep(self, folder: Path) -> None:
        """Leaves a folder until the process ends: a loaded value uses it."""
        self._kept.add(folder)

    def remove(self) -> None:
        """Removes all of them."""
        for folder in (self._top,) if self._top else self._kept:
            shutil.rmtree(folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.remove()

    def _take(self) -> Path:
        if self._top is None:
            return _system_folder()
        with _mutex:
            if self._idle:
                return self._idle.pop()
            self._made += 1
            folder = self._top / str(self._made)
        with storage_errors(f"making a temporary folder in {self._top}"):
            folder.mkdir()
        return folder

    def _give_back(self, folder: Path) -> None:
        if self._top is None:
            shutil.rmtree(folder, ignore_errors=True)
            return
        try:
            for entry in os.scandir(folder):
                os.unlink(entry.path)
        except OSError:  # a folder in it, or something else that is better thrown away
            shutil.rmtree(folder, ignore_errors=True)
            return
        with _mutex:
            self._idle.append(folder)


def _system_folder() -> Path:
    import tempfile  # costs milliseconds, and most repositories can be written

    with storage_errors(f"making a temporary folder in {tempfile.gettempdir()}"):
        return Path(tempfile.mkdtemp(prefix="artvcs-"))


def of(layout: Layout) -> Scratch:
    """The scratch folders of this process in a repository."""
    with _mutex:
        found = _scratches.get(layout.folder)
        if found is None or found.process != os.getpid():  # a forked process leaves its parent's alone
            if not _scratches:
                atexit.register(_remove_all)
            with storage_errors(f"making a temporary folder in {layout.tmp}"):
                found = _scratches[layout.folder] = Scratch(layout)
        return found


def _remove_all() -> None:
    for scratch in _scratches.values():
        if scratch.process == os.getpid():
            scratch.remove()
