"""Telling whoever watches how a run goes. The library itself never writes to the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Observer(Protocol):
    """Is told what happens in a run, in the thread that runs it."""

    def run_started(self, name: str, steps: list[str]) -> None:
        """A run begins; `steps` are the invocation ids in a possible order."""

    def step_started(self, step: str) -> None:
        """A step is about to run (not told for cached and skipped ones)."""

    def step_waits(self, step: str, process: int | None) -> None:
        """A step has been waiting for a second for another run, in this process, that executes the same right now."""

    def step_repeats(self, step: str, used_by: str) -> None:
        """A step that was a hit runs again, for what it leaves behind is used by one that is about to run."""

    def step_ended(self, step: str, status: str, seconds: float, note: str) -> None:
        """A step ended, as a `StepRun` says it; `note` says more in a few words."""

    def files_are_gone(self, files: Sequence[tuple[str, str]]) -> None:
        """Files are gone that hits had left, each with its step, and no step of the run has missed them."""

    def run_ended(self, name: str, status: str, seconds: float) -> None:
        """The run ended: `completed`, `failed` or `interrupted`."""


class Silent:
    """Tells nobody."""

    def run_started(self, name: str, steps: list[str]) -> None:
        """Says nothing."""

    def step_started(self, step: str) -> None:
        """Says nothing."""

    def step_waits(self, step: str, process: int | None) -> None:
        """Says nothing."""

    def step_repeats(self, step: str, used_by: str) -> None:
        """Says nothing."""

    def step_ended(self, step: str, status: str, seconds: float, note: str) -> None:
        """Says nothing."""

    def files_are_gone(self, files: Sequence[tuple[str, str]]) -> None:
        """Says nothing."""

    def run_ended(self, name: str, status: str, seconds: float) -> None:
        """Says nothing."""


_observer: ContextVar[Observer] = ContextVar("artvcs_observer", default=Silent())  # noqa: B039 (it has no state)


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
