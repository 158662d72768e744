"""What executing a step would cost, by what it has cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from artvcs.vcs import Artifact, Commit, DamagedError, LookupFailed, Repository, some_steps

from ...history.finding import run_lookup

UNKNOWN = float("inf")

_AT_ONCE = 1000
"""So many executions are read at once."""


@dataclass
class Costs:
    """What steps have cost.

    Attributes:
        repository: Where executions are.
        earlier: The steps' executions before, and the pipeline's run before, if any.
    """

    repository: Repository
    earlier: run_lookup.LastExecutions
    _seconds: dict[str, float] = field(default_factory=dict)

    def seconds_of(self, steps: Sequence[str]) -> list[float]:
        """As `seconds`, of many steps."""
        found: list[float] = []
        for start in range(0, len(steps), _AT_ONCE):
            some = steps[start : start + _AT_ONCE]
            self._seconds.update(self._told(some))
            last = (run_lookup.last_commit(self.earlier.run, step) for step in some if step not in self._seconds)
            self.repository.store.read_ahead(filter(None, last), Commit)
            found += map(self.seconds, some)
        return found

    def _told(self, steps: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Those of which the run before tells how long they took, also where it has used what was there."""
        before = {} if self.earlier.run is None else some_steps(self.earlier.run, steps)
        for name, step in before.items():
            if step.took is not None:
                yield name, step.took / 1000
            elif step.status == "completed":
                yield name, max(0, (step.finished or 0) - (step.started or 0)) / 1000

    def seconds(self, step: str) -> float:
        """How long the last execution took of a step; UNKNOWN where there is none."""
        if step not in self._seconds:
            self._seconds.update(self._told([step]))
        if step not in self._seconds:
            last = self.earlier.of(step)
            self._seconds[step] = UNKNOWN if last is None else max(0, last.finished - last.started) / 1000
        return self._seconds[step]

    def size(self, step: str) -> int | None:
        """Bytes of what the last execution of a step returned; None where there is none."""
        last = self.earlier.of(step)
        if last is None:
            return None
        with suppress(LookupFailed, DamagedError):
            return sum(self.repository.store.record(each.artifact, Artifact).size for each in last.outputs.values())
        return None
