"""Ending a step that takes too long."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from ...errors import StepTimeout


@contextmanager
def time_limit(seconds: float, step: str) -> Iterator[None]:
    """Raises StepTimeout inside the block when it takes too long.

    Only the main thread can be interrupted so; elsewhere the limit is checked when the block ends.
    """
    late = StepTimeout.after(seconds, step)
    main = threading.current_thread() is threading.main_thread()
    started = time.monotonic()
    with _alarm(seconds, late) if main else nullcontext():
        yield
    if time.monotonic() - started > seconds:  # also where the step caught what the alarm raised
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
