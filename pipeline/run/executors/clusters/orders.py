"""The orders of a run: what is known of each, and how many go to an engine together."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass

from ....record.outcome import Outcome
from ...execution.task import StepTask

_MOMENT = 0.2
"""Seconds that what is handed out together may take."""

_TOGETHER = 64
"""And how many that are at most."""


@dataclass(eq=False)
class Job:
    """An order that somebody waits for.

    Attributes:
        task: What is to be executed.
        future: Told how it ends.
        submitted: When it was handed to the engine, in milliseconds since 1970.
        worker: Who has begun with it.
        log: What is to be said of tries before the one that goes on.
        order: What a worker is told.
        edited: A file of its code that was edited since the run began, if that was seen.
    """

    task: StepTask
    future: Future[Outcome]
    submitted: int
    worker: str = ""
    log: str = ""
    order: bytes = b""
    edited: str | None = None


class Batches:
    """How many uses of a step are handed out together: as many as take a moment, by what they have taken so far."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def note(self, task: StepTask, outcome: Outcome) -> None:
        """One has ended."""
        took = max(0.0, (outcome.finished - outcome.started) / 1000)
        self._seconds[task.step_name] = 0.9 * self._seconds.get(task.step_name, took) + 0.1 * took

    def size(self, task: StepTask) -> int | None:
        """So many; None where that is not known yet."""
        took = self._seconds.get(task.step_name)
        return None if took is None else max(1, min(_TOGETHER, int(_MOMENT / max(took, 0.001))))
