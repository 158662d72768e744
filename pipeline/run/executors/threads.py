"""Steps in threads of the process that runs the pipeline."""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from ...trace import environment
from ..execution.raising import Raisable
from .engine import StepExecutor

P = ParamSpec("P")
T = TypeVar("T")


class ThreadExecutor(ThreadPoolExecutor, StepExecutor):
    """A `concurrent.futures.ThreadPoolExecutor` whose tasks can be interrupted.

    Args:
        slots: So many threads.
    """

    def __init__(self, slots: int) -> None:
        super().__init__(slots, thread_name_prefix="artvcs-step")
        self._slots = slots
        self._running: set[Raisable] = set()

    @property
    def slots(self) -> int:
        """See `StepExecutor.slots`."""
        return self._slots

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See `concurrent.futures.Executor.submit`."""
        return super().submit(environment.within(functools.partial(self._run, fn, *args, **kwargs)))

    def _run(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        here = Raisable()
        self._running.add(here)
        try:
            with here.open():
                return fn(*args, **kwargs)
        finally:
            self._running.discard(here)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends all threads.

        Args:
            wait: Whether to wait for them.
            cancel_futures: Whether to interrupt what runs, as soon as Python can: see `Raisable`.
        """
        for each in list(self._running) if cancel_futures else ():
            each.end(KeyboardInterrupt)
        super().shutdown(wait, cancel_futures=cancel_futures)
