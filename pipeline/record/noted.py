"""What a step notes and asks for while it runs, which is recorded with its execution."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from artvcs.vcs import MAX_ITEMS, MAX_RECORD, Input, Unstorable, canonical

from ..history.curves import Point
from ..typing.encode import encode_metadata
from ..units import size

MAX_NOTED, MAX_NOTED_ITEMS = MAX_RECORD // 4, MAX_ITEMS // 4
"""Bytes, and items, that a step may note: it stands in records beside what was noted before, and those have an end."""

_ADVICE = "return what is large, or save it with save_artifact"


def check_noted(of: str, *noted: Any, steps: int = 2) -> None:
    """Refuses what was noted where there would be no room for it in a record.

    Args:
        of: What of, as in `of the run`.
        noted: It, encoded.
        steps: It may be as much as so many steps may note.

    Raises:
        Unstorable: It is too much, or no valid text.
    """
    try:
        data = [canonical.dumps(each) for each in noted if each]
    except ValueError as error:
        raise Unstorable(f"What was noted {of} cannot be recorded ({error}); {_ADVICE}.") from None
    taken, marks = sum(map(len, data)), sum(map(canonical.marks, data))
    if taken > steps * MAX_NOTED or marks > steps * MAX_NOTED_ITEMS:
        raise Unstorable(
            f"What was noted {of} has {size(taken)} and {marks:,} items, and {size(steps * MAX_NOTED)} and "
            f"{steps * MAX_NOTED_ITEMS:,} items are possible; {_ADVICE}."
        )


@dataclass
class Noted:
    """What a step has noted and asked for so far.

    Attributes:
        metadata: What it noted with `log_metadata` about itself.
        reads: Artifact versions it asked for, as `NAME` or `NAME@VERSION` → what it got.
        missing: Those it asked for that there were none of, written likewise.
        notes: What it noted about its run (under None), or about other steps of that run.
        of_outputs: What it noted about its outputs.
        output_tags: The tags that it gave its outputs.
        of_model: What it noted about the model that it works on.
        curves: What it noted step by step of a training.
    """

    metadata: dict[str, Any] = field(default_factory=dict)
    reads: dict[str, Input] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    notes: dict[str | None, dict[str, Any]] = field(default_factory=dict)
    of_outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    output_tags: dict[str, list[str]] = field(default_factory=dict)
    of_model: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, list[Point]] = field(default_factory=dict)

    def check(self) -> None:
        """Refuses what cannot be recorded.

        Raises:
            ParameterError: A value is not plain, as it was changed after it was noted.
            Unstorable: It is too much.
        """
        facts = (self.metadata, self.of_model, *self.notes.values(), *self.of_outputs.values())
        check_noted("by the step", *map(encode_metadata, facts), self.output_tags, steps=1)
