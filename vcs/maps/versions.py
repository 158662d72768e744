"""The versions of artifact names, as the refs tell them; where all are asked for, without those that are damaged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..objects.kinds import Commit, Version
from ..objects.oid import Oid
from . import ref_names
from .damaged import Damaged, read, whole
from .refs import RefMap, Refs


def noted(version: Version, commit: Commit | None) -> dict[str, Any]:
    """What conditions are asked about: what is noted of a version, else of its execution, else the latter's parameters.

    Args:
        version: The version.
        commit: The execution that made it.
    """
    made = {**commit.params, **commit.noted} if commit else {}
    return {**made, **version.metadata}


def by_number(refs: Refs, name: str, number: int) -> Version | None:
    """The version of a name with this number; None where there is none or it was deleted."""
    oid = refs.get(ref_names.version(name, number))
    version = None if oid is None else refs.record(oid, Version)
    return None if version is None or version.deleted else version


def as_number(text: str) -> int | None:
    """The number that a text spells; None where it is no number, or is spelt as none is."""
    number = int(text[:10]) if text.isdecimal() else 0
    return number if str(number) == text and number else None


def by_value(refs: Refs, name: str, artifact: Oid) -> Version | None:
    """The version of a name that has this artifact."""
    return _marked(refs, name, ref_names.values(name, artifact))


def number_of_value(refs: Refs, name: str, artifact: Oid) -> int:
    """The number of the version of a name that has this artifact, 0 when there is none."""
    mark = next(refs.items(ref_names.values(name, artifact)), None)
    return 0 if mark is None else ref_names.number_of(mark[0])


def by_label(refs: Refs, name: str, label: str) -> Version | None:
    """The version of a name with this explicit version."""
    return _marked(refs, name, ref_names.labels(name, label))


def with_value_like(refs: Refs, start: str) -> Iterator[Version]:
    """The versions, of any name, of the artifacts whose id starts so."""
    marks = (ref_names.value_of(ref) for ref, _ in refs.items(ref_names.values_like(start)))
    return (version for mark in marks if (version := by_number(refs, *mark)) is not None)


def owners(refs: Refs, name: str, artifact: Oid, *, reverse: bool = False) -> Iterator[tuple[str, int]]:
    """Name and number of the versions of models that the version of a name with this artifact belongs to."""
    return (ref_names.value_of(ref) for ref, _ in refs.items(ref_names.links(name, artifact), reverse=reverse))


def exists(refs: Refs, name: str) -> bool:
    """Whether a name has any version."""
    return refs.get(ref_names.newest(name)) is not None


def newest(refs: Refs, name: str) -> Version | None:
    """The version that was made, or made again, last; where that was deleted, the one with the greatest number."""
    version = by_number(refs, name, newest_number(refs, name))
    return version or next(of(refs, name, reverse=True), None)


def newest_number(refs: Refs, name: str) -> int:
    """The number of the version that was made, or made again, last; 0 where that was deleted, or there is none."""
    artifact = refs.get(ref_names.newest(name))
    mark = None if artifact is None else next(refs.items(ref_names.values(name, artifact)), None)
    return 0 if mark is None else ref_names.number_of(mark[0])


def newest_of_each(refs: Refs) -> Iterator[Version | Damaged]:
    """The newest version of each name, or what stands for it where it cannot be read; in order of the names."""
    for name in names(refs):
        ref = ref_names.version(name, newest_number(refs, name) or last_number(refs, name))
        if (oid := refs.get(ref)) is not None:
            yield read(refs, ref, oid, Version)


def count(refs: RefMap, name: str) -> int:
    """How many versions a name has; takes no longer for many than for few."""
    last = next(refs.items(ref_names.versions(name), reverse=True), None)
    version = None if last is None else read(refs, *last, Version)
    # Only the last of them may be what stays of a deleted one.
    return refs.count(ref_names.versions(name)) - (isinstance(version, Version) and version.deleted)


def of(refs: Refs, name: str, *, reverse: bool = False) -> Iterator[Version]:
    """All versions of a name, oldest first unless reversed; read as they are come to."""
    return whole(listed(refs, name, reverse=reverse))


def every(refs: Refs) -> Iterator[Version]:
    """All versions of all names, by name and number; read as they are come to."""
    return whole(listed(refs))


def listed(refs: Refs, name: str | None = None, *, reverse: bool = False) -> Iterator[Version | Damaged]:
    """All versions of a name, or of all names, and what stands for those that cannot be read."""
    prefix = ref_names.ARTIFACTS if name is None else ref_names.versions(name)
    found = (read(refs, ref, oid, Version) for ref, oid in refs.items(prefix, reverse=reverse))
    return (each for each in found if isinstance(each, Damaged) or not each.deleted)


def names(refs: Refs, start: str = "") -> Iterator[str]:
    """The names that have versions and start so, in order."""
    return (ref_names.name_of(ref) for ref, _ in refs.items(ref_names.newest_like(start)))


def last_number(refs: Refs, name: str) -> int:
    """The greatest number ever given under a name, 0 when there is none."""
    last = next(refs.items(ref_names.versions(name), reverse=True), None)
    return 0 if last is None else ref_names.number_of(last[0])


def _marked(refs: Refs, name: str, prefix: str) -> Version | None:
    mark = next(refs.items(prefix), None)
    return None if mark is None else by_number(refs, name, ref_names.number_of(mark[0]))
