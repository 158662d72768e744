"""Which runs use which versions: what they took, read or made."""

from __future__ import annotations

from ..objects.kinds import Commit
from ..objects.oid import Oid
from . import runs
from .refs import Refs

Uses = dict[tuple[str, Oid], str]
"""(artifact name, artifact id) → the name of a run that uses it."""


def of_all_runs(refs: Refs) -> Uses:
    """What the runs there are use; reads all of them."""
    used: Uses = {}
    for run in runs.newest_first(refs):
        for step in run.steps.values():
            reads = refs.record(step.commit, Commit).reads.values() if step.commit else ()
            for source in (*(each for group in step.inputs.values() for each in group), *reads):
                used.setdefault((source.name, source.artifact), run.name)
            for output in step.outputs.values():
                used.setdefault((output.name, output.artifact), run.name)
    return used
