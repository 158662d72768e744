"""Claims at a remote: who of those that share it executes what, so that one waits for the other.

Each is a file that one alone can make. Whose it is shows that he is there by writing a file of his own again and again;
where that has not been written for a while, by the clock of the place, the next claim on the same key can be taken: the
last one counts. Described in docs/format/sharing.md.
"""

from __future__ import annotations

import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from ..objects.oid import Oid
from ..storage.layout import EXECUTING
from .remote import Remote

_HOLDER = re.compile(r"[0-9a-f]{32}\Z")
_LONGEST = 64
_AT_ONCE = 16


class FarClaims:
    """The claims that one run has at a remote. Thread-safe.

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
        self._mutex = threading.Lock()
        self._has_shown = False
        self._held: dict[Oid, int] = {}
        self._wanted: set[Oid] = set()  # what we wait for

    def take(self, key: Oid) -> bool:
        """Takes the claim on a key; False where another has it, who is told then that it is waited for.

        Raises:
            RemoteError: The remote cannot be reached, or nothing can be written there.
        """
        with self._mutex:
            if key in self._held:
                return True
            number = max(map(int, filter(str.isdecimal, self._last_parts(_of(key)))), default=0)
            if number and self._is_there(self._owner(key, number)):
                if key not in self._wanted:
                    self._files.put(self._wish(key), b"")
                    self._wanted.add(key)
                return False
            if not self._has_shown:
                self.beat()
            if not self._files.create(f"{_of(key)}/{number + 1}", self._holder.encode()):
                return False
            self._held[key] = number + 1
            self._unwant(key)
            return True

    def beat(self) -> None:
        """Shows that we are there. Raises as `take`."""
        self._files.put(_by(self._holder), b"")
        self._has_shown = True

    def wanted(self) -> set[Oid]:
        """What is held here and waited for elsewhere. Raises as `take`."""
        with self._mutex:
            return self._held.keys() & {Oid(name.split("/")[-2]) for name in self._files.list(f"{EXECUTING}/wanted")}

    def release(self, key: Oid) -> None:
        """Gives a claim up, if it is held. Raises as `take`."""
        with self._mutex:
            self._release(key)

    def close(self) -> None:
        """Gives up all. Raises as `take`."""
        with self._mutex:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(self._release, list(self._held)))
                list(pool.map(self._unwant, list(self._wanted)))
            if self._has_shown:
                self._files.delete(_by(self._holder))
                self._has_shown = False

    def _release(self, key: Oid) -> None:
        # The last goes first: were it the only one that is left, it would be taken for somebody's.
        for number in range(self._held.pop(key, 0), 0, -1):
            self._files.delete(f"{_of(key)}/{number}")

    def _unwant(self, key: Oid) -> None:
        if key in self._wanted:
            self._wanted.discard(key)
            self._files.delete(self._wish(key))

    def _wish(self, key: Oid) -> str:
        return f"{EXECUTING}/wanted/{key}/{self._holder}"

    def _owner(self, key: Oid, number: int) -> str:
        """Who has a claim; empty where it was just given up, or what stands there says nothing."""
        with suppress(FileNotFoundError):
            found = self._files.read(f"{_of(key)}/{number}", 0, _LONGEST).decode("ascii", "replace")
            return found if _HOLDER.match(found) else ""
        return ""

    def _is_there(self, holder: str) -> bool:
        if not holder:
            return False
        ages = dict(self._files.ages(f"{EXECUTING}/holders"))
        return ages.get(_by(holder), self.LAPSE) < self.LAPSE

    def _last_parts(self, folder: str) -> list[str]:
        return [name.rpartition("/")[2] for name in self._files.list(folder)]


def _of(key: Oid) -> str:
    return f"{EXECUTING}/keys/{key}"


def _by(holder: str) -> str:
    return f"{EXECUTING}/holders/{holder}"
