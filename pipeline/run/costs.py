"""What executing a step would cost, by what it has cost."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from artvcs.vcs import Artifact, Commit, DamagedError, LookupFailed, Refs, Repository, Run

from ..history.finding import run_lookup

UNKNOWN = float("inf")


@dataclass
class Costs:
    """What steps have cost.

    Attributes:
        refs: Where executions are looked up.
        previous: The pipeline's run before, if any: what it used was made then, or before.
    """

    refs: Refs
    previous: Run | None
    _known: dict[str, Commit | None] = field(default_factory=dict)

    def seconds(self, step: str) -> float:
        """How long the last execution took of a step; UNKNOWN where there is none."""
        last = self._last(step)
        return UNKNOWN if last is None else max(0, last.finished - last.started) / 1000

    def size(self, repository: Repository, step: str) -> int | None:
        """Bytes of what the last execution of a step returned; None where there is none."""
        last = self._last(step)
        if last is None:
            return None
        with suppress(LookupFailed, DamagedError):
            return sum(repository.store.record(each.artifact, Artifact).size for each in last.outputs.values())
        return None

    def _last(self, step: str) -> Commit | None:
        if step not in self._known:
            self._known[step] = None
            commit = run_lookup.last_commit(self.previous, step)
            with suppress(LookupFailed, DamagedError):  # collected, or damaged
                if commit is not None:
                    self._known[step] = self.refs.record(commit, Commit)
        return self._known[step]
