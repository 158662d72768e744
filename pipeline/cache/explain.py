"""Why a step ran, or did not have to: what changed since the execution before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from artvcs.vcs import (
    Commit,
    DamagedError,
    Input,
    LookupFailed,
    Oid,
    Repository,
    Run,
    StepRun,
    UnknownName,
    runs,
    versions,
)

from ..fingerprint import Fingerprint, compare
from ..history import lookup
from ..history.views import decode_all


@dataclass(frozen=True)
class Reason:
    """One thing that changed.

    Attributes:
        kind: `code`, `package`, `parameter`, `input`, `read`, `materializer`, `file`, `env` or `key`.
        subject: Which one.
        old: What it was, as text; None when it is new.
        new: What it is now, as text; None when it is gone.
        diff: For code, the changed lines.
    """

    kind: str
    subject: str
    old: str | None
    new: str | None
    diff: str = ""


@dataclass(frozen=True)
class Explanation:
    """Why a step ran or did not.

    Attributes:
        step: Its invocation id.
        run: The run's id.
        status: Its status in that run.
        summary: One sentence.
        before: The run id of the execution it is compared with, if any.
        reasons: What changed.
        unfollowed: What its code reaches that the fingerprint cannot see.
    """

    step: str
    run: str
    status: str
    summary: str
    before: str | None = None
    reasons: list[Reason] = field(default_factory=list)
    unfollowed: list[str] = field(default_factory=list)


def explain(repository: Repository, step: str, run: str | None = None) -> Explanation:
    """Says why a step ran or was reused in a run.

    Args:
        repository: Where the run is recorded.
        step: Invocation id of the step.
        run: Id, name or start of either; by default the newest run that has the step.

    Raises:
        UnknownName: There is no such run, or it has no such step.
    """
    found = _find(repository, step, run)
    this = found.steps[step]
    if this.status == "failed" and this.failure is not None:
        return Explanation(step, found.run, "failed", f"It failed: {this.failure.type}: {this.failure.message}")
    if this.commit is None:
        return Explanation(step, found.run, this.status, f"It was {this.status}: a step before it failed.")
    commit = repository.store.record(this.commit, Commit)
    code = lookup.code_of(repository.store, commit)
    gaps = [f"{gap.where}:{gap.line} {gap.what}" for gap in code.unfollowed]
    if this.status == "cached":
        return Explanation(step, found.run, "cached", _cached_summary(repository, this), unfollowed=gaps)
    try:
        earlier = _earlier(repository, found, step, this.commit)
    except (DamagedError, UnknownName) as error:
        summary = f"It ran, but its execution before cannot be read, so that nobody knows what changed: {error}"
        return Explanation(step, found.run, this.status, summary, unfollowed=gaps)
    if earlier is None:
        return Explanation(step, found.run, this.status, "It ran for the first time.", unfollowed=gaps)
    before_run, before = earlier
    reasons = list(reasons_between(repository, before, commit))
    summary = (
        f"It ran because {in_words(reasons)} changed since the run {before_run.name}."
        if reasons
        else f"It ran again though nothing changed since the run {before_run.name}: caching was off for it, "
        "the result had expired, or its data was gone."
    )
    return Explanation(step, found.run, this.status, summary, before_run.run, reasons, gaps)


def _find(repository: Repository, step: str, run: str | None) -> Run:
    refs = repository.refs()
    if run is not None:
        found = lookup.find_run(refs, run)
        if step not in found.steps:
            raise UnknownName(f"The run {found.name} has no step {step!r}; it has {', '.join(found.steps)}.")
        return found
    newest = repository.catalog(refs).runs.latest_with(step)
    if newest is not None and (run_with := runs.by_id(refs, newest)) is not None:
        return run_with
    raise UnknownName(f"No run has a step {step!r}; `art log` lists runs and their steps.")


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
        if before is not None and before.commit not in (None, commit):
            assert before.commit is not None
            return run, refs.record(before.commit, Commit)
    return None


def _cached_summary(repository: Repository, step: StepRun) -> str:
    """Says where the reused result is from."""
    assert step.commit is not None
    refs = repository.refs()
    executed = repository.catalog(refs).runs.executed(step.commit)
    run = None if executed is None else runs.by_id(refs, executed)
    if run is not None and any(each.status == "completed" for each in run.steps.values() if each.commit == step.commit):
        return f"It was reused: code, parameters and inputs are those of the run {run.name}."
    return "It was reused: code, parameters and inputs are those of an earlier execution."


def reasons_between(repository: Repository, old: Commit, new: Commit) -> Iterator[Reason]:
    """What differs between two executions of a step."""
    store = repository.store
    yield from _code_reasons(lookup.code_of(store, old), lookup.code_of(store, new))
    old_params, new_params = decode_all(old.params), decode_all(new.params)
    yield from _mapping_reasons("parameter", old_params, new_params)
    yield from _input_reasons(repository, "input", old.inputs, new.inputs)
    old_reads = {name: (source,) for name, source in old.reads.items()}
    yield from _input_reasons(repository, "read", old_reads, {name: (each,) for name, each in new.reads.items()})
    yield from _mapping_reasons("materializer", _part(old.config, "outputs"), _part(new.config, "outputs"))
    old_extras, new_extras = _part(old.config, "extras"), _part(new.config, "extras")
    for field_name, kind in (("files", "file"), ("env", "env"), ("packages", "package")):
        yield from _mapping_reasons(kind, _part(old_extras, field_name), _part(new_extras, field_name))
    if old_extras.get("key") != new_extras.get("key"):
        yield Reason("key", "key", str(old_extras.get("key")), str(new_extras.get("key")))


def _part(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of what went into a cache key; nothing where a stranger put something else there."""
    part = config.get(name, {})
    return part if isinstance(part, Mapping) else {}


def _code_reasons(old: Fingerprint, new: Fingerprint) -> Iterator[Reason]:
    for change in compare({part.name: part for part in old.parts}, {part.name: part for part in new.parts}):
        old_text = None if change.kind == "added" else "before"
        new_text = None if change.kind == "removed" else change.kind
        yield Reason("code", change.name, old_text, new_text, change.diff)
    yield from _mapping_reasons("package", old.packages, new.packages)


def _mapping_reasons(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Reason]:
    for name in sorted(old.keys() | new.keys()):
        before = repr(old[name]) if name in old else None
        after = repr(new[name]) if name in new else None
        if before != after:
            yield Reason(kind, name, before, after)


def _input_reasons(
    repository: Repository, kind: str, old: Mapping[str, tuple[Input, ...]], new: Mapping[str, tuple[Input, ...]]
) -> Iterator[Reason]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, ()), new.get(name, ())
        if [source.artifact for source in before] != [source.artifact for source in after]:
            yield Reason(kind, name, _spell(repository, before), _spell(repository, after))


def _spell(repository: Repository, sources: tuple[Input, ...]) -> str | None:
    """Artifacts as `name@number (commit)`."""
    spelt = []
    for source in sources:
        by = f" (commit {source.commit[:12]})" if source.commit else ""
        spelt.append(_version(repository, source) + by)
    return ", ".join(spelt) or None


def _version(repository: Repository, source: Input) -> str:
    try:
        version = versions.by_value(repository.refs(), source.name, source.artifact)
        return source.name if version is None else f"{source.name}@{version.number}"
    except LookupFailed:
        return source.name


def in_words(reasons: list[Reason]) -> str:
    """What changed, as in "its code and 2 parameters"."""
    kinds = [reason.kind for reason in reasons]
    return " and ".join(
        _PHRASES[kind][kinds.count(kind) > 1].format(kinds.count(kind)) for kind in dict.fromkeys(kinds)
    )


_PHRASES = {
    "code": ("its code", "its code in {} places"),
    "package": ("a package", "{} packages"),
    "parameter": ("a parameter", "{} parameters"),
    "input": ("an input", "{} inputs"),
    "read": ("an artifact it reads", "{} artifacts it reads"),
    "materializer": ("a materializer", "{} materializers"),
    "file": ("a file", "{} files"),
    "env": ("an environment variable", "{} environment variables"),
    "key": ("its own key", "its own keys"),
}
