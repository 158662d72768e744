"""What steps have left in files: so their work is told apart from what somebody has edited.

A file that one execution has left may be overwritten by another, for that is what running them does. What somebody else
has put there is never touched.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property

from artvcs.vcs import Commit, DamagedError, LookupFailed, Oid, Refs, Repository, Run, runs

from .. import paths
from ..model import Trace
from ..places import Places
from . import order
from .kinds import DIRECTORY, FILES
from .uses import files_left

_RUNS = 30
"""So many of the last runs are looked at."""
_MOST_SOUGHT = 1000
_KILLED = frozenset({"StepKilled", "StepTimeout"})
"""How steps fail of which nobody knows what they have left."""
_NEVER = sys.maxsize


class Written:
    """What the last runs, and the executions of this one so far, have left in files.

    Args:
        repository: Where the runs are.
        places: Which paths names of files stand for.
    """

    def __init__(self, repository: Repository, places: Places) -> None:
        self._repository = repository
        self._places = places
        self._new: list[Mapping[str, str]] = [{}]  # first what is left by those of runs before that ran again
        self._made: list[str] = []
        self._remade: dict[str, str] = {}

    def add(self, trace: Trace, places: Places) -> int:
        """A step has run, or was a hit; returns how many that left files have done so far.

        Args:
            trace: What was seen of it.
            places: What its relative paths stand for.
        """
        if trace.left_of(FILES):
            self._new.append(left := files_left(trace, places))
            for path in left.keys() & self._remade.keys():
                del self._remade[path]
        return self.done

    @property
    def done(self) -> int:
        """How many steps have left files so far, counting those of runs before that ran again as one."""
        return len(self._new)

    def again(self, trace: Trace, places: Places, done: int) -> None:
        """A hit has run again: what it left is in its old place, to be gone through by all after it.

        Args:
            trace: What was seen of it.
            places: What its relative paths stand for.
            done: How many steps had left files when it was a hit; 1 of one that was a hit in a run before.
        """
        left = files_left(trace, places)
        self._new[done - 1] = {**self._new[done - 1], **left}
        self._remade.update(left)

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
        return self._is_ours(path, now)

    def _is_ours(self, path: str, content: str) -> bool:
        """Whether what a path holds, or held a moment ago, was left there by steps, or there was nothing."""
        if content == paths.ABSENT or any(each.get(path) == content for each in self._new):
            return True
        return content in self._before[path] or order.written(path) >= self._broken_off.get(path, _NEVER)

    def so_far(self, path: str) -> str | None:
        """What the executions of this run have left at a path so far; None if none has left anything."""
        return next((each[path] for each in reversed(self._new) if path in each), None)

    def is_missed(self, path: str, left: str, found: str, done: int, until: int) -> bool:
        """Whether an execution found a path otherwise than those before it would have left it.

        Args:
            path: The path.
            left: What one of them left.
            found: What it found.
            done: How many steps had left files when that one had.
            until: How many had when it began.
        """
        later = [each[path] for each in self._new[done:until] if path in each]
        return found != (later[-1] if later else left) and self._is_ours(path, found)

    def gone(self, left: Mapping[str, str], done: int) -> Iterator[str]:
        """The files that an execution left, and that are not there though no later one has removed them.

        Args:
            left: What it left; only the first thousand are looked for.
            done: How many steps had left files when it had.
        """
        for path, what in itertools.islice(left.items(), _MOST_SOUGHT):
            is_gone = paths.kind_left(what) not in (paths.ABSENT, paths.FOLDER) and not os.path.lexists(path)
            if is_gone and not any(path in each for each in self._new[done:]):
                yield path

    def stale(self, left: Mapping[str, str], done: int) -> Iterator[str]:
        """The files that an execution left, and that hold what another one has left there since.

        Args:
            left: What it left; only the first thousand are looked at.
            done: How many steps had left files when it had.
        """
        for path, what in itertools.islice(left.items(), _MOST_SOUGHT):
            if paths.kind_left(what) not in (paths.ABSENT, paths.FOLDER) and os.path.lexists(path):
                yield from [path] if self.owes(path, what, done) else []

    def leave_folders(self, left: Mapping[str, str]) -> list[str]:
        """Makes the folders of the project that an execution made, and takes away those of hits that it removed.

        Passes over those that cannot be made, or hold something. Returns those that were made.

        Args:
            left: What it left.
        """
        self.take_away(path for path, what in left.items() if what == paths.ABSENT and path in self._made)
        before = len(self._made)
        for path, what in left.items():
            if paths.kind_left(what) == paths.FOLDER and self._places.is_inside(path):
                with suppress(OSError):
                    self._make(path)
        return self._made[before:]

    def _make(self, folder: str) -> None:
        if not os.path.isdir(folder):
            self._make(os.path.dirname(folder))
            os.mkdir(folder)
            self._made.append(folder)

    def take_away(self, folders: Iterable[str]) -> None:
        """Removes folders that hits have made, the last first, as far as they are empty."""
        for folder in reversed([*folders]):
            with suppress(OSError):
                os.rmdir(folder)
            if not os.path.isdir(folder) and folder in self._made:
                self._made.remove(folder)

    def is_bare(self, folder: str) -> bool:
        """Whether a folder is there only because a hit has made it, and is empty."""
        return folder in self._made and paths.names(folder) == paths.NO_NAMES

    def undone(self, left: Mapping[str, str]) -> str | None:
        """A path that an execution left otherwise than it is since one before it ran again: it has to run, too."""
        mine = sorted(left.keys() & self._remade.keys())
        return next((path for path in mine if paths.what_is_left(path, self._repository.file_ids) != left[path]), None)

    def overtaken(self, dated: Iterable[str], left: Collection[str], step: str, done: int) -> Iterator[str]:
        """The paths that another execution of a step has written something beside later, that would now be older.

        Args:
            dated: The paths, of which it counts when they were written.
            left: All that the step has left.
            step: The step's name.
            done: How many steps had left files when this one had.
        """
        newest = dict[str, int]()
        for path in dated:
            folder = os.path.dirname(path)
            if folder not in newest:
                others = self._by_step[step, folder].difference(left, *self._new[done:])
                newest[folder] = max(map(order.written, others), default=-1)
            if order.written(path) < newest[folder]:
                yield path

    @cached_property
    def _before(self) -> Mapping[str, set[str]]:
        """What the last runs have left: path → contents."""
        found = defaultdict[str, set[str]](set)
        for _, left in self._told:
            for path, content in left.items():
                found[path].add(content)
        return found

    @cached_property
    def _broken_off(self) -> Mapping[str, int]:
        """What steps may have left half written whose process was killed, and that have not run since.

        Path → since when, as nanoseconds since 1970.
        """
        found, ran_since = dict[str, int](), set[str]()
        for run in self._runs:
            ended = {id_: step.status for id_, step in run.steps.items()}
            for id_, step in run.steps.items():
                if id_ not in ran_since and step.failure is not None and step.failure.type in _KILLED and not step.left:
                    found.update(dict.fromkeys(self._by_id[id_], (step.started or run.started) * 1_000_000))
            was_killed = run.status == "interrupted" and "interrupted" not in ended.values()  # else that step says it
            for path in (path for id_ in {*run.order} - ended.keys() - ran_since for path in self._by_id[id_]):
                if was_killed:
                    found[path] = run.started * 1_000_000  # the earliest, as the newest run comes first
            ran_since |= {id_ for id_, status in ended.items() if status == "completed"}
        return found

    @cached_property
    def _runs(self) -> list[Run]:
        return list(itertools.islice(runs.newest_first(self._repository.refs()), _RUNS))

    @cached_property
    def _by_id(self) -> Mapping[str, set[str]]:
        """The paths that steps have left in the last runs, by their invocations."""
        found = defaultdict[str, set[str]](set)
        for (_, id_), left in self._told:
            found[id_].update(left)
        return found

    @cached_property
    def _by_step(self) -> Mapping[tuple[str, str], set[str]]:
        """The paths that steps have left in the last runs, by the step's name and the folder."""
        found = defaultdict[tuple[str, str], set[str]](set)
        for (step, _), left in self._told:
            for path in left:
                found[step, os.path.dirname(path)].add(path)
        return found

    @cached_property
    def _told(self) -> list[tuple[tuple[str, str], Mapping[str, str]]]:
        """What executions of the last runs have left, also failed ones: step and invocation, path → what is there."""
        refs, traces, found = self._repository.refs(), dict[Oid, Trace](), []
        for run in self._runs:
            places = self._places
            for id_, step in run.steps.items():
                trace = Trace(left={FILES: step.left})
                if step.commit is not None:
                    trace = traces.setdefault(step.commit, traces.get(step.commit) or self._trace(refs, step.commit))
                found.append(((step.step, id_), files_left(trace, places)))
                for folder in trace.left_of(DIRECTORY):
                    places = places.from_(os.path.join(places.project, folder))
        return found

    def _trace(self, refs: Refs, commit: Oid) -> Trace:
        try:
            found = Trace.of(self._repository.store, refs.record(commit, Commit))
        except (LookupFailed, DamagedError):
            found = None  # collected, or damaged: then it says nothing
        return found or Trace()
