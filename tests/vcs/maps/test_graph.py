"""The graph: everything that is referred to is found, once, and what is missing is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from artvcs.vcs.changes.transaction import Transaction
from artvcs.vcs.errors import ArtError, UnknownName
from artvcs.vcs.maps import graph
from artvcs.vcs.objects.kinds import Code, Commit, Failure, GitState, Input, Output, StepRun
from artvcs.vcs.objects.nodes import Tree
from artvcs.vcs.objects.oid import NULL, Oid
from artvcs.vcs.repository import Repository

from ..helpers import a_run, add_version, put_text, put_text_in


def a_commit(transaction: Transaction, artifact: Oid, parent: Oid | None = None) -> Commit:
    """A step that took an artifact and gave it back."""
    blobs = {name: transaction.put_blob(name.encode()) for name in ("source", "diff", "log")}
    return Commit(
        step="train",
        pipeline="training",
        code=Code(blobs["source"], blobs["source"], "train.py", 1),
        params={},
        config={},
        inputs={"data": (Input(artifact, "data", parent, "output" if parent else None),)},
        reads={},
        outputs={"output": Output(artifact, "model")},
        parents=(parent,) if parent else (),
        cache_key=blobs["source"],
        trace=blobs["source"],
        environment={},
        git=GitState(None, "main", None, blobs["diff"]),
        author="A <a@example.org>",
        started=1,
        finished=2,
        metadata={},
        log=blobs["log"],
    )


def test_everything_a_commit_refers_to_is_reached(repository: Repository) -> None:
    with repository.transaction("put") as transaction:
        version = add_version(transaction, "data", "x")
        first = transaction.put(a_commit(transaction, version.artifact))
        second = transaction.put(a_commit(transaction, version.artifact, first))
        transaction.set_ref("tags/a", second)
    kinds = sorted(at.kind for at in graph.reachable(repository.store, [second]))
    assert kinds == ["artifact", "blob", "blob", "blob", "commit", "commit", "tree"]


def test_the_chunks_of_a_large_blob_are_reached(repository: Repository) -> None:
    with repository.transaction("put") as transaction:
        oid = transaction.put_blob(bytes(range(256)) * 20_000)
        transaction.set_ref("tags/a", oid)
    assert len(list(graph.reachable(repository.store, [oid]))) > 1


def test_everything_a_run_refers_to_is_reached(repository: Repository) -> None:
    with repository.transaction("put") as transaction:
        version = add_version(transaction, "data", "x")
        commit = transaction.put(a_commit(transaction, version.artifact))
        log = transaction.put_blob(b"what the step printed")
        step = StepRun(
            step="train", status="failed", commit=commit, inputs={}, outputs={"output": Output(version.artifact, "m")},
            cache_key=None, started=1, finished=2, failure=Failure("E", "e", "t"), log=log, metadata={},
        )  # fmt: skip
        run = replace(a_run("r"), steps={"train": step}, order=("train",))
        transaction.set_ref("tags/a", transaction.put(run))
    reached = {at.oid for at in graph.reachable(repository.store, [run.oid])}
    assert {run.oid, commit, log, version.artifact} <= reached


def test_an_op_reaches_its_refs_and_not_those_before(repository: Repository) -> None:
    old = put_text(repository, "tags/a", "old")
    new = put_text(repository, "tags/a", "new")
    found = {at.oid for at in graph.reachable(repository.store, [repository.store.refresh().entry.oid])}
    assert new in found
    assert old not in found


def test_a_mark_leads_to_nothing(repository: Repository) -> None:
    with repository.transaction("mark") as transaction:
        transaction.set_ref("times/1", NULL)
    assert [at.kind for at in graph.reachable(repository.store, [repository.store.refresh().entry.oid])] == [
        "op",
        "refs",
    ]


def test_a_deleted_version_reaches_nothing(repository: Repository) -> None:
    with repository.transaction("put") as transaction:
        version = replace(add_version(transaction, "model", "x"), deleted=True)
        oid = transaction.put(version)
        transaction.set_ref("tags/a", oid)
    assert [at.oid for at in graph.reachable(repository.store, [oid])] == [oid]


def test_what_is_missing_raises_or_is_told(repository: Repository) -> None:
    with repository.transaction("put") as transaction:
        put_text_in(transaction, "tags/a", "a")
        transaction.set_ref("tags/missing", Oid("1" * 64))
    newest = repository.store.refresh().entry.oid
    with pytest.raises(UnknownName):
        list(graph.reachable(repository.store, [newest]))
    told: list[tuple[Oid, ArtError]] = []
    found = list(graph.reachable(repository.store, [newest], lambda oid, error: told.append((oid, error))))
    assert [oid for oid, _ in told] == ["1" * 64]
    assert sorted(at.kind for at in found) == ["blob", "op", "refs"]


def test_an_artifact_whose_data_was_pruned_is_reached_and_not_followed(repository: Repository) -> None:
    with repository.transaction("put") as transaction:
        artifact = add_version(transaction, "model", "x").artifact
    found = {at.kind for at in graph.reachable(repository.store, [artifact], ends={artifact})}
    assert found == {"artifact"}
    assert Tree(0, ()).oid in {at.oid for at in graph.reachable(repository.store, [artifact])}
