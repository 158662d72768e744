"""The orders of a run that have not ended: what is known of each, and how many go to an engine together."""

from __future__ import annotations

import itertools
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice

from artvcs.vcs import Oid, now_ms

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
        number: What it is called.
        task: What is to be executed.
        future: Told how it ends.
        submitted: When it came, in milliseconds since 1970.
        worker: Who has begun with it.
        log: What is to be said of tries before the one that goes on.
        order: What a worker is told.
        edited: A file of its code that was edited since the run began, if that was seen.
    """

    number: int
    task: StepTask
    future: Future[Outcome] = field(default_factory=Future)
    submitted: int = field(default_factory=now_ms)
    worker: str = ""
    log: str = ""
    order: bytes = b""
    edited: str | None = None


class Orders:
    """All of them. Only `job` and `all` may be called from several threads at once."""

    def __init__(self) -> None:
        self._open: dict[int, Job] = {}
        self._waiting: dict[int, Job] = {}  # those of them that the engine has not got yet
        self._numbers = itertools.count(1)
        self._seconds: dict[str, float] = {}  # step → what it has taken so far
        self._where: dict[Oid, str] = {}  # artifact → the worker that made it

    def add(self, task: StepTask) -> Job:
        """One has come."""
        job = Job(next(self._numbers), task)
        self._open[job.number] = job
        return job

    def job(self, number: int) -> Job | None:
        """One of them; None where it has ended."""
        return self._open.get(number)

    def all(self) -> list[Job]:
        """All of them."""
        return list(self._open.values())

    def queue(self, job: Job) -> None:
        """One is ready to be handed to the engine, unless it has ended."""
        if job.number in self._open:
            self._waiting[job.number] = job

    def end(self, job: Job) -> bool:
        """One has ended; whether it had not before."""
        self._waiting.pop(job.number, None)
        return self._open.pop(job.number, None) is not None

    def withdraw(self) -> list[Job]:
        """Ends those that the engine has not got yet, and returns them."""
        found = list(self._waiting.values())
        for job in found:
            self.end(job)
        return found

    def next(self, slots: int) -> list[Job]:
        """Those of one step that are to be handed to the engine now, together; none where it is better to wait.

        Uses that take a moment go together, so that the engine's ways cost less.

        Args:
            slots: So many steps the engine executes at once.
        """
        if not self._waiting:
            return []
        first = next(iter(self._waiting.values()))
        together = self._together(first.task)
        if len(self._open) - len(self._waiting) >= 2 * slots:
            if together is None:
                return []  # the first that end show how long it takes
            if len(self._waiting) < together or len(self._like(first, together)) < together:
                return []  # more may come until somebody waits for it
        found = self._like(first, together or 1)
        for job in found:
            del self._waiting[job.number]
        return found

    def _like(self, first: Job, most: int) -> list[Job]:
        """The first that waits, and those among as many that are of the same kind."""
        return [
            job
            for job in islice(self._waiting.values(), most)
            if job.task.step is first.task.step and job.task.resources == first.task.resources
        ]

    def _together(self, task: StepTask) -> int | None:
        """How many uses of a step are handed out together; None where that is not known yet."""
        took = self._seconds.get(task.step_name)
        return None if took is None else max(1, min(_TOGETHER, int(_MOMENT / max(took, 0.001))))

    def may_take_long(self, task: StepTask) -> bool:
        """Whether a use of a step takes more than a moment, or nobody knows."""
        return self._seconds.get(task.step_name, _MOMENT) >= _MOMENT

    def note_done(self, job: Job, outcome: Outcome) -> None:
        """What one has taken."""
        took = max(0.0, (outcome.finished - outcome.started) / 1000)
        before = self._seconds.get(job.task.step_name, took)
        self._seconds[job.task.step_name] = 0.9 * before + 0.1 * took

    def note_made(self, job: Job, outcome: Outcome) -> None:
        """The worker of one has what it made."""
        self._where |= dict.fromkeys((saved.id for saved in outcome.outputs.values()), job.worker)

    def near(self, task: StepTask) -> tuple[str, ...]:
        """Workers that have made what a step takes, and have nothing else of ours to do."""
        if not task.taken:
            return ()
        busy = {job.worker for job in self._open.values()}
        near = dict.fromkeys(self._where[oid] for oid in sorted(task.taken) if oid in self._where)
        return tuple(worker for worker in near if worker not in busy)
