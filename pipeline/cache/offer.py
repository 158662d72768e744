"""What an execution offers to later runs: all that is asked of it where its result may be used again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from artvcs.vcs import Commit, Input, Oid, Output, StepRun


@dataclass(frozen=True, slots=True)
class Offer:
    """What an execution offers.

    Attributes:
        cache_key: Under which its outputs can be used; None where they cannot.
        trace: A blob that says what it was seen to use.
        outputs: Output name (as declared) → artifact.
        finished: When it ended, in milliseconds since 1970.
        took: How long it took, in milliseconds.
        log: A blob of what it printed.
        reads: Artifact versions that it asked for → what it got.
        missing: What else it asked for, and there was none of it.
        of_model: What it noted about the model that it worked on.
    """

    cache_key: Oid | None
    trace: Oid
    outputs: Mapping[str, Output]
    finished: int
    took: int
    log: Oid | None
    reads: Mapping[str, Input] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    of_model: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, commit: Commit) -> Offer:
        """What the execution of a commit offers."""
        return cls(
            commit.cache_key, commit.trace, commit.outputs, commit.finished, max(0, commit.finished - commit.started),
            commit.log, commit.reads, tuple(commit.config.get("missing", ())), commit.of_model or {},
        )  # fmt: skip

    @classmethod
    def told_by(cls, ended: StepRun, trace: Oid, finished: int) -> Offer:
        """As `of`, where a run and these two say all that there is to know.

        Args:
            ended: What the run says of the step.
            trace: As `trace`.
            finished: As `finished`.
        """
        took = max(0, (ended.finished or 0) - (ended.started or 0)) if ended.took is None else ended.took
        return cls(ended.cache_key, trace, ended.outputs, finished, took, ended.log)

    @property
    def artifacts(self) -> set[Oid]:
        """The artifacts that its outputs are."""
        return {output.artifact for output in self.outputs.values()}
