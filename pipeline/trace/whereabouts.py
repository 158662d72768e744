"""Where a process works and finds modules: what an execution changed of that, a hit changes, too.

Only folders of the project: what is stored may come from strangers, and Python runs what it finds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple

from .places import Places, is_below

DIRECTORY, PATH = "working directory", "sys.path"
"""How a trace calls what an execution left of them."""


class Whereabouts(NamedTuple):
    """A process's working directory, and `sys.path`."""

    directory: str
    path: tuple[str, ...]

    @classmethod
    def now(cls) -> Whereabouts:
        """Those of this process."""
        return cls(os.getcwd(), tuple(sys.path))

    def restore(self) -> None:
        """Makes them those of this process again."""
        os.chdir(self.directory)
        sys.path[:] = self.path

    def left(self, project: str) -> dict[str, dict[str, str]]:
        """What is otherwise now, below the project: what it is → the folder → where it stands."""
        now = self.now()
        last = os.path.abspath(now.path[-1]) if now.path else ""
        added = [os.path.abspath(each) for each in now.path if each and each not in self.path]
        return {
            DIRECTORY: _inside([now.directory] if now.directory != self.directory else [], project, "here"),
            PATH: _inside([each for each in added if each != last], project, "first")
            | _inside([each for each in added if each == last], project, "last"),
        }


def take(left: Mapping[str, Mapping[str, str]], project: str) -> None:
    """Changes this process's as an execution did; passes over what is not there or not in the project."""
    for inside in left.get(DIRECTORY, {}):
        if (folder := _folder(inside, project)) is not None:
            os.chdir(folder)
    for inside, end in reversed(list(left.get(PATH, {}).items())):
        folder = _folder(inside, project)
        if folder is not None and folder not in map(os.path.abspath, sys.path):
            sys.path.insert(len(sys.path) if end == "last" else 0, folder)


def make_folders(names: Iterable[str], places: Places, project: str) -> None:
    """Makes folders of the project that an execution made; passes over those that cannot be made."""
    for name in names:
        folder = places.resolve(name)
        if _is_inside(os.path.realpath(folder), os.path.realpath(project)):
            with suppress(OSError):
                os.makedirs(folder, exist_ok=True)


@contextmanager
def kept() -> Iterator[None]:
    """Whatever becomes of them in the block, they are as before after it."""
    before = Whereabouts.now()
    try:
        yield
    finally:
        before.restore()


def _inside(folders: Iterable[str], project: str, told: str) -> dict[str, str]:
    return {os.path.relpath(each, project): told for each in folders if _is_inside(each, project)}


def _folder(inside: str, project: str) -> str | None:
    """A folder of the project; None where there is none, or it leads out."""
    folder = os.path.normpath(os.path.join(project, inside))
    is_there = os.path.isdir(folder) and _is_inside(os.path.realpath(folder), os.path.realpath(project))
    return folder if is_there else None


def _is_inside(folder: str, project: str) -> bool:
    return folder == project or is_below(folder, project)
