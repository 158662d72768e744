"""Raising an exception in another thread, while that is in a block and not after it."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Raisable:
    """A block that another thread can end.

    Python raises between two of its instructions, and so not while a library computes, or waits.
    """

    def __init__(self) -> None:
        self._thread: int | None = None
        self._mutex = threading.Lock()

    @contextmanager
    def open(self) -> Iterator[None]:
        """While the block runs in this thread, `end` raises in it."""
        self._thread = threading.get_ident()
        try:
            yield
        finally:
            with self._mutex:
                _raise(self._thread, None)  # what has not been raised by now must not be raised later
                self._thread = None

    def end(self, exception: type[BaseException]) -> None:
        """Raises in the thread that is in the block, if one is; the exception is made without arguments."""
        with self._mutex:
            if self._thread is not None:
                _raise(self._thread, exception)


def _raise(thread: int, exception: type[BaseException] | None) -> None:
    # https://docs.python.org/3/c-api/threads.html#c.PyThreadState_SetAsyncExc
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if exception is None else ctypes.py_object(exception)
    )
