"""Versions, runs and commits as records that lie in the packs, whether a ref leads to them or not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TypeVar

from ...changes.publish import now_ms
from ...errors import DamagedError, LookupFailed
from ...maps.steps import is_whole, opened
from ...objects.kinds import Commit, Run, Version
from ...objects.oid import Oid
from ...objects.records import Record
from .survey import Survey

R = TypeVar("R", bound=Record)

Age = tuple[int, int]
"""Of two records of the same thing the one with the greater age is the newer, as far as files can tell."""


class Records:
    """The records that a survey found.

    Args:
        survey: What was found, and where.
        folder: The repository.
    """

    def __init__(self, survey: Survey, folder: Path) -> None:
        self.now = now_ms()
        self._survey = survey
        self._folder = folder
        self._times: dict[str, int] = {}
        self._versions: dict[tuple[str, int], tuple[Oid, Version]] | None = None
        self._runs: dict[str, Oid] | None = None

    def every(self, cls: type[R], without: AbstractSet[str] = frozenset()) -> Iterator[tuple[Oid, R]]:
        """All records of a kind that can be read as a whole, those last that were written last.

        Args:
            cls: Their class.
            without: Leaves out what lies in these files.
        """
        census = self._survey.census
        aged = sorted((age, oid) for oid in census.of_kind(cls.KIND) if (age := self._age(oid, without)) is not None)
        for _, oid in aged:
            try:
                found = opened(self._survey.store, self._survey.store.record(oid, cls))
            except (DamagedError, LookupFailed):
                continue
            if not isinstance(found, Run) or is_whole(found):
                yield oid, found

    def version(self, name: str, number: int, artifact: Oid | None) -> Oid | None:
        """The newest record of a version; only one of this value, where it is known."""
        if self._versions is None:
            self._versions = {(each.name, each.number): (oid, each) for oid, each in self.every(Version)}
        oid, found = self._versions.get((name, number), (None, None))
        return oid if found is not None and artifact in (None, found.artifact) else None

    def run(self, run_id: str) -> Oid | None:
        """The newest record of a run."""
        if self._runs is None:
            self._runs = {}
            for oid, run in self.every(Run):
                known = self._runs.get(run.run)
                if known is None or later_run(run, opened(self._survey.store, self._survey.store.record(known, Run))):
                    self._runs[run.run] = oid
        return self._runs.get(run_id)

    def maker(self, name: str, artifact: Oid) -> tuple[Oid, str, Commit, str | None] | None:
        """The first commit that made an artifact under a name: its id, which output, itself, and the run's id."""
        made = [
            (commit.finished, oid, output, commit)
            for oid, commit in self.every(Commit)
            for output, each in commit.outputs.items()
            if (each.name, each.artifact) == (name, artifact)
        ]
        if not made:
            return None
        _, oid, output, commit = min(made, key=lambda each: each[:3])
        runs = (run for _, run in self.every(Run) if any(step.commit == oid for step in run.steps.values()))
        first = min(runs, key=lambda run: (run.started, run.run), default=None)
        return oid, output, commit, None if first is None else first.run

    def _age(self, oid: Oid, without: AbstractSet[str]) -> Age | None:
        ages = [(self._time(name), at.offset) for name, at in self._survey.places(oid) if name not in without]
        return max(ages, default=None)

    def _time(self, name: str) -> int:
        if name not in self._times:
            try:
                self._times[name] = os.stat(self._folder / name).st_mtime_ns
            except FileNotFoundError:
                self._times[name] = 0
        return self._times[name]


def later_run(run: Run, other: Run) -> bool:
    """Whether a record of a run is no older than another one of the same run."""
    return _progress(run) >= _progress(other)


def _progress(run: Run) -> tuple[bool, int, int]:
    return run.finished is not None, len(run.steps), run.finished or 0
