"""Publishing what has landed shortly after it did, also while a long step runs.

A run's steps land one by one, which survives a kill. Publishing costs an fsync, so it is done for groups: a moment
after the first of them landed, in a thread of its own, and at the end of the run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from artvcs.vcs import ArtError, Transaction

DELAY = 1.0
"""Seconds between landing and publishing: at most so much can be lost in a power cut."""

LATER = 5.0
"""The same of what others have already: of that nothing can be lost."""

SHARE = 3
"""And so many times as long as the last publishing took. What it takes grows with what has ended since the one before:
with a longer wait it might take ever longer, and all that is not published yet is in memory."""


class Publisher:
    """Publishes one transaction, now or soon.

    Args:
        transaction: What is published.
        last_words: Called before each publishing in the background, to bring up to date what goes with it.
        published: Called after each publishing, in the thread that did it.
    """

    def __init__(self, transaction: Transaction, last_words: Callable[[], None], published: Callable[[], None]) -> None:
        self._transaction = transaction
        self._last_words = last_words
        self._published = published
        self._changed = threading.Condition()  # of the two below
        self._due: float | None = None  # when the next publishing is to be, if one is
        self._thread: threading.Thread | None = None  # that waits for that moment, or publishes
        self._error: ArtError | None = None
        self._took = 0.0

    def soon(self, within: float) -> None:
        """Publishes in the background.

        Args:
            within: Seconds until then, as DELAY; it may be a little later where publishing takes long.

        Raises:
            StorageError: An earlier publishing failed.
        """
        if self._error is not None:
            raise self._error
        due = time.monotonic() + max(within, SHARE * self._took)
        with self._changed:
            if self._due is not None and self._due <= due:
                return
            self._due = due
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="artvcs-publishes", daemon=True)
                self._thread.start()

    def now(self) -> None:
        """Publishes before it returns.

        Raises:
            StorageError: This publishing or an earlier one failed.
        """
        self.stop()
        if self._error is not None:
            raise self._error
        self._transaction.publish(tolerant=True)
        self._published()

    def stop(self) -> None:
        """Publishes nothing any more until it is asked to; must not be called where no other thread may land."""
        with self._changed:
            thread, self._thread, self._due = self._thread, None, None
            self._changed.notify()
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        try:
            while self._comes():
                self._publish()
        finally:  # also after a fault of ours: the next has a thread of its own
            with self._changed:
                if self._thread is threading.current_thread():
                    self._thread = self._due = None

    def _publish(self) -> None:
        try:
            with self._transaction.together():
                began = time.monotonic()
                self._last_words()
                self._transaction.publish(tolerant=True)
                self._published()
                self._took = time.monotonic() - began
        except ArtError as error:
            self._error = error  # raised by whoever writes next

    def _comes(self) -> bool:
        """Waits for the moment of the next publishing; False where none is to come: this thread is not needed then."""
        with self._changed:
            while self._thread is threading.current_thread() and self._due is not None:
                if (left := self._due - time.monotonic()) <= 0:
                    self._due = None
                    return True
                self._changed.wait(left)
            if self._thread is threading.current_thread():
                self._thread = None
        return False
