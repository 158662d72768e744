"""Ending a step that takes too long."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

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


@contextmanager
def _alarm(seconds: float, late: Exception) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise late

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
