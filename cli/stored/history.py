"""Walking lineage: which commits made a thing, back to the raw data."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from artvcs.pipelines.history.views import ArtifactVersion, PipelineRun
from artvcs.vcs import Commit, DamagedError, Input, Oid, Repository, UnknownName, Version, damaged, runs, versions

from ..terminal import output
from . import finding


@dataclass(frozen=True)
class Entry:
    """One place in a history: an executed step, or data that no step made, as a model is, to which others belong.

    Attributes:
        oid: The commit's id; the artifact's, for data.
        parents: The entries it came from.
        made: The versions it made (or is, for data), as `name@version`.
        when: When it was made, in milliseconds since 1970 UTC.
        run: The name of the run that made it.
        commit: The commit's record; None for data.
        version: The version's record; None for commits, and for data whose version has been deleted.
        damaged: Why the commit or version cannot be read, if it cannot.
    """

    oid: Oid
    parents: tuple[Oid, ...]
    made: tuple[str, ...]
    when: int
    run: str | None = None
    commit: Commit | None = None
    version: Version | None = None
    damaged: str | None = None

    @property
    def kind(self) -> str:
        """`commit` or `data`."""
        return "commit" if self.commit is not None or (self.damaged is not None and not self.made) else "data"


class History:
    """Reads entries of one repository, as it is now.

    Args:
        repository: Where they are.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._refs = repository.refs()
        self._runs = repository.catalog(self._refs).runs
        self._run_names: dict[str, str | None] = {}

    def before(self, starts: Iterable[Entry], limit: int | None = None) -> list[Entry]:
        """Entries and all before them, newest first and each before its parents.

        Args:
            starts: Where to begin, newest first.
            limit: At most so many, and no more is read than these need.
        """
        found: dict[Oid, Entry] = {}
        seen: set[Oid] = set()
        ready: list[tuple[int, Oid, Entry]] = []

        def add(entry: Entry) -> None:
            if entry.oid not in seen:
                seen.add(entry.oid)
                heapq.heappush(ready, (-entry.when, entry.oid, entry))

        rest = iter(starts)
        start = next(rest, None)
        while limit is None or len(found) < limit:
            while start is not None and (not ready or start.when >= -ready[0][0]):
                add(start)
                start = next(rest, None)
            if not ready:
                break
            entry = heapq.heappop(ready)[2]
            found[entry.oid] = entry
            for parent in self._parents(entry):
                add(parent)
        return list(_in_order(found))

    def commit(self, oid: Oid) -> Entry:
        """The entry of a commit.

        Raises:
            UnknownName: It is not here.
            DamagedError: It cannot be read.
        """
        commit = self._repository.store.record(oid, Commit)
        named = [output for output in commit.outputs.values() if "::" not in output.name]
        made = tuple(version_name(self._repository, output.name, output.artifact) for output in named)
        parents = tuple(dict.fromkeys([*commit.parents, *(source.artifact for source in _raw(commit))]))
        run = self._runs.executed(oid)
        return Entry(oid, parents, made, commit.finished, run and self.run_name(run), commit)

    def commits(self, name: str | None = None, artifact: Oid | None = None) -> Iterator[Entry]:
        """The commits of all runs, newest first; only those that made versions of a name, or one of them."""
        return (self.readable(oid) for _, oid in self._runs.commits(name, artifact))

    def versions(self, name: str, artifact: Oid | None) -> Iterator[Entry]:
        """What first made each version of a name, or one of them, newest first; data where no step did."""
        found = versions.of(self._refs, name, reverse=True) if artifact is None else [self._version(name, artifact)]
        for version in found:
            if version is not None:
                yield self.readable(version.commit) if version.commit else self.data(name, version.artifact)

    def data(self, name: str, artifact: Oid) -> Entry:
        """The entry of data that no step made."""
        try:
            version = version_of(self._repository, name, artifact)
        except (DamagedError, UnknownName) as error:
            return Entry(artifact, (), (name,), 0, damaged=str(error))
        run = self.run_name(version.run) if version and version.run else None
        when = version.created if version else 0
        # What belongs to a model is what it came from.
        parents = tuple(dict.fromkeys(each.commit or each.artifact for each in self._members(version)))
        return Entry(artifact, parents, (spell(name, version),), when, run, version=version)

    def _members(self, model: Version | None) -> Iterator[Version]:
        """The versions that belong to one of a model."""
        found = (self._version(link.name, link.artifact) for link in (model.links if model else ()))
        return (each for each in found if each is not None)

    def _version(self, name: str, artifact: Oid) -> Version | None:
        return versions.by_value(self._refs, name, artifact)

    def readable(self, oid: Oid) -> Entry:
        """The entry of a commit, or what stands for it where it cannot be read."""
        try:
            return self.commit(oid)
        except (DamagedError, UnknownName) as error:
            return Entry(oid, (), (), 0, damaged=str(error))

    def _parents(self, entry: Entry) -> Iterator[Entry]:
        if entry.commit is not None:
            yield from (self.readable(oid) for oid in entry.commit.parents)
            yield from (self.data(source.name, source.artifact) for source in _raw(entry.commit))
        for each in self._members(entry.version):
            yield self.readable(each.commit) if each.commit else self.data(each.name, each.artifact)

    def run_name(self, run_id: str) -> str | None:
        """The name of a run; None where its record is gone or cannot be read."""
        if run_id not in self._run_names:
            found = next(damaged.whole(runs.with_ids(self._refs, [run_id])), None)
            self._run_names[run_id] = None if found is None else found.name
        return self._run_names[run_id]


def of(repository: Repository, text: str, limit: int | None = None) -> list[Entry]:
    """What made an artifact (each version of it), run or commit, and all before that; at most `limit` entries.

    Raises:
        UnknownName: There is nothing of that name, or it has no history.
        AmbiguousName: There are several things.
    """
    history = History(repository)
    found = finding.find(repository, text)
    starts: Iterable[Entry]
    if isinstance(found, PipelineRun):
        oids = [step.record.commit for step in found.steps.values() if step.record.commit]
        starts = sorted(map(history.readable, oids), key=_newest_first)
    elif isinstance(found, ArtifactVersion):
        artifact = None if text == found.name else found.id
        # Also commits that made one again, and those whose run was deleted.
        both = history.commits(found.name, artifact), history.versions(found.name, artifact)
        starts = heapq.merge(*both, key=_newest_first)
    elif found.kind == "commit":
        starts = [history.commit(found.oid)]
    else:
        raise UnknownName(f"{text!r} is a {found.kind}; `art log` follows artifacts, runs and commits.")
    return history.before(starts, limit)


def everything(repository: Repository, limit: int | None = None) -> list[Entry]:
    """The history of all runs; at most `limit` entries."""
    history = History(repository)
    return history.before(history.commits(), limit)


def version_of(repository: Repository, name: str, artifact: Oid) -> Version | None:
    """The version that an artifact has under a name; None where it has been deleted."""
    return versions.by_value(repository.refs(), name, artifact)


def version_name(repository: Repository, name: str, artifact: Oid) -> str:
    """An artifact under a name as `name@version`; just the name where the version is gone."""
    try:
        return spell(name, version_of(repository, name, artifact))
    except (DamagedError, UnknownName):
        return f"{name} (damaged)"


def spell(name: str, version: Version | None) -> str:
    """A version as `name@version`."""
    return name if version is None else version.spelt


def in_short(versions: Iterable[str]) -> Iterator[str]:
    """Versions as `name@version`; of many of one name the first and the last, and how many they are."""
    by_name: dict[str, list[str]] = {}
    for each in versions:
        by_name.setdefault(each.rpartition("@")[0], []).append(each)
    for same in by_name.values():
        if len(same) <= _EACH:
            yield from same
        else:
            yield f"{same[0]} … {same[-1]} ({output.count(len(same), 'version')})"


_EACH = 5
"""So many versions of one name are told one by one."""


def _raw(commit: Commit) -> list[Input]:
    """What a step took that no step made."""
    sources = [source for group in commit.inputs.values() for source in group] + list(commit.reads.values())
    return [source for source in sources if source.commit is None]


def _in_order(found: Mapping[Oid, Entry]) -> Iterator[Entry]:
    """Entries newest first, each before its parents, whatever the clocks said."""
    children = dict.fromkeys(found, 0)
    for entry in found.values():
        for parent in entry.parents:
            if parent in children:
                children[parent] += 1
    ready = [(-found[oid].when, oid) for oid, count in children.items() if not count]
    heapq.heapify(ready)
    while ready:
        entry = found[heapq.heappop(ready)[1]]
        yield entry
        for parent in entry.parents:
            if parent in children:
                children[parent] -= 1
                if not children[parent]:
                    heapq.heappush(ready, (-found[parent].when, parent))


def _newest_first(entry: Entry) -> int:
    return -entry.when
