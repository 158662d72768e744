"""Walking lineage: which commits made a thing, back to the raw data."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from artvcs.pipelines import lookup
from artvcs.pipelines.views import ArtifactVersion, PipelineRun
from artvcs.vcs import names
from artvcs.vcs.errors import UnknownName
from artvcs.vcs.objects import Commit, Version
from artvcs.vcs.oid import Oid
from artvcs.vcs.repository import Repository

from . import finding


@dataclass(frozen=True)
class Entry:
    """One commit in a history.

    Attributes:
        oid: Its id.
        commit: Its record.
        made: The versions it made, as `name@version`.
        run: The name of the newest run that has it.
    """

    oid: Oid
    commit: Commit
    made: list[str]
    run: str | None


def of(repository: Repository, text: str) -> list[Entry]:
    """The commits that made an artifact (each version of it), run or commit, and all before them.

    Raises:
        UnknownName: There is nothing of that name, or nothing made it.
        AmbiguousName: There are several things.
    """
    starts = _starts(repository, text)
    runs = _runs(repository)
    return [Entry(oid, commit, made(repository, commit), runs.get(oid)) for oid, commit in walk(repository, starts)]


def walk(repository: Repository, starts: Iterable[Oid]) -> Iterator[tuple[Oid, Commit]]:
    """Commits and all before them, newest first and each before its parents."""
    store = repository.store
    found: dict[Oid, Commit] = {}
    pending = list(starts)
    while pending:
        oid = pending.pop()
        if oid not in found:
            found[oid] = store.record(oid, Commit)
            pending.extend(found[oid].parents)
    children = dict.fromkeys(found, 0)
    for commit in found.values():
        for parent in commit.parents:
            children[parent] += 1
    ready = [(-found[oid].finished, oid) for oid, count in children.items() if not count]
    heapq.heapify(ready)
    while ready:
        oid = heapq.heappop(ready)[1]
        yield oid, found[oid]
        for parent in found[oid].parents:
            children[parent] -= 1
            if not children[parent]:
                heapq.heappush(ready, (-found[parent].finished, parent))


def made(repository: Repository, commit: Commit) -> list[str]:
    """The versions that a commit's outputs are, as `name@version`; outputs without a name of their own are left out."""
    named = [output for output in commit.outputs.values() if "::" not in output.name]
    return [version_name(repository, output.name, output.artifact) for output in named]


def _starts(repository: Repository, text: str) -> list[Oid]:
    starts: list[Oid | None]
    found = finding.find(repository, text)
    if isinstance(found, PipelineRun):
        starts = [step.record.commit for step in found.steps.values()]
    elif isinstance(found, ArtifactVersion):
        starts = [*_producers(repository, found.name, found.id if "@" in text else None)]
    elif found.kind == "commit":
        starts = [found.oid]
    else:
        raise UnknownName(f"{text!r} is a {found.kind}; `art log` follows artifacts, runs and commits.")
    kept = [oid for oid in starts if oid]
    if not kept:
        raise UnknownName(f"No step made {text!r}: it was saved or registered by hand; `art show {text}` shows it.")
    return kept


def _producers(repository: Repository, name: str, artifact: Oid | None) -> list[Oid]:
    """Every commit that made a version of a name, also those that made one again."""
    store, refs = repository.store, repository.refs()
    versions = lookup.versions_of(store, refs, name)
    found = {version.commit for version in versions if version.commit and artifact in (None, version.artifact)}
    for run in lookup.all_runs(store, refs):
        for step in run.steps.values():
            for output in step.outputs.values():
                if step.commit and output.name == name and artifact in (None, output.artifact):
                    found.add(step.commit)
    return list(found)


def _runs(repository: Repository) -> dict[Oid, str]:
    runs: dict[Oid, str] = {}
    for run in reversed(lookup.all_runs(repository.store, repository.refs())):
        for step in run.steps.values():
            if step.commit and (step.status == "completed" or step.commit not in runs):
                runs[step.commit] = run.name
    return runs


def version_name(repository: Repository, name: str, artifact: Oid) -> str:
    """An artifact under a name as `name@version`; just the name where the version is gone."""
    oid = repository.refs().get(names.value_ref(name, artifact))
    if oid is None:
        return name
    version = repository.store.record(oid, Version)
    return f"{name}@{version.label or version.number}"
