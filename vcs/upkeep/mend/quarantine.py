"""Setting damaged files aside: nothing is ever deleted, for somebody may get something out of it still."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ...storage.disk import durable
from ...storage.disk.plain import is_plain
from ...storage.layout import Layout
from ...storage.packs.pack import BEGINNING


class Quarantine:
    """The folder for damaged files of one repository."""

    def __init__(self, layout: Layout) -> None:
        self._folder = layout.folder
        self._quarantine = layout.quarantine

    def keep(self, name: str) -> None:
        """Gives a file a second name here, durably; it takes no space where the file system has links.

        A link, a folder or the like, which can have none, moves here.
        """
        with suppress(FileNotFoundError):  # a collector may delete it at any moment
            self._keep(self._folder / name, name)

    def _keep(self, path: Path, name: str) -> None:
        if not os.path.lexists(path) or self._is_kept(path):
            return
        self.make()
        target = self._free(name)
        if is_plain(path):
            _give_second_name(path, target)
        else:
            os.rename(path, target)
        durable.sync_folder(self._quarantine)

    def make(self) -> None:
        """Makes the folder; what stands in its place gets another name, under which it is a stranger."""
        if self._quarantine.is_symlink() or (self._quarantine.exists() and not self._quarantine.is_dir()):
            os.rename(self._quarantine, self._folder / f"{self._quarantine.name}-{os.urandom(4).hex()}")
        self._quarantine.mkdir(exist_ok=True)

    def move(self, name: str) -> None:
        """Takes a file away from its place and keeps it here."""
        self.keep(name)
        path = self._folder / name
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            durable.sync_folder(path.parent)

    def packs(self) -> Iterator[str]:
        """What lies here and may hold objects, by its name in the repository."""
        for path in sorted(self._quarantine.iterdir()) if self._quarantine.is_dir() else ():
            if path.is_file() and begins_with(path, BEGINNING):
                yield f"{self._quarantine.name}/{path.name}"

    def _is_kept(self, path: Path) -> bool:
        if not self._quarantine.is_dir() or not is_plain(path):
            return False
        return any(each.samefile(path) for each in self._quarantine.iterdir() if each.is_file())

    def _free(self, name: str) -> Path:
        plain = name.replace("/", "-").lstrip(".")
        numbered = (self._quarantine / f"{plain}{f'-{number}' if number else ''}" for number in range(1_000_000))
        return next(path for path in numbered if not os.path.lexists(path))


def _give_second_name(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copy2(path, target)  # however large it is
        with open(target, "rb") as file:
            os.fsync(file.fileno())


def begins_with(path: Path, start: bytes) -> bool:
    """Whether a file has these bytes first."""
    with open(path, "rb") as file:
        return file.read(len(start)) == start
