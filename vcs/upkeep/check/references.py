"""Whether whatever is referred to is there, and is what it should be."""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import DamagedError
from ...maps import ref_names, steps
from ...objects.kinds import Run
from ...objects.nodes import RefsNode
from ...objects.oid import NULL, Oid
from . import ref_walk
from .census import Broken, Census
from .problem import Problem
from .ref_walk import Hole, describe
from .survey import Survey


def check_references(survey: Survey) -> Iterator[Problem]:
    """Follows all refs of a moment through what was found in its packs."""

    def entries(prefix: str = "") -> Iterator[ref_walk.Entry | Hole]:
        return _entries(survey, survey.head.state.refs, prefix)

    found: list[Problem] = []

    def targets() -> Iterator[Oid]:
        for entry in entries():
            if isinstance(entry, Hole):
                found.append(_hidden(entry))
            elif (problem := wrong(survey.census, *entry)) is not None:
                found.append(problem)
            elif entry[1] != NULL:
                yield entry[1]

    pruned = {entry[1] for entry in entries(ref_names.PRUNED) if not isinstance(entry, Hole)}
    reached = survey.census.walk(targets(), pruned, promised(survey))
    yield from found
    yield from _torn(survey, entries(ref_names.RUNS))
    lost = {ref_names.last_part(entry[0]) for entry in entries(ref_names.LOST) if not isinstance(entry, Hole)}
    broken = [each for each in reached.broken if not (each.missing and each.oid in lost)]
    if broken:
        names = names_of({each.root for each in broken}, entries())
        yield from (_broken(each, names) for each in broken)


def _torn(survey: Survey, entries: Iterator[ref_walk.Entry | Hole]) -> Iterator[Problem]:
    """Runs whose steps are there, each node sound by itself, and yet are not what their records say."""
    for entry in entries:
        if isinstance(entry, Hole) or survey.census.kind(entry[1]) != "run":
            continue
        problem = steps.problem(steps.opened(survey.store, survey.store.record(entry[1], Run)))
        if isinstance(problem, DamagedError):
            yield Problem(describe(entry[0]), f"its steps are not as they were written: {problem}")


def promised(survey: Survey) -> set[Oid]:
    """The artifacts whose data is promised: refs elsewhere led to it, or it was delivered there."""
    found = {oid for artifacts in survey.promised.delivered.values() for oid in artifacts}
    for root in survey.promised.all_roots:
        pruned = {oid for _, oid in _readable(survey, root, ref_names.PRUNED)}
        reached = survey.census.walk((oid for _, oid in _readable(survey, root) if oid != NULL), pruned)
        found.update(oid for oid in survey.census.of_kind("artifact") if oid in reached and oid not in pruned)
    return found


def _readable(survey: Survey, root: Oid, prefix: str = "") -> Iterator[ref_walk.Entry]:
    return (entry for entry in _entries(survey, root, prefix) if not isinstance(entry, Hole))


def _entries(survey: Survey, root: Oid | None, prefix: str) -> Iterator[ref_walk.Entry | Hole]:
    return ref_walk.walk(lambda oid: survey.store.record(oid, RefsNode), root, prefix, _after(prefix))


def wrong(census: Census, ref: str, oid: Oid) -> Problem | None:
    """What is wrong with what a ref leads to, besides that it may be missing."""
    expected = ref_walk.leads_to(ref)
    if not ref_walk.is_spelt(ref):
        return Problem(f"ref {ref}", "is not spelt as such a ref is")
    if expected == "" and oid != NULL:
        return Problem(f"ref {ref}", "leads to something and should not")
    if expected and oid == NULL:
        return Problem(f"ref {ref}", f"should lead to a {expected} and leads to nothing")
    if expected and census.kind(oid) not in (expected, None):
        return Problem(f"ref {ref}", f"should lead to a {expected} and leads to a {census.kind(oid)}")
    return None


def names_of(wanted: set[Oid], entries: Iterator[ref_walk.Entry | Hole]) -> dict[Oid, str]:
    """What people call the things that refs lead to."""
    names: dict[Oid, str] = {}
    for entry in entries:
        if not isinstance(entry, Hole) and entry[1] in wanted:
            names.setdefault(entry[1], describe(entry[0]))
    return names


def _broken(broken: Broken, names: dict[Oid, str]) -> Problem:
    return Problem(f"reference {broken.oid}", f"{broken.what}; {names.get(broken.root, broken.root)} needs it")


def _hidden(hole: Hole) -> Problem:
    upto = "" if hole.high is None else f" up to {hole.high}"
    return Problem(f"refs {hole.node}", f"the refs after {hole.low or 'the first'}{upto} cannot be read: {hole.why}")


def _after(prefix: str) -> str | None:
    """A name that follows all that start so, and none of the others before it."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else None
