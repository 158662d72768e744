"""fsck --repair: what is sound stays, what can be made again is, and what is lost is said to be lost."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from artvcs.vcs.errors import ArtError, DamagedError, NoPermission, RepositoryBusy, RepositoryNotFound
from artvcs.vcs.maps import ref_names, runs
from artvcs.vcs.maps import versions as version_refs
from artvcs.vcs.objects.kinds import Run
from artvcs.vcs.objects.nodes import StepsNode
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.disk.locks import Lock
from artvcs.vcs.storage.layout import op_name
from artvcs.vcs.storage.packs.pack import FIRST_SIZE, RECORD_SIZE
from artvcs.vcs.storage.packs.table import Location
from artvcs.vcs.upkeep import gc
from artvcs.vcs.upkeep.mend.quarantine import Quarantine
from artvcs.vcs.upkeep.mend.repair import Repaired, repair

from ..helpers import (
    a_run,
    add_version,
    files,
    of_steps,
    outputs,
    packs,
    problems,
    process,
    put_run,
    put_text,
    put_text_in,
    random_text,
    tags,
    versions,
)

TEXTS = {"tags/small": "small", "tags/large": random_text(1), "tags/chunked": random_text(2, 1_200_000)}


@pytest.fixture
def full(repository: Repository) -> Repository:
    """A repository with some of everything: packs, an index, runs, versions, and changes since."""
    with repository.transaction("texts") as transaction:
        for ref, text in TEXTS.items():
            put_text_in(transaction, ref, text)
    with repository.transaction("runs") as transaction:
        for number in range(3):
            put_run(transaction, a_run(f"r{number}", "completed", started=number))
            add_version(transaction, "model", f"v{number}")
    for number in range(20):
        put_text(repository, f"other/{number}", str(number))
    return repository


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def newest(repository: Repository, back: int = 0) -> Path:
    """The file of the newest op, or of one before it."""
    return repository.layout.folder / op_name(repository.store.refresh().seq - back)


def places(repository: Repository, oid: Oid) -> list[tuple[Path, Location]]:
    """Everywhere that an object is."""
    return [(repository.layout.folder / name, at) for name, at in repository.store.refresh().find(oid)]


def lose(repository: Repository, oid: Oid) -> None:
    """Damages every copy of an object, in ops that are not named any more too."""
    for path, at in places(repository, oid):
        flip(path, at.offset + RECORD_SIZE + at.stored - 1)


def target(repository: Repository, ref: str) -> Oid:
    oid = repository.refs().get(ref)
    assert oid is not None
    return oid


def texts(folder: Path) -> dict[str, str]:
    repository = Repository(folder)
    return {ref: repository.store.read(oid, "blob").decode() for ref, oid in tags(repository).items()}


def names(found: tuple[object, ...]) -> list[str]:
    return [problem.where for problem in found]  # type: ignore[attr-defined]


def check_well(folder: Path, done: Repaired) -> None:
    """Nothing is wrong, everything is there, and a second repair finds nothing to do."""
    assert (done.older, done.lost) == ((), ())
    assert problems(folder) == []
    assert texts(folder) == TEXTS
    repository = Repository(folder)
    assert [version.number for version in versions(repository, "model")] == [1, 2, 3]
    assert [run.run for run in runs.newest_first(repository.refs())] == ["r2", "r1", "r0"]
    assert repair(folder) == Repaired((), (), ())


def test_a_whole_repository_is_left_alone(full: Repository, folder: Path) -> None:
    before = files(folder)
    assert repair(folder) == Repaired((), (), ())
    assert files(folder) == before


# What can be made again


def test_the_index_is_made_anew_from_the_packs(full: Repository, folder: Path) -> None:
    segments = list((folder / "index").iterdir())
    segments[0].write_bytes(b"damaged")
    done = repair(folder)
    check_well(folder, done)
    assert names(done.done) == [f"index/{segments[0].name}"]
    assert (folder / "quarantine" / f"index-{segments[0].name}").read_bytes() == b"damaged"


def test_a_missing_index_is_made_anew(full: Repository, folder: Path) -> None:
    shutil.rmtree(folder / "index")
    check_well(folder, repair(folder))


def test_a_segment_that_lists_what_is_not_there_is_made_anew(full: Repository, folder: Path) -> None:
    for path in (folder / "index").iterdir():
        flip(path, path.stat().st_size - 20)
    assert problems(folder)
    check_well(folder, repair(folder))


@pytest.mark.long
@pytest.mark.parametrize("name", ["format", ".gitignore", "root", "cache.db"])
@pytest.mark.parametrize("damage", [b"", b"damaged", None])
def test_small_files_are_written_anew(full: Repository, folder: Path, name: str, damage: bytes | None) -> None:
    path = folder / name
    if damage is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(damage)
    repair(folder)
    check_well(folder, repair(folder))
    put_text(Repository(folder), "other/new", "new")


def test_a_format_of_a_newer_artvcs_is_not_touched(full: Repository, folder: Path) -> None:
    from artvcs.vcs.errors import UnsupportedFormat
    from artvcs.vcs.storage.disk.registers import write_register

    write_register(folder / "format", {"read": 99, "write": 99, "gc": 99}, folder / "tmp")
    before = files(folder)
    with pytest.raises(UnsupportedFormat):
        repair(folder)
    assert files(folder) == before


# What has a second copy


def test_what_is_sound_elsewhere_is_healed_from_there(full: Repository, folder: Path) -> None:
    large = target(full, "tags/large")
    with full.transaction("again") as transaction:
        transaction.bring(full.store.stored(large))
        transaction.set_ref("other/again", large)
    path, at = places(full, large)[-1]
    flip(path, at.offset + RECORD_SIZE + 7)
    done = repair(folder)
    check_well(folder, done)
    assert any(str(path.relative_to(folder)) == name for name in names(done.done))


def test_what_was_set_aside_before_heals_what_is_missing_now(full: Repository, folder: Path) -> None:
    path = packs(folder)[0]
    data = path.read_bytes()
    path.unlink()
    first = repair(folder)
    assert first.lost
    (folder / "quarantine").mkdir(exist_ok=True)
    (folder / "quarantine" / "from-a-backup").write_bytes(data)
    with Repository(folder).transaction("look for it") as transaction:
        for problem in first.lost:
            if problem.where.startswith("tags/"):
                transaction.set_ref(problem.where, hash_of(TEXTS[problem.where]))
    check_well(folder, repair(folder))


def hash_of(text: str) -> Oid:
    from artvcs.vcs.storage.store import blob_id

    return blob_id(text.encode())


# Packs


@pytest.mark.parametrize("damage", ["flip", "table", "truncate"])
def test_a_damaged_pack_is_set_aside_and_what_is_sound_in_it_stays(full: Repository, folder: Path, damage: str) -> None:
    [path] = packs(folder)
    large, small = target(full, "tags/large"), target(full, "tags/small")
    [(_, at)] = places(full, large)
    if damage == "flip":
        flip(path, at.offset + RECORD_SIZE + 7)
    elif damage == "table":
        flip(path, path.stat().st_size - 300)
    else:
        os.truncate(path, path.stat().st_size - 10)
    bad = path.read_bytes()
    done = repair(folder)
    assert problems(folder) == []
    assert not path.exists()
    assert (folder / "quarantine" / f"packs-{path.parent.name}-{path.name}").read_bytes() == bad
    expected = {ref: text for ref, text in TEXTS.items() if damage != "flip" or ref != "tags/large"}
    assert texts(folder) == expected
    assert full.store.read(small, "blob") == b"small"
    assert names(done.lost) == (["tags/large"] if damage == "flip" else [])
    assert [version.number for version in versions(Repository(folder), "model")] == [1, 2, 3]


def test_a_missing_pack_is_not_named_any_more_and_what_it_held_is(full: Repository, folder: Path) -> None:
    [path] = packs(folder)
    path.unlink()
    done = repair(folder)
    assert problems(folder) == []
    assert {"tags/large", "tags/chunked"} <= set(names(done.lost))
    assert f"packs/{path.parent.name}/{path.name}" in names(done.done)


def test_what_is_lost_can_be_put_again(full: Repository, folder: Path) -> None:
    [path] = packs(folder)
    path.unlink()
    repair(folder)
    with Repository(folder).transaction("again") as transaction:
        for ref, text in TEXTS.items():
            put_text_in(transaction, ref, text)
        for number in range(3):
            add_version(transaction, "model", f"v{number}")
    check_well(folder, repair(folder))


# The log


@pytest.mark.long
@pytest.mark.parametrize("place", [0, 33, 60, FIRST_SIZE + 5, -1, -100])
def test_where_the_newest_op_is_damaged_the_one_before_counts_with_what_the_change_brought(
    full: Repository, folder: Path, place: int
) -> None:
    with full.transaction("last") as transaction:
        put_run(transaction, a_run("last", "completed", started=9))
        add_version(transaction, "model", "v9")
        put_text_in(transaction, "tags/last", "last")
    path = newest(full)
    flip(path, place)
    with pytest.raises(DamagedError):
        Repository(folder).refs()
    done = repair(folder)
    assert problems(folder) == []
    repository = Repository(folder)
    assert [version.number for version in versions(repository, "model")] == [1, 2, 3, 4]
    assert [run.run for run in runs.newest_first(repository.refs())] == ["last", "r2", "r1", "r0"]
    assert version_refs.newest(repository.refs(), "model") == versions(repository, "model")[-1]
    assert path.name in names(done.older)[0]
    assert "model@4" in names(done.older)
    assert (folder / "quarantine" / f"ops-{path.name}").exists()
    put_text(repository, "other/new", "new")
    assert problems(folder) == []


def test_an_op_in_the_middle_that_is_damaged_takes_nothing_with_it(full: Repository, folder: Path) -> None:
    flip(newest(full, 5), FIRST_SIZE + 5)
    flip(newest(full, 1), FIRST_SIZE + 5)
    check_well(folder, repair(folder))


def test_a_missing_op_is_got_over(full: Repository, folder: Path) -> None:
    with full.transaction("nothing of worth") as transaction:
        transaction.set_ref("other/0", None)
    newest(full).unlink()
    (folder / "root").write_bytes(b"1\n")
    check_well(folder, repair(folder))


def test_where_the_op_before_the_newest_is_missing_the_newest_counts(full: Repository, folder: Path) -> None:
    with full.transaction("one") as transaction:
        transaction.set_ref("other/1", None)
    with full.transaction("two") as transaction:
        transaction.set_ref("other/2", None)
    newest(full, 1).unlink()
    with pytest.raises(DamagedError):
        Repository(folder).refs()
    check_well(folder, repair(folder))
    assert Repository(folder).refs().get("other/2") is None


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_where_no_op_can_be_read_the_refs_are_put_together_from_records(
    full: Repository, folder: Path, damage: str
) -> None:
    pack_everything(full)
    for path in (folder / "ops").iterdir():
        if damage == "missing":
            path.unlink()
        else:
            flip(path, FIRST_SIZE + 5)
    with pytest.raises(ArtError):
        Repository(folder).refs()
    done = repair(folder)
    assert problems(folder) == []
    repository = Repository(folder)
    assert [version.number for version in versions(repository, "model")] == [1, 2, 3]
    assert [run.run for run in runs.newest_first(repository.refs())] == ["r2", "r1", "r0"]
    assert runs.latest(repository.refs(), "train") == repository.store.record(
        target(repository, ref_names.run("r2")), Run
    )
    assert "model@1 to @3 (3 versions)" in names(done.older)
    put_text(repository, "other/new", "new")
    gc.collect(repository, max_unused=0)
    assert problems(folder) == []


def pack_everything(repository: Repository) -> None:
    """So that no op holds anything of worth any more."""
    for number in range(40):
        put_text(repository, f"other/{number}", f"again {number}")
    gc.collect(repository, max_unused=0)


def test_a_deleted_version_stays_deleted_where_its_number_was_the_last(full: Repository, folder: Path) -> None:
    from artvcs.vcs.changes.intents import DeleteVersion

    with full.transaction("delete") as transaction:
        transaction.add(DeleteVersion("model", 3, target(full, ref_names.version("model", 3))))
    for path in (folder / "ops").iterdir():
        flip(path, FIRST_SIZE + 5)
    repair(folder)
    repository = Repository(folder)
    assert [version.number for version in versions(repository, "model")] == [1, 2]
    with repository.transaction("next") as transaction:
        assert add_version(transaction, "model", "another").number == 4


# The refs


@pytest.mark.long
def test_a_node_of_the_refs_that_is_damaged_is_got_from_older_ops_and_records(
    repository: Repository, folder: Path
) -> None:
    for start in range(0, 300, 100):
        with repository.transaction("many") as transaction:
            for number in range(start, start + 100):
                add_version(transaction, f"name{number}", f"value {number}")
    lost = next(oid for oid in nodes(repository) if oid != repository.store.refresh().state.refs)
    lose(repository, lost)
    with pytest.raises(DamagedError):
        gc.collect(Repository(folder))
    done = repair(folder)
    assert problems(folder) == []
    found = list(version_refs.every(Repository(folder).refs()))
    assert sorted(version.name for version in found) == sorted(f"name{number}" for number in range(300))
    assert done.older
    assert all(version_refs.newest(Repository(folder).refs(), version.name) == version for version in found)


def nodes(repository: Repository) -> list[Oid]:
    from artvcs.vcs.objects.nodes import RefsNode

    pending, found = [repository.store.refresh().state.refs], list[Oid]()
    while pending:
        oid = pending.pop()
        assert oid is not None
        found.append(oid)
        node = repository.store.record(oid, RefsNode)
        pending += [Oid(entry[1]) for entry in node.entries] if node.level else []
    return found


# What is lost for good


def test_a_lost_version_is_made_again_from_what_tells_of_it(full: Repository, folder: Path) -> None:
    version = versions(full, "model")[1]
    lose(full, target(full, ref_names.version("model", 2)))
    done = repair(folder)
    assert problems(folder) == []
    again = version_refs.by_number(Repository(folder).refs(), "model", 2)
    assert again is not None
    assert again.artifact == version.artifact
    assert "model@2" in names(done.older)
    assert done.lost == ()


def test_a_version_that_was_edited_falls_back_on_its_older_record(full: Repository, folder: Path) -> None:
    from artvcs.vcs.changes.intents import EditVersion

    version = versions(full, "model")[1]
    with full.transaction("tag") as transaction:
        transaction.add(EditVersion("model", version.artifact, {"a": 1}, ("first",)))
    older = target(full, ref_names.version("model", 2))
    with full.transaction("tag") as transaction:
        transaction.add(EditVersion("model", version.artifact, {"a": 2}, ("second",)))
    lose(full, target(full, ref_names.version("model", 2)))
    repair(folder)
    assert target(Repository(folder), ref_names.version("model", 2)) == older


def test_a_version_of_which_nothing_tells_is_lost_and_its_number_is_not_given_again(
    full: Repository, folder: Path
) -> None:
    version = versions(full, "model")[2]
    lose(full, version.artifact)
    lose(full, target(full, ref_names.version("model", 3)))
    done = repair(folder)
    assert "model@3" in names(done.lost)
    assert problems(folder) == []
    repository = Repository(folder)
    assert [version.number for version in versions(repository, "model")] == [1, 2]
    assert version_refs.newest(repository.refs(), "model") == versions(repository, "model")[1]
    with repository.transaction("next") as transaction:
        assert add_version(transaction, "model", "another").number == 4


def test_a_lost_run_is_named_and_taken_out_and_the_others_stay(full: Repository, folder: Path) -> None:
    lose(full, target(full, ref_names.run("r1")))
    done = repair(folder)
    assert names(done.lost) == ["run a-run"]
    assert problems(folder) == []
    repository = Repository(folder)
    assert [run.run for run in runs.newest_first(repository.refs())] == ["r2", "r0"]
    assert [ref for ref, _ in repository.refs().items() if ref.endswith("/r1")] == []


def test_a_run_whose_older_record_takes_the_place_of_the_last_goes_on_no_more(full: Repository, folder: Path) -> None:
    began = a_run("long", started=9)
    with full.transaction("run") as transaction:
        put_run(transaction, began)
    with full.transaction("run") as transaction:
        put_run(transaction, a_run("long", "completed", started=9), began)
    lose(full, target(full, ref_names.run("long")))
    assert names(repair(folder).older) == ["run a-run"]
    run = runs.by_id(Repository(folder).refs(), "long")
    assert run is not None
    assert run.status == "interrupted"
    assert problems(folder) == []


@pytest.mark.long
def test_of_a_run_with_many_steps_those_stay_that_can_be_read(full: Repository, folder: Path) -> None:
    with full.transaction("run") as transaction:
        put_run(transaction, of_steps(a_run("many", "completed", started=9), 500, transaction))
    run = runs.by_id(full.refs(), "many")
    assert run is not None
    assert run.parts is not None
    leaf = full.store.record(run.parts.steps, StepsNode).entries[0][1]
    lose(full, leaf)
    assert any(f"reference {leaf}" in found and "run many needs it" in found for found in problems(folder))
    lost = {name for name, _ in full.store.record(leaf, StepsNode).entries}
    refs = Repository(folder).refs()
    listed, *others = runs.newest_first(refs)
    assert [run.run for run in others] == ["r2", "r1", "r0"]
    assert set(listed.steps) == set(run.order) - lost  # what is lost hides none of the others
    assert len(listed.order) == 500
    catalog = Repository(folder).catalog()
    assert catalog.runs.unreadable() == ["many"]
    assert set(catalog.runs.step_names("step_")) == set(run.order) - lost
    done = repair(folder)
    assert names(done.lost) == ["run a-run"]
    assert problems(folder) == []
    again = runs.by_id(Repository(folder).refs(), "many")
    assert again is not None
    assert set(again.steps) == set(run.order) - lost
    assert again.order == run.order
    assert repair(folder) == Repaired((), (), ())


def test_what_records_refer_to_and_is_lost_is_named_once_and_they_stay(full: Repository, folder: Path) -> None:
    version = versions(full, "model")[1]
    lose(full, version.artifact)
    done = repair(folder)
    assert [problem.where for problem in done.lost] == ["model@2"]
    assert version.artifact in done.lost[0].what
    assert problems(folder) == []
    repository = Repository(folder)
    assert [version.number for version in versions(repository, "model")] == [1, 2, 3]
    assert repair(folder) == Repaired((), (), ())
    assert gc.collect(repository, max_unused=0).plan.lost == {}


def test_what_was_lost_and_is_here_again_is_not_said_to_be_lost(full: Repository, folder: Path) -> None:
    artifact = versions(full, "model")[1].artifact
    lose(full, artifact)
    repair(folder)
    repository = Repository(folder)
    assert repository.refs().get(ref_names.lost(artifact)) is not None
    with repository.transaction("again") as transaction:
        add_version(transaction, "model", "v1")
    flip(newest(repository), -1)  # so that there is something to repair
    repair(folder)
    assert Repository(folder).refs().get(ref_names.lost(artifact)) is None


# Others


def test_what_cannot_be_written_is_not_repaired(
    full: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    before = files(folder)
    with pytest.raises(NoPermission, match="copy it to where you may write"):
        repair(folder)
    assert files(folder) == before


def test_one_repair_at_a_time(full: Repository, folder: Path) -> None:
    lock = Lock.take(folder / "repair")
    assert lock is not None
    with pytest.raises(RepositoryBusy, match="Another process repairs"):
        repair(folder)
    lock.sign()
    with pytest.raises(RepositoryBusy, match=f"Process {os.getpid()} repairs"):
        repair(folder)
    lock.remove()
    repair(folder)


def test_where_there_is_no_repository_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(RepositoryNotFound):
            repair(folder)


def test_what_is_deleted_while_it_is_set_aside_needs_no_setting_aside(
    full: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine, name = Quarantine(full.layout), op_name(1)
    quarantine.keep(op_name(2))  # so that there is one to compare with
    samefile = Path.samefile

    def collected(each: Path, other: Path) -> bool:
        (folder / name).unlink(missing_ok=True)
        return samefile(each, other)

    monkeypatch.setattr(Path, "samefile", collected)
    quarantine.keep(name)


WRITE = """
repository = Repository(Path(args[0]))
for number in range(60):
    with repository.transaction("write") as transaction:
        put_text_in(transaction, f"tags/{args[1]}-{number}", f"{args[1]} {number}")
        add_version(transaction, f"name{args[1]}", str(number))
    if not number:
        print("began", flush=True)
"""


COLLECT = """
from artvcs.vcs.upkeep import gc
print("began", flush=True)
while not (Path(args[0]).parent / "stop").exists():
    gc.collect(Repository(Path(args[0])), max_unused=0)
"""


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.faults) for seed in range(2, 20))])
def test_beside_writers_and_a_collector_nothing_of_theirs_is_lost(full: Repository, folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    for path in (*packs(folder), *(folder / "index").iterdir()):
        flip(path, chance.randrange(path.stat().st_size))
    flip(folder / op_name(chance.randrange(3, 15)), FIRST_SIZE + chance.randrange(40))
    writers, collector = [process(WRITE, folder, number) for number in range(3)], process(COLLECT, folder)
    for other in (*writers, collector):
        assert other.stdout is not None
        assert other.stdout.readline() == "began\n"
    repair(folder)
    outputs(writers)
    (folder.parent / "stop").touch()
    outputs([collector])
    assert repair(folder).lost == ()
    assert problems(folder) == []
    found = texts(folder)
    assert [found[f"tags/{writer}-{number}"] for writer in range(3) for number in range(60)] == [
        f"{writer} {number}" for writer in range(3) for number in range(60)
    ]
    assert [len(versions(Repository(folder), f"name{writer}")) for writer in range(3)] == [60, 60, 60]


@pytest.mark.parametrize("each_way", [False, pytest.param(True, marks=pytest.mark.faults)])
def test_whatever_is_hit_all_that_is_sound_is_there_afterwards(
    full: Repository, folder: Path, tmp_path: Path, each_way: bool
) -> None:
    """One file at a time: flipped, cut or deleted, one of these or each; then repaired, filled again and collected."""
    chance, damages = random.Random(4), ("flip", "truncate", "delete")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    for number, path in enumerate(path for path in files if path.name != "reserve"):
        for damage in damages if each_way else [damages[number % 3]]:
            copy = tmp_path / "copy"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(folder, copy)
            hit = copy / path.relative_to(folder)
            if damage == "flip":
                flip(hit, chance.randrange(hit.stat().st_size))
            elif damage == "truncate":
                os.truncate(hit, chance.randrange(hit.stat().st_size))
            else:
                hit.unlink()
            done = repair(copy)
            assert problems(copy) == [], (path, damage)
            lost = {problem.where for problem in done.lost}
            found = texts(copy)
            assert all(found.get(ref) == text for ref, text in TEXTS.items() if ref not in lost), (path, damage)
            assert repair(copy) == Repaired((), (), ()), (path, damage)


def test_who_had_looked_before_a_repair_looks_again_after_it(full: Repository, folder: Path) -> None:
    """A notebook, say: what it knows of the newest op is not so any more."""
    notebook = Repository(folder)
    assert tags(notebook)
    newest = folder / op_name(notebook.store.refresh().seq)
    newest.write_bytes(b"")
    repair(folder)
    put_text(notebook, "tags/after", "after")
    assert problems(folder) == []
    assert tags(notebook) == tags(Repository(folder))
    put_text(full, "tags/full", "full")
    assert problems(folder) == []
