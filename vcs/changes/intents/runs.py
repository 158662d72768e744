"""What is meant with the record of a run: writing it, noting something, deleting it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ...errors import Conflict, DamagedError, UnknownName
from ...maps import ref_names, runs, steps
from ...objects.kinds import Run, StepRun
from ...objects.oid import NULL, Oid
from ...objects.records import later, record
from ..view import View
from .base import Intent, union


@record
class PutRun(Intent):
    """Writes the record of a run that goes on; what others noted about it meanwhile stays.

    Attributes:
        base: The record that this one was made from; None for a new run.
        run: The new record.
    """

    NAME: ClassVar[str] = "put-run"
    base: Oid | None
    run: Oid

    def replay(self, view: View) -> None:
        """See `Intent.replay`."""
        mine = view.record(self.run, Run)
        ref = ref_names.run(mine.run)
        theirs = view.get(ref)
        if theirs is None or theirs in (self.base, self.run):
            view.set(ref, self.run)
        else:
            view.set(ref, view.put(_merged(view, theirs, mine)))
        for mark in runs.marks(mine):
            if view.get(mark) is None:
                view.set(mark, NULL)

    def targets(self) -> Iterable[Oid]:
        """See `Intent.targets`."""
        return (self.run,)


@record
class EndStep(Intent):
    """Says how a step of a run ended, which the run's record is yet to say.

    Attributes:
        run: The run.
        step: The step's invocation id.
        ended: What the record will hold of it.
    """

    NAME: ClassVar[str] = "end-step"
    run: str
    step: str
    ended: StepRun

    def replay(self, view: View) -> None:
        """See `Intent.replay`."""
        run = runs.by_id(view, self.run)
        if run is not None and self.step not in run.steps:
            changed = steps.with_steps(run, {self.step: self.ended}, view, view.put)
            view.set(ref_names.run(self.run), view.put(changed))

    def targets(self) -> Iterable[Oid]:
        """See `Intent.targets`."""
        held = (self.ended.commit, self.ended.log, *(output.artifact for output in self.ended.outputs.values()))
        return tuple(oid for oid in held if oid is not None)


@record
class EditRun(Intent):
    """Notes something about a run, or about one step of it; adds tags to the run, or takes them from it."""

    NAME: ClassVar[str] = "edit-run"
    run: str
    step: str | None
    metadata: Mapping[str, Any]
    tags: tuple[str, ...] = later(())
    untag: tuple[str, ...] = later(())

    def replay(self, view: View) -> None:
        """See `Intent.replay`."""
        run = runs.by_id(view, self.run)
        if run is None or (self.step is not None and self.step not in run.steps):
            raise Conflict("The run that was to be changed has been deleted meanwhile.")
        if self.step is None:
            changed = dataclasses.replace(run, metadata={**run.metadata, **self.metadata})
        else:
            step = run.steps[self.step]
            noted = dataclasses.replace(step, metadata={**step.metadata, **self.metadata})
            changed = steps.with_steps(run, {self.step: noted}, view, view.put)
        tags = tuple(tag for tag in union(changed.tags, self.tags) if tag not in self.untag)
        view.set(ref_names.run(self.run), view.put(dataclasses.replace(changed, tags=tags)))


@record
class DeleteRun(Intent):
    """Deletes the record of a run that has ended."""

    NAME: ClassVar[str] = "delete-run"
    run: str

    def replay(self, view: View) -> None:
        """See `Intent.replay`."""
        run = runs.by_id(view, self.run)
        if run is None:
            return  # gone already: that is what was meant
        if run.status == "running":
            raise Conflict(f"The run {run.name} is still going on; stop it first.")
        for ref in (ref_names.run(run.run), *runs.marks(run)):
            view.set(ref, None)


def _merged(view: View, oid: Oid, mine: Run) -> Run:
    """The record of the run itself, with what others noted; where that is lost, without."""
    try:
        theirs = view.record(oid, Run)
        noted = {
            name: dataclasses.replace(own, metadata={**other.metadata, **own.metadata})
            for name, (other, own) in steps.diff(mine, theirs)
            if other is not None and own is not None
        }
    except (UnknownName, DamagedError):
        return mine
    merged = steps.with_steps(mine, noted, view, view.put)
    metadata = {**theirs.metadata, **mine.metadata}
    return dataclasses.replace(merged, metadata=metadata, tags=union(theirs.tags, mine.tags))
