"""What executing a step would cost, by what it has cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from artvcs.vcs import Artifact, Commit, DamagedError, LookupFailed, Oid, Refs, Repository, Run, runs, some_steps

from ...history.finding import run_lookup

UNKNOWN = float("inf")

_AT_ONCE = 1000
"""So many executions are read at once."""


@dataclass
class Costs:
    """What steps have cost.

    Attributes:
        repository: Where executions are.
        refs: Where they are looked up.
        previous: The pipeline's run before, if any: what it used was made then, or before. Of steps that it did not
            come to, the newest run tells that was completed.
    """

    repository: Repository
    refs: Refs
    previous: Run | None
    _seconds: dict[str, float] = field(default_factory=dict)

    def seconds_of(self, steps: Sequence[str]) -> list[float]:
        """As `seconds`, of many steps."""
        found: list[float] = []
        for start in range(0, len(steps), _AT_ONCE):
            some = steps[start : start + _AT_ONCE]
            self._seconds.update(self._told(some))
            last = (self._commit(step) for step in some if step not in self._seconds)
            self.repository.store.read_ahead(filter(None, last), Commit)
            found += map(self.seconds, some)
        return found

    def _told(self, steps: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Those of which a run tells how long they took, also where it has used what was there."""
        for run in reversed(self._runs):
            for name, step in some_steps(run, steps).items():
                if step.took is not None:
                    yield name, step.took / 1000
                elif step.status == "completed":
                    yield name, max(0, (step.finished or 0) - (step.started or 0)) / 1000

    def seconds(self, step: str) -> float:
        """How long the last execution took of a step; UNKNOWN where there is none."""
        if step not in self._seconds:
            self._seconds.update(self._told([step]))
        if step not in self._seconds:
            last = self._last(step)
            self._seconds[step] = UNKNOWN if last is None else max(0, last.finished - last.started) / 1000
        return self._seconds[step]

    def size(self, step: str) -> int | None:
        """Bytes of what the last execution of a step returned; None where there is none."""
        last = self._last(step)
        if last is None:
            return None
        with suppress(LookupFailed, DamagedError):
            return sum(self.repository.store.record(each.artifact, Artifact).size for each in last.outputs.values())
        return None

    @cached_property
    def _runs(self) -> tuple[Run, ...]:
        """The runs that tell, the newest first."""
        if self.previous is None:
            return ()
        if self.previous.status == "completed":
            return (self.previous,)
        completed = (run for run in runs.of_pipeline(self.refs, self.previous.pipeline) if run.status == "completed")
        return (self.previous, *islice(completed, 1))

    def _commit(self, step: str) -> Oid | None:
        return next(filter(None, (run_lookup.last_commit(run, step) for run in self._runs)), None)

    def _last(self, step: str) -> Commit | None:
        commit = self._commit(step)
        if commit is not None:
            with suppress(LookupFailed, DamagedError):  # collected, or damaged
                return self.refs.record(commit, Commit)
        return None
