"""What goes between the coordinator of a run and its outposts. An engine carries it as bytes it does not look at.

Warnings, and answers to what an outpost asks, are as those between processes: `processes.channel`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from artvcs.vcs import Brought, Lent, Oid

from ....record.outcome import Outcome
from ...execution.task import StepTask


@dataclass(frozen=True)
class Loan:
    """To an outpost: what it needs to read something.

    Attributes:
        lent: Objects.
        trusted: Artifacts among them that may run code as they are loaded.
    """

    lent: Lent
    trusted: frozenset[Oid]


@dataclass(frozen=True)
class Order:
    """To an outpost: have a step executed.

    Attributes:
        task: What is to be executed.
        loan: What it takes.
    """

    task: StepTask
    loan: Loan


@dataclass(frozen=True)
class Report:
    """From an outpost: how an order ended.

    Attributes:
        outcome: How; None where it was interrupted.
        brought: What was made; its packs are at the remote.
        by_step: Whether it was the step itself that interrupted it.
    """

    outcome: Outcome | None
    brought: Brought
    by_step: bool = False


@dataclass(frozen=True)
class Printed:
    """From an outpost: whole lines of text, each with the step that says it.

    Attributes:
        stream: `stdout` or `stderr`.
        text: The lines.
    """

    stream: str
    text: str


@dataclass(frozen=True)
class Stopped:
    """From an outpost: how an execution stood when it was interrupted.

    Attributes:
        task: What was executed.
        outcome: How it stood.
    """

    task: StepTask
    outcome: Outcome


@dataclass(frozen=True)
class Question:
    """From an outpost that waits for the answer: something that only the coordinator can tell or do.

    Attributes:
        task: Whose question it is.
        what: A question of `Answers.answer`, or `differs`, with the fingerprint of the code that is there.
        arguments: What it is called with.
    """

    task: StepTask
    what: str
    arguments: tuple[Any, ...]
