"""What a step notes and asks for while it runs, which is recorded with its execution."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from artvcs.vcs import Input

from ..history.curves import Point


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
