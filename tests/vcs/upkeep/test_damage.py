"""Damage: what is damaged counts as absent, so that putting it again mends it, and it takes nothing else down."""

from __future__ import annotations

import errno
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from artvcs.vcs.changes.intents import AddVersion
from artvcs.vcs.errors import ArtError, DamagedError, StorageError
from artvcs.vcs.maps import ref_names, runs, trees
from artvcs.vcs.maps import versions as version_refs
from artvcs.vcs.objects.kinds import Artifact, Run, Version
from artvcs.vcs.objects.nodes import FILE, Entry, Tree
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.packs.pack import RECORD_SIZE
from artvcs.vcs.storage.packs.table import Location
from artvcs.vcs.upkeep import gc

from ..helpers import (
    a_run,
    add_version,
    packs,
    problems,
    put_run,
    put_text,
    put_text_in,
    random_text,
    tags,
    version_of,
    versions,
)

TEXTS = {"tags/small": "small", "tags/large": random_text(1), "tags/chunked": random_text(2, 1_200_000)}


def fill(repository: Repository) -> None:
    """Puts some of everything; does it again where it has been done before."""
    with repository.transaction("fill") as transaction:
        for ref, text in TEXTS.items():
            put_text_in(transaction, ref, text)
        for number in range(3):
            text = f"value {number} " * 100
            blob = transaction.put_blob(text.encode())
            payload = transaction.put(Tree(0, (Entry("data", FILE, blob, len(text)),)))
            artifact = transaction.put(Artifact("tests.Text", "text", 1, payload, len(text), False))
            transaction.add(AddVersion(version_of("model", artifact), {}))


def check_filled(folder: Path) -> None:
    repository = Repository(folder)
    store = repository.store
    assert {ref: store.read(oid, "blob").decode() for ref, oid in tags(repository).items()} == TEXTS
    for number, version in enumerate(versions(repository, "model")):
        [entry] = trees.entries(store, store.record(version.artifact, Artifact).payload)
        assert store.read(entry.id, "blob") == f"value {number} ".encode() * 100


@pytest.fixture
def filled(repository: Repository) -> Repository:
    """A repository with the texts and three versions, in an op and a pack, and its refs written anew since."""
    fill(repository)
    put_text(repository, "other/a", "a")
    return repository


def flip(path: Path, place: int, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    path.write_bytes(data)


def places(repository: Repository, kinds: tuple[str, ...]) -> list[tuple[Path, Location]]:
    """Where every object of these kinds is."""
    head, folder = repository.store.refresh(), repository.layout.folder
    ids = [oid for oid, at in head.starting_with("").items() if at.kind in kinds]
    return [(folder / name, at) for oid in ids for name, at in head.find(oid)]


@pytest.mark.long
def test_every_object_that_can_be_made_again_is_mended_by_putting_it_again(filled: Repository, tmp_path: Path) -> None:
    """One flipped bit in each: in its header, in its content, at its end."""
    template, chance = filled.layout.folder, random.Random(1)
    damaged = places(filled, ("blob", "tree", "artifact"))
    assert len(damaged) > 12
    for number, (path, at) in enumerate(damaged):
        folder = tmp_path / str(number)
        shutil.copytree(template, folder)
        place = at.offset + (0, RECORD_SIZE, RECORD_SIZE + at.stored // 2, RECORD_SIZE + at.stored - 1)[number % 4]
        flip(folder / path.relative_to(template), place, chance.randrange(8))
        assert any(str(path.relative_to(template)) in problem for problem in problems(folder)), at
        again = Repository(folder)
        assert not again.store.has(at.oid)
        fill(again)
        check_filled(folder)
        gc.collect(Repository(folder), max_unused=0)
        check_filled(folder)
        shutil.rmtree(folder)


def test_after_it_was_mended_and_the_damaged_copy_collected_all_is_well(filled: Repository, folder: Path) -> None:
    large = tags(filled)["tags/large"]
    [(path, at)] = [(path, at) for path, at in places(filled, ("blob",)) if at.oid == large]
    flip(path, at.offset + at.stored // 2)
    assert len(problems(folder)) == 3  # the pack, the object in it, and what needs that
    fill(Repository(folder))
    gc.collect(Repository(folder), max_unused=0)
    assert problems(folder) == []
    check_filled(folder)


def test_it_is_mended_also_in_a_process_that_had_seen_it_whole(filled: Repository, folder: Path) -> None:
    large = tags(filled)["tags/large"]
    assert filled.store.has(large)
    [(path, at)] = [(path, at) for path, at in places(filled, ("blob",)) if at.oid == large]
    flip(path, at.offset + at.stored // 2)
    with pytest.raises(DamagedError):
        filled.store.read(large, "blob")
    assert not filled.store.has(large)
    fill(filled)
    assert filled.store.read(large, "blob").decode() == TEXTS["tags/large"]


@pytest.mark.long
@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_damage_of_any_file_is_named_and_what_can_be_read_is_right(
    filled: Repository, folder: Path, tmp_path: Path, damage: str
) -> None:
    """Never a wrong byte: a read is right, or a typed error."""
    for number in range(20):
        put_text(filled, f"other/{number}", str(number))
    chance = random.Random(3)
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size):
        if path.name in ("reserve", ".gitignore"):
            continue
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        hit = copy / path.relative_to(folder)
        size = hit.stat().st_size
        if damage == "flip":
            flip(hit, chance.randrange(size), chance.randrange(8))
        elif damage == "truncate":
            hit.write_bytes(hit.read_bytes()[: chance.randrange(size)])
        else:
            hit.unlink()
        if path.name != "root":
            assert problems(copy), path
        try:
            repository = Repository(copy)
            for ref, oid in tags(repository).items():
                try:
                    assert repository.store.read(oid, "blob").decode() == TEXTS[ref]
                except ArtError:
                    continue
        except ArtError:
            pass
        shutil.rmtree(copy)


def test_a_damaged_index_is_not_missed(filled: Repository, folder: Path) -> None:
    for number in range(40):
        put_text(filled, f"other/{number}", str(number))
    for path in (folder / "index").iterdir():
        path.write_bytes(b"damaged")
    check_filled(folder)
    for path in (folder / "index").iterdir():
        path.unlink()
    check_filled(folder)
    again = Repository(folder)
    put_text(again, "other/new", "new")
    gc.collect(again)
    check_filled(folder)


# Lost for good


def lose(repository: Repository, oid: Oid) -> None:
    """Damages every copy of an object."""
    for name, at in list(repository.store.refresh().find(oid)):
        flip(repository.layout.folder / name, at.offset + RECORD_SIZE + at.stored - 1)


def lost_version(repository: Repository) -> Oid:
    oid = repository.refs().get(ref_names.version("model", 2))
    assert oid is not None
    return oid


def lost_artifact(repository: Repository) -> Oid:
    return repository.store.record(lost_version(repository), Version).artifact


def lost_run(repository: Repository) -> Oid:
    with repository.transaction("runs") as transaction:
        for number in range(3):
            put_run(transaction, a_run(f"r{number}", "completed", started=number))
    oid = repository.refs().get(ref_names.run("r1"))
    assert oid is not None
    return oid


@pytest.mark.parametrize("what", [lost_version, lost_artifact, lost_run])
def test_one_lost_record_is_told_and_everything_else_goes_on(
    filled: Repository, folder: Path, what: Callable[[Repository], Oid]
) -> None:
    oid = what(filled)
    put_text(filled, "other/garbage", random_text(7))
    with filled.transaction("drop") as transaction:
        transaction.set_ref("other/garbage", None)
    lose(filled, oid)
    again = Repository(folder)
    assert any(oid in problem for problem in problems(folder))
    before = len(packs(folder))
    done = gc.collect(again, max_unused=0)
    assert oid in done.plan.lost
    assert len(packs(folder)) <= before
    assert random_text(7).encode()[:1000] not in b"".join(path.read_bytes() for path in packs(folder))
    assert {ref: again.store.read(target, "blob").decode() for ref, target in tags(again).items()} == TEXTS
    put_text(again, "other/new", "new")
    with again.transaction("add") as transaction:
        transaction.put(a_run("r9"))
    if what is not lost_version:
        assert [version.number for version in versions(again, "model")] == [1, 2, 3]
    if what is not lost_run:
        return
    found = [again.store.record(target, Run).run for _, target in again.refs().items("runs/") if target != oid]
    assert found == ["r0", "r2"]
    assert runs.latest(again.refs(), "train") == again.store.record(again.refs().get(ref_names.run("r2")), Run)  # type: ignore[arg-type]


def test_what_is_damaged_and_nowhere_else_is_not_collected(filled: Repository, folder: Path) -> None:
    """Somebody may have it elsewhere, and a part of it may be enough."""
    large = tags(filled)["tags/large"]
    [(path, at)] = [(path, at) for path, at in places(filled, ("blob",)) if at.oid == large]
    flip(path, at.offset + at.stored // 2)
    again = Repository(folder)
    [verdict] = [each for each in gc.plan(again).verdicts if folder / each.pack == path]
    assert verdict.action == "keep"
    assert "fsck --repair" in verdict.reason
    for _ in range(2):
        gc.collect(Repository(folder), max_unused=0)
        assert path.exists()
    flip(path, at.offset + at.stored // 2)
    check_filled(folder)


@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_pack_that_cannot_be_opened_stops_no_collection(filled: Repository, folder: Path, damage: str) -> None:
    put_text(filled, "other/garbage", random_text(7))
    [lost] = set(packs(folder)) - {path for path, _ in places(filled, ("artifact",))} - set(_holding(filled))
    for number in range(20):
        put_text(filled, f"other/{number}", str(number))  # the index has it by now
    if damage == "missing":
        lost.unlink()
    else:
        lost.write_bytes(lost.read_bytes()[:-100])
    done = gc.collect(Repository(folder), max_unused=0)
    [verdict] = [each for each in done.plan.verdicts if folder / each.pack == lost]
    assert verdict.action == "keep"
    check_filled(folder)


def _holding(repository: Repository) -> list[Path]:
    return [path for path, at in places(repository, ("blob",)) if at.oid == tags(repository)["tags/large"]]


def test_a_run_whose_record_is_lost_while_it_goes_on_is_written_again(filled: Repository, folder: Path) -> None:
    with filled.transaction("a run begins") as transaction:
        put_run(transaction, a_run("r1"))
    oid = filled.refs().get(ref_names.run("r1"))
    assert oid is not None
    lose(filled, oid)
    again = Repository(folder)
    with again.transaction("and ends") as transaction:
        put_run(transaction, a_run("r1", "completed"), base=a_run("r1", "running", started=2))
    found = runs.by_id(again.refs(), "r1")
    assert found is not None
    assert found.status == "completed"


def test_a_version_whose_record_is_lost_hides_no_other_and_is_mended_by_its_value(
    filled: Repository, folder: Path
) -> None:
    number = version_refs.last_number(filled.refs(), "model")
    oid = filled.refs().get(ref_names.version("model", number))
    assert oid is not None
    artifact = filled.store.record(oid, Version).artifact
    lose(filled, oid)
    again = Repository(folder)
    assert version_refs.by_number(again.refs(), "model", 1) is not None
    with again.transaction("another value") as transaction:
        assert add_version(transaction, "model", "another").number == number + 1
    fill(again)
    version = version_refs.by_value(again.refs(), "model", artifact)
    assert version is not None
    assert version.number == number
    assert [each.number for each in versions(again, "model")] == [1, 2, 3, 4]
    gc.collect(Repository(folder))
    gc.collect(Repository(folder))
    assert problems(folder) == []


@pytest.mark.parametrize("apart", [45, pytest.param(11, marks=pytest.mark.faults)])
def test_a_flipped_bit_in_the_index_loses_nothing_when_others_publish_and_collect(
    repository: Repository, folder: Path, tmp_path: Path, apart: int
) -> None:
    """The index also names the packs: one whose name is damaged there is no garbage."""
    fill(repository)
    for number in range(20):
        put_text(repository, f"other/{number}", str(number))
    [segment] = (folder / "index").iterdir()
    for place in range(24, 24 + 33 * 17, apart):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        flip(copy / "index" / segment.name, place)
        again = Repository(copy)
        for number in range(17):
            put_text(again, f"other/{number}", f"again {number}")  # so that the index is merged
        gc.collect(Repository(copy), max_unused=0)
        check_filled(copy)
        assert {ref: Repository(copy).store.has(oid) for ref, oid in again.refs().items("other/")} == dict.fromkeys(
            (f"other/{number}" for number in range(20)), True
        )


@pytest.mark.parametrize("apart", [7, pytest.param(1, marks=pytest.mark.faults)])
def test_what_the_system_refuses_to_read_once_is_not_taken_for_lost(
    filled: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch, apart: int
) -> None:
    """Else what it refers to would be collected."""
    from artvcs.vcs.storage.local import LocalFiles

    for number in range(40):
        put_text(filled, f"other/{number}", str(number))
    read = LocalFiles.read
    for failing in range(1, 400, apart):
        calls = iter(range(1, 1_000_000))

        def refuse(self: LocalFiles, *args: Any, calls: Iterator[int] = calls, failing: int = failing) -> bytes:
            if next(calls) == failing:
                raise OSError(errno.EIO, "Input/output error")
            return read(self, *args)

        monkeypatch.setattr(LocalFiles, "read", refuse)
        with suppress(StorageError):
            gc.collect(Repository(folder), max_unused=0)
        monkeypatch.undo()
        check_filled(folder)
        if next(calls) < failing:
            return
    pytest.fail("it never came to its end")
