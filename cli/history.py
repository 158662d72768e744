"""Walking lineage: which commits made a thing, back to the raw data."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from artvcs.pipelines.views import ArtifactVersion, PipelineRun
from artvcs.vcs.errors import UnknownName
from artvcs.vcs.maps import runs, versions
from artvcs.vcs.objects.kinds import Commit, Input, Version
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository

from . import finding


@dataclass(frozen=True)
class Entry:
    """One place in a history: an executed step, or data that no step made.

    Attributes:
        oid: The commit's id; the artifact's, for data.
        parents: The entries it came from.
        made: The versions it made (or is, for data), as `name@version`.
        when: When it was made, in milliseconds since 1970 UTC.
        run: The name of the run that made it.
        commit: The commit's record; None for data.
        version: The version's record; None for commits, and for data whose version has been deleted.
    """

    oid: Oid
    parents: tuple[Oid, ...]
    made: tuple[str, ...]
    when: int
    run: str | None = None
    commit: Commit | None = None
    version: Version | None = None


class History:
    """Reads entries of one repository.

    Args:
        repository: Where they are.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._runs = _run_names(repository)

    def before(self, starts: Iterable[Entry]) -> Iterator[Entry]:
        """Entries and all before them, newest first and each before its parents."""
        found: dict[Oid, Entry] = {}
        pending = list(starts)
        while pending:
            entry = pending.pop()
            if entry.oid not in found:
                found[entry.oid] = entry
                pending.extend(self._parents(entry))
        children = dict.fromkeys(found, 0)
        for entry in found.values():
            for parent in entry.parents:
                children[parent] += 1
        ready = [(-found[oid].when, oid) for oid, count in children.items() if not count]
        heapq.heapify(ready)
        while ready:
            entry = found[heapq.heappop(ready)[1]]
            yield entry
            for parent in entry.parents:
                children[parent] -= 1
                if not children[parent]:
                    heapq.heappush(ready, (-found[parent].when, parent))

    def commit(self, oid: Oid) -> Entry:
        """The entry of a commit."""
        commit = self._repository.store.record(oid, Commit)
        named = [output for output in commit.outputs.values() if "::" not in output.name]
        made = tuple(version_name(self._repository, output.name, output.artifact) for output in named)
        parents = tuple(dict.fromkeys([*commit.parents, *(source.artifact for source in _raw(commit))]))
        return Entry(oid, parents, made, commit.finished, self._runs.get(oid), commit)

    def data(self, name: str, artifact: Oid) -> Entry:
        """The entry of data that no step made."""
        version = version_of(self._repository, name, artifact)
        run = self._runs.get(version.run) if version and version.run else None
        when = version.created if version else 0
        return Entry(artifact, (), (spell(name, version),), when, run, version=version)

    def _parents(self, entry: Entry) -> Iterator[Entry]:
        if entry.commit is not None:
            yield from (self.commit(oid) for oid in entry.commit.parents)
            yield from (self.data(source.name, source.artifact) for source in _raw(entry.commit))


def of(repository: Repository, text: str) -> list[Entry]:
    """What made an artifact (each version of it), run or commit, and all before that.

    Raises:
        UnknownName: There is nothing of that name, or it has no history.
        AmbiguousName: There are several things.
    """
    history = History(repository)
    found = finding.find(repository, text)
    if isinstance(found, PipelineRun):
        starts = [history.commit(oid) for oid in _commits_of(found)]
    elif isinstance(found, ArtifactVersion):
        starts = _of_artifact(repository, history, found.name, None if text == found.name else found.id)
    elif found.kind == "commit":
        starts = [history.commit(found.oid)]
    else:
        raise UnknownName(f"{text!r} is a {found.kind}; `art log` follows artifacts, runs and commits.")
    return list(history.before(starts))


def everything(repository: Repository) -> list[Entry]:
    """The history of all runs."""
    history = History(repository)
    found = runs.newest_first(repository.refs())
    commits = dict.fromkeys(oid for run in found for oid in _commits_of(PipelineRun(repository, run)))
    return list(history.before(history.commit(oid) for oid in commits))


def version_of(repository: Repository, name: str, artifact: Oid) -> Version | None:
    """The version that an artifact has under a name; None where it has been deleted."""
    return versions.by_value(repository.refs(), name, artifact)


def version_name(repository: Repository, name: str, artifact: Oid) -> str:
    """An artifact under a name as `name@version`; just the name where the version is gone."""
    return spell(name, version_of(repository, name, artifact))


def spell(name: str, version: Version | None) -> str:
    """A version as `name@version`."""
    return name if version is None else f"{name}@{version.label or version.number}"


def _raw(commit: Commit) -> list[Input]:
    """What a step took that no step made."""
    sources = [source for group in commit.inputs.values() for source in group] + list(commit.reads.values())
    return [source for source in sources if source.commit is None]


def _commits_of(run: PipelineRun) -> list[Oid]:
    return [step.record.commit for step in run.steps.values() if step.record.commit]


def _of_artifact(repository: Repository, history: History, name: str, artifact: Oid | None) -> list[Entry]:
    """Every commit that made a version of a name, also those that made one again, and versions made by none."""
    refs = repository.refs()
    found = [each for each in versions.of(refs, name) if artifact in (None, each.artifact)]
    commits = dict.fromkeys(version.commit for version in found if version.commit)
    for run in runs.newest_first(refs):
        for step in run.steps.values():
            for output in step.outputs.values():
                if step.commit and output.name == name and artifact in (None, output.artifact):
                    commits[step.commit] = None
    raw = [history.data(name, version.artifact) for version in found if version.commit is None]
    return [*(history.commit(oid) for oid in commits), *raw]


def _run_names(repository: Repository) -> dict[str, str]:
    """Commit id → the name of the run that executed it, and run id → name."""
    found: dict[str, str] = {}
    for run in reversed(list(runs.newest_first(repository.refs()))):
        found[run.run] = run.name
        for step in run.steps.values():
            if step.commit and (step.status == "completed" or step.commit not in found):
                found[step.commit] = run.name
    return found
