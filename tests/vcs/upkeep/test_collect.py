"""Garbage collection: what nothing refers to goes, everything else stays, and a killed one loses nothing."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError, UnknownName
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.local import LocalFiles
from artvcs.vcs.upkeep import gc

from ..helpers import add_version, files, packs, problems, process, put_text, random_text, sizes, tags, versions


def drop(repository: Repository, *refs: str) -> None:
    with repository.transaction("drop") as transaction:
        for ref in refs:
            transaction.set_ref(ref, None)


def test_dead_objects_go_and_live_ones_stay(repository: Repository, folder: Path) -> None:
    dead, live = put_text(repository, "tags/dead", random_text(1)), put_text(repository, "tags/live", "live")
    drop(repository, "tags/dead")
    before = sizes(folder)
    done = gc.collect(repository)
    assert done.plan.dead > 0
    assert done.plan.freed >= 400_000
    assert sizes(folder) < before - 390_000
    assert repository.store.read(live, "blob") == b"live"
    with pytest.raises(UnknownName):
        repository.store.read(dead, "blob")
    assert problems(folder) == []


def test_it_tells_how_much_of_what_it_writes_anew_is_written(repository: Repository) -> None:
    with repository.begin("half dead") as transaction:
        for number in range(8):
            text = random_text(number).encode()
            transaction.set_ref(f"tags/half/{number}", transaction.put_blob(text))
    drop(repository, *(f"tags/half/{number}" for number in range(0, 8, 2)))
    told: list[tuple[str, int, int]] = []
    gc.collect(repository, progress=lambda *each: told.append(each))
    assert told[0] == ("finding what is used", 0, 1)
    written = [(done, total) for doing, done, total in told if doing == "writing anew what is used"]
    assert len(written) >= 4
    assert written == sorted(written)
    assert written[-1][0] == written[-1][1] > 4 * 100_000


def test_versions_and_what_they_name_stay(repository: Repository, folder: Path) -> None:
    with repository.transaction("add") as transaction:
        for value in "abc":
            add_version(transaction, "model", value)
    gc.collect(repository)
    assert [version.number for version in versions(Repository(folder), "model")] == [1, 2, 3]
    assert problems(folder) == []


def test_what_somebody_uses_waits_for_them_and_says_for_whom(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/dead", random_text(1))
    drop(repository, "tags/dead")
    work = (
        "transaction = Repository(Path(args[0])).transaction('run')\nprint('began', flush=True)\nsys.stdin.readline()"
    )
    run = process(work, folder)
    assert run.stdout is not None
    assert run.stdout.readline() == "began\n"
    done = gc.collect(repository)
    assert done.held_by == (run.pid,)
    assert [str(path.relative_to(folder)) for path in packs(folder)] == list(done.waiting)
    run.kill()
    run.wait()
    done = gc.collect(repository)
    assert (done.waiting, done.held_by) == ((), ())
    assert packs(folder) == []


def test_what_is_wholly_dead_goes_before_anything_is_written(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk can be freed."""
    put_text(repository, "tags/dead", random_text(1))
    with repository.begin("half dead") as transaction:
        for number in range(2):
            transaction.set_ref(f"tags/{number}", transaction.put_blob(random_text(number + 2).encode()))
    drop(repository, "tags/dead", "tags/0")
    assert len(packs(folder)) == 2

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(LocalFiles, "adopt", full)
        done = gc.collect(repository)
    assert done.full
    assert len(packs(folder)) == 1
    assert Repository(folder).store.read(tags(repository)["tags/1"], "blob").decode() == random_text(3)
    assert problems(folder) == []
    done = gc.collect(repository)
    assert not done.full
    assert sizes(folder) < 2 * 400_000 + 300_000
    assert problems(folder) == []


def test_damaged_refs_stop_a_collection_before_anything_goes(repository: Repository, folder: Path) -> None:
    for number in range(300):
        put_text(repository, f"tags/{number}", str(number))
    root = repository.refs().root
    assert root is not None
    for path in (folder / "ops").iterdir():
        data = path.read_bytes()
        if bytes.fromhex(root) in data and path.name == f"{repository.store.refresh().seq:012d}":
            at = data.index(bytes.fromhex(root)) + 40
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    before = files(folder)
    with pytest.raises((DamagedError, UnknownName)):
        gc.collect(Repository(folder))
    assert files(folder) == before


def test_old_temporary_files_are_swept_and_young_ones_stay(repository: Repository) -> None:
    tmp = repository.layout.tmp
    old = time.time() - 2 * 24 * 3600
    for name in ("old", "young"):
        (tmp / f"{name}-folder").mkdir()
        (tmp / f"{name}-file").write_bytes(b"x")
    for name in ("old-folder", "old-file"):
        os.utime(tmp / name, (old, old))
    gc.collect(repository)
    assert sorted(path.name for path in tmp.iterdir()) == ["young-file", "young-folder"]


@pytest.mark.long
@pytest.mark.parametrize(
    "moment", ["seal", "commit 1", "commit 2", "commit 3", "delete 1", "delete 2", "clean_up", "sweep"]
)
def test_a_collection_that_is_killed_loses_nothing(repository: Repository, folder: Path, moment: str) -> None:
    put_text(repository, "tags/dead", random_text(9))
    with repository.begin("half dead") as transaction:
        for number in range(2):
            transaction.set_ref(f"tags/half/{number}", transaction.put_blob(random_text(number).encode()))
    for number in range(110):
        put_text(repository, f"tags/{number % 4}", str(number))
    drop(repository, "tags/dead", "tags/half/0")
    expected = {ref: repository.store.read(oid, "blob") for ref, oid in tags(repository).items()}
    script = """
from artvcs.vcs.changes.incoming import Incoming
from artvcs.vcs.storage.local import LocalFiles
from artvcs.vcs.storage.op_log import OpLog
from artvcs.vcs.upkeep import gc
from artvcs.vcs.upkeep.gc.ground import Here
name, _, number = args[1].partition(" ")
owners = {"seal": Incoming, "commit": OpLog, "clean_up": OpLog, "delete": LocalFiles, "sweep": Here}
owner = owners[name]
original, calls = getattr(owner, name), []
def around(*arguments, **named):
    calls.append(name)
    result = original(*arguments, **named)
    if len(calls) == int(number or 1):
        die()
    return result
setattr(owner, name, around)
gc.collect(Repository(Path(args[0])), max_unused=0)
"""
    collector = process(script, folder, moment)
    assert collector.wait() == -signal.SIGKILL, collector.communicate()
    assert problems(folder) == []
    again = Repository(folder)
    assert {ref: again.store.read(oid, "blob") for ref, oid in tags(again).items()} == expected
    gc.collect(again, max_unused=0)
    gc.collect(again, max_unused=0)
    assert again.store.refresh().state.condemned == {}
    assert {ref: again.store.read(oid, "blob") for ref, oid in tags(again).items()} == expected
    assert problems(folder) == []


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 5) | st.none()), max_size=12), st.booleans())
@settings(max_examples=25)
def test_after_any_changes_gc_keeps_exactly_what_the_refs_reach(
    tmp_path: Path, changes: list[tuple[str, int | None]], reopen: bool
) -> None:
    repository = Repository.init(tmp_path / os.urandom(8).hex())
    expected: dict[str, str] = {}
    for ref, value in changes:
        if value is None:
            drop(repository, ref)
            expected.pop(ref, None)
        else:
            put_text(repository, ref, random_text(value, 300_000))
            expected[ref] = random_text(value, 300_000)
        if value == 3:
            gc.collect(repository, max_unused=0)
    gc.collect(repository, max_unused=0)
    if reopen:
        repository = Repository(repository.layout.folder)
    refs = dict(repository.refs().items())
    assert {ref: repository.store.read(oid, "blob").decode() for ref, oid in refs.items()} == expected
    blobs = {at.oid for at in repository.store.snapshot.starting_with("").values() if at.kind == "blob"}
    assert blobs == set(refs.values())
    assert problems(repository.layout.folder) == []


def test_what_killed_processes_left_lying_is_removed(repository: Repository, folder: Path) -> None:
    layout = repository.layout
    scratch = layout.scratch("0" * 16)
    (scratch / "1").mkdir(parents=True)
    (scratch / "1" / "half").write_bytes(b"half")
    for path in (layout.scratch_lock(scratch), layout.leases / "1-1-dead"):
        path.touch()
    gc.collect(repository)
    assert [path.name for place in (layout.tmp, layout.leases) for path in place.iterdir()] == []
