"""Claims at a remote: who of those that share it executes what, so that one waits for the other.

Each is a file that one alone can make. Whose it is shows that he is there by writing a file of his own again and again;
where that has not been written for a while, by the clock of the place, the next claim on the same key can be taken: the
last one counts. Described in docs/format/sharing.md.
"""

from __future__ import annotations

import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from ..objects.oid import Oid
from ..storage.layout import EXECUTING
from .remote import Remote

_HOLDER = re.compile(r"[0-9a-f]{32}\Z")
_NUMBER = re.compile(r"[1-9][0-9]{0,5}\Z")
_LONGEST = 64
_AT_ONCE = 16
_GLANCE = 5.0
"""For so many seconds is believed what was seen of others."""


class FarClaims:
    """The claims that one run has at a remote. Thread-safe; one thread takes them.

    Args:
        remote: The remote.
    """

    BEAT = 10.0
    """Seconds after which a holder is to show again that he is there."""
    LAPSE = 60.0
    """Seconds after which one is given up who has not."""

    def __init__(self, remote: Remote) -> None:
        self._files = remote.files
        self._holder = os.urandom(16).hex()
        self._mutex = threading.Lock()  # held for no longer than it takes to look at what follows
        self._has_shown = False
        self._held: dict[Oid, list[str]] = {}
        self._wanted: set[Oid] = set()  # what we wait for
        self._ages: dict[str, float] = {}
        self._looked = float("-inf")

    def take(self, key: Oid) -> bool:
        """Takes the claim on a key; False where another has it, who is told then that it is waited for.

        What makes no sense there keeps nobody from anything: a claim guards no data.

        Raises:
            RemoteError: The remote cannot be reached, or nothing can be written there.
        """
        with self._mutex:
            if key in self._held:
                return True
        numbers = self._numbers(key)
        last = max(numbers, default=0)
        if last and self._is_there(self._owner(key, last)):
            self._wish_for(key)
            return False
        if not self._has_shown:
            self.beat()
        if not self._files.create(f"{_of(key)}/{last + 1}", self._holder.encode()):
            return last + 1 not in self._numbers(key)  # else another was faster
        with self._mutex:
            self._held[key] = [f"{_of(key)}/{number}" for number in sorted([*numbers, last + 1], reverse=True)]
        self._wish_no_more(key)
        return True

    def beat(self) -> None:
        """Shows that we are there. Raises as `take`."""
        self._files.put(_by(self._holder), b"")
        self._has_shown = True

    def wanted(self) -> set[Oid]:
        """What is held here and waited for elsewhere. Raises as `take`."""
        found = {Oid(name.split("/")[-2]) for name in self._files.list(f"{EXECUTING}/wanted")}
        with self._mutex:
            return found & self._held.keys()

    def release(self, key: Oid) -> None:
        """Gives a claim up, if it is held. Raises as `take`."""
        with self._mutex:
            names = self._held.pop(key, [])
        # The last goes first: were it the only one that is left, it would be taken for somebody's.
        for name in names:
            self._files.delete(name)

    def close(self) -> None:
        """Gives up all. Raises as `take`."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self.release, list(self._held)))
            list(pool.map(self._wish_no_more, list(self._wanted)))
        if self._has_shown:
            self._files.delete(_by(self._holder))
            self._has_shown = False

    def _wish_for(self, key: Oid) -> None:
        if key not in self._wanted:
            self._files.put(self._wish(key), b"")
            self._wanted.add(key)

    def _wish_no_more(self, key: Oid) -> None:
        if key in self._wanted:
            self._wanted.discard(key)
            self._files.delete(self._wish(key))

    def _wish(self, key: Oid) -> str:
        return f"{EXECUTING}/wanted/{key}/{self._holder}"

    def _numbers(self, key: Oid) -> list[int]:
        """The numbers of the claims that there are on a key."""
        start = len(_of(key)) + 1
        return [int(name[start:]) for name in self._files.list(_of(key)) if _NUMBER.match(name[start:])]

    def _owner(self, key: Oid, number: int) -> str:
        """Who has a claim; empty where it was just given up, or what stands there says nothing."""
        with suppress(FileNotFoundError):
            found = self._files.read(f"{_of(key)}/{number}", 0, _LONGEST).decode("ascii", "replace")
            return found if _HOLDER.match(found) else ""
        return ""

    def _is_there(self, holder: str) -> bool:
        if not holder:
            return False
        if holder == self._holder:
            return True
        since = time.monotonic() - self._looked
        if since > _GLANCE or not self._is_fresh(holder, since):
            self._ages, since = dict(self._files.ages(f"{EXECUTING}/holders")), 0.0
            self._looked = time.monotonic()
        return self._is_fresh(holder, since)

    def _is_fresh(self, holder: str, since: float) -> bool:
        """Whether one has been heard of, as far as is known, so many seconds after that was looked at."""
        return -self.LAPSE < self._ages.get(_by(holder), self.LAPSE) + since < self.LAPSE


def _of(key: Oid) -> str:
    return f"{EXECUTING}/keys/{key}"


def _by(holder: str) -> str:
    return f"{EXECUTING}/holders/{holder}"
