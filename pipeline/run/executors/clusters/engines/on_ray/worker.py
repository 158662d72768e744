"""In a worker of Ray: what it does for a run, and its way to the coordinator, by way of the run's `Switchboard`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from ...worker import post
from ...worker.post import Header

DIGITS = 8
"""Of the id of a node, or of a worker, in what a worker is called."""


class Line:
    """The way to the coordinator. See `Line`."""

    def __init__(self, switch: Any) -> None:
        context = ray.get_runtime_context()
        self.worker = f"{context.get_node_id()[:DIGITS]}/{context.get_worker_id()[:DIGITS]}"
        self.switch = switch
        self._last = 0  # of the messages whose numbers are known
        self._said: list[Any] = []  # the others

    def begins(self, header: Header) -> bool:
        """See `Line.begins`: Ray begins nothing twice."""
        self.tell("begun", header.jobs)
        return True

    def say(self, message: bytes) -> None:
        """See `Line.say`."""
        self.tell("said", message)

    def tell(self, what: str, *arguments: Any) -> None:
        """Tells the coordinator."""
        self._said.append(self.switch.say.remote(what, self.worker, *arguments))
        if len(self._said) >= _UNHEARD:
            self.said()

    def said(self) -> int:
        """Which message was the last that was told here."""
        with contextlib.suppress(RayError, TimeoutError):  # it is gone, and so is the run
            self._last = max([self._last, *ray.get(self._said, timeout=post.PATIENCE)])
        self._said.clear()
        return self._last

    def ask(self, message: bytes, is_wanted: Callable[[], bool]) -> bytes:
        """See `Line.ask`."""
        answer: Any = self.switch.ask.remote(self.worker, message)
        while is_wanted():
            with contextlib.suppress(GetTimeoutError):
                found: bytes = ray.get(answer, timeout=_OFTEN)
                return found
        raise TimeoutError

    def session(self) -> bytes:
        """See `Line.session`."""
        parcel: Any = self.switch.session.remote()
        found: bytes = ray.get(parcel, timeout=post.PATIENCE)  # whose error is a TimeoutError
        return found


_UNHEARD = 1000
"""Messages that are on their way at once."""

_OFTEN = 1.0
"""Seconds between two looks whether somebody still waits for an answer."""

_watched: set[str] = set()


def perform(header: Header, orders: tuple[bytes, ...], switch: Any) -> tuple[int, list[post.Ended]]:
    """Carries out orders; returns how they have ended, and after which message."""
    line = Line(switch)
    if header.session not in _watched:
        _watched.add(header.session)
        threading.Thread(target=_watch, args=(header.session, switch), daemon=True).start()
    ended = post.perform(header, orders, line)
    return line.said(), ended


def _watch(session: str, switch: Any) -> None:
    """Does here what the coordinator has done on all workers, until it is gone."""
    known = 0
    while True:
        asked: Any = switch.told.remote(known)
        try:
            told: list[str] = ray.get(asked)
        except Exception:  # it is gone, and so is the run
            post.end(session)
            return
        post.alive(session)  # it is there, and so is who listens at it
        for what in told:
            post.EVERYWHERE[what](session)
        known += len(told)
        if "end" in told:
            return
