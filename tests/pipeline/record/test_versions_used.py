"""The versions that a run uses again are there when it is published, and the last of a name is its newest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from artvcs import Client, pipeline, step
from artvcs.pipelines.history import delete
from artvcs.vcs import Oid, Repository, ref_names
from artvcs.vcs.storage.packs.pack import RECORD_SIZE


@step
def item(number: int) -> Annotated[int, "squared"]:
    return number * number


@pipeline
def fan(numbers: list[int]) -> None:
    item.map(numbers)


def newest() -> int:
    return int(Client().get_artifact_version("squared").load())


def test_what_was_used_last_is_the_newest(project: Path) -> None:
    fan(list(range(20)))
    assert newest() == 19 * 19
    assert {each.status for each in fan([3, 7, 5]).steps.values()} == {"cached"}
    assert newest() == 25
    assert len(Client().list_artifact_versions("squared")) == 20


def test_a_version_whose_record_is_lost_is_made_again_by_who_uses_it(project: Path) -> None:
    fan([0, 1, 2, 3])
    repository = Repository(project / ".artifacts")
    ref = ref_names.version("squared", 2)
    lost = repository.refs().get(ref)
    assert lost is not None
    lose(repository, lost)
    assert {each.status for each in fan([0, 1, 2, 3]).steps.values()} == {"cached"}
    assert Client().get_artifact_version("squared", "2").load() == 1
    assert newest() == 9


@step
def first() -> Annotated[int, "made"]:
    return 3


@step
def asking(_: int, number: int) -> int:
    return int(Client().get_artifact_version("made").load()) + number


@pipeline
def asks(number: int) -> None:
    asking(first(), number)


def test_a_step_finds_the_version_that_one_before_it_has_used_again(project: Path) -> None:
    run = asks(1)
    Client().delete_pipeline_run(run.id)
    assert delete.prune(Client().repository, only_metadata=True)
    again = asks(2)
    assert {name: each.status for name, each in again.steps.items()} == {"first": "cached", "asking": "completed"}
    assert again.steps["asking"].output.load() == 5


def lose(repository: Repository, oid: Oid) -> None:
    """Damages every copy of an object."""
    for name, at in repository.store.refresh().find(oid):
        path = repository.layout.folder / name
        data = bytearray(path.read_bytes())
        data[at.offset + RECORD_SIZE + at.stored - 1] ^= 1
        path.write_bytes(data)
