"""One execution per cache key at a time, across processes: the second waits and takes the first one's result.

A claim is a lock on the key. It is held until the result is published, so that whoever waited for it finds the result;
it goes with its process, should that die.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from artvcs.vcs import KeyLocks, Layout, Oid

_PATIENCE = 60.0

_UNSAID = 1.0
"""Seconds of waiting that need no word."""


_PAUSE, _LONGEST_PAUSE = 0.0005, 0.02
"""Seconds between two looks whether a claim was given up."""

_AGAIN = 2.0
"""Seconds after which other machines are asked again."""


class Elsewhere(Protocol):
    """Who keeps other machines from executing the same."""

    def take(self, key: Oid) -> bool:
        """Whether it is ours to execute: no other machine does that, as far as they can be asked, or will meanwhile."""

    def ended(self, key: Oid) -> None:
        """The execution has ended; its result, if there is one, can be seen here."""

    def bring(self) -> None:
        """Brings here what other machines have published, as far as they can be asked."""


class Claims:
    """The keys that one run is executing, or has executed and not published yet. Thread-safe; one thread takes them.

    Attributes:
        elsewhere: Who keeps other machines from executing the same, if any may.
        refusals: How often another machine was found to execute what was asked for.
    """

    def __init__(self, layout: Layout) -> None:
        self.elsewhere: Elsewhere | None = None
        self.refusals = 0
        self._mutex = threading.Lock()
        self._held = KeyLocks(layout.running)
        self._landed: set[Oid] = set()
        self._refused: dict[Oid, float] = {}  # by another machine, until when
        self._told: set[Oid] = set()  # what other machines know to be ours

    def take(self, key: Oid, *, shared: bool = True) -> bool:
        """Claims a key; False when another run has it.

        Args:
            key: The key.
            shared: Whether other machines are asked, too, where any may execute the same.
        """
        with self._mutex:
            if self._refused.get(key, 0.0) > time.monotonic():
                return False
            if not self._held.take(key):
                return False
        return not shared or key in self._told or self._is_ours(key)

    def _is_ours(self, key: Oid) -> bool:
        """Whether no other machine executes it; else the claim on it is given up."""
        if self.elsewhere is None:
            return True
        # Not under the mutex: it takes its time.
        is_ours = self.elsewhere.take(key)
        with self._mutex:
            if is_ours:
                self._told.add(key)
                return True
            self.refusals += 1
            self._refused[key] = time.monotonic() + _AGAIN
            self._unlock(key)
            return False

    def bring(self, key: Oid) -> None:
        """Brings here what other machines have published, if it may be the result of what has just been claimed.

        So it is where one was found to execute this, or anything before it: what follows it may have done, too.
        """
        with self._mutex:
            has_waited = self._refused.pop(key, None) is not None
            may_be_done = key in self._told and bool(self.refusals)
        if self.elsewhere is not None and (has_waited or may_be_done):
            self.elsewhere.bring()

    def wait(self, key: Oid, say: Callable[[int | None], object]) -> None:
        """Claims a key as soon as the run that has it, here or elsewhere, has published its result, failed or died.

        Args:
            key: The key.
            say: Told once which process has it, if that is known, when this takes long.
        """
        if key in self._refused:
            say(None)
            while not self.take(key):
                time.sleep(_AGAIN)
            return
        if not self._comes(key, _UNSAID):
            with self._mutex:
                owner = self._held.owner(key)
            say(owner)
            while not self._comes(key, _PATIENCE):
                pass

    def _comes(self, key: Oid, timeout: float) -> bool:
        """Whether a claim could be taken within so many seconds; one thread publishes meanwhile, and releases ours."""
        give_up, pause = time.monotonic() + timeout, _PAUSE
        while True:
            with self._mutex:
                if self._held.take(key):
                    return True
            if time.monotonic() >= give_up:
                return False
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def landed(self, key: Oid) -> None:
        """The key's result has landed: the claim ends with the next publishing."""
        with self._mutex:
            if key in self._held:
                self._landed.add(key)

    def release(self, key: Oid) -> None:
        """Gives up a claim now."""
        with self._mutex:
            self._unlock(key)

    def published(self) -> None:
        """Gives up the claims whose results have landed, since they can be seen now."""
        with self._mutex:
            for key in list(self._landed):
                self._unlock(key)

    def close(self) -> None:
        """Gives up all claims."""
        with self._mutex:
            for key in self._held:
                self._unlock(key)
            self._held.close()
            self.elsewhere = None

    def _unlock(self, key: Oid) -> None:
        self._landed.discard(key)
        self._held.release(key)
        if key in self._told and self.elsewhere is not None:
            self._told.remove(key)
            self.elsewhere.ended(key)
