"""What damage does to the commands: one thing that is lost stops nothing else, and making it again mends it."""

from __future__ import annotations

import gc
import os
import random
import shutil
from pathlib import Path

import pytest

from artvcs.pipelines.client import Client
from artvcs.vcs.maps import ref_names, runs, versions
from artvcs.vcs.objects.kinds import Artifact, Commit
from artvcs.vcs.objects.oid import NULL, Oid
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.packs.pack import RECORD_SIZE
from artvcs.vcs.storage.packs.table import Location

from ..conftest import Art, Once

PIPELINES = """
from typing import Annotated
from artvcs import pipeline, step

@step
def left_number() -> Annotated[int, "left"]:
    print("counting")
    return 1

@step
def left_sum(value: int) -> Annotated[int, "left-sum"]:
    return value + 1

@step
def right_number() -> Annotated[int, "right"]:
    return 2

@pipeline
def lefts():
    left_sum(left_number())

@pipeline
def rights():
    right_number()
"""


@pytest.fixture
def two(project: Path, art: Art, once: Once) -> Path:
    """Two pipelines, each run twice, and a file that was added."""

    def make() -> None:
        (project / "two.py").write_text(PIPELINES)
        (project / "data.txt").write_text("data " * 100)
        for _ in range(2):
            assert art("run", "two.py:lefts").code == 0
            assert art("run", "two.py:rights").code == 0
        assert art("add", "data.txt", "--name", "data").code == 0

    once("two", make)
    return project / ".artifacts"


def places(repository: Repository, oid: Oid) -> list[tuple[Path, Location]]:
    return [(repository.layout.folder / name, at) for name, at in repository.store.refresh().find(oid)]


def lose(repository: Repository, oid: Oid) -> None:
    """Damages every copy of an object."""
    for path, at in places(repository, oid):
        data = bytearray(path.read_bytes())
        data[at.offset + RECORD_SIZE + at.stored // 2] ^= 1
        path.write_bytes(data)


def of_lefts(repository: Repository) -> dict[str, Oid]:
    """Each kind of object that the pipeline `lefts` has made, and the newest of each kind."""
    refs, store = repository.refs(), repository.store
    run = runs.latest(refs, "lefts")
    version = versions.newest(refs, "left")
    assert run is not None
    assert version is not None
    assert version.commit is not None
    commit = store.record(version.commit, Commit)
    artifact = store.record(version.artifact, Artifact)
    return {
        "run": refs.get(ref_names.run(run.run)) or NULL,
        "version": refs.get(ref_names.version("left", 1)) or NULL,
        "commit": version.commit,
        "artifact": version.artifact,
        "payload": artifact.payload,
        "code": commit.code.source,
        "log": commit.log or NULL,
    }


KINDS = ("run", "version", "commit", "artifact", "payload", "code", "log")


@pytest.mark.long
@pytest.mark.parametrize("repaired", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_what_one_pipeline_lost_stops_nothing_else(two: Path, art: Art, kind: str, repaired: bool) -> None:
    repository = Repository(two)
    lose(repository, of_lefts(repository)[kind])
    assert art("fsck").code == 5
    if repaired:
        art("fsck", "--repair")
        assert art("fsck").code == 0
    for command in (
        ("run", "two.py:rights"),
        ("log",),
        ("log", "right"),
        ("ls",),
        ("show", "right"),
        ("status",),
        ("cat", "right"),
        ("gc",),
        ("run", "two.py:rights", "--no-cache"),
    ):
        done = art(*command)
        assert done.code == 0, (command, done.err)
    assert Client().get_artifact_version("data").number == 1


@pytest.mark.long
@pytest.mark.parametrize("repaired", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_running_it_again_mends_it(two: Path, art: Art, kind: str, repaired: bool) -> None:
    repository = Repository(two)
    lose(repository, of_lefts(repository)[kind])
    if repaired:
        art("fsck", "--repair")
    done = art("run", "two.py:lefts")
    assert done.code == 0, done.err
    assert Client().get_artifact_version("left-sum").load() == 2
    assert Client().get_artifact_version("left").load() == 1
    art("fsck", "--repair")
    assert art("fsck").code == 0
    done = art("run", "two.py:lefts")
    assert (done.code, done.err) == (0, done.err)
    for command in (("log",), ("log", "left-sum"), ("ls",), ("show", "left"), ("status",), ("gc",)):
        done = art(*command)
        assert done.code == 0, (command, done.err)


@pytest.mark.usefixtures("few_objects")
@pytest.mark.parametrize(
    ("seed", "every"), [(1, 3), *(pytest.param(seed, 1, marks=pytest.mark.faults) for seed in range(1, 40))]
)
def test_a_flipped_bit_in_each_file_then_all_is_made_again(
    two: Path, art: Art, monkeypatch: pytest.MonkeyPatch, seed: int, every: int
) -> None:
    """Run and add again: what can be made again is readable. Where nobody can publish any more, repair first."""
    chance, project = random.Random(seed), two.parent
    files = sorted(path for path in two.rglob("*") if path.is_file() and path.stat().st_size)
    means_something = [path for path in files if path.name not in MEANS_NOTHING]
    for number, path in enumerate(means_something[::every]):
        copy = project / f"copy-{number}"
        shutil.copytree(two, copy / two.name)
        for name in ("two.py", "data.txt"):
            shutil.copy(project / name, copy)
        monkeypatch.chdir(copy)
        hit = copy / path.relative_to(project)
        data = bytearray(hit.read_bytes())
        place = chance.randrange(len(data))
        data[place] ^= 1 << chance.randrange(8)
        hit.write_bytes(data)
        where = (str(hit.relative_to(copy / two.name)), place)
        for pipeline in ("two.py:lefts", "two.py:rights"):  # a part of the map may be needed by only one of them
            if (done := art("run", pipeline)).code == 5:
                assert where[0].startswith(("format", "ops/")), where
                art("fsck", "--repair")
                done = art("run", pipeline)
            assert done.code == 0, (where, done.err)
        assert art("add", "data.txt", "--name", "data").code == 0, where
        if (done := art("log")).code == 5:  # a part of the map that only readers need: nobody can make it again
            assert where[0].startswith("ops/"), where
            assert "art fsck --repair" in done.err, where
            art("fsck", "--repair")
        check_all(art, where)
        gc.collect()  # a process opens one repository, and not a thousand
        art("fsck", "--repair")
        checked, mended = art("fsck"), art("fsck", "--repair")
        assert (checked.code, mended.code) == (0, 0), (where, checked, mended)
        check_all(art, where)


MEANS_NOTHING = ("reserve", "cache.db", "cache.db-wal", "cache.db-shm")


def check_all(art: Art, where: object) -> None:
    client = Client()
    values = {name: client.get_artifact_version(name).load() for name in ("left", "left-sum", "right")}
    assert values == {"left": 1, "left-sum": 2, "right": 2}, where
    assert art("cat", "data").out == "data " * 100, where
    for command in (("log",), ("ls",), ("status",)):
        assert art(*command).code == 0, (where, command)


@pytest.mark.parametrize("count", [3, 1000])
def test_a_folder_that_was_stored_in_a_lost_op_is_stored_again(art: Art, project: Path, count: int) -> None:
    """What is known of its files says where they were stored; another op has that place now."""
    folder = project / "data"
    folder.mkdir()
    for number in range(count):
        (folder / str(number)).write_text(f"file {number}")
        os.utime(folder / str(number), (1_000_000_000, 1_000_000_000))
    art("init")
    art("add", "data", "--name", "data")
    art("add", "data", "--name", "data")
    newest = max((project / ".artifacts" / "ops").iterdir())
    newest.write_bytes(b"")
    art("fsck", "--repair")
    assert art("fsck").code == 0
    assert art("add", "data", "--name", "data").code == 0
    assert art("fsck").code == 0
    assert art("checkout", "data", "-o", "back").code == 0
    assert len(list((project / "back").iterdir())) == count
