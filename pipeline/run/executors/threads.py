"""Steps in threads of the process that runs the pipeline."""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor


class ThreadExecutor(ThreadPoolExecutor):
    """A `concurrent.futures.ThreadPoolExecutor` whose tasks can be interrupted.

    Args:
        slots: So many threads.
    """

    def __init__(self, slots: int) -> None:
        super().__init__(slots, thread_name_prefix="artvcs-step")

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends all threads.

        Args:
            wait: Whether to wait for them.
            cancel_futures: Whether to interrupt what runs; Python does that between two of its instructions, and so
                not while a library computes.
        """
        if cancel_futures:
            for thread in self._threads:
                if thread.ident is not None:
                    # https://docs.python.org/3/c-api/init.html#c.PyThreadState_SetAsyncExc
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt)
                    )
        super().shutdown(wait, cancel_futures=cancel_futures)
