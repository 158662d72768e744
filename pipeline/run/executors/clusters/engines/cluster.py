"""What is asked of an engine: to have something done by one of its workers, and to carry messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from .....define.options.resources import Resources
from ..worker.post import Ended, Header


@dataclass(frozen=True)
class Shipment:
    """Orders on their way to one worker, which carries out one after another.

    Attributes:
        header: What is read first.
        orders: The orders.
        label: What people call the step.
        needs: What each of them needs.
        near: Workers that have its inputs already, and nothing else of ours to do.
    """

    header: Header
    orders: tuple[bytes, ...]
    label: str
    needs: Resources
    near: tuple[str, ...] = ()


class Listener(Protocol):
    """Hears what an engine brings, from any thread."""

    def begun(self, jobs: tuple[int, ...], worker: str, reply: Callable[[bytes], None] | None = None) -> None:
        """A worker has begun with a shipment, or waits for the answer whether it may: nothing where it may not."""

    def ended(self, results: Sequence[tuple[int, Ended]]) -> None:
        """Orders have ended."""

    def said(self, worker: str, message: bytes) -> None:
        """An outpost tells something."""

    def asked(self, worker: str, message: bytes, reply: Callable[[bytes], None]) -> None:
        """An outpost waits for an answer."""

    def session(self) -> bytes:
        """A worker asks for the session."""

    def is_gone(self, error: Exception) -> None:
        """The engine cannot be reached any more."""


class Cluster(Protocol):
    """An engine.

    Attributes:
        name: What people call it.
        slots: So many steps it executes at once, as it is now.
    """

    name: str
    slots: int

    def begin(self, session: str, listener: Listener) -> None:
        """A run begins. Raises PipelineError where the engine cannot be used so."""

    def submit(self, shipment: Shipment) -> None:
        """Has orders carried out. Raises PipelineError where no worker can."""

    def everywhere(self, what: str) -> None:
        """Has something of `post.EVERYWHERE` done on all workers."""

    def drop(self, job: int, worker: str) -> None:
        """An order that a worker has begun is not wanted any more."""

    def cancel(self, jobs: Iterable[int]) -> None:
        """Orders with which no worker has begun are not wanted any more, nor others that came with them."""

    def close(self) -> None:
        """The run is over."""
