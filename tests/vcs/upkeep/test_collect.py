"""Garbage collection: what nothing refers to goes, everything else stays, and a reader notices nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError, RepositoryBusy, UnknownName
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep import collect as gc

from ..helpers import add_version, files, problems, put_text, put_text_in, versions


def drop(repository: Repository, *refs: str) -> None:
    with repository.transaction("drop") as transaction:
        for ref in refs:
            transaction.set_ref(ref, None)


def test_dead_objects_go_and_live_ones_stay(repository: Repository, folder: Path) -> None:
    dead, live = put_text(repository, "tags/dead", "dead"), put_text(repository, "tags/live", "live")
    drop(repository, "tags/dead")
    done = gc.collect(repository)
    assert done.dead > 0
    assert repository.store.read(live, "blob") == b"live"
    with pytest.raises(UnknownName):
        repository.store.read(dead, "blob")
    assert problems(folder) == []


def test_a_plan_changes_nothing_and_says_what_will_be(repository: Repository, folder: Path) -> None:
    with repository.transaction("put") as transaction:
        dead = transaction.put_blob(os.urandom(100_000))
        transaction.set_ref("tags/dead", dead)
    drop(repository, "tags/dead")
    before = files(folder)
    planned = gc.plan(repository)
    assert files(folder) == before
    assert planned.freed > 100_000
    done = gc.collect(repository)
    assert (done.dead, done.live, done.freed) == (planned.dead, planned.live, planned.freed)
    assert sum(map(len, files(folder).values())) < sum(map(len, before.values())) - 100_000


def test_a_collected_repository_has_nothing_left_to_collect(repository: Repository) -> None:
    put_text(repository, "tags/a", "a")
    put_text(repository, "tags/a", "b")
    gc.collect(repository)
    root = repository.read_root()
    again = gc.collect(repository)
    assert (again.dead, again.old_packs) == (0, [])
    assert repository.read_root() == root


def test_many_small_packs_are_put_together(repository: Repository, folder: Path) -> None:
    ids = [put_text(repository, f"tags/{number}", str(number)) for number in range(20)]
    gc.collect(repository)
    assert len(repository.layout.pack_files()) == 1
    assert [Repository(folder).store.read(oid, "blob") for oid in ids] == [str(number).encode() for number in range(20)]
    assert problems(folder) == []


def test_a_large_pack_is_not_copied_for_a_few_old_nodes(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gc, "SMALL_PACK", 100_000)
    with repository.transaction("large") as transaction:
        transaction.set_ref("tags/large", transaction.put_blob(os.urandom(200_000)))
    [large] = repository.layout.pack_files()
    put_text(repository, "tags/a", "a")  # the first pack's refs node and op are dead now
    gc.collect(repository)
    assert large.exists()
    drop(repository, "tags/large")
    gc.collect(repository)
    assert not large.exists()


def test_the_history_of_the_repository_stays(repository: Repository) -> None:
    from artvcs.vcs.refs.walk import op_chain

    for number in range(3):
        put_text(repository, "tags/a", str(number))
    gc.collect(repository)
    whys = [op.why for _, op in op_chain(repository.store, repository.read_root().op)]
    assert whys == ["gc", "set tags/a", "set tags/a", "set tags/a"]


def test_versions_and_what_they_name_stay(repository: Repository, folder: Path) -> None:
    with repository.transaction("add") as transaction:
        for value in "abc":
            add_version(transaction, "model", value)
    gc.collect(repository)
    assert [version.number for version in versions(Repository(folder), "model")] == [1, 2, 3]
    assert problems(folder) == []


def test_gc_is_refused_while_a_run_is_writing(repository: Repository, folder: Path) -> None:
    other = Repository(folder)
    with repository.transaction("run") as transaction:
        put_text_in(transaction, "tags/a", "a")
        with pytest.raises(RepositoryBusy, match="when it has ended"):
            gc.collect(other)
    gc.collect(other)
    assert [ref for ref, _ in other.refs().items()] == ["tags/a"]


def test_what_a_run_takes_to_be_stored_is_not_collected_under_it(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "shared")
    drop(repository, "tags/a")
    with repository.transaction("takes the dead blob to be stored") as transaction:
        oid = put_text_in(transaction, "tags/b", "shared")
        with pytest.raises(RepositoryBusy):
            gc.collect(Repository(folder))
    gc.collect(repository)
    assert repository.store.read(oid, "blob") == b"shared"


def test_damage_stops_a_collection_before_anything_goes(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "precious" * 5)
    put_text(repository, "tags/b", "b")
    [pack] = [path for path in repository.layout.pack_files() if b"precious" in path.read_bytes()]
    data = pack.read_bytes()
    pack.write_bytes(data.replace(b"preciousprecious", b"preciousPrecious"))
    before = files(folder)
    with pytest.raises(DamagedError):
        gc.collect(Repository(folder))
    assert files(folder) == before


def test_a_missing_object_stops_a_collection(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "a")
    with repository.transaction("dangling") as transaction:
        transaction.set_ref("tags/missing", Oid("0" * 64))
    before = files(folder)
    with pytest.raises(UnknownName):
        gc.collect(repository)
    assert files(folder) == before


def test_an_object_stored_twice_is_kept_once(repository: Repository, folder: Path) -> None:
    with repository.transaction("one") as one, Repository(folder).transaction("two") as two:
        for transaction, ref in ((one, "tags/one"), (two, "tags/two")):
            oid = put_text_in(transaction, ref, "the same")
    gc.collect(repository)
    [pack] = repository.layout.pack_files()
    assert pack.read_bytes().count(b"the same") == 1
    assert repository.store.read(oid, "blob") == b"the same"


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


@pytest.mark.parametrize("moment", ["finish", "rebuild", "write_root", "unlink"])
def test_a_collection_that_is_killed_loses_nothing(repository: Repository, folder: Path, moment: str) -> None:
    live = [put_text(repository, f"tags/{number}", str(number)) for number in range(4)]
    put_text(repository, "tags/dead", "dead")
    drop(repository, "tags/dead")
    script = f"""
import os, signal
from pathlib import Path
from artvcs.vcs.upkeep import collect as gc
from artvcs.vcs.changes.incoming import Incoming
from artvcs.vcs.storage.segments import Index
from artvcs.vcs.repository import Repository
repository = Repository(Path({str(folder)!r}))
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
{{
    "finish": lambda: setattr(Incoming, "drop", die),
    "rebuild": lambda: setattr(Index, "rebuild", die),
    "write_root": lambda: setattr(Repository, "write_root", die),
    "unlink": lambda: setattr(gc, "_sweep_tmp", die),
}}[{moment!r}]()
gc.collect(repository)
"""
    assert subprocess.run([sys.executable, "-c", script]).returncode == -9
    assert problems(folder) == []
    again = Repository(folder)
    assert [again.store.read(oid, "blob") for oid in live] == [b"0", b"1", b"2", b"3"]
    gc.collect(again)
    assert len(again.layout.pack_files()) == 1
    assert problems(folder) == []


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 5) | st.none()), max_size=12), st.booleans())
@settings(max_examples=25)
def test_after_any_changes_gc_keeps_exactly_what_the_refs_reach(
    tmp_path: Path, changes: list[tuple[str, int | None]], reopen: bool
) -> None:
    repository = Repository.init(tmp_path / os.urandom(8).hex())
    expected: dict[str, bytes] = {}
    for ref, value in changes:
        if value is None:
            drop(repository, ref)
            expected.pop(ref, None)
        else:
            put_text(repository, ref, str(value))
            expected[ref] = str(value).encode()
        if value == 3:
            gc.collect(repository)
    gc.collect(repository)
    if reopen:
        repository = Repository(repository.layout.folder)
    refs = dict(repository.refs().items())
    assert {ref: repository.store.read(oid, "blob") for ref, oid in refs.items()} == expected
    blobs = {at.oid for at in repository.store.index.starting_with("") if at.kind == "blob"}
    assert blobs == set(refs.values())
    assert problems(repository.layout.folder) == []
