"""Telling whoever watches how a run goes. The library itself never writes to the terminal.

In plain Python, `logging.basicConfig(level=logging.INFO)` shows it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from ..units import count, duration
from .apart import Unseen

_log = logging.getLogger("artvcs")


class Observer(Protocol):
    """Is told what happens in a run, in the thread that runs it."""

    def run_started(self, name: str, steps: list[str], groups: Mapping[str, Sequence[str]]) -> None:
        """A run begins.

        Args:
            name: The run's name.
            steps: The invocation ids, in a possible order.
            groups: Of those that are items of a `step.map`: the first one → all of them.
        """

    def step_started(self, step: str) -> None:
        """A step is about to run (not told for cached and skipped ones)."""

    def step_lacks(self, step: str, what: str) -> None:
        """A step that is about to run, the first use of it, needs more than this machine has."""

    def step_waits(self, step: str, process: int | None) -> None:
        """A step has been waiting for a second for another run, in this process, that executes the same right now."""

    def step_repeats(self, step: str, used_by: str) -> None:
        """A step that was a hit runs again, for what it leaves behind is used by one that is about to run."""

    def step_ended(self, step: str, status: str, seconds: float, note: str) -> None:
        """A step ended, as a `StepRun` says it; `note` says more in a few words."""

    def files_are_gone(self, files: Sequence[tuple[str, str]]) -> None:
        """Files are gone that hits had left, each with its step, and no step of the run has missed them."""

    def files_are_stale(self, files: Sequence[tuple[str, str]]) -> None:
        """Files that hits had left hold what other executions have left there, and no step has missed them."""

    def memory_is_apart(self, unseen: Sequence[Unseen]) -> None:
        """Steps in processes of their own have not seen what those before them leave in memory, and use it."""

    def run_ended(self, name: str, status: str, seconds: float) -> None:
        """The run ended: `completed`, `failed` or `interrupted`."""


class Logged:
    """Where nobody else watches: Python's logger `artvcs` is told, as INFO, which shows nothing unless it is set up."""

    def run_started(self, name: str, steps: list[str], groups: Mapping[str, Sequence[str]]) -> None:
        """Says that a run begins."""
        _log.info("%s: %s", name, count(len(steps), "step"))

    def step_started(self, step: str) -> None:
        """Says that a step begins."""
        _log.info("%s begins", step)

    def step_lacks(self, step: str, what: str) -> None:
        """Says what."""
        _log.warning("The step %s needs %s; it runs alone.", step, what)

    def step_waits(self, step: str, process: int | None) -> None:
        """Says for whom."""
        _log.info("%s waits for another run%s that executes it", step, f" in process {process}" if process else "")

    def step_repeats(self, step: str, used_by: str) -> None:
        """Says why."""
        _log.info("%s runs again: %s uses what it leaves behind", step, used_by)

    def step_ended(self, step: str, status: str, seconds: float, note: str) -> None:
        """Says how."""
        if note and status == "completed":
            _log.warning("The step %s ran, but %s.", step, note)
            note = ""
        took = f" after {duration(seconds)}" if status in ("completed", "failed", "interrupted") else ""
        _log.info("%s %s%s%s", step, status, took, f": {note}" if note else "")

    def files_are_gone(self, files: Sequence[tuple[str, str]]) -> None:
        """Says how many."""
        _log.info("%d files that earlier steps had left are gone, and no step needs them", len(files))

    def files_are_stale(self, files: Sequence[tuple[str, str]]) -> None:
        """Says how many."""
        _log.info("%d files hold what another run has left, and no step needs them", len(files))

    def memory_is_apart(self, unseen: Sequence[Unseen]) -> None:
        """Says which, and of what."""
        for each in unseen:
            _log.warning("%s", each)

    def run_ended(self, name: str, status: str, seconds: float) -> None:
        """Says how."""
        _log.info("%s: %s, %s", name, status, duration(seconds))


_observer: ContextVar[Observer] = ContextVar("artvcs_observer", default=Logged())  # noqa: B039 (it has no state)


def observer() -> Observer:
    """Who watches now."""
    return _observer.get()


@contextmanager
def observed_by(watcher: Observer) -> Iterator[None]:
    """While the block runs, runs tell `watcher`."""
    token = _observer.set(watcher)
    try:
        yield
    finally:
        _observer.reset(token)
