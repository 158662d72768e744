"""What steps have left in files: so their work is told apart from what somebody has edited.

A file that one execution has left may be overwritten by another, for that is what running them does. What somebody else
has put there is never touched.
"""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property

from artvcs.vcs import Commit, DamagedError, LookupFailed, Repository, runs

from .. import paths
from ..model import Trace
from ..places import Places
from .kinds import FILES

_RUNS = 30
"""So many of the last runs are looked at."""


class Written:
    """What the last runs, and the executions of this one so far, have left in files.

    Args:
        repository: Where the runs are.
        places: Which paths names of files stand for.
    """

    def __init__(self, repository: Repository, places: Places) -> None:
        self._repository = repository
        self._places = places
        self._new: list[Mapping[str, str]] = []

    def add(self, trace: Trace) -> int:
        """A step has run, or was a hit; returns how many that left files have done so far."""
        if trace.left_of(FILES):
            self._new.append(self._left_by(trace))
        return len(self._new)

    def owes(self, path: str, left: str, done: int) -> bool:
        """Whether an execution that left a path so would have to do it again.

        Args:
            path: The path.
            left: What it held then: the id of its content, or in words what was there.
            done: How many steps had left files by then: what the last of the later ones left there is as it should be.
        """
        if left == paths.FOLDER:
            return False  # the hit itself makes it
        if (names := paths.listed_in(left)) is not None:
            more = (paths.listed_in(paths.names(path)) or set()) - names
            return any(self.owes(os.path.join(path, name), paths.ABSENT, done) for name in more)
        later = [each[path] for each in self._new[done:] if path in each]
        now = paths.what_is_left(path, self._repository.file_ids)
        if now == (later[-1] if later else left):
            return False
        return now == paths.ABSENT or any(each.get(path) == now for each in self._new) or now in self._before[path]

    def make_folders(self, trace: Trace) -> None:
        """Makes the folders of the project that an execution made; passes over those that cannot be made."""
        for path, left in self._left_by(trace).items():
            is_folder = left == paths.FOLDER or paths.listed_in(left) is not None
            if is_folder and self._places.is_inside(path):
                with suppress(OSError):
                    os.makedirs(path, exist_ok=True)

    @cached_property
    def _before(self) -> Mapping[str, set[str]]:
        """What the last runs have left: path → contents."""
        found = defaultdict[str, set[str]](set)
        for left in self._told():
            for name, content in left.items():
                found[self._places.resolve(name)].add(content)
        return found

    def _left_by(self, trace: Trace) -> Mapping[str, str]:
        return {self._places.resolve(name): content for name, content in trace.left_of(FILES).items()}

    def _told(self) -> Iterator[Mapping[str, str]]:
        """What each execution of the last runs has left, also of those that failed or were interrupted."""
        refs = self._repository.refs()
        for run in itertools.islice(runs.newest_first(refs), _RUNS):
            yield from (step.left for step in run.steps.values())
            for commit in {step.commit for step in run.steps.values() if step.commit is not None}:
                try:
                    trace = Trace.of(self._repository.store, refs.record(commit, Commit))
                except (LookupFailed, DamagedError):
                    continue  # collected, or damaged: then it says nothing
                if trace is not None:
                    yield trace.left_of(FILES)
