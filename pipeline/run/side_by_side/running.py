"""The executions of a run that go on side by side: what room there is for them, and those that are tried again."""

from __future__ import annotations

import heapq
import queue
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace

from ...cache.decide import Decision
from ...define.options.resources import Resources
from ...record.outcome import Outcome
from ..execution.task import StepTask
from ..executors.engine import Engine
from .capacity import Capacity


@dataclass
class _Execution:
    """An execution that has begun and not ended.

    Attributes:
        decision: What was decided for the step.
        task: What is executed.
        log: What it has printed in tries whose processes died.
    """

    decision: Decision
    task: StepTask
    log: str = ""


class Running:
    """The executions of a run that go on.

    A step whose process died is tried again here, as often as its `retry` says; what a step raises itself, it tries
    again where it runs.

    Args:
        engine: Who executes them.
        capacity: What there is for them.
    """

    def __init__(self, engine: Engine, capacity: Capacity) -> None:
        self._engine = engine
        self._capacity = capacity
        self._going_on: dict[Future[Outcome], _Execution] = {}
        self._ended: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
        self._later: list[tuple[float, int, _Execution]] = []
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._going_on or self._later)

    @property
    def is_full(self) -> bool:
        """Whether nothing more can begin."""
        self._capacity.resize(self._engine.slots)
        return self._capacity.is_full

    def has_room(self, step: str, needs: Resources) -> bool:
        """Whether a step can begin now."""
        return self._capacity.fits(step, needs)

    def start(self, decision: Decision, task: StepTask) -> None:
        """Has a step executed."""
        self._submit(_Execution(decision, task))

    def _submit(self, execution: _Execution) -> None:
        self._capacity.take(execution.task.invocation_id, execution.task.resources)
        future = self._engine.submit(execution.task)
        self._going_on[future] = execution
        future.add_done_callback(self._ended.put)

    def ended(self, timeout: float | None) -> Iterator[tuple[Decision, Outcome]]:
        """Those that have ended; waits for one for at most `timeout` seconds, if any goes on.

        Raises:
            BaseException: What keeps any more from being executed, as Ctrl-C.
        """
        self._try_again()
        if not self._going_on:
            if self._later:
                due = max(0.0, self._later[0][0] - time.monotonic())
                time.sleep(due if timeout is None else min(due, timeout))
            return
        if self._later:
            due = max(0.01, self._later[0][0] - time.monotonic())
            timeout = due if timeout is None else min(due, timeout)
        while self._going_on:
            try:
                future = self._ended.get(timeout=timeout) if timeout != 0.0 else self._ended.get_nowait()
            except queue.Empty:
                return
            timeout = 0.0
            execution = self._going_on.pop(future)
            self._capacity.give_back(execution.task.invocation_id)
            outcome = future.result()
            if not self._is_tried_again(execution, outcome):
                outcome.log = execution.log + outcome.log
                yield execution.decision, outcome

    def _is_tried_again(self, execution: _Execution, outcome: Outcome) -> bool:
        """Whether a step whose process has died is tried once more, with more memory if that may help."""
        task, retry = execution.task, execution.task.step.options.retry
        if not outcome.has_died or outcome.tried >= retry.count or outcome.error is None:
            return False
        error, tried = outcome.error, outcome.tried + 1
        failed = f"Try {tried} of {retry.count + 1} failed: {type(error).__name__}: {error}\n"
        execution.log += outcome.log + failed
        execution.task = replace(task, tried=tried, resources=task.resources.grown(retry.memory))
        self._count += 1
        heapq.heappush(self._later, (time.monotonic() + retry.wait(tried), self._count, execution))
        return True

    def _try_again(self) -> None:
        """Has those executed that are due and fit."""
        while self._later and self._later[0][0] <= time.monotonic():
            task = self._later[0][2].task
            if not self._capacity.fits(task.invocation_id, task.resources):
                return
            self._submit(heapq.heappop(self._later)[2])

    def forget(self) -> None:
        """All of them were interrupted."""
        self._going_on.clear()
        self._later.clear()
