"""Versions and runs, as the refs tell them: whatever is asked costs a few nodes, and deleted ones are not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from artvcs.vcs.changes.intents import DeleteRun, DeleteVersion, EditVersion
from artvcs.vcs.changes.transaction import Transaction
from artvcs.vcs.errors import DamagedError
from artvcs.vcs.maps import ref_names, runs, versions
from artvcs.vcs.maps.refs import RefMap
from artvcs.vcs.objects.kinds import Run
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository

from ..helpers import a_run, add_version, put_run

NAMES = ("model", "model 2", "ä/ö", "model/..")


@pytest.fixture
def refs(repository: Repository) -> RefMap:
    """Three versions of each of four names."""
    with repository.transaction("add") as transaction:
        for name in NAMES:
            for value in "abc":
                add_version(transaction, name, value)
    return repository.refs()


def delete(transaction: Transaction, name: str, number: int) -> None:
    expected = transaction.get(ref_names.version(name, number))
    assert expected is not None
    transaction.add(DeleteVersion(name, number, expected))


def test_a_lost_part_of_the_refs_is_damage_and_no_unknown_name(repository: Repository, refs: RefMap) -> None:
    lost = RefMap(repository.store, Oid("ab" * 32))
    looks: list[Callable[[], object]] = [
        lambda: lost.get("runs/x"),
        lambda: list(lost.items()),
        lambda: lost.diff(refs),
        lambda: lost.count(),
    ]
    for look in looks:
        with pytest.raises(DamagedError, match="fsck --repair"):
            look()


def test_versions_are_found_by_number_value_and_name(refs: RefMap) -> None:
    assert sorted(versions.names(refs)) == sorted(NAMES)
    for name in NAMES:
        found = list(versions.of(refs, name))
        assert [(each.name, each.number) for each in found] == [(name, 1), (name, 2), (name, 3)]
        assert list(versions.of(refs, name, reverse=True)) == found[::-1]
        assert [versions.by_number(refs, name, each.number) for each in found] == found
        assert [versions.by_value(refs, name, each.artifact) for each in found] == found
        assert versions.newest(refs, name) == found[2]
        assert versions.last_number(refs, name) == 3
    assert len(list(versions.every(refs))) == 12
    assert versions.newest(refs, "nothing") is versions.by_number(refs, "model", 4) is None
    assert versions.last_number(refs, "nothing") == 0


def test_the_newest_is_the_one_that_was_made_again(repository: Repository, refs: RefMap) -> None:
    with repository.transaction("again") as transaction:
        again = add_version(transaction, "model", "b")
    newest = versions.newest(repository.refs(), "model")
    assert newest is not None
    assert newest.number == again.number == 2


def test_a_version_is_found_by_its_label(repository: Repository, refs: RefMap) -> None:
    version = versions.by_number(refs, "model", 2)
    assert version is not None
    with repository.transaction("label") as transaction:
        transaction.add(EditVersion("model", version.artifact, {}, label="1.0/rc"))
    found = versions.by_label(repository.refs(), "model", "1.0/rc")
    assert found is not None
    assert (found.number, found.label) == (2, "1.0/rc")
    assert versions.by_label(repository.refs(), "model 2", "1.0/rc") is None


def test_what_was_deleted_is_not_found_and_its_number_is_not_given_again(repository: Repository, refs: RefMap) -> None:
    third = versions.by_number(refs, "model", 3)
    assert third is not None
    with repository.transaction("delete") as transaction:
        delete(transaction, "model", 3)
        delete(transaction, "model", 1)
    after = repository.refs()
    assert [each.number for each in versions.of(after, "model")] == [2]
    assert versions.by_number(after, "model", 3) is versions.by_value(after, "model", third.artifact) is None
    newest = versions.newest(after, "model")
    assert newest is not None
    assert newest.number == 2
    with repository.transaction("add") as transaction:
        add_version(transaction, "model", "d")
    assert [each.number for each in versions.of(repository.refs(), "model")] == [2, 4]


def test_runs_are_found_by_id_time_name_and_pipeline(repository: Repository) -> None:
    made = [
        replace(a_run(f"id{number}", "completed", started=started), name=name, pipeline=pipeline)
        for number, (started, name, pipeline) in enumerate(
            [(5, "first", "train"), (30, "second", "train"), (4, "third/x", "test"), (10**12, "first", "train/..")]
        )
    ]
    with repository.transaction("runs") as transaction:
        for run in made:
            put_run(transaction, run)
    refs = repository.refs()
    assert [runs.by_id(refs, run.run) for run in made] == made
    assert list(runs.newest_first(refs)) == [made[3], made[1], made[0], made[2]]
    assert list(runs.of_pipeline(refs, "train")) == [made[1], made[0]]
    assert runs.latest(refs, "train") == made[1]
    assert list(runs.named(refs, "first")) == [made[0], made[3]]
    assert list(runs.named_like(refs, "third/")) == [made[2]]
    assert list(runs.with_id_like(refs, "id")) == made
    assert sorted(runs.pipelines(refs)) == ["test", "train", "train/.."]
    assert runs.by_id(refs, "none") is runs.latest(refs, "none") is None


def test_a_deleted_run_leaves_no_mark(repository: Repository) -> None:
    run: Run = a_run("id", "completed")
    with repository.transaction("run") as transaction:
        put_run(transaction, run)
    with repository.transaction("delete") as transaction:
        transaction.add(DeleteRun("id"))
    assert list(repository.refs().items()) == []
