"""Where a running step stands: which run, which step, and what it notes or reads on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from artvcs.vcs import Input, Repository, Transaction

from ..errors import PipelineError


@dataclass
class StepContext:
    """What `get_step_context()` gives inside a step.

    Attributes:
        run_id: The run's id.
        run_name: The run's name.
        pipeline_name: The pipeline's name.
        step_name: The step's name.
        invocation_id: Which use of the step this is.
        parameters: The step's parameters.
        metadata: What the step noted with `log_metadata` so far.
        reads: Artifact versions the step asked for so far, as `NAME` or `NAME@VERSION` → what it got.
        missing: Those it asked for that there were none of, written likewise.
        notes: What it noted about the run it is part of (under None), or about other steps of that run.
    """

    run_id: str
    run_name: str
    pipeline_name: str
    step_name: str
    invocation_id: str
    parameters: Mapping[str, Any]
    repository: Repository = field(repr=False)
    transaction: Transaction = field(repr=False)
    metadata: dict[str, Any] = field(default_factory=dict)
    reads: dict[str, Input] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    notes: dict[str | None, dict[str, Any]] = field(default_factory=dict)


_context: ContextVar[StepContext | None] = ContextVar("artvcs_step", default=None)


def current() -> StepContext | None:
    """The context of the step that runs in this thread, if one does."""
    return _context.get()


def get_step_context() -> StepContext:
    """Where the running step stands.

    Raises:
        PipelineError: No step is running.
    """
    context = _context.get()
    if context is None:
        raise PipelineError("get_step_context() works only inside a running step; call it there.")
    return context


@contextmanager
def entered(context: StepContext) -> Iterator[None]:
    """While the block runs, `context` is the current one."""
    token = _context.set(context)
    try:
        yield
    finally:
        _context.reset(token)
