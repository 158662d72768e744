"""Versions of what another tool has kept, and runs of its stages, each with its Git commit.

What is there already is not made again, so that an import that was interrupted goes on where it was, and another one
brings only what is new.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
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
    PutRun,
    Repository,
    Run,
    StepRun,
    Transaction,
    check_entry_name,
    runs,
    worktree,
)
from artvcs.vcs import versions as known
from artvcs.vcs.git import History, Revision

from ..keepers.tracked import Held, Keeper, Made, Tracked, Unusable
from ..record import versions
from ..trace.model import Trace
from ..typing.encode import encode_all, encode_metadata
from .planning import Plan, Planned, Report
from .storing import put_code, put_files

_AT_ONCE = 50
"""So much of what is planned is published together: an import that is interrupted has lost no more."""

Watcher = Callable[[int, int, int], None]
"""Told how much of what is planned is done, of how much, and how many bytes were stored since."""


def _nobody(*_: int) -> None:
    """Watches nothing."""


class Bringing:
    """One import.

    Args:
        repository: Where versions and runs are made.
        history: The Git repository's history.
        keeper: The tool.
        watch: Told how many revisions were looked at.
    """

    def __init__(
        self, repository: Repository, history: History, keeper: Keeper, watch: Callable[[int], None] = _nobody
    ) -> None:
        self._repository = repository
        self._history = history
        self._keeper = keeper
        self._plan = Plan(repository, history, keeper, watch)
        self._lacking = set[Held]()
        self._made: list[tuple[str, Oid]] = []
        self._executions: dict[str, Oid] = {}
        self.report = self._plan.report

    def look(self) -> Report:
        """Says what would be brought, and looks whether all of it can be; nothing is stored."""
        refs, seen = self._repository.refs(), {*self._plan.there}
        for planned in self._plan.planned:
            for tracked in planned.outputs:
                if tracked.held not in seen and (files := self._files(tracked, planned.revision)) is not None:
                    seen.add(tracked.held)
                    self.report.size += sum(file.stat().st_size for file in files.values())
                    self.report.made.append(f"{self._plan.names[tracked.path]}@{planned.revision.id[:8]}")
            if planned.run is not None and runs.by_id(refs, planned.run) is None:
                self.report.runs.append(planned.name)
        return self.report

    def bring(self, watch: Watcher = _nobody) -> Report:
        """Makes versions and runs.

        Args:
            watch: Told how it goes.

        Raises:
            StorageError: The repository cannot be written.
        """
        planned = self._plan.planned
        with self._repository.transaction(f"import from {self._keeper.name}") as transaction:
            for number, each in enumerate(planned):
                watch(number, len(planned), 0)
                self._make(transaction, each, partial(watch, number, len(planned)))
                if number % _AT_ONCE == _AT_ONCE - 1:
                    transaction.publish()
            transaction.publish()
            self._make_newest(transaction)
        refs = self._repository.refs()
        for name, oid in self._made:
            self.report.made.append(f"{name}@{known.number_of_value(refs, name, oid)}")
        return self.report

    def _make_newest(self, transaction: Transaction) -> None:
        """Has each name stand for what is checked out in Git, whichever version was made last."""
        for path, digest in self._plan.now.items():
            here, newest = self._plan.there.get(Held(path, digest)), known.newest(transaction, self._plan.names[path])
            if (
                here is None
                or newest is None
                or newest.artifact == here.artifact
                or self._plan.noted not in newest.metadata
            ):
                continue  # it could not be brought, or somebody has made one since
            if (version := known.by_value(transaction, here.name, here.artifact)) is not None:
                versions.add(transaction, dataclasses.replace(version, number=0), {}, {})

    def _make(self, transaction: Transaction, planned: Planned, progress: worktree.Progress) -> None:
        """Makes what was made at once: versions, and the run of the stages that made them."""
        here = dict[Held, Input]()  # what another stage of this run made is taken from there, whoever made it first
        steps = dict[str, StepRun]()
        for made in planned.made:
            is_new = self._plan.first.get(made.key) == planned.run
            oid = None if is_new else self._execution(transaction, made)
            if oid is None:
                oid = self._execute(transaction, planned, made, here, progress)
            if oid is not None and planned.run is not None:
                commit = transaction.record(oid, Commit)
                steps[made.step] = _step(commit, oid, planned.revision, "completed" if is_new else "cached")
                for each in made.outputs:
                    if (output := commit.outputs.get(each.path)) is not None:
                        here[each.held] = Input(output.artifact, output.name, oid, each.path)
        if planned.run is not None:
            self._put_run(transaction, planned, planned.run, steps)

    def _execution(self, transaction: Transaction, made: Made) -> Oid | None:
        """What stands for a stage that ran in an earlier run."""
        if made.key not in self._executions:
            run = runs.by_id(transaction, self._plan.first[made.key])
            return run.steps[made.step].commit if run is not None and made.step in run.steps else None
        return self._executions[made.key]

    def _put_run(self, transaction: Transaction, planned: Planned, run: str, steps: Mapping[str, StepRun]) -> None:
        """Makes a run; one that is here already is told anew where more of what its stages made has come."""
        before = runs.by_id(transaction, run)
        if before is not None and all(
            name in before.steps and before.steps[name].commit == step.commit for name, step in steps.items()
        ):
            return
        time = planned.revision.time
        record = Run(
            run=run, name=planned.name, pipeline=planned.pipeline, file=None, status="completed", params={},
            steps=steps, order=tuple(steps), previous=None, git=self._git(planned.revision),
            author=planned.revision.author, started=time, finished=time, metadata={},
        )  # fmt: skip
        transaction.add(PutRun(None, transaction.put(record)))
        self.report.runs.append(planned.name)

    def _execute(
        self, transaction: Transaction, planned: Planned, made: Made, here: Mapping[Held, Input],
        progress: worktree.Progress,
    ) -> Oid | None:  # fmt: skip
        """Makes what stands for what was done once, and versions of what came of it; None where that cannot be had."""
        stored = {
            tracked: found
            for tracked in made.outputs
            if (found := self._stored(transaction, planned.revision, tracked, progress)) is not None
        }
        if not stored and not made.is_stage:
            return None
        outputs = {each.path: Output(artifact, self._plan.names[each.path]) for each, (artifact, _) in stored.items()}
        commit = self._commit(transaction, planned, made, outputs, {**self._plan.there, **here})
        self._executions[made.key] = commit
        for tracked, (artifact, size) in stored.items():
            if tracked.held in self._plan.there:
                continue
            name = self._plan.names[tracked.path]
            fresh = versions.fresh(name, artifact, "registered", commit=commit, output=tracked.path, run=planned.run)
            facts = encode_metadata({
                "name": PurePosixPath(tracked.path).name, "size": size, self._plan.noted: tracked.key,
                "path": tracked.path,
            })  # fmt: skip
            versions.add(transaction, dataclasses.replace(fresh, created=planned.revision.time), facts, {})
            self._plan.there[tracked.held] = Input(artifact, name, commit, tracked.path)
            self._made.append((name, artifact))
        return commit

    def _stored(
        self, transaction: Transaction, revision: Revision, tracked: Tracked, progress: worktree.Progress
    ) -> tuple[Oid, int] | None:
        """The artifact that something kept is, and its size; it is stored if it is not here yet."""
        if (known := self._plan.there.get(tracked.held)) is not None:
            return known.artifact, 0
        if (files := self._files(tracked, revision)) is None:
            return None
        artifact, size = put_files(
            self._repository, transaction, PurePosixPath(tracked.path).name, files, progress,
            is_executable=tracked.is_executable,
        )  # fmt: skip
        self.report.size += size
        return artifact, size

    def _files(self, tracked: Tracked, revision: Revision) -> dict[str, Path] | None:
        """The files of something kept; None where they cannot be had, which is reported once."""
        if tracked.held in self._lacking:
            return None
        try:
            files = self._keeper.files(tracked)
            _check_names(tracked, files)
            return files
        except Unusable as error:
            self._lacking.add(tracked.held)
            self.report.unusable.setdefault(f"{tracked.path} at {revision.id[:8]}", str(error))
            return None

    def _commit(
        self, transaction: Transaction, planned: Planned, made: Made, outputs: Mapping[str, Output],
        there: Mapping[Held, Input],
    ) -> Oid:  # fmt: skip
        """What stands for what was done once, as far as the tool says."""
        revision = planned.revision
        taken = self._keeper.made_of(self._history, revision, made)
        inputs = {each.path: (there[each],) for each in taken if each in there}
        return transaction.put(
            Commit(
                step=made.step,
                pipeline=planned.pipeline,
                code=put_code(transaction, self._keeper.name, made.step, made.file, made.source),
                params=_storable(made.parameters, encode_all),
                config={"command": made.source} if made.is_stage else {},
                inputs=inputs,
                reads={},
                outputs=outputs,
                parents=tuple(sorted({each.commit for (each,) in inputs.values() if each.commit})),
                cache_key=None,
                trace=transaction.put_blob(Trace().encode()),
                environment={},
                git=self._git(revision),
                author=revision.author,
                started=revision.time,
                finished=revision.time,
                metadata=_storable(made.measures, encode_metadata),
                log=None,
            )
        )

    def _git(self, revision: Revision) -> GitState:
        return GitState(revision.id, None, self._history.remote, None)


def _step(commit: Commit, oid: Oid, revision: Revision, status: str) -> StepRun:
    """A stage as it is in one run."""
    time = revision.time
    return StepRun(commit.step, status, oid, commit.inputs, commit.outputs, None, time, time, None, None, {})


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
