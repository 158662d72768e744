"""What a run uses: the versions that its steps took, read or made, each as its name and its artifact's id.

A value alone is not enough: 1 has been made many times.
"""

from __future__ import annotations

from ..objects.kinds import Commit, Run, StepRun
from ..objects.oid import Oid
from .refs import Refs

Use = tuple[str, Oid]


def taken(step: StepRun, commit: Commit | None) -> set[Use]:
    """What a step took as inputs, or read while it ran; `commit` is its execution."""
    reads = () if commit is None else commit.reads.values()
    inputs = (source for group in step.inputs.values() for source in group)
    return {(source.name, source.artifact) for source in (*inputs, *reads)}


def made(step: StepRun) -> set[Use]:
    """What a step made, or made again."""
    return {(output.name, output.artifact) for output in step.outputs.values()}


def models(run: Run) -> set[Use]:
    """The versions of models that a run worked on."""
    return {(model.name, model.artifact) for model in run.models}


def of_run(refs: Refs, run: Run) -> set[Use]:
    """All that a run uses. Raises as `Refs.record` where one of its commits cannot be read."""
    found = models(run)
    for step in run.steps.values():
        commit = refs.record(step.execution, Commit) if step.execution else None
        found |= taken(step, commit) | made(step)
    return found
