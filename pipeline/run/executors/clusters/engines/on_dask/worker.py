"""In a worker of Dask: what it does for a run, and its way to the coordinator.

What it says are events of a topic of the run's; answers come by `Client.run`.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import time
from collections.abc import Callable
from typing import Any

import distributed

from ...worker import post
from ...worker.post import Header


class Line:
    """The way to the coordinator. See `Line`."""

    def __init__(self, topic: str) -> None:
        self._worker = distributed.get_worker()
        self._topic = topic
        self.worker = self._worker.address

    def say(self, message: bytes) -> None:
        """See `Line.say`."""
        self.event("said", message)

    def event(self, what: str, *arguments: Any) -> None:
        """Tells the coordinator."""
        self._worker.log_event(self._topic, (what, self.worker, *arguments))

    def ask(self, message: bytes, is_wanted: Callable[[], bool]) -> bytes:
        """See `Line.ask`."""
        return self._wait(is_wanted, "asked", message)

    def session(self) -> bytes:
        """See `Line.session`."""
        return self._wait(_patience(), "session")

    def begins(self, header: Header) -> bool:
        """See `Line.begins`."""
        if header.asks:
            return bool(self._wait(_patience(), "begins", header.jobs))
        self.event("begun", header.jobs)
        return True

    def _wait(self, is_wanted: Callable[[], bool], what: str, *message: Any) -> bytes:
        number, answer = next(_numbers), queue.SimpleQueue[bytes]()
        _waiting[self._topic, number] = answer
        try:
            self.event(what, number, *message)
            while is_wanted():
                with contextlib.suppress(queue.Empty):
                    return answer.get(timeout=_OFTEN)
            raise TimeoutError
        finally:
            del _waiting[self._topic, number]


def _patience() -> Callable[[], bool]:
    give_up = time.monotonic() + post.PATIENCE
    return lambda: time.monotonic() < give_up


_OFTEN = 1.0
"""Seconds between two looks whether somebody still waits for an answer."""

_numbers = itertools.count()
_waiting: dict[tuple[str, int], queue.SimpleQueue[bytes]] = {}


def perform(header: Header, orders: tuple[bytes, ...], topic: str) -> list[post.Ended]:
    """Carries out orders; returns how they have ended."""
    return post.perform(header, orders, Line(topic))


def answered(topic: str, number: int, reply: bytes) -> None:
    """Takes the coordinator's answer."""
    if (waiting := _waiting.get((topic, number))) is not None:
        waiting.put(reply)


def do_here(what: str, session: str) -> None:
    """Does something of `post.EVERYWHERE`."""
    post.EVERYWHERE[what](session)
