"""Versions of what another tool has kept, in the order in which Git's revisions came, each with its Git commit.

What is there already is not made again, so that an import that was interrupted goes on where it was, and another one
brings only what is new.
"""

from __future__ import annotations

import dataclasses
import graphlib
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from artvcs.vcs import (
    ArtError,
    Commit,
    GitState,
    Input,
    InvalidName,
    Oid,
    Output,
    Refs,
    Repository,
    Transaction,
    check_entry_name,
    worktree,
)
from artvcs.vcs import versions as known
from artvcs.vcs.git import History, Revision

from ..keepers import revisions
from ..keepers.tracked import Keeper, Problem, Tracked, Unusable, digest_of
from ..record import versions
from ..trace.model import Trace
from ..typing.encode import encode_all, encode_metadata
from .storing import as_name, put_code, put_files

_AT_ONCE = 50
"""So many versions are published together: an import that is interrupted has lost no more."""

Watcher = Callable[[int, int, int], None]
"""Told how many versions are done, of how many, and how many bytes were stored since."""


def _nobody(_: int, __: int, ___: int) -> None:
    """Watches nothing."""


@dataclass(frozen=True)
class Planned:
    """A version that is to be made.

    Attributes:
        name: What it is called here.
        tracked: What it is.
        revision: The Git revision that had it first.
    """

    name: str
    tracked: Tracked
    revision: Revision


@dataclass
class Report:
    """What an import did, or would do.

    Attributes:
        made: The versions, as `NAME@NUMBER`; without numbers where nothing was done.
        there: How many were there already.
        unusable: What could not be brought → why.
        revisions: How many revisions were looked at.
        size: Bytes of what was brought.
    """

    made: list[str] = field(default_factory=list)
    there: int = 0
    unusable: dict[str, str] = field(default_factory=dict)
    revisions: int = 0
    size: int = 0


class Bringing:
    """One import.

    Args:
        repository: Where versions are made.
        history: The Git repository's history.
        keeper: The tool.
    """

    def __init__(self, repository: Repository, history: History, keeper: Keeper) -> None:
        self._repository = repository
        self._history = history
        self._keeper = keeper
        self.report = Report()
        self._problems = set[Problem]()
        self._noted = revisions.noted(keeper.name)
        self._names: dict[str, str] = {}
        self._now: dict[str, str] = {}
        self._there: dict[tuple[str, str], Input] = {}

    def plan(self, watch: Callable[[int], None] = lambda _: None) -> list[Planned]:
        """The versions that are to be made, in the order of their revisions.

        Args:
            watch: Told how many revisions were looked at.
        """
        found: dict[tuple[str, str], tuple[Tracked, Revision]] = {}
        head = self._history.head
        for revision in self._history.revisions():
            watch(self.report.revisions)
            self.report.revisions += 1
            here = self._tracked(revision)
            new = {path: each for path, each in here.items() if (path, each.digest) not in found}
            for each in _in_order(new):
                found[each.path, each.digest] = (each, revision)
            if revision.id == head:
                self._now = {path: each.digest for path, each in here.items()}
        self._name({path for path, _ in found})
        planned = []
        for (path, digest), (tracked, revision) in found.items():
            if (path, digest) in self._there:
                self.report.there += 1
            else:
                planned.append(Planned(self._names[path], tracked, revision))
        return planned

    def _tracked(self, revision: Revision) -> dict[str, Tracked]:
        """Path → what is kept there as of a revision; what cannot be understood is noted."""
        found: dict[str, Tracked] = {}
        for each in self._keeper.tracked(self._history, revision):
            if isinstance(each, Tracked):
                found[each.path] = each
            elif each not in self._problems:  # of many revisions that have it, the first is named
                self._problems.add(each)
                self.report.unusable[f"{each.of} at {revision.id[:8]}"] = each.why
        return found

    def _name(self, paths: set[str]) -> None:
        """Finds what each path is called here, and what of it has been brought already.

        What had a name keeps it. Else it is called by its last part, or by all of them where that is another's.
        """
        refs = self._repository.refs()
        last = Counter(PurePosixPath(path).name for path in paths)
        new = list[str]()
        for path in sorted(paths):
            name = next((name for name in _callable(path) if self._is_of(refs, name, path)), None)
            if name is None:
                new.append(path)
            else:
                self._names[path] = name
        for path in new:
            short, *longer = _callable(path)
            free = [short] if last[PurePosixPath(path).name] == 1 else []
            taken = {*self._names.values()}
            self._names[path] = next(
                name for name in (*free, *longer) if name not in taken and not known.exists(refs, name)
            )
        for path, name in self._names.items():
            for version in known.of(refs, name):
                key = version.metadata.get(self._noted)
                if isinstance(key, str) and version.metadata.get("path") == path:
                    self._there[path, digest_of(key)] = Input(version.artifact, name, version.commit, version.output)

    def _is_of(self, refs: Refs, name: str, path: str) -> bool:
        """Whether a name was given to a path before."""
        found = known.newest(refs, name)
        return found is not None and self._noted in found.metadata and found.metadata.get("path") == path

    def look(self, planned: Iterable[Planned]) -> Report:
        """Says what would be brought, and looks whether all of it can be; nothing is stored."""
        for each in planned:
            files = self._files(each)
            if files is not None:
                self.report.size += sum(file.stat().st_size for file in files.values())
                self.report.made.append(each.name)
        return self.report

    def bring(self, planned: list[Planned], watch: Watcher = _nobody) -> Report:
        """Makes the versions.

        Args:
            planned: Which, in order.
            watch: Told how it goes.

        Raises:
            StorageError: The repository cannot be written.
        """
        made: list[tuple[str, Oid]] = []
        with self._repository.transaction(f"import from {self._keeper.name}") as transaction:
            for number, each in enumerate(planned):
                watch(number, len(planned), 0)
                files = self._files(each)
                if files is not None:
                    oid = self._make(transaction, each, files, partial(watch, number, len(planned)))
                    made.append((each.name, oid))
                if number % _AT_ONCE == _AT_ONCE - 1:
                    transaction.publish()
            transaction.publish()
            self._make_newest(transaction)
        refs = self._repository.refs()
        for name, oid in made:
            self.report.made.append(f"{name}@{known.number_of_value(refs, name, oid)}")
        return self.report

    def _make_newest(self, transaction: Transaction) -> None:
        """Has each name stand for what is checked out in Git, whichever version was made last."""
        for path, digest in self._now.items():
            here, newest = self._there.get((path, digest)), known.newest(transaction, self._names[path])
            if here is None or newest is None or newest.artifact == here.artifact or self._noted not in newest.metadata:
                continue  # it could not be brought, or somebody has made one since
            if (version := known.by_value(transaction, here.name, here.artifact)) is not None:
                versions.add(transaction, dataclasses.replace(version, number=0), {}, {})

    def _files(self, planned: Planned) -> dict[str, Path] | None:
        try:
            files = self._keeper.files(planned.tracked)
            _check_names(planned.tracked, files)
            return files
        except Unusable as error:
            self.report.unusable.setdefault(f"{planned.tracked.path} at {planned.revision.id[:8]}", str(error))
            return None

    def _make(
        self, transaction: Transaction, planned: Planned, files: dict[str, Path], progress: worktree.Progress
    ) -> Oid:
        tracked, revision = planned.tracked, planned.revision
        artifact, size = put_files(
            self._repository, transaction, PurePosixPath(tracked.path).name, files, progress,
            is_executable=tracked.is_executable,
        )  # fmt: skip
        self.report.size += size
        commit = self._commit(transaction, planned, artifact)
        fresh = versions.fresh(planned.name, artifact, "registered", commit=commit, output="output")
        facts = encode_metadata({"name": PurePosixPath(tracked.path).name, "size": size})
        noted = encode_metadata({self._noted: tracked.key, "path": tracked.path})
        versions.add(transaction, dataclasses.replace(fresh, created=revision.time), facts, noted)
        self._there[tracked.path, tracked.digest] = Input(artifact, planned.name, commit, "output")
        return artifact

    def _commit(self, transaction: Transaction, planned: Planned, artifact: Oid) -> Oid:
        """What made a version, as far as the tool says."""
        tracked, revision = planned.tracked, planned.revision
        taken = self._keeper.made_of(self._history, revision, tracked)
        inputs = {each.path: (self._there[each],) for each in taken if each in self._there}
        return transaction.put(
            Commit(
                step=tracked.step,
                pipeline=self._keeper.name,
                code=put_code(transaction, self._keeper.name, tracked.step, tracked.file, tracked.source),
                params=_storable(tracked.parameters, encode_all),
                config={},
                inputs=inputs,
                reads={},
                outputs={"output": Output(artifact, planned.name)},
                parents=tuple(sorted({each.commit for (each,) in inputs.values() if each.commit})),
                cache_key=None,
                trace=transaction.put_blob(Trace().encode()),
                environment={},
                git=GitState(revision.id, None, self._history.remote, None),
                author=revision.author,
                started=revision.time,
                finished=revision.time,
                metadata=_storable(tracked.measures, encode_metadata),
                log=None,
            )
        )


def _storable(
    facts: Mapping[str, Any], encode: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:  # fmt: skip
    """Parameters or measures as they are stored; those that are no plain data are left out."""
    found = dict[str, Any]()
    for name, value in facts.items():
        try:
            found |= encode({name: value})
        except (ArtError, ValueError, OverflowError):
            continue
    return found


def _check_names(tracked: Tracked, files: Iterable[str]) -> None:
    """Refuses what could not be stored.

    Raises:
        Unusable: A part of a name is none, or a file has the name of a folder of others.
    """
    last = PurePosixPath(tracked.path).name
    names = [name.split("/") for name in files if name]
    try:
        for part in {last, *(part for parts in names for part in parts)}:
            check_entry_name(part)
    except InvalidName as error:
        raise Unusable(f"{tracked.path} holds what cannot be stored: {error}") from None
    folders = {tuple(parts[:depth]) for parts in names for depth in range(1, len(parts))}
    for parts in names:
        if tuple(parts) in folders:
            raise Unusable(f"{tracked.path} holds {'/'.join(parts)!r} as a file and as a folder")


def _in_order(found: Mapping[str, Tracked]) -> list[Tracked]:
    """Each after what it was made of, or what that lies in."""
    names = sorted(found, key=lambda path: bool(found[path].inputs))
    order = graphlib.TopologicalSorter[str](dict.fromkeys(names, ()))
    for name in names:
        for taken in found[name].inputs:
            places = (taken.path, *map(str, PurePosixPath(taken.path).parents))
            order.add(name, *(place for place in places if place in found and place != name))
    try:
        return [found[name] for name in order.static_order()]
    except graphlib.CycleError:  # no tool makes such, but somebody may write one
        return [found[name] for name in names]


def _callable(path: str) -> list[str]:
    """What a path can be called here, the shortest first; the last is no other path's."""
    names = as_name(PurePosixPath(path).name), as_name(path)
    return [*dict.fromkeys(names), as_name(f"{path}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:6]}")]
