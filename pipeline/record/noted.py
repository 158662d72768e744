"""What a step notes and asks for while it runs, which is recorded with its execution."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from artvcs.vcs import MAX_ITEMS, MAX_RECORD, Input, Unstorable, canonical

from ..errors import PipelineError
from ..history.curves import Point
from ..typing.encode import encode_metadata
from ..units import size

MAX_NOTED = MAX_RECORD // 4
"""Bytes that a step may note: it stands in records beside what was noted before, and those have an end."""

_ADVICE = "return what is large, or save it with save_artifact"


def check_noted(metadata: Mapping[str, Any], of: str) -> None:
    """Refuses what was noted of one thing by several, encoded, where there would be no room for it in a record.

    Raises:
        Unstorable: It is too much.
    """
    data = canonical.dumps(metadata)
    if len(data) > 2 * MAX_NOTED or canonical.marks(data) > MAX_ITEMS // 2:
        raise Unstorable(
            f"What was noted of the {of} has {size(len(data))}, and {size(2 * MAX_NOTED)} are possible; {_ADVICE}."
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
            PipelineError: It is too much.
        """
        facts = (self.metadata, self.of_model, *self.notes.values(), *self.of_outputs.values())
        try:
            noted = [canonical.dumps(encode_metadata(each)) for each in facts if each]
        except ValueError as error:
            raise PipelineError(f"What was noted cannot be recorded ({error}); {_ADVICE}.") from None
        marks = sum(map(canonical.marks, noted))
        tags = sum(map(len, itertools.chain.from_iterable(self.output_tags.values())))
        if (taken := sum(map(len, noted)) + tags) > MAX_NOTED or marks > MAX_ITEMS // 4:
            raise PipelineError(
                f"What was noted has {size(taken)} and {marks:,} items, and {size(MAX_NOTED)} and "
                f"{MAX_ITEMS // 4:,} items are possible; {_ADVICE}."
            )
