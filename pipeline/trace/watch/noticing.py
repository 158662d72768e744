"""Noticing what a step does without being noticed: what is done here may neither fail the step nor be its doing."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ..owners import every, is_any_open, targets
from ..recording import Recording

_local = threading.local()


def quietly(work: Callable[[], None]) -> None:
    """Does what must not be taken for the doing of a step, if anything is recorded; never fails."""
    if not is_any_open() or getattr(_local, "busy", False):
        return
    with unnoticed():
        try:
            work()
        except Exception as error:  # whatever it is, the step must go on; its result is not used again
            for recording in every():
                recording.refused.add(f"something could not be watched ({type(error).__name__}: {error})")


@contextlib.contextmanager
def unnoticed() -> Iterator[None]:
    """What this thread does in the block is not noticed: it has been noted already."""
    before, _local.busy = getattr(_local, "busy", False), True
    try:
        yield
    finally:
        _local.busy = before


def note(take: Callable[[Recording], Any]) -> None:
    """Lets each recording take what the calling code does."""

    def to_each() -> None:
        for recording in targets():
            take(recording)
            recording.spool()

    quietly(to_each)
