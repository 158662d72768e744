"""What is meant with the versions of a name: adding, changing, deleting one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from ...errors import Conflict, DamagedError, UnknownName
from ...maps import ref_names, stages, versions
from ...objects.kinds import Commit, Output, Version
from ...objects.oid import NULL, Oid
from ...objects.records import later, record
from ..view import View
from .base import Intent, union


@record
class AddVersion(Intent):
    """Gives an artifact the next number of its name, and makes it the newest.

    Where that very value has a number already, that version gets the label, the tags and the metadata too.

    Attributes:
        version: The version; its number says nothing.
        facts: What is known of the value in any case, metadata that gives way to what is noted already.
    """

    NAME: ClassVar[str] = "add-version"
    version: Version
    facts: Mapping[str, Any]

    def replay(self, view: View) -> None:
        """See `Intent.replay`."""
        new = self.version
        found, number = None, 0
        try:
            found = versions.by_value(view, new.name, new.artifact)
        except (UnknownName, DamagedError):  # its record is lost: this one takes its place
            number = versions.number_of_value(view, new.name, new.artifact)
        _check_label(view, new.name, new.label, new.artifact, found)
        if found is None:
            number = number or _next_number(view, new.name)
            noted = with_noted(None, new.metadata)
            _add(view, dataclasses.replace(new, number=number, metadata={**self.facts, **new.metadata}, noted=noted))
        else:
            again = _made_again(view, found, new)
            _change(view, found, dataclasses.replace(
                again, label=found.label or new.label, tags=union(found.tags, new.tags),
                metadata={**self.facts, **found.metadata, **new.metadata}, noted=with_noted(found.noted, new.metadata),
            ))  # fmt: skip
        if view.get(ref_names.newest(new.name)) != new.artifact:
            view.set(ref_names.newest(new.name), new.artifact)
        if view.get(ref_names.pruned(new.artifact)) is not None:
            view.set(ref_names.pruned(new.artifact), None)  # its data is here again

    def yielding(self) -> Intent | None:
        """The version without its label: that is what can be taken."""
        return dataclasses.replace(self, version=dataclasses.replace(self.version, label=None))

    def targets(self) -> Iterable[Oid]:
        """See `Intent.targets`."""
        return (oid for oid in (self.version.artifact, self.version.commit) if oid is not None)


@record
class EditVersion(Intent):
    """Adds metadata, tags and links to a version, takes tags from it, or labels it; others may do so meanwhile."""

    NAME: ClassVar[str] = "edit-version"
    name: str
    artifact: Oid
    metadata: Mapping[str, Any]
    tags: tuple[str, ...] = ()
    untag: tuple[str, ...] = ()
    label: str | None = None
    links: tuple[Output, ...] = later(())

    def replay(self, view: View) -> None:
        """See `Intent.replay`."""
        found = versions.by_value(view, self.name, self.artifact)
        if found is None:
            raise Conflict(f"The version of {self.name!r} that was to be changed has been deleted meanwhile.")
        _check_label(view, self.name, self.label, self.artifact, found)
        tags = tuple(tag for tag in union(found.tags, self.tags) if tag not in self.untag)
        _change(view, found, dataclasses.replace(
            found, tags=tags, metadata={**found.metadata, **self.metadata}, label=found.label or self.label,
            noted=with_noted(found.noted, self.metadata), links=union(found.links, self.links),
        ))  # fmt: skip

    def targets(self) -> Iterable[Oid]:
        """See `Intent.targets`."""
        return (link.artifact for link in self.links)


@record
class DeleteVersion(Intent):
    """Deletes a version, if nothing needs it and it still is what was looked at when that was decided.

    Attributes:
        expected: The version's record then.
    """

    NAME: ClassVar[str] = "delete-version"
    name: str
    number: int
    expected: Oid

    def replay(self, view: View) -> None:
        """See `Intent.replay`."""
        ref = ref_names.version(self.name, self.number)
        version = versions.by_number(view, self.name, self.number)
        if version is None:
            return  # gone already: that is what was meant
        if view.get(ref) != self.expected:
            raise Conflict(f"{self.name}@{self.number} was changed meanwhile; look at it again before you delete it.")
        if (need := view.need(self.name, version.artifact)) is not None:
            raise Conflict(f"{self.name}@{self.number} {need}.")
        for each in marks_of(version):
            view.set(each, None)
        last = self.number == versions.last_number(view, self.name)
        # What stays of the last one keeps its number from being given again.
        view.set(ref, view.put(_grave(version)) if last else None)
        if view.get(ref_names.newest(self.name)) == version.artifact:
            left = next(versions.of(view, self.name, reverse=True), None)
            view.set(ref_names.newest(self.name), None if left is None else left.artifact)


def _made_again(view: View, found: Version, new: Version) -> Version:
    """A version that was made again; where the record of who made it is lost, who made it now counts."""
    if found.commit is None or new.commit in (None, found.commit):
        return found
    try:
        view.record(found.commit, Commit)
    except (UnknownName, DamagedError):
        return dataclasses.replace(found, commit=new.commit, output=new.output, run=new.run)
    return found


def _next_number(view: View, name: str) -> int:
    last = versions.last_number(view, name)
    with suppress(UnknownName, DamagedError):  # lost, and no matter
        if last and versions.by_number(view, name, last) is None:
            view.set(ref_names.version(name, last), None)  # its grave: the next number keeps it now
    number = last + 1
    while any(True for _ in view.items(ref_names.labels(name, str(number)))):
        number += 1  # each text says one version: another was given this number by hand
    return number


def _add(view: View, version: Version) -> None:
    view.set(ref_names.version(version.name, version.number), view.put(version))
    for mark in marks_of(version):
        view.set(mark, NULL)


def _change(view: View, old: Version, new: Version) -> None:
    if old == new:
        return
    view.set(ref_names.version(new.name, new.number), view.put(new))
    for mark in marks_of(new):
        if view.get(mark) is None:
            view.set(mark, NULL)


def with_noted(before: Iterable[str] | None, more: Iterable[str] | None) -> tuple[str, ...] | None:
    """The names of what people noted, with more of them; see `Version.noted`."""
    return tuple(sorted({*(before or ()), *(more or ())})) or None


def marks_of(version: Version) -> list[str]:
    """The refs by which a version is found, its own aside."""
    marks = [ref_names.value(version.name, version.artifact, version.number)]
    if version.label is not None:
        marks.append(ref_names.label(version.name, version.label, version.number))
    marks += [ref_names.link(link.name, link.artifact, version.name, version.number) for link in version.links]
    return marks


def _grave(version: Version) -> Version:
    return dataclasses.replace(
        version,
        deleted=True,
        commit=None,
        run=None,
        metadata={},
        tags=(),
        noted=None,
        links=(),
        author=None,
        revision=None,
    )


def _check_label(view: View, name: str, label: str | None, artifact: Oid, found: Version | None) -> None:
    """Refuses an explicit version that another value has or a stage is called, or a second one for the same value."""
    if label is None:
        return
    taken, number = versions.by_label(view, name, label), versions.as_number(label)
    if taken is None and number is not None:
        taken = versions.by_number(view, name, number)
    if taken is not None and taken.artifact != artifact:
        raise Conflict(f"{name!r} has a version {label!r} already; give the new one another version.")
    if stages.version(view, name, label) is not None:
        raise Conflict(f"{name!r} has a stage {label!r}; give the new version another name.")
    if found is not None and found.label not in (None, label):
        raise Conflict(f"This value is the version {found.label!r} of {name!r} already; it cannot be {label!r} too.")
