"""What differs between two executions of a step, or between one and the world as it is now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from artvcs.vcs import Commit, Input, LookupFailed, Oid, Repository, versions

from ..fingerprint import HOW_WRITTEN, Fingerprint, compare
from ..history.finding import run_lookup
from ..history.views import decode_all
from ..trace.model import Difference, is_hash
from ..typing.spelling import spelt
from ..units import count, some


@dataclass(frozen=True)
class Reason:
    """One thing that changed.

    Attributes:
        kind: `code`, `package`, `parameter`, `input`, `read`, `materializer`, `file`, `folder`, `env`, `value`,
            `answer`, `context`, `key`, or `trust`, whose subject says why a result does not count.
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


_ORDER = "the order of its pieces, or how they hang together"


def reasons_between(repository: Repository, old: Commit, new: Commit) -> Iterator[Reason]:
    """What differs between two executions of a step."""
    store = repository.store
    yield from _code_reasons(run_lookup.code_of(store, old), run_lookup.code_of(store, new))
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


def reasons_seen(commit: Commit) -> Iterator[Reason]:
    """Why the newest result of the same key could not be used, as it was seen before an execution began."""
    changed = commit.config.get("changed")
    for each in changed if isinstance(changed, list) else ():
        match each:
            case [str(kind), str(subject), str() | None as old, str() | None as new] if kind in _PHRASES:
                yield Reason(kind, subject, old, new)


def of(difference: Difference) -> Reason:
    """What is not as an earlier execution saw it, as a reason to run."""
    if difference.subject == HOW_WRITTEN:
        return Reason("code", "how it is written, at which something looks that it uses,", "before", "changed")
    subject = difference.subject.removeprefix("./") if difference.kind in ("file", "folder") else difference.subject
    return Reason(difference.kind, subject or ".", _brief(difference.old), _brief(difference.new))


def _brief(text: str | None) -> str | None:
    """A hash by its first digits; anything else as it is."""
    return text[:12] if text is not None and is_hash(text) else text


def _part(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of what went into a cache key; nothing where a stranger put something else there."""
    part = config.get(name, {})
    return part if isinstance(part, Mapping) else {}


def _code_reasons(old: Fingerprint, new: Fingerprint) -> Iterator[Reason]:
    if old.id != new.id:  # else it only stands elsewhere, or under another name: that is nobody's reason to run
        for change in compare({part.name: part for part in old.parts}, {part.name: part for part in new.parts}):
            old_text = None if change.kind == "added" else "before"
            new_text = None if change.kind == "removed" else change.kind
            yield Reason("code", change.name, old_text, new_text, change.diff)
        if old.packages == new.packages and _hashes(old) == _hashes(new):
            yield Reason("code", _ORDER, "before", "changed")
    for reason in _mapping_reasons("package", old.packages, new.packages):
        # That edited code uses another package than before stands in its lines.
        if _hashes(old) == _hashes(new) or None not in (reason.old, reason.new):
            yield reason


def _hashes(code: Fingerprint) -> dict[str, str]:
    return {part.name: part.hash for part in code.parts}


def _mapping_reasons(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Reason]:
    for name in sorted(old.keys() | new.keys()):
        if repr(old.get(name, _NOTHING)) != repr(new.get(name, _NOTHING)):
            before, after = (spelt(each[name]) if name in each else None for each in (old, new))
            yield Reason(kind, name, before, after)


_NOTHING = object()


def _input_reasons(
    repository: Repository, kind: str, old: Mapping[str, tuple[Input, ...]], new: Mapping[str, tuple[Input, ...]]
) -> Iterator[Reason]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, ()), new.get(name, ())
        if [source.artifact for source in before] != [source.artifact for source in after]:
            yield Reason(kind, name, *_spell_both(repository, before, after))


_FEW = 4
"""A longer list of artifacts is told by what went and what came."""


def _spell_both(
    repository: Repository, before: Sequence[Input], after: Sequence[Input]
) -> tuple[str | None, str | None]:
    if max(len(before), len(after)) <= _FEW:
        return _spell(repository, before), _spell(repository, after)
    stay = Counter(source.artifact for source in before) & Counter(source.artifact for source in after)
    went, came = (_spell(repository, _without(each, stay)) for each in (before, after))
    if went is None and came is None:
        return count(stay.total(), "artifact"), "the same in another order"
    if not stay:
        return went, came
    stays, these = count(stay.total(), "artifact"), f"these {stay.total():,}"
    return f"{went} beside {stays}" if went else stays, f"{came} beside {these}" if came else these


def _without(sources: Sequence[Input], stay: Counter[Oid]) -> list[Input]:
    """Those of a list that do not stay in it; `stay` says how often each artifact does."""
    left, found = Counter(stay), []
    for source in sources:
        if left[source.artifact]:
            left[source.artifact] -= 1
        else:
            found.append(source)
    return found


def _spell(repository: Repository, sources: Sequence[Input]) -> str | None:
    """Artifacts as `name@number (commit)`, the first few of them."""
    told = []
    for source in sources[:_FEW]:
        by = f" (commit {source.commit[:12]})" if source.commit else ""
        told.append(_version(repository, source) + by)
    return some(told, _FEW, of=len(sources)) if sources else None


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
    "folder": ("a folder", "{} folders"),
    "env": ("an environment variable", "{} environment variables"),
    "value": ("a value that it reaches", "{} values that it reaches"),
    "answer": ("an answer of the Client", "{} answers of the Client"),
    "context": ("what it asked of its run", "{} things that it asked of its run"),
    "trace": ("what it used", "what it used"),
    "unverified": ("what it used and cannot be compared", "what it used and cannot be compared"),
    "use": ("another step of the run", "other steps of the run"),
    "key": ("its own key", "its own keys"),
    "trust": ("who made it", "who made it"),
}
