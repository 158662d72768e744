"""Which versions stand at which paths of the project: what was added from there or checked out to there last.

It is this machine's alone, as Git's index is: without it nothing is lost but that edits are noticed. One small file for
each path, so that nobody waits for anybody.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import ClassVar

from ..errors import ArtError, DamagedError, storage_errors
from ..maps import trees
from ..objects.nodes import FOLDER, Entry
from ..objects.oid import Oid, hash_bytes
from ..objects.records import Record, later, record
from ..storage.disk import durable
from ..storage.layout import Layout
from ..storage.store import ObjectStore


@record
class Placed(Record):
    """A version that stands at a path.

    Attributes:
        path: From the project's folder, with `/`.
        name: The artifact's name.
        artifact: Its id.
        mode: Of the file or folder that stands there, as in a tree.
        id: Its id: of a blob or a tree.
        size: Bytes of it.
        files: How many files, links and empty folders it is.
        newest: The id of the newest version then, where that was another.
    """

    KIND: ClassVar[str] = "placed"
    path: str
    name: str
    artifact: Oid
    mode: str
    id: Oid
    size: int
    files: int
    newest: Oid | None = later(None)

    @property
    def entry(self) -> Entry:
        """What stands there, as it is stored."""
        return Entry(PurePosixPath(self.path).name, self.mode, self.id, self.size, self.files)


class Places:
    """The versions that stand in a project.

    Args:
        layout: The repository's paths.
        project: The project's folder.
    """

    def __init__(self, layout: Layout, project: Path) -> None:
        self._folder = layout.placed
        self._project = Path(os.path.realpath(project))

    def spell(self, path: Path) -> str | None:
        """A path as it is noted; None for one outside of the project, or the project itself."""
        place = Path(os.path.realpath(path.parent), path.name) if path.name not in ("", "..") else path.resolve()
        if not place.is_relative_to(self._project) or place == self._project:
            return None
        return place.relative_to(self._project).as_posix()

    def on_disk(self, path: str) -> Path:
        """Where a noted path is."""
        return self._project / path

    def note(
        self, path: Path, name: str, artifact: Oid, entry: Entry, store: ObjectStore, newest: Oid | None = None
    ) -> str | None:
        """Notes that a version stands at a path, and returns the path as it is noted; None outside of the project.

        What stands in it and is as it was goes on to stand there, and so does a folder that it is in.
        """
        spelt = self.spell(path)
        if spelt is None or any("\ud800" <= char <= "\udfff" for char in spelt):
            return None  # no text, and no text can name it
        other = None if newest == artifact else newest
        placed = Placed(spelt, name, artifact, entry.mode, entry.id, entry.size, entry.files, other)
        with storage_errors(f"writing in {self._folder}"):
            self._folder.mkdir(exist_ok=True)
            durable.write_file(self._file(spelt), placed.encode())
        for each in self:
            if _is_in(each.path, spelt):
                found = trees.at(store, entry, each.path.removeprefix(f"{spelt}/"))
                if found is None or found.id != each.id:
                    self.forget(each.path)  # something else stands there now
            elif _is_in(spelt, each.path) and each.mode != FOLDER:
                self.forget(each.path)
        return spelt

    def forget(self, path: str) -> None:
        """Notes that no version stands at a path any more."""
        with storage_errors(f"writing in {self._folder}"), suppress(FileNotFoundError):
            self._file(path).unlink()

    def __iter__(self) -> Iterator[Placed]:
        """All of them, by their paths; what cannot be read is passed over."""
        found = []
        with storage_errors(f"reading {self._folder}"), suppress(FileNotFoundError):
            for file in self._folder.iterdir():
                with suppress(OSError, ArtError):
                    placed = Placed.decode(file.read_bytes())
                    _check_inside(placed.path)
                    if file == self._file(placed.path):
                        found.append(placed)
        return iter(sorted(found, key=lambda each: each.path))

    def _file(self, path: str) -> Path:
        return self._folder / hash_bytes(path.encode("utf-8", "surrogateescape"), "placed")


def _is_in(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")


def _check_inside(path: str) -> None:
    """Refuses a path that leads out of the project."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or str(pure) != path or not pure.parts:
        raise DamagedError(f"A noted path, {path!r}, leads out of the project; delete the folder `placed`.")
