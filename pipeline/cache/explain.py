"""Why a step ran, or did not have to: what changed since the execution before."""

from __future__ import annotations

import dataclasses
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
from ..trace import Difference, Trace


@dataclass(frozen=True)
class Reason:
    """One thing that changed.

    Attributes:
        kind: `code`, `package`, `parameter`, `input`, `read`, `materializer`, `file`, `env`, `value`, `answer`,
            `context` or `key`.
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
        unverified: What the execution used that cannot be compared later, as the network.
        refused: Why its result cannot be used again.
    """

    step: str
    run: str
    status: str
    summary: str
    before: str | None = None
    reasons: list[Reason] = field(default_factory=list)
    unfollowed: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


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
    trace = trace_of(repository, commit)
    explained = dataclasses.replace(
        _summarised(repository, found, step, commit),
        unfollowed=[f"{gap.where}:{gap.line} {gap.what}" for gap in code.unfollowed],
        unverified=list(trace.unverified),
        refused=list(trace.refused),
    )
    if trace.refused:
        summary = f"{explained.summary} Its result cannot be used again: {trace.refused[0]}."
        return dataclasses.replace(explained, summary=summary)
    return explained


def _summarised(repository: Repository, run: Run, step: str, commit: Commit) -> Explanation:
    this = run.steps[step]
    assert this.commit is not None
    if this.status == "cached":
        return Explanation(step, run.run, "cached", _cached_summary(repository, this))
    try:
        earlier = _earlier(repository, run, step, this.commit)
    except (DamagedError, UnknownName) as error:
        summary = f"It ran, but its execution before cannot be read, so that nobody knows what changed: {error}"
        return Explanation(step, run.run, this.status, summary)
    if earlier is None:
        return Explanation(step, run.run, this.status, "It ran for the first time.")
    before_run, before = earlier
    reasons = list(reasons_between(repository, before, commit))
    if reasons:
        summary = f"It ran because {in_words(reasons)} changed since the run {before_run.name}."
    else:
        why = "caching was off for it, the result had expired, or its data was gone"
        if before.cache_key is None:
            why = (
                f"{refused[0]}, so that the result could not be used"
                if (refused := trace_of(repository, before).refused)
                else why
            )
        summary = f"It ran again though nothing changed since the run {before_run.name}: {why}."
    return Explanation(step, run.run, this.status, summary, before_run.run, reasons)


def trace_of(repository: Repository, commit: Commit) -> Trace:
    """What an execution was seen to use; nothing where that cannot be read."""
    try:
        return Trace.decode(repository.store.read(commit.trace, "blob"))
    except (DamagedError, LookupFailed):
        return Trace()


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
    of_code = list(_code_reasons(lookup.code_of(store, old), lookup.code_of(store, new)))
    yield from of_code
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
    told = {each.subject for each in of_code}
    for each in _trace_reasons(trace_of(repository, old), trace_of(repository, new)):
        if each.subject not in told:  # a constant whose text has changed has another value, too
            yield each


def reason(difference: Difference) -> Reason:
    """What is not as an earlier execution saw it, as a reason to run."""
    return Reason(difference.kind, difference.subject, difference.old, difference.new)


def _trace_reasons(old: Trace, new: Trace) -> Iterator[Reason]:
    """What one execution used otherwise than another; what only one of them used follows from what both did."""
    for kind, before, after in (
        ("value", old.values, new.values),
        ("code", {**old.parts, **old.code}, {**new.parts, **new.code}),
        ("package", old.packages, new.packages),
        ("env", old.env, new.env),
        ("answer", old.answers, new.answers),
        ("context", old.context, new.context),
    ):
        both = kind == "package"  # which of them are imported as the step runs depends on what was loaded before
        for name in sorted(before.keys() & after.keys() if both else before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                yield Reason(kind, name, before.get(name), after.get(name))
    for name in sorted(old.files.keys() | new.files.keys()):
        was, now = old.files.get(name), new.files.get(name)
        if was is None or now is None or any(now.get(facet, answer) != answer for facet, answer in was.items()):
            yield Reason("file", name, _told(was), _told(now))


def _told(facets: Mapping[str, str] | None) -> str | None:
    return None if facets is None else ", ".join(f"{facet} {answer[:12]}" for facet, answer in facets.items())


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
    "value": ("a value that it uses", "{} values that it uses"),
    "answer": ("an answer of the Client", "{} answers of the Client"),
    "context": ("what it asked of its run", "{} things that it asked of its run"),
    "trace": ("what it used", "what it used"),
    "unverified": ("what it used and cannot be compared", "what it used and cannot be compared"),
    "key": ("its own key", "its own keys"),
}
