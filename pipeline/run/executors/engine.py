"""Who executes the steps of a run: the one seam is `concurrent.futures.Executor`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from ...cache.claims import Elsewhere
from ...record.outcome import Outcome
from ..execution.execute import execute
from ..execution.task import StepTask
from ..execution.workplace import Workplace


class StepExecutor(Executor, ABC):
    """An executor of steps."""

    @property
    @abstractmethod
    def slots(self) -> int:
        """So many of them it executes side by side, as it is now."""


@dataclass(frozen=True)
class Engine:
    """Who executes the steps of one run.

    Attributes:
        executor: Who does it. Its `shutdown(cancel_futures=True)` also interrupts what runs, and waits for it.
        place: Where it is done; an executor whose workers are elsewhere gives them a place of theirs.
        shares_memory: Whether a step finds in memory what those before it left there.
        elsewhere: Who keeps other machines from executing the same, if any may.
    """

    executor: StepExecutor
    place: Workplace
    shares_memory: bool = True
    elsewhere: Elsewhere | None = None

    @property
    def slots(self) -> int:
        """So many steps are executed side by side, as it is now."""
        return self.executor.slots

    def submit(self, task: StepTask) -> Future[Outcome]:
        """Has a step executed."""
        return self.executor.submit(execute, task, self.place)
