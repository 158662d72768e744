"""Runs each step at once, in the calling thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

from .engine import StepExecutor

P = ParamSpec("P")
T = TypeVar("T")


class InlineExecutor(StepExecutor):
    """A `concurrent.futures.Executor` whose futures are done when `submit` returns.

    Ctrl-C in a task is raised by `submit` itself: there is nobody else to stop.
    """

    @property
    def slots(self) -> int:
        """One."""
        return 1

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Runs `fn` and returns its future, which is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
