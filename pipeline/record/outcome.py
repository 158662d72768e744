"""How the execution of a step ended."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Any

from artvcs.vcs import MAX_REPORT, Failure, Input

from ..errors import for_people
from ..escaping import storable
from ..history.curves import Point
from ..trace.model import Trace
from ..values.store import Saved


@dataclass
class Outcome:
    """How an execution ended. Times are milliseconds since 1970 UTC.

    Attributes:
        outputs: Output name → what was stored; empty after a failure.
        metadata: What it noted about itself.
        reads: Artifact versions it asked for → what it got.
        missing: Artifact versions it asked for that there were none of.
        notes: What it noted about its run (under None), or about other steps of it.
        of_outputs: What it noted about its outputs.
        output_tags: The tags that it gave its outputs.
        of_model: What it noted about the model that it worked on.
        curves: What it noted step by step of a training.
        trace: What it was seen to use.
        error: What the step raised, if it failed.
        reported: That as a run records it, where it was raised in another process.
        has_died: Whether it failed since who executed it was lost, by no doing of the step's that is known.
        tried: How often the step had been tried before it was lost.
    """

    started: int
    finished: int = 0
    outputs: dict[str, Saved] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    reads: dict[str, Input] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    notes: dict[str | None, dict[str, Any]] = field(default_factory=dict)
    of_outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    output_tags: dict[str, list[str]] = field(default_factory=dict)
    of_model: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, list[Point]] = field(default_factory=dict)
    log: str = ""
    trace: Trace = field(default_factory=Trace)
    error: Exception | None = None
    reported: Failure | None = None
    has_died: bool = False
    tried: int = 0

    def failure(self) -> Failure | None:
        """The error as a run records it."""
        if self.error is None:
            return None
        return self.reported or failure_of(self.error)


def failure_of(error: Exception) -> Failure:
    """An error as a run records it."""
    text = "".join(traceback.format_exception(for_people(error)))
    try:
        message = str(error)
    except Exception as broken:  # the error's own code: it may be as broken as the step
        message = f"(its text cannot be had: {type(broken).__name__})"
    return Failure(type(error).__name__, *(storable(each)[:MAX_REPORT] for each in (message, text)))
