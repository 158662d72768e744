"""Bringing together what two repositories have: a union, in which each value keeps one number under its name.

Each side says what it has changed since both were last brought together, by two states of its refs. What only one side
has, both get. A number that both have given to different values stays with one side, whose numbers stand; the other's
value gets the next. Commits and runs name values and no numbers, so that nothing else changes with a number.

What was deleted on one side is not deleted on the other: nobody loses what he has because somebody else gave it up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar, TypeVar

from ...errors import DamagedError, UnknownName
from ...maps import ref_names, steps, versions
from ...maps.refs import RefMap
from ...objects.kinds import Run, Version
from ...objects.oid import NULL, Oid
from ...objects.records import Record, record
from ..view import View
from .base import Intent, union
from .versions import marks_of, with_noted

R = TypeVar("R", bound=Record)
Change = tuple[Oid | None, Oid | None]
"""The id of a ref before, and now."""

Taken = tuple[Oid | None, Oid]
"""The id of a ref before, if it had one, and the one that it has now."""

_BY_VERSION = (ref_names.ARTIFACTS, ref_names.VALUES, ref_names.LABELS, ref_names.LINKS, ref_names.NEWEST)
"""How the refs begin that a version is found by."""

APART = (ref_names.PRUNED, ref_names.LOST)
"""How those begin that tell what one repository has not, and say nothing of another."""


@record
class Merge(Intent):
    """Takes in what another repository has changed. Its refs, and what they lead to, have to be here.

    Where there is nothing yet, its refs are taken as they are: then their nodes have to be stored with the change.

    Attributes:
        before: The root of its refs when both were last brought together; None where they never were.
        after: The root of its refs now.
        theirs_stand: Whether their numbers and labels stand where both have given one to different values; else ours.
    """

    NAME: ClassVar[str] = "merge"
    before: Oid | None
    after: Oid | None
    theirs_stand: bool

    def replay(self, view: View) -> None:
        """See `Intent.replay`."""
        theirs = view.base.at(self.after)
        if self.before is None and view.base.root is None and view.is_untouched:
            view.adopt(
                theirs
            )  # as a clone does, and a first push; what is marked as given up or lost there is not here either
            return
        _Merging(view, theirs, self.theirs_stand).merge(theirs.diff(view.base.at(self.before)))


class _Merging:
    """One side's changes going into the other."""

    def __init__(self, view: View, theirs: RefMap, theirs_stand: bool) -> None:
        self._view = view
        self._theirs = theirs
        self._theirs_stand = theirs_stand

    def merge(self, changed: Mapping[str, Change]) -> None:
        newest: dict[str, Taken] = {}
        names: dict[str, dict[int, Taken]] = {}
        for ref, (old, new) in changed.items():
            if new is None or ref.startswith(APART):
                continue
            if ref.startswith(ref_names.ARTIFACTS):
                name, number = ref_names.version_of(ref)
                names.setdefault(name, {})[number] = old, new
            elif ref.startswith(ref_names.NEWEST):
                newest[ref_names.name_of(ref)] = old, new
            elif ref.startswith(ref_names.RUNS):
                self._run(ref, old, new)
            elif not ref.startswith(_BY_VERSION):
                self._ref(ref, old, new)
        for name, found in names.items():
            self._versions(name, found)
        for name, change in newest.items():
            self._newest(name, change)

    def _ref(self, ref: str, old: Oid | None, new: Oid) -> None:
        """A mark, a result in the cache, a value that is kept: what has the same name is worth the same."""
        mine = self._view.get(ref)
        if mine != new and (mine in (None, old) or self._theirs_stand):
            self._view.set(ref, new)

    def _run(self, ref: str, old: Oid | None, new: Oid) -> None:
        mine = self._view.get(ref)
        if mine is None and old is not None:
            return  # it was here, and was deleted
        if mine == old:
            self._view.set(ref, new)
        elif mine != new:
            base, ours, theirs = self._read(old, Run), self._read(mine, Run), self._read(new, Run)
            if ours is None or theirs is None:
                self._view.set(ref, new if ours is None else mine)
                return
            with suppress(UnknownName, DamagedError):  # of a step that is lost, repairing is another's work
                merged = _merged_run(self._view, base, *self._in_order(ours, theirs))
                self._view.set(ref, self._view.put(merged))

    def _versions(self, name: str, found: Mapping[int, Taken]) -> None:
        """The versions of a name, in the order of their numbers."""
        fresh = versions.last_number(self._view, name) == 0
        for number, (old, new) in sorted(found.items()):
            theirs = self._read(new, Version)
            if theirs is None or (theirs.name, theirs.number) != (name, number):
                continue  # nothing that can be understood
            if theirs.deleted:
                self._grave(theirs, new)
            elif fresh:
                self._put(theirs, new)
            else:
                self._version(theirs, old, new)

    def _version(self, theirs: Version, old: Oid | None, new: Oid) -> None:
        view, name, number = self._view, theirs.name, theirs.number
        mine, before = versions.number_of_value(view, name, theirs.artifact), self._read(old, Version)
        if not mine and before is not None and before.artifact == theirs.artifact:
            return  # it was here, and was deleted
        merged = theirs
        if mine:
            held = view.get(ref_names.version(name, mine))
            ours = self._read(held, Version)
            if ours is not None and (mine != number or held not in (old, new)):
                merged = _merged_version(before, *self._in_order(ours, theirs))
            self._take(name, mine)
            stands = number if self._theirs_stand else mine
        else:
            stands = number if self._theirs_stand or view.get(ref_names.version(name, number)) is None else 0
        self._make_room(name, stands)
        if self._theirs_stand:
            self._free_label(merged)
        self._give(merged, stands)

    def _make_room(self, name: str, number: int) -> None:
        """Moves what has a number that is another's to the end."""
        held = self._read(self._view.get(ref_names.version(name, number)), Version) if number else None
        if held is not None:
            self._take(name, number)
            if not held.deleted:
                self._give(held, 0)

    def _free_label(self, version: Version) -> None:
        """Takes a version's label from another value."""
        taken = None if version.label is None else versions.by_label(self._view, version.name, version.label)
        if taken is not None and taken.artifact != version.artifact:
            self._take(taken.name, taken.number)
            self._give(dataclasses.replace(taken, label=None), taken.number)

    def _take(self, name: str, number: int) -> None:
        """Takes a version from its number."""
        held = self._read(self._view.get(ref_names.version(name, number)), Version)
        self._view.set(ref_names.version(name, number), None)
        for mark in marks_of(held) if held is not None else ():
            self._view.set(mark, None)

    def _give(self, version: Version, number: int) -> None:
        """Gives a version a number, or the next that neither side has given."""
        number = number or self._next(version.name)
        label = version.label
        if label is not None:
            taken = versions.by_label(self._view, version.name, label)
            if taken is not None and taken.artifact != version.artifact:
                label = None  # the other value has it
        renumbered = dataclasses.replace(version, number=number, label=label)
        self._put(renumbered, self._view.put(renumbered))

    def _put(self, version: Version, oid: Oid) -> None:
        last = versions.last_number(self._view, version.name)
        held = self._read(self._view.get(ref_names.version(version.name, last)), Version) if last else None
        if held is not None and held.deleted and last < version.number:
            self._view.set(ref_names.version(version.name, last), None)  # the greater number keeps it now
        self._view.set(ref_names.version(version.name, version.number), oid)
        for mark in marks_of(version):
            self._view.set(mark, NULL)

    def _next(self, name: str) -> int:
        last = ref_names.versions(name)
        theirs = self._theirs.last(last)
        number = max(versions.last_number(self._view, name), ref_names.number_of(theirs[0]) if theirs else 0) + 1
        while any(True for _ in self._view.items(ref_names.labels(name, str(number)))):
            number += 1  # each text says one version
        return number

    def _grave(self, theirs: Version, new: Oid) -> None:
        """A number that was given there once is given here to nothing else."""
        ref = ref_names.version(theirs.name, theirs.number)
        held = self._read(self._view.get(ref), Version)
        if held is None and theirs.number > versions.last_number(self._view, theirs.name):
            self._view.set(ref, new)
        elif held is not None and held.artifact != theirs.artifact and not held.deleted and self._theirs_stand:
            self._make_room(theirs.name, theirs.number)

    def _newest(self, name: str, change: Taken) -> None:
        ref, (old, new) = ref_names.newest(name), change
        mine = self._view.get(ref)
        if mine == new or not versions.number_of_value(self._view, name, new):
            return
        if mine in (None, old) or self._created(name, new) > self._created(name, mine):
            self._view.set(ref, new)

    def _created(self, name: str, artifact: Oid | None) -> tuple[int, str]:
        """When a version was made; of two of the same moment the same one everywhere."""
        version = None
        with suppress(UnknownName, DamagedError):
            version = versions.by_value(self._view, name, artifact) if artifact is not None else None
        return (version.created if version is not None else -1), artifact or ""

    def _in_order(self, ours: R, theirs: R) -> tuple[R, R]:
        """The one that gives way, and the one that stands."""
        return (ours, theirs) if self._theirs_stand else (theirs, ours)

    def _read(self, oid: Oid | None, cls: type[R]) -> R | None:
        """A record; None where there is none, or it is lost."""
        if oid is None:
            return None
        try:
            return self._view.record(oid, cls)
        except (UnknownName, DamagedError):
            return None


def _merged_version(base: Version | None, one: Version, other: Version) -> Version:
    """What two have noted about the same value; where they disagree, `other` stands."""
    return dataclasses.replace(
        other,
        label=other.label or one.label,
        tags=_merged_tags(() if base is None else base.tags, one.tags, other.tags),
        metadata=_merged_notes({} if base is None else base.metadata, one.metadata, other.metadata),
        noted=with_noted(one.noted, other.noted),
        links=union(one.links, other.links),
    )


def _merged_run(view: View, base: Run | None, one: Run, other: Run) -> Run:
    """What two say of the same run; where they disagree, one that has ended stands, or `other`."""
    if other.status == "running" and one.status != "running":
        one, other = other, one
    noted = {}
    for name, (step, stands) in steps.diff(other, one):
        if step is not None and stands is not None:
            before = base.steps[name].metadata if base is not None and name in base.steps else {}
            noted[name] = dataclasses.replace(stands, metadata=_merged_notes(before, step.metadata, stands.metadata))
    return dataclasses.replace(
        steps.with_steps(other, noted, view, view.put),
        models=union(one.models, other.models),
        tags=_merged_tags(() if base is None else base.tags, one.tags, other.tags),
        metadata=_merged_notes({} if base is None else base.metadata, one.metadata, other.metadata),
    )


def _merged_tags(base: tuple[str, ...], one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    gone = {tag for tag in base if tag not in one or tag not in other}
    return tuple(tag for tag in union(one, other) if tag not in gone)


def _merged_notes(base: Mapping[str, Any], one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The notes of both; where both have one of the same name, the one that changed, or else `other`'s."""
    changed = {name: value for name, value in one.items() if name not in base or base[name] != value}
    kept = {name: value for name, value in other.items() if name in changed and name in base and base[name] == value}
    return {**one, **other, **{name: changed[name] for name in kept}}
