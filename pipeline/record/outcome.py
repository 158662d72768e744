"""How the execution of a step ended."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Self

from artvcs.vcs import MAX_REPORT, Failure, now_ms

from ..errors import for_people, text_of
from ..escaping import storable
from ..trace.model import Trace
from ..values.store import Saved
from .noted import Noted


@dataclass
class Outcome:
    """How an execution ended. Times are milliseconds since 1970 UTC.

    Attributes:
        outputs: Output name → what was stored; empty after a failure.
        noted: What it has noted and asked for.
        log: What it printed.
        trace: What it was seen to use.
        error: What the step raised, if it failed.
        reported: That as a run records it, where it was raised in another process.
        has_died: Whether it failed since who executed it was lost, by no doing of the step's that is known.
        tried: How often the step had been tried before it was lost.
        worker: Which machine of others executed it, as their engine calls it.
    """

    started: int
    finished: int = 0
    outputs: dict[str, Saved] = field(default_factory=dict)
    noted: Noted = field(default_factory=Noted)
    log: str = ""
    trace: Trace = field(default_factory=Trace)
    error: Exception | None = None
    reported: Failure | None = None
    has_died: bool = False
    tried: int = 0
    worker: str | None = None

    @classmethod
    def unseen(cls, started: int, error: Exception) -> Self:
        """Of an execution that failed in a process of which nothing more is known."""
        trace = Trace(refused=("nobody saw what it used: its process died",))
        return cls(started, now_ms(), error=error, trace=trace)

    def failure(self) -> Failure | None:
        """The error as a run records it."""
        if self.error is None:
            return None
        return self.reported or failure_of(self.error)


def failure_of(error: Exception) -> Failure:
    """An error as a run records it."""
    text = "".join(traceback.format_exception(for_people(error)))
    return Failure(type(error).__name__, *(storable(each)[:MAX_REPORT] for each in (text_of(error), text)))
