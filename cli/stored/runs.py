"""Runs as text and as JSON."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from artvcs.pipelines.history.views import PipelineRun, StepView
from artvcs.vcs import Damaged, DamagedError, GitState, Repository, StepRun, UnknownName, ref_names, versions

from .. import elsewhere
from ..terminal import output
from ..terminal.output import Terminal
from . import history

T = TypeVar("T")


def say_table(terminal: Terminal, runs: Sequence[PipelineRun | Damaged], *, ids: bool = False) -> None:
    """Writes a line for each run."""
    rows = [
        [ref_names.last_part(run.ref)[:8], output.damaged(run.why), "", "", ""] if isinstance(run, Damaged)
        else [run.id[:8], run.name, output.status(run.status), _duration(run), output.ago(run.started)]
        for run in runs
    ]  # fmt: skip
    heads = ["id", "run", "status", "took", "began"]
    first = 0 if ids else 1
    spare = ["id", "began", "took", "status"]
    terminal.table(heads[first:], [row[first:] for row in rows], whole="run", spare=spare[first:])


def say_none(terminal: Terminal) -> None:
    """Says that there are no runs."""
    elsewhere.say_none(terminal, "runs", "`art run FILE` makes one")


def say(terminal: Terminal, repository: Repository, run: PipelineRun) -> None:
    """Writes a run: a line for it, and one for each step. Raises as `document`."""
    parameters = run.parameters
    rows = list(_rows(repository, run))
    name = f"run {output.style(run.name, fg='yellow')}"
    rest = "  ".join(part for part in (output.status(run.status), _duration(run), output.ago(run.started)) if part)
    line = f"{name} ({run.id[:8]})  {rest}"
    # The name is what one types: where there is no room, the id goes.
    terminal.row(line if terminal.has_room(line) else f"{name}  {rest}")
    if parameters:
        terminal.row(f"  {output.values(parameters)}")
    terminal.table(["  step", "status", "took", "made"], rows, whole="  step", spare=("took",))


def made(repository: Repository, step: StepView) -> dict[str, str]:
    """Output name → what it is, as `name@version`; just the name where the version has been deleted."""
    outputs = step.record.outputs
    return {
        # Placeholders stand in the declared name; what they became is the artifact's.
        each.name if "{" in name else name: history.version_name(repository, each.name, each.artifact)
        for name, each in outputs.items()
    }


def made_in(repository: Repository, step: StepRun, run_id: str) -> Iterator[tuple[str, bool]]:
    """The outputs of a step as `name@version`, each with whether a run made that version: it may have been there."""
    for each in step.outputs.values():
        try:
            version = history.version_of(repository, each.name, each.artifact)
        except (DamagedError, UnknownName):
            version = None
        is_new = version is None or version.run == run_id
        yield history.version_name(repository, each.name, each.artifact), is_new


def models_made(repository: Repository, run: PipelineRun) -> list[str]:
    """The versions of models that a run made, as `name@version`."""
    found = (versions.by_value(repository.refs(), each.name, each.artifact) for each in run.record.models)
    return [each.spelt for each in found if each is not None and each.run == run.id]


def took(repository: Repository, step: StepView) -> dict[str, list[str]]:
    """Input name → the artifacts it was, as `name@version`."""
    return {
        name: [history.version_name(repository, each.name, each.artifact) for each in group]
        for name, group in step.record.inputs.items()
    }


def either(run: PipelineRun | Damaged, show: Callable[[PipelineRun], T], stand_in: Callable[[str, str], T]) -> T:
    """What `show` makes of a run; where it cannot be read, what `stand_in` makes of its id and the reason."""
    if isinstance(run, Damaged):
        return stand_in(ref_names.last_part(run.ref), run.why)
    try:
        return show(run)
    except (DamagedError, UnknownName) as error:
        return stand_in(run.id, str(error))


def say_damaged(terminal: Terminal, run_id: str, why: str) -> None:
    """Writes what stands for a run that cannot be read."""
    terminal.say(f"run {run_id[:8]}  {output.damaged(why)}")


def damaged_document(run_id: str, why: str) -> dict[str, object]:
    """What stands for a run that cannot be read, as JSON data."""
    return {"id": run_id, "damaged": why}


def document(repository: Repository, run: PipelineRun) -> dict[str, object]:
    """A run as JSON data.

    Raises:
        DamagedError: Something it consists of cannot be read.
        UnknownName: Something it consists of is lost.
    """
    record = run.record
    return {
        "id": run.id, "name": run.name, "pipeline": run.pipeline, "file": record.file, "status": run.status,
        "started": run.started, "seconds": run.duration, "author": record.author, "git": git_document(record.git),
        "parameters": run.parameters, "tags": run.tags, "metadata": run.metadata, "previous": record.previous,
        "steps": {name: step_document(repository, step) for name, step in run.steps.items()},
    }  # fmt: skip


def step_document(repository: Repository, step: StepView) -> dict[str, object]:
    """A step of a run as JSON data. Raises as `document`."""
    failure = step.failure
    return {
        "status": step.status, "seconds": step.duration, "commit": step.record.commit, "log": step.record.log,
        "parameters": step.parameters, "inputs": took(repository, step), "outputs": made(repository, step),
        "metadata": step.metadata, "failure": failure and vars(failure),
    }  # fmt: skip


@dataclass
class _Uses:
    """The uses of one step in a run, as by the items of a map.

    Attributes:
        ended: How they ended: status → how many.
        failed: Those that failed.
        began: When the first of those began that were executed, in milliseconds; None where none was.
        finished: When the last of these ended.
    """

    ended: Counter[str] = field(default_factory=Counter)
    failed: set[str] = field(default_factory=set)
    began: int | None = None
    finished: int = 0

    def add(self, name: str, step: StepRun) -> None:
        """Counts one."""
        self.ended[step.status] += 1
        if step.failure:
            self.failed.add(name)
        if step.started is not None and step.status != "cached":
            self.began = min(step.started, self.began or step.started)
            self.finished = max(step.finished or 0, self.finished)


def _rows(repository: Repository, run: PipelineRun) -> Iterator[list[str]]:
    """A row for each step; of what was used very often, as by a map, one for all, and for the first that failed."""
    uses, steps, order = defaultdict[str, _Uses](_Uses), dict[str, str](), run.record.order
    for name, step in run.record.steps.items():  # in their own order: of very many, each look at one takes its time
        uses[step.step].add(name, step)
        steps[name] = step.step
    said = set[str]()
    for name in filter(steps.__contains__, order):
        used = uses[steps[name]]
        if used.ended.total() <= _MANY:
            yield _step_row(repository, name, run.steps[name])
        elif steps[name] not in said:
            said.add(steps[name])
            yield _row_of_many(name, used)
            failed = itertools.islice(filter(used.failed.__contains__, order), _FEW)
            yield from (_step_row(repository, each, run.steps[each]) for each in failed)
    # Where a step was interrupted that was running, the others had not begun; where all was killed, nobody knows.
    unended = "not started" if any(used.ended["interrupted"] for used in uses.values()) else "not ended"
    if len(run.record.steps) > len(steps):  # which is told where they are not read
        unended = output.damaged("cannot be read; run `art fsck --repair`")
    others = [name for name in order if name not in steps]
    shown = others if len(others) <= _MANY else others[:_FEW]
    yield from ([f"  {name}", unended, "", ""] for name in shown)
    if len(others) > len(shown):
        yield [f"  {len(others) - len(shown):,} more", unended, "", ""]


def _row_of_many(name: str, used: _Uses) -> list[str]:
    """One row for many uses of a step: how they ended, and how long it took from the first to the last."""
    seconds = 0 if used.began is None else (used.finished - used.began) / 1000
    worst, more = output.of_many(used.ended)
    took = output.duration(seconds) if seconds > 0 else ""
    return [f"  {name} ×{used.ended.total():,}", output.status(worst), took, more]


_MANY = 50
"""Uses of one step, or steps that have not ended, that are shown each by itself."""

_FEW = 3
"""So many of those that failed are shown besides."""


def _step_row(repository: Repository, name: str, step: StepView) -> list[str]:
    failure = step.failure
    outputs = ", ".join(made(repository, step).values())
    more = output.one_line(f"{failure.type}: {failure.message}") if failure else outputs
    took = output.duration(step.duration) if step.duration and step.status != "cached" else ""
    return [f"  {name}", output.status(step.status), took, more]


def _duration(run: PipelineRun) -> str:
    """How long a run took; nothing while it goes on, or where the tool that it was brought from does not say."""
    return output.duration(run.duration) if run.duration else ""


def git_document(state: GitState | None) -> dict[str, object] | None:
    """What Git said when a step ran, as JSON data."""
    if state is None:
        return None
    return {"commit": state.commit, "branch": state.branch, "dirty": bool(state.diff)}
