"""Deleting and pruning: what a run uses stays, a number is never given twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from artvcs import Client, load_artifact, pipeline, save_artifact, step
from artvcs.pipelines.errors import InUse
from artvcs.pipelines.history import delete
from artvcs.vcs.errors import UnknownName
from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep import gc
from artvcs.vcs.upkeep.check import fsck


@step
def noise(seed: int) -> bytes:
    return os.urandom(20_000)


@pipeline
def noisy(seed: int = 1) -> None:
    noise(seed)


NAME = "noisy::noise::output"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with two runs; the older one's record is deleted, so that nothing uses version 1."""
    monkeypatch.chdir(tmp_path)
    first = noisy(1)
    noisy(2)
    Client().delete_pipeline_run(first.id)
    return Repository.discover()


def versions() -> list[str]:
    return [version.version for version in Client().list_artifact_versions(NAME)]


def data_size(repository: Repository) -> int:
    folders = (repository.layout.packs, repository.layout.ops)
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())


def assert_whole(repository: Repository) -> None:
    assert list(fsck.fsck(repository.layout.folder)) == []


def test_a_version_that_a_run_uses_is_not_deleted(repository: Repository) -> None:
    with pytest.raises(InUse, match="art rm"):
        Client().delete_artifact_version(NAME, 2)
    assert versions() == ["1", "2"]
    assert load_artifact(NAME, 2)


def test_a_deleted_number_is_not_given_again(repository: Repository) -> None:
    Client().delete_artifact_version(NAME, 1)
    assert versions() == ["2"]
    Client().delete_pipeline_run(Client().list_pipeline_runs()[0].id)
    Client().delete_artifact_version(NAME, 2)
    assert versions() == []
    noisy(3)
    assert versions() == ["3"]


def test_pruning_takes_what_no_run_uses_and_says_why(repository: Repository) -> None:
    planned = delete.prune(repository, dry_run=True)
    assert [(row.version.number, row.reason) for row in planned] == [(1, "no run uses it")]
    assert versions() == ["1", "2"]
    before = data_size(repository)
    assert len(delete.prune(repository)) == 1
    gc.collect(repository)
    assert versions() == ["2"]
    assert data_size(repository) < before - 15_000
    assert_whole(repository)


def test_what_was_saved_by_hand_is_pruned_only_on_demand(repository: Repository) -> None:
    save_artifact("mine", name="note")
    delete.prune(repository)
    assert load_artifact("note") == "mine"
    delete.prune(repository, include_manual=True)
    with pytest.raises(UnknownName):
        load_artifact("note")


def test_giving_up_only_the_data_keeps_the_records(repository: Repository) -> None:
    delete.prune(repository, only_artifact=True)
    gc.collect(repository)
    assert_whole(repository)
    version = Client().get_artifact_version(NAME, 1)
    assert version.type == "builtins.bytes"
    assert version.commit is not None
    with pytest.raises(UnknownName, match="pruned"):
        version.load()


def test_a_pruned_value_that_is_made_again_is_there_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_artifact(b"x" * 1000, name="same")
    repository = Repository.discover()
    delete.prune(repository, only_artifact=True, include_manual=True)
    gc.collect(repository)
    save_artifact(b"x" * 1000, name="same")
    assert load_artifact("same") == b"x" * 1000
    assert_whole(Repository.discover())


def test_giving_up_only_the_records_keeps_the_data(repository: Repository) -> None:
    artifact = Client().get_artifact_version(NAME, 1).id
    delete.prune(repository, only_metadata=True)
    gc.collect(repository)
    assert versions() == ["2"]
    repository = Repository.discover()
    assert repository.store.has(artifact)
    assert_whole(repository)


def test_a_step_whose_result_was_pruned_runs_again(repository: Repository) -> None:
    delete.prune(repository)
    gc.collect(repository)
    assert noisy(1).steps["noise"].status == "completed"
    assert noisy(2).steps["noise"].status == "cached"


def test_unused_versions_can_be_listed(repository: Repository) -> None:
    assert [version.version for version in Client().list_artifact_versions(only_unused=True)] == ["1"]
