"""What was asked of a place elsewhere, and how much went there and came from there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Traffic:
    """Counts requests, and bytes of content without what protocols add. Safe to use from several threads.

    Attributes:
        requests: How many questions were asked; one that had to be asked again counts once.
        sent: Bytes that went there.
        received: Bytes that came from there.
        expected: Bytes that are known to come or go in all, as far as that has been found out.
    """

    requests: int = 0
    sent: int = 0
    received: int = 0
    expected: int = 0
    _mutex: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, requests: int = 1, *, sent: int = 0, received: int = 0) -> None:
        """Counts what was asked."""
        with self._mutex:
            self.requests += requests
            self.sent += sent
            self.received += received

    def expect(self, size: int) -> None:
        """Notes that so many more bytes are to come or go: for whoever shows how far it is."""
        with self._mutex:
            self.expected = max(self.expected, self.sent + self.received) + size


watcher: ContextVar[Callable[[str, Traffic], AbstractContextManager[object]]] = ContextVar("artvcs_traffic_watcher")
"""Told what is being done and what it takes, for whoever shows that."""


def watched(doing: str, traffic: Traffic) -> AbstractContextManager[object]:
    """While the block runs, whoever watches is shown what comes and goes; `doing` says what is being done."""
    told = watcher.get(None)
    return nullcontext() if told is None else told(doing, traffic)
