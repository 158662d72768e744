"""Versions of what another tool has kept, in the order in which Git's revisions came, each with its Git commit.

What is there already is not made again, so that an import that was interrupted goes on where it was, and another one
brings only what is new.
"""

from __future__ import annotations

import dataclasses
import graphlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from artvcs.vcs import (
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

from ..errors import ParameterError
from ..record import versions
from ..trace.model import Trace
from ..typing.encode import encode_all, encode_metadata
from .storing import as_name, put_code, put_files
from .tracked import Keeper, Problem, Tracked, Unusable

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
        self._noted = f"{keeper.name} hash"

    def plan(self) -> list[Planned]:
        """The versions that are to be made, in the order of their revisions."""
        found: list[tuple[Tracked, Revision]] = []
        of_revision: dict[str, dict[str, str]] = {}
        for revision in self._history.revisions():
            self.report.revisions += 1
            here: dict[str, str] = {}
            for tracked in self._tracked(revision):
                here[tracked.path] = tracked.key
                before = [of_revision[parent].get(tracked.path) for parent in revision.parents if parent in of_revision]
                if tracked.key not in before:
                    found.append((tracked, revision))
            of_revision[revision.id] = here
        names = _names({tracked.path for tracked, _ in found})
        refs = self._repository.refs()
        there = {name: self._keys(refs, name) for name in names.values()}
        planned: dict[tuple[str, str], Planned] = {}
        for tracked, revision in found:
            name = names[tracked.path]
            if tracked.key in there[name]:
                self.report.there += 1
            else:
                planned.setdefault((name, tracked.key), Planned(name, tracked, revision))
        return list(planned.values())

    def _tracked(self, revision: Revision) -> Iterator[Tracked]:
        """What is kept as of a revision, each after what it was made of; what cannot be understood is noted."""
        found: dict[str, Tracked] = {}
        for each in self._keeper.tracked(self._history, revision):
            if isinstance(each, Tracked):
                found[each.path] = each
            elif each not in self._problems:  # of many revisions that have it, the first is named
                self._problems.add(each)
                self.report.unusable[f"{each.of} at {revision.id[:8]}"] = each.why
        order = graphlib.TopologicalSorter({path: [*each.inputs] for path, each in found.items()})
        try:
            paths = list(order.static_order())
        except graphlib.CycleError:  # no tool makes such, but somebody may write one
            paths = list(found)
        return (found[path] for path in paths if path in found)

    def _keys(self, refs: Refs, name: str) -> set[str]:
        """What has been brought under a name already."""
        found = (version.metadata.get(self._noted) for version in known.of(refs, name))
        return {key for key in found if isinstance(key, str)}

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
        commits: dict[tuple[str, str], Input] = {}
        with self._repository.transaction(f"import from {self._keeper.name}") as transaction:
            for number, each in enumerate(planned):
                watch(number, len(planned), 0)
                files = self._files(each)
                if files is not None:
                    oid = self._make(transaction, each, files, commits, partial(watch, number, len(planned)))
                    made.append((each.name, oid))
                if number % _AT_ONCE == _AT_ONCE - 1:
                    transaction.publish()
        refs = self._repository.refs()
        for name, oid in made:
            self.report.made.append(f"{name}@{known.number_of_value(refs, name, oid)}")
        return self.report

    def _files(self, planned: Planned) -> dict[str, Path] | None:
        try:
            files = self._keeper.files(planned.tracked)
            _check_names(planned.tracked, files)
            return files
        except Unusable as error:
            self.report.unusable.setdefault(f"{planned.tracked.path} at {planned.revision.id[:8]}", str(error))
            return None

    def _make(
        self, transaction: Transaction, planned: Planned, files: dict[str, Path], commits: dict[tuple[str, str], Input],
        progress: worktree.Progress,
    ) -> Oid:  # fmt: skip
        tracked, revision = planned.tracked, planned.revision
        artifact, size = put_files(self._repository, transaction, PurePosixPath(tracked.path).name, files, progress)
        self.report.size += size
        commit = self._commit(transaction, planned, artifact, commits)
        fresh = versions.fresh(planned.name, artifact, "registered", commit=commit, output="output")
        facts = encode_metadata({"name": PurePosixPath(tracked.path).name, "size": size})
        noted = encode_metadata({self._noted: tracked.key, "path": tracked.path})
        versions.add(transaction, dataclasses.replace(fresh, created=revision.time), facts, noted)
        commits[tracked.path, revision.id] = commits[tracked.path, ""] = Input(artifact, planned.name, commit, "output")
        return artifact

    def _commit(
        self, transaction: Transaction, planned: Planned, artifact: Oid, commits: dict[tuple[str, str], Input]
    ) -> Oid:
        """What made a version, as far as the tool says."""
        tracked, revision = planned.tracked, planned.revision
        taken = {path: commits.get((path, revision.id)) or commits.get((path, "")) for path in tracked.inputs}
        inputs = {path: (found,) for path, found in taken.items() if found is not None}
        return transaction.put(
            Commit(
                step=tracked.step,
                pipeline=self._keeper.name,
                code=put_code(transaction, self._keeper.name, tracked.step, tracked.file, tracked.source),
                params=_parameters(tracked),
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
                metadata={},
                log=None,
            )
        )


def _parameters(tracked: Tracked) -> dict[str, object]:
    """The parameters as they are stored; those that are no plain data are left out."""
    found = dict[str, object]()
    for name, value in tracked.parameters.items():
        try:
            found |= encode_all({name: value})
        except ParameterError:
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


def _names(paths: set[str]) -> dict[str, str]:
    """What each path is called here: by its last part, or by all of them where several have that."""
    last = Counter(PurePosixPath(path).name for path in paths)
    whole = {path: PurePosixPath(path).name for path in sorted(paths)}
    return {path: as_name(name if last[name] == 1 else path) for path, name in whole.items()}
