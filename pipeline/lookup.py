"""Finding versions and runs by what people call them: a name, a number, a label, the start of an id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from artvcs.vcs import git
from artvcs.vcs.errors import AmbiguousName, UnknownName
from artvcs.vcs.objects import canonical
from artvcs.vcs.objects.kinds import Commit, Run, Version
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.refs import names
from artvcs.vcs.storage.store import ObjectStore

from .fingerprint import Fingerprint, from_json

MIN_PREFIX = 4
"""The shortest start of an id that is looked up."""


class Refs(Protocol):
    """Where names are looked up: the refs as published, or as a transaction sees them."""

    def get(self, ref: str) -> Oid | None:
        """The id of one ref."""

    def items(self, prefix: str) -> Iterator[tuple[str, Oid]]:
        """All refs that start with `prefix`, in order."""


def versions_of(store: ObjectStore, refs: Refs, name: str) -> list[Version]:
    """All versions of an artifact name that are not deleted, oldest first."""
    found = (store.record(oid, Version) for _, oid in refs.items(names.versions_prefix(name)))
    return [version for version in found if not version.deleted]


def all_versions(store: ObjectStore, refs: Refs) -> Iterator[Version]:
    """All versions of all names that are not deleted, by name and number."""
    found = (store.record(oid, Version) for _, oid in refs.items(names.ARTIFACTS))
    return (version for version in found if not version.deleted)


def find_version(store: ObjectStore, refs: Refs, name: str, version: str | int | None = None) -> Version:
    """The version of a name: the newest, or the one with this number or label.

    Args:
        store: Where versions are read from.
        refs: Where names are looked up.
        name: An artifact name, or the start of an artifact's id.
        version: A number, a label, or None for the newest.

    Raises:
        UnknownName: There is no such name or version.
        AmbiguousName: The start of an id fits more than one artifact.
    """
    found = versions_of(store, refs, name)
    if not found:
        return _by_artifact_id(store, refs, name)
    if version is None:
        return _newest(store, refs, name, found)
    if (wanted := _with_version(found, str(version))) is not None:
        return wanted
    known = ", ".join(candidate.label or str(candidate.number) for candidate in found[-5:])
    known = f"…, {known}" if len(found) > 5 else known
    raise UnknownName(f"{name!r} has no version {version!r}; it has {known}.")


def _with_version(found: list[Version], version: str) -> Version | None:
    """The one with this explicit version, else the one with this number."""
    labelled = (each for each in found if each.label == version)
    return next(labelled, None) or next((each for each in found if str(each.number) == version), None)


def _newest(store: ObjectStore, refs: Refs, name: str, found: list[Version]) -> Version:
    """The version that was made, or made again, last: not always the one with the greatest number."""
    oid = refs.get(names.newest_ref(name))
    number = store.record(oid, Version).number if oid else None
    return next((version for version in found if version.number == number), found[-1])


def find_version_at(store: ObjectStore, refs: Refs, name: str, revision: git.Revision) -> Version:
    """The newest version of a name that was made at a Git revision or before it.

    Raises:
        UnknownName: There is no such name, or no version of it was made there.
    """
    find_version(store, refs, name)  # says so when there is no such name
    for version in reversed(versions_of(store, refs, name)):
        state = store.record(version.commit, Commit).git if version.commit else None
        if state is not None and state.commit is not None and revision.reaches(state.commit):
            return version
    raise UnknownName(
        f"No version of {name!r} was made at that Git revision or before it; `art log {name}` lists them."
    )


def spec(name: str, version: str | int | None = None, rev: str | None = None) -> str:
    """A name with a version or Git revision, as one text: what `find_spec` takes."""
    chosen = rev if version is None else version
    return name if chosen is None else f"{name}@{chosen}"


def find_spec(store: ObjectStore, refs: Refs, asked: str, project: Path) -> Version:
    """The version that `NAME`, `NAME@VERSION` or `NAME@REVISION` stands for; numbers and labels come first.

    Args:
        store: Where versions are read from.
        refs: Where names are looked up.
        asked: What the user wrote.
        project: A folder in the Git working tree, for revisions.

    Raises:
        UnknownName: There is no such name, version or revision.
        AmbiguousName: The start of an id fits more than one artifact.
    """
    name, _, version = asked.partition("@")
    if not version:
        return find_version(store, refs, name)
    known = _with_version(versions_of(store, refs, name), version)
    if known is not None:
        return known
    if version.isdigit():
        return find_version(store, refs, name, version)
    return find_version_at(store, refs, name, git.Revision(project, version))


def _by_artifact_id(store: ObjectStore, refs: Refs, prefix: str) -> Version:
    matches: dict[Oid, Version] = {}
    if len(prefix) >= MIN_PREFIX and all(char in "0123456789abcdef" for char in prefix):
        for version in all_versions(store, refs):
            if version.artifact.startswith(prefix):
                matches[version.artifact] = version
    if len(matches) == 1:
        return matches.popitem()[1]
    if matches:
        shown = ", ".join(f"{version.name}@{version.number}" for version in list(matches.values())[:4])
        raise AmbiguousName(f"{prefix!r} could be {shown}; give more digits.")
    raise UnknownName(f"There is no artifact named {prefix!r}; `art ls` lists those there are.")


def all_runs(store: ObjectStore, refs: Refs) -> list[Run]:
    """All runs, newest first."""
    runs = [store.record(oid, Run) for _, oid in refs.items(names.RUNS)]
    return sorted(runs, key=lambda run: (run.started, run.run), reverse=True)


def find_run(store: ObjectStore, refs: Refs, text: str) -> Run:
    """The run with this id, name, or unique start of either.

    Raises:
        UnknownName: There is none.
        AmbiguousName: There is more than one.
    """
    if oid := refs.get(names.run_ref(text)):
        return store.record(oid, Run)
    runs = all_runs(store, refs)
    for matches in (
        [run for run in runs if run.name == text],
        [run for run in runs if text and (run.run.startswith(text) or run.name.startswith(text))],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            shown = ", ".join(f"{run.name} ({run.run[:8]})" for run in matches[:3])
            raise AmbiguousName(f"{text!r} could be {shown}; give its id.")
    raise UnknownName(f"There is no run {text!r}; `art log` lists those there are.")


def latest_run(store: ObjectStore, refs: Refs, pipeline: str) -> Run | None:
    """The newest run of a pipeline, if it has any."""
    oid = refs.get(names.latest_ref(pipeline))
    return None if oid is None else store.record(oid, Run)


def code_of(store: ObjectStore, commit: Commit) -> Fingerprint:
    """The code that an execution ran, part by part."""
    return from_json(canonical.loads(store.read(commit.code.source, "blob")))
