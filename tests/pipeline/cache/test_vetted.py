"""What a large run tells the next of its executions: it reads none of them, as long as all is as it was."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from artvcs import Client, Model, log_metadata, pipeline, save_artifact, step
from artvcs.vcs import Oid, Repository, ref_names
from artvcs.vcs.objects.kinds import Artifact, Commit
from artvcs.vcs.objects.nodes import Tree
from artvcs.vcs.storage.store import ObjectStore

from ...cli.damage.test_lost import lose

COUNT = 150
"""More steps than stand in the record of a run."""


LARGE = 6
"""The number of an item that goes into a pack by itself."""


def content(number: int) -> bytes:
    """What an item returns."""
    return random.Random(number).randbytes(3_000_000 if number == LARGE else 30)


@step
def item(number: int) -> bytes:
    return content(number)


@pipeline
def fan(count: int) -> None:
    item.map(range(count))


@step(model=Model("shop"))
def noting(number: int) -> int:
    log_metadata({f"n{number}": number}, infer_model=True)
    return number


@pipeline
def notes(count: int) -> None:
    noting.map(range(count))


@step
def asking(number: int) -> int:
    return int(Client().get_artifact_version("asked").load()) + number


@pipeline
def asks(count: int) -> None:
    asking.map(range(count))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many records of each kind are read from here on."""
    counted = Counter[str]()
    decode, read_ahead = ObjectStore.record, ObjectStore.read_ahead

    def record(self: ObjectStore, oid: Any, cls: Any, **more: Any) -> Any:
        counted[cls.KIND] += 1
        return decode(self, oid, cls, **more)

    def ahead(self: ObjectStore, oids: Iterable[Any], cls: Any, **more: Any) -> None:
        found = list(oids)
        counted[cls.KIND] += len(found)
        read_ahead(self, found, cls, **more)

    monkeypatch.setattr(ObjectStore, "record", record)
    monkeypatch.setattr(ObjectStore, "read_ahead", ahead)
    return counted


def ended(run: Any) -> Counter[str]:
    return Counter(each.status for each in run.steps.values())


def blob(number: int, run: Any) -> Oid:
    """Where the content of an item is."""
    store = Repository.discover().store
    return store.record(store.record(outputs(run)[number].record.artifact, Artifact).payload, Tree).children[0]


def test_executions_are_not_read_again(project: Path, read: Counter[str]) -> None:
    fan(COUNT)
    for _ in range(3):
        read.clear()
        assert ended(fan(COUNT)) == {"cached": COUNT}
        assert not read["commit"]
        assert not read["artifact"]
        assert not read["tree"]


def test_new_items_run_beside_those_that_are_known(project: Path) -> None:
    fan(COUNT)
    assert ended(fan(COUNT + 20)) == {"cached": COUNT, "completed": 20}
    assert ended(fan(COUNT + 20)) == {"cached": COUNT + 20}


def test_without_the_memory_all_is_found_all_the_same(project: Path, read: Counter[str]) -> None:
    fan(COUNT)
    Repository.for_run().cache.close()
    (project / ".artifacts" / "cache.db").unlink()
    assert ended(fan(COUNT)) == {"cached": COUNT}
    assert read["commit"]
    read.clear()
    assert ended(fan(COUNT)) == {"cached": COUNT}
    assert not read["commit"]


@pytest.mark.long
@pytest.mark.parametrize("column", ["packs", "facts", "seal"])
def test_a_damaged_memory_is_not_believed(project: Path, read: Counter[str], column: str) -> None:
    fan(COUNT)
    Repository.for_run().cache.close()
    connection = sqlite3.connect(project / ".artifacts" / "cache.db")
    [(steps, data)] = connection.execute(f"SELECT steps, {column} FROM vetted").fetchall()
    with connection:
        flipped = data[:9] + bytes([data[9] ^ 1]) + data[10:]
        connection.execute(f"UPDATE vetted SET {column} = ? WHERE steps = ?", (flipped, steps))
    connection.close()
    assert ended(fan(COUNT)) == {"cached": COUNT}
    assert read["commit"]


@pytest.mark.long
def test_what_is_damaged_is_made_again(project: Path) -> None:
    lose(Repository.discover(), blob(6, fan(COUNT)))
    assert ended(fan(COUNT)) == {"cached": COUNT - 1, "completed": 1}
    assert [output.load() for output in outputs(fan(COUNT))] == [content(number) for number in range(COUNT)]


def outputs(run: Any) -> list[Any]:
    """The output of each item, in the order in which they were called."""
    by_number = {int(name.removeprefix("item").strip("_") or 1): each for name, each in run.steps.items()}
    return [by_number[number].output for number in sorted(by_number)]


@pytest.mark.long
def test_a_lost_pack_is_noticed(project: Path) -> None:
    repository, oid = Repository.discover(), blob(LARGE, fan(COUNT))
    for place, _ in repository.store.locate(oid):
        (project / ".artifacts" / str(place)).unlink()
    assert ended(fan(COUNT))["completed"]
    assert outputs(fan(COUNT))[LARGE].load() == content(LARGE)


def test_a_result_that_was_taken_away_is_made_again(project: Path) -> None:
    run = fan(COUNT)
    commit = run.steps["item_7"].record.commit
    repository = Repository.discover()
    with repository.transaction("take away") as transaction:
        key = transaction.record(commit, Commit).cache_key
        assert key is not None
        transaction.set_ref(ref_names.result(key, commit), None)
    assert ended(fan(COUNT)) == {"cached": COUNT - 1, "completed": 1}


@pytest.mark.long
def test_steps_that_have_asked_are_compared_with_what_they_were_told(project: Path) -> None:
    save_artifact(1, "asked")
    asks(COUNT)
    assert ended(asks(COUNT)) == {"cached": COUNT}
    save_artifact(2, "asked")
    assert ended(asks(COUNT)) == {"completed": COUNT}


def test_what_steps_note_of_their_model_is_noted_of_the_next_version_too(project: Path) -> None:
    notes(COUNT)
    run = notes.with_options(model=Model("shop", version="second"))(COUNT)
    assert ended(run) == {"cached": COUNT}
    noted = Client().get_model_version("shop").metadata
    assert {f"n{number}": number for number in range(COUNT)}.items() <= dict(noted).items()


def test_after_the_garbage_was_collected_all_is_still_used(project: Path, read: Counter[str]) -> None:
    fan(COUNT)
    fan(COUNT + 1)
    repository = Repository.discover()
    from artvcs.vcs import gc

    gc.collect(repository)
    assert ended(fan(COUNT)) == {"cached": COUNT}
    assert ended(fan(COUNT)) == {"cached": COUNT}
