"""Mutexes of threads, which a forked child does not inherit: a thread that it has not may have held one for ever."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class _Owner(Protocol):
    _mutex: threading.RLock


_owners: weakref.WeakSet[_Owner] = weakref.WeakSet()


def own(owner: _Owner) -> threading.RLock:
    """A mutex for `owner` to keep as `_mutex`; a forked child has another one there."""
    _owners.add(owner)
    return threading.RLock()


def _renew() -> None:
    for owner in list(_owners):
        owner._mutex = threading.RLock()


os.register_at_fork(after_in_child=_renew)
