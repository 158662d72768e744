"""Where a process works and finds modules: what an execution changed of that, a hit changes, too.

Only folders of the project: what is stored may come from strangers, and Python runs what it finds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ..model import Trace
from ..places import Places
from .kinds import DIRECTORY, PATH


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

    def come_back(self) -> None:
        """Goes back to this working directory from one that is there no more: nobody could work there."""
        try:
            os.getcwd()
        except FileNotFoundError:
            os.chdir(self.directory)

    def left(self, places: Places) -> dict[str, dict[str, str]]:
        """What is otherwise now, below the project: what it is → the folder → where it stands."""
        now = self.now()
        moved = [now.directory] if now.directory != self.directory else []
        added = {each: "first" for each in now.path if each and each not in self.path}
        if now.path and now.path[-1] in added:
            added[now.path[-1]] = "last"
        return {
            DIRECTORY: dict.fromkeys(_inside(moved, places), "here"),
            PATH: {inside: end for each, end in added.items() for inside in _inside([each], places)},
        }


def take(trace: Trace, places: Places) -> None:
    """Changes this process's as an execution did; passes over what is not there or not in the project."""
    for inside in trace.left_of(DIRECTORY):
        if (folder := _folder(inside, places)) is not None:
            os.chdir(folder)
    for inside, end in reversed(list(trace.left_of(PATH).items())):
        folder = _folder(inside, places)
        if folder is not None and folder not in map(os.path.abspath, sys.path):
            sys.path.insert(len(sys.path) if end == "last" else 0, folder)


@contextmanager
def kept() -> Iterator[None]:
    """Whatever becomes of them in the block, they are as before after it."""
    before = Whereabouts.now()
    try:
        yield
    finally:
        before.restore()


def _inside(folders: Iterable[str], places: Places) -> Iterator[str]:
    """The folders of the project among some, by where they are in it."""
    paths = map(os.path.abspath, folders)
    return (os.path.relpath(path, places.project) for path in paths if places.is_inside(path))


def _folder(inside: str, places: Places) -> str | None:
    """A folder of the project; None where there is none, or it leads out."""
    folder = os.path.normpath(os.path.join(places.project, inside))
    return folder if os.path.isdir(folder) and places.is_inside(folder) else None
