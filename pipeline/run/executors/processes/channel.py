"""What goes between the coordinator of a run and its workers, and how it is spelt on the way."""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from artvcs.vcs import Brought, Lent, PackName

from ....record.outcome import Outcome
from ...execution.task import StepTask
from .. import spelling
from ..spelling import Known


@dataclass(frozen=True)
class Execute:
    """To a worker: executes a step.

    Attributes:
        task: What is to be executed.
        lent: What it needs to read that nobody has published yet.
    """

    task: StepTask
    lent: Lent


@dataclass(frozen=True)
class Ended:
    """From a worker: an execution has ended.

    Attributes:
        outcome: How.
        brought: What it has made.
        goes_on: Whether it is as it was, and can execute another step.
    """

    outcome: Outcome
    brought: Brought
    goes_on: bool


@dataclass(frozen=True)
class Interrupted:
    """From a worker: an execution was interrupted.

    Attributes:
        outcome: How it stood.
    """

    outcome: Outcome


@dataclass(frozen=True)
class Trying:
    """From a worker: a step is tried.

    Attributes:
        tried: How often it was tried before.
    """

    tried: int


@dataclass(frozen=True)
class Limited:
    """From a worker: what a step does now is limited in time, or not any more.

    Attributes:
        seconds: So long it may take from now on; None where it is not limited.
    """

    seconds: float | None


@dataclass(frozen=True)
class Sealed:
    """From a worker: a whole pack is at its place, though the step goes on.

    Attributes:
        name: What it is called.
    """

    name: PackName


@dataclass(frozen=True)
class Warned:
    """From a worker: a warning of ours.

    Attributes:
        message: The warning.
        file: Where it was given.
        line: On which line.
    """

    message: Warning
    file: str
    line: int


@dataclass(frozen=True)
class Ask:
    """From a worker that waits for the answer: something that only the coordinator can tell or do.

    Attributes:
        what: A method of `Answers`.
        arguments: What it is called with.
    """

    what: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Answer:
    """To a worker that has asked.

    Attributes:
        value: What was answered.
        error: What was raised instead.
    """

    value: Any = None
    error: Exception | None = None


class Channel:
    """One end of a way between two processes, of which one was forked from the other.

    Args:
        connection: What carries bytes.
        known: What both have.
    """

    def __init__(self, connection: Connection[Any, Any], known: Known) -> None:
        self._connection = connection
        self._known = known

    def fileno(self) -> int:
        """What tells when something has come."""
        return self._connection.fileno()

    def send(self, message: object) -> None:
        """Sends a message.

        Raises:
            OSError: Nobody is there any more.
        """
        self.post(self.spell(message))

    def spell(self, message: object) -> bytes:
        """A message as it is sent. Raises whatever the code of what cannot be sent raises."""
        return spelling.spell(message, self._known)

    def post(self, spelt: bytes) -> None:
        """Sends a message that was spelt before. Raises as `send`."""
        self._connection.send_bytes(spelt)

    def receive(self) -> Any:
        """The next message; waits for it.

        Raises:
            EOFError: Nobody is there any more.
            OSError: Likewise.
        """
        return spelling.read(self._connection.recv_bytes(), self._known)

    def there_and_back(self, message: Any) -> Any:
        """A message as the other end would receive it. Raises whatever the code of what cannot be sent raises."""
        return spelling.read(self.spell(message), self._known)

    def has_more(self) -> bool:
        """Whether something has come, or the other end is gone."""
        return self._connection.poll()

    def end(self) -> None:
        """Says that nothing more comes from here; what comes from there can still be received."""
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self.fileno())) as same:
            same.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Ends it."""
        self._connection.close()
