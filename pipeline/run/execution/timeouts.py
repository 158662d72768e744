"""Ending a step that takes too long."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar

from ...errors import StepTimeout
from .raising import Raisable


@contextmanager
def time_limit(seconds: float, step: str) -> Iterator[None]:
    """Raises StepTimeout inside the block when it takes too long.

    In the main thread that is also while a library waits, as long as Python sees signals. In other threads it is
    between two of Python's instructions, and else when the block ends.
    """
    late = StepTimeout.after(seconds, step)
    is_main = threading.current_thread() is threading.main_thread()
    ringing: AbstractContextManager[None] = _alarm(seconds, late) if is_main else _timer(seconds)
    started = time.monotonic()
    try:
        with ringing:
            yield
    except StepTimeout as error:
        if error.args:
            raise
        raise late from None
    if time.monotonic() - started > seconds:  # also where the step caught what was raised
        raise late


class Undisturbed:
    """A block of the main thread that no time limit ends: what is due inside is raised at its end."""

    _is_open: ClassVar[bool] = False
    _due: ClassVar[Exception | None] = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():  # where signals are heard
            Undisturbed._due, Undisturbed._is_open = None, True

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if threading.current_thread() is threading.main_thread():
            Undisturbed._is_open = False
            if kind is None and Undisturbed._due is not None:
                raise Undisturbed._due

    @classmethod
    def raise_(cls, error: Exception) -> None:
        """Raises an error, or notes it where such a block is open."""
        if cls._is_open:
            cls._due = error
        else:
            raise error


@contextmanager
def _alarm(seconds: float, late: Exception) -> Iterator[None]:
    def ring(*_: object) -> None:
        Undisturbed.raise_(late)

    before: Callable[..., Any] | int | None = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _timer(seconds: float) -> Iterator[None]:
    block = Raisable()
    timer = threading.Timer(seconds, block.end, (StepTimeout,))
    timer.daemon = True
    timer.start()
    try:
        with block.open():
            yield
    finally:
        timer.cancel()
