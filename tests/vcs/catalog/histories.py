"""Random histories of runs and versions, and what a scan of all records answers about them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from artvcs.vcs.changes.intents import DeleteRun, DeleteVersion, EditVersion, SetRef
from artvcs.vcs.changes.transaction import Transaction
from artvcs.vcs.errors import Conflict
from artvcs.vcs.maps import ref_names, runs, uses, versions
from artvcs.vcs.maps.refs import RefMap
from artvcs.vcs.objects.kinds import Code, Commit, Input, Output, Run, StepRun
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.repository import Repository

from ..helpers import a_run, add_version, artifact_of, put_run

NAMES, STEPS = ("data", "mo/del", "report"), ("load", "train", "fit")


def change(repository: Repository, chance: random.Random) -> None:
    """Publishes one random change: a new run mostly, else something edited or deleted."""
    with repository.transaction("something") as transaction:
        known = [run for run in runs.newest_first(transaction) if run.status != "running"]
        kind = chance.choice(("run", "run", "run", "run", "delete run", "edit", "delete version"))
        if kind == "delete run" and known:
            transaction.add(DeleteRun(chance.choice(known).run))
        elif kind in ("edit", "delete version") and known:
            _edit(transaction, chance, kind)
        else:
            _add_run(transaction, chance)


def execution(transaction: Transaction, step: str, took: Input, made: Output, finished: int) -> Oid:
    """A commit that read what it took, and stands in the cache."""
    commit = Commit(
        step=step, pipeline="train", code=Code(Oid("0" * 64), transaction.put_blob(b"code"), "flow.py", 1), params={},
        config={}, inputs={}, reads={took.name: took}, outputs={"output": made}, parents=(),
        cache_key=hash_bytes(b"%d" % finished), trace=transaction.put_blob(b"trace"), environment={}, git=None,
        author="A", started=0, finished=finished,
        metadata={}, log=None,
    )  # fmt: skip
    oid = transaction.put(commit)
    assert commit.cache_key is not None
    transaction.add(SetRef(ref_names.result(commit.cache_key, commit.trace), oid))
    return oid


def step_run(step: str, status: str, commit: Oid, took: Input, made: Output) -> StepRun:
    """A step that took one version and made another."""
    return StepRun(step, status, commit, {"input": (took,)}, {"output": made}, None, 0, 0, None, None, {})


def _add_run(transaction: Transaction, chance: random.Random) -> None:
    moment = chance.randrange(1, 10**6)
    steps = {}
    for step in chance.sample(STEPS, chance.randrange(1, 3)):
        name, value = chance.choice(NAMES), f"value{chance.randrange(6)}"
        add_version(transaction, name, value)
        took = Input(artifact_of(transaction, f"value{chance.randrange(6)}"), chance.choice(NAMES), None, None)
        made = Output(artifact_of(transaction, value), name)
        # A few executions, which several runs have.
        commit = execution(transaction, step, took, made, chance.randrange(1, 8))
        steps[step] = step_run(step, chance.choice(("completed", "cached")), commit, took, made)
    status = chance.choice(("completed", "failed", "running"))
    run = a_run(f"{chance.randrange(10**12):012d}", status, started=moment)
    put_run(transaction, _with(run, steps, chance.choice(("train", "serve"))))


def _with(run: Run, steps: dict[str, StepRun], pipeline: str) -> Run:
    return Run(**{**vars(run), "steps": steps, "order": tuple(steps), "pipeline": pipeline})


def _edit(transaction: Transaction, chance: random.Random, kind: str) -> None:
    version = chance.choice(list(versions.every(transaction)))
    if kind == "edit":
        facts = {"accuracy": {"$float": repr(chance.random())}, "kind": chance.choice(("oak", "elm"))}
        transaction.add(EditVersion(version.name, version.artifact, facts, (chance.choice(("good", "bad")),)))
        return
    expected = transaction.get(ref_names.version(version.name, version.number))
    assert expected is not None
    try:
        transaction.add(DeleteVersion(version.name, version.number, expected))
    except Conflict:
        assert used(transaction, version.name, version.artifact)


def used(refs: RefMap | Transaction, name: str, artifact: Oid) -> set[str]:
    """The runs that use a version, by reading all."""
    return {run.run for run in runs.newest_first(refs) if (name, artifact) in uses.of_run(refs, run)}


def steps(refs: RefMap) -> Iterator[tuple[Run, str, StepRun, Commit]]:
    """Every step of every run, newest run first."""
    for run in runs.newest_first(refs):
        for name, step in run.steps.items():
            assert step.commit is not None
            yield run, name, step, refs.record(step.commit, Commit)
