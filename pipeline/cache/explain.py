"""Why a step ran, or did not have to: what changed since the execution before."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from artvcs.vcs import (
    Commit,
    DamagedError,
    Failure,
    LookupFailed,
    Oid,
    Refs,
    Repository,
    Run,
    StepRun,
    UnknownName,
    runs,
)
from artvcs.vcs.tracebacks import library_of

from ..errors import perhaps
from ..history.finding import meant, run_lookup
from ..trace.model import Trace
from ..units import some
from .reasons import Reason, in_words, reasons_between, reasons_seen

_PLACE = re.compile(r'File "([^"]+)", line (\d+)')
"""A frame of a traceback. Source: Python's `traceback` module."""
_RECENT = 20
"""So many runs are looked through for a step that has not ended."""


@dataclass(frozen=True)
class Explanation:
    """Why a step ran or did not.

    Attributes:
        step: Its invocation id.
        pipeline: The pipeline that it is a step of.
        run: The run's id.
        status: Its status in that run.
        summary: One sentence.
        before: The run id of the execution it is compared with, if any.
        reasons: What changed.
        unfollowed: What its code reaches that the fingerprint cannot see.
        unverified: What the execution used that cannot be compared later, as the network.
        refused: Why its result cannot be used again.
        elsewhere: Other pipelines that have a step of this name.
    """

    step: str
    pipeline: str
    run: str
    status: str
    summary: str
    before: str | None = None
    reasons: list[Reason] = field(default_factory=list)
    unfollowed: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


def explain(repository: Repository, step: str, run: str | None = None) -> Explanation:
    """Says why a step ran or was reused in a run.

    Args:
        repository: Where the run is recorded.
        step: Invocation id of the step, or `PIPELINE::STEP`, or `RUN/STEP`.
        run: Id, name or start of either; by default the newest run that has the step.

    Raises:
        UnknownName: There is no such run, or it has no such step.
    """
    pipeline, _, step = step.rpartition("::")
    if run is None and "/" in step and repository.catalog().runs.latest_with(step) is None:
        run, _, step = step.rpartition("/")
    found = _find(repository, step, run, pipeline)
    this = found.steps[step]
    plain = Explanation(
        step, found.pipeline, found.run, this.status, _ending(repository, this),
        elsewhere=[] if run is not None or pipeline else _elsewhere(repository, step, found.pipeline),
    )  # fmt: skip
    if this.execution is None:
        return plain
    commit = repository.store.record(this.execution, Commit)
    code = run_lookup.code_of(repository.store, commit)
    trace = Trace.of(repository.store, commit) or Trace()
    why, before, reasons = _why(repository, found, step, commit)
    refused = f"Its result cannot be used again: {trace.refused[0]}." if trace.refused else ""
    unsaid = this.commit is not None and trace.refused and trace.refused[0] not in why
    return dataclasses.replace(
        plain,
        summary=" ".join(filter(None, [plain.summary, why, refused if unsaid else ""])),
        before=before,
        reasons=reasons,
        unfollowed=[f"{gap.where}:{gap.line} {gap.what}" for gap in code.unfollowed],
        unverified=list(trace.unverified),
        refused=list(trace.refused) if this.commit else [],
    )


def _ending(repository: Repository, this: StepRun) -> str:
    """How a step ended that has no outputs; nothing of others."""
    if this.failure is not None:
        told = f"{this.failure.type}: {this.failure.message.strip()}"
        return f"It failed: {told.rstrip('.')}{_where(repository, this.failure)}."
    if this.status == "interrupted":
        return "It was interrupted while it ran; it runs again next time."
    return "" if this.commit else f"It was {this.status}: a step before it failed."


def _elsewhere(repository: Repository, step: str, pipeline: str) -> list[str]:
    """The other pipelines whose newest run has a step of this name."""
    refs = repository.refs()
    latest = (runs.latest(refs, name) for name in runs.pipelines(refs) if name != pipeline)
    return [run.pipeline for run in latest if run is not None and step in run.order]


def _where(repository: Repository, failure: Failure) -> str:
    """` (FILE:LINE)` in the project where a step failed, the innermost; nothing if it was in no file of it.

    The packages of an environment in the project are no files of it.
    """
    inside = f"{repository.project}{os.sep}"
    places = [
        place for place in _PLACE.findall(failure.traceback) if place[0].startswith(inside) and not library_of(place[0])
    ]
    return f" ({places[-1][0].removeprefix(inside)}:{places[-1][1]})" if places else ""


def _why(repository: Repository, run: Run, step: str, commit: Commit) -> tuple[str, str | None, list[Reason]]:
    """Why a step was reused or ran, in a sentence; the run that it is compared with, and what changed since."""
    this = run.steps[step]
    assert this.execution is not None
    if this.status == "cached":
        return _cached_summary(repository, this), None, []
    if isinstance(used_by := commit.config.get("again"), str):
        summary = f"It ran again, for {used_by!r} uses what it leaves behind; else its result would have been reused."
        return summary, None, []
    if distrust := [each.subject for each in reasons_seen(commit) if each.kind == "trust"]:
        return f"It ran because the result that there is does not count: {distrust[0]}.", None, []
    try:
        nearest = _nearest(repository, commit)
        earlier = nearest or _earlier(repository, run, step, this.execution)
    except (DamagedError, UnknownName) as error:
        summary = f"It ran, but its execution before cannot be read, so that nobody knows what changed: {error}"
        return summary, None, []
    if earlier is None:
        return "It ran for the first time.", None, []
    before_run, before = earlier
    reasons = list(reasons_between(repository, before, commit))
    if nearest is not None:
        # Code, parameters and inputs are the same: what kept that result from being used is all there is to tell.
        spelt = {(each.kind, each.subject): each for each in reasons}
        reasons = [spelt.get((each.kind, each.subject), each) for each in reasons_seen(commit)]
    summary = _since(repository, commit, before, reasons, before_run.name, _failed(before_run, step))
    has_said_all = commit.config.get("cache") != "off" and _are_all(reasons, "use")
    return summary, before_run.run, [] if has_said_all else reasons


def _since(
    repository: Repository, commit: Commit, before: Commit, reasons: list[Reason], run: str, failed: str
) -> str:  # fmt: skip
    """Why an execution took place after another one, in a sentence.

    Args:
        repository: Where both are recorded.
        commit: The execution.
        before: The one that it is compared with.
        reasons: What changed.
        run: The name of the run of the other one.
        failed: How that one ended in its run, if it gave no result; see `_failed`.
    """
    since = f"since {failed}the run {run}"
    if commit.config.get("cache") == "off":
        changed = f"; {in_words(reasons)} changed {since}, too" if reasons else ""
        return f"It ran because caching was off for it{changed}."
    if _are_all(reasons, "use"):
        return f"It ran because {reasons[0].subject!r} has that result in this run, and another execution counts."
    if _are_all(reasons, "unverified"):
        return f"It ran because its CachePolicy forbids the result of the run {run}."
    if reasons:
        return f"It ran because {in_words(reasons)} changed {since}."
    if failed:
        return f"It ran because it had no result, and nothing changed {since}."
    refused = (Trace.of(repository.store, before) or Trace()).refused
    gone = "the result had expired, or its data was gone"
    why = f"{refused[0]}, so that the result could not be used" if refused else gone
    return f"It ran again though nothing changed {since}: {why}."


def _are_all(reasons: list[Reason], kind: str) -> bool:
    return bool(reasons) and all(each.kind == kind for each in reasons)


def _failed(run: Run, step: str) -> str:
    """How a step ended in an earlier run where that gave no result; else nothing."""
    this = run.steps.get(step)
    if this is None or this.commit is not None:
        return ""
    return "it failed in " if this.status == "failed" else "it was interrupted in "


def _find(repository: Repository, step: str, run: str | None, pipeline: str) -> Run:
    refs = repository.refs()
    if run is not None:
        found = run_lookup.find_run_spec(refs, run)
        if step not in found.steps:
            hint, known = perhaps(step, found.order), some(found.order)
            raise UnknownName(f"The run {found.name} has no step {step!r}{hint}; it has {known}.")
        return found
    if pipeline:
        found_in = next((each for each in runs.of_pipeline(refs, pipeline) if step in each.steps), None)
        if found_in is None:
            hint = perhaps(pipeline, runs.pipelines(refs)) or perhaps(step, _steps_of(refs, pipeline))
            raise UnknownName(f"No run of a pipeline {pipeline!r} has a step {step!r}{hint}; `art log` lists runs.")
        return found_in
    newest = repository.catalog(refs).runs.latest_with(step)
    if newest is not None and (run_with := runs.by_id(refs, newest)) is not None:
        return run_with
    for each in itertools.islice(runs.newest_first(refs), _RECENT):
        if step in each.order:
            how = "is running" if each.status == "running" else f"was {each.status}"
            raise UnknownName(f"The step {step!r} has not ended in any run; {each.name}, which has it, {how}.")
    hint = meant.near(repository.catalog(refs).runs.step_names, step)
    raise UnknownName(f"No run has a step {step!r}{hint}; `art log` lists runs and their steps.")


def _steps_of(refs: Refs, pipeline: str) -> Sequence[str]:
    """The steps of a pipeline's newest run."""
    newest = runs.latest(refs, pipeline)
    return () if newest is None else newest.order


def _earlier(repository: Repository, run: Run, step: str, commit: Oid) -> tuple[Run, Commit] | None:
    """The nearest execution of the step before this one."""
    refs, seen = repository.refs(), set[str]()
    while run.previous is not None and run.previous not in seen:
        seen.add(run.previous)
        earlier = runs.by_id(refs, run.previous)
        if earlier is None:
            return None
        run = earlier
        before = run.steps.get(step)
        if before is not None and before.execution is not None and before.execution != commit:
            return run, refs.record(before.execution, Commit)
    return None


def _nearest(repository: Repository, commit: Commit) -> tuple[Run, Commit] | None:
    """The execution of the same key that this one was compared with before it began, if there was any."""
    against = commit.config.get("against")
    if not isinstance(against, str):
        return None
    run = _executed_in(repository, Oid(against))
    try:
        return None if run is None else (run, repository.refs().record(Oid(against), Commit))
    except (DamagedError, LookupFailed):
        return None


def _executed_in(repository: Repository, commit: Oid) -> Run | None:
    """The run in which an execution took place; None where it has been deleted."""
    refs = repository.refs()
    executed = repository.catalog(refs).runs.executed(commit)
    return None if executed is None else runs.by_id(refs, executed)


def _cached_summary(repository: Repository, step: StepRun) -> str:
    """Says where the reused result is from."""
    assert step.commit is not None
    run = _executed_in(repository, step.commit)
    if run is not None and any(each.status == "completed" for each in run.steps.values() if each.commit == step.commit):
        return f"It was reused: code, parameters, inputs and all that it used are those of the run {run.name}."
    return "It was reused: code, parameters, inputs and all that it used are those of an earlier execution."
