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
        self._timer: threading.Timer | None = None
        self._busy: threading.Timer | None = None  # that one publishes now, or did last
        self._error: ArtError | None = None
        self._took = 0.0

    def soon(self) -> None:
        """Publishes within DELAY, or a little later where that takes long.

        Raises:
            StorageError: An earlier publishing failed.
        """
        if self._error is not None:
            raise self._error
        if self._timer is None:
            self._timer = threading.Timer(max(DELAY, SHARE * self._took), self._in_background)
            self._timer.daemon = True
            self._timer.start()

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
        for timer in (self._timer, self._busy):
            if timer is not None:
                timer.cancel()
                timer.join()
        self._timer = self._busy = None

    def _in_background(self) -> None:
        try:
            self._busy = self._timer
            self._timer = None
            with self._transaction.together():
                began = time.monotonic()
                self._last_words()
                self._transaction.publish(tolerant=True)
                self._published()
                self._took = time.monotonic() - began
        except ArtError as error:
            self._error = error  # raised by whoever writes next
