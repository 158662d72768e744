"""A step as a task: all that has to be known to execute it, and no value of what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from artvcs.vcs import Input, Oid

from ...define.options.options import Hook
from ...define.options.resources import USUAL, Resources
from ...define.step import Step


@dataclass(frozen=True, eq=False)
class StepTask:
    """One execution, as it is handed to who does it. Ids travel, never values.

    Attributes:
        run_id: The run's id.
        run_name: The run's name.
        pipeline_name: The pipeline's name.
        invocation_id: Which use of the step this is.
        step: The step, with its options and hooks.
        code: The fingerprint of its code: no other is executed.
        inputs: Input name → the artifacts that it takes.
        lists: The inputs that are lists of artifacts, even of one.
        parameters: The step's parameters.
        outputs: Its outputs → what each is stored as.
        extra: What the step, or else its pipeline, says in `extra`.
        extra_of_pipeline: What its pipeline says in `extra`.
        hooks: The pipeline's hooks, where the step has none of its own: `on_start` and the like → the hook.
        uses_cache: Whether it may be reused.
        has_model: Whether it works on a model.
        tried: How often the step was tried before, by processes that died.
        resources: What it needs while it runs.
    """

    run_id: str
    run_name: str
    pipeline_name: str
    invocation_id: str
    step: Step[Any, Any] = field(repr=False)
    code: Oid
    inputs: Mapping[str, tuple[Input, ...]]
    lists: frozenset[str]
    parameters: Mapping[str, Any]
    outputs: Mapping[str, str]
    extra: Mapping[str, Any] = field(default_factory=dict)
    extra_of_pipeline: Mapping[str, Any] = field(default_factory=dict)
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    uses_cache: bool = True
    has_model: bool = False
    tried: int = 0
    resources: Resources = USUAL

    @property
    def step_name(self) -> str:
        """The step's name."""
        return self.step.name

    @property
    def taken(self) -> frozenset[Oid]:
        """The artifacts that it takes."""
        return frozenset(source.artifact for sources in self.inputs.values() for source in sources)

    def hook(self, name: str) -> Hook | None:
        """What is called at a moment of the execution, if anything is."""
        own: Hook | None = getattr(self.step.options, name)
        return own or self.hooks.get(name)
