"""Transactions: nothing is visible before it is published, and numbers are given once."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from artvcs.vcs.refs import names

from artvcs.vcs.errors import NoPermission, StorageError
from artvcs.vcs.objects.kinds import Artifact, Version
from artvcs.vcs.repository import Repository

from ..helpers import add_version, files, problems, put_text, put_text_in, versions


def test_nothing_is_visible_before_it_is_published(repository: Repository, folder: Path) -> None:
    other = Repository(folder)
    with repository.transaction("put") as transaction:
        oid = put_text_in(transaction, "tags/a", "a")
        transaction.checkpoint()
        assert other.refs().get("tags/a") is None
        assert not other.store.has(oid)
        assert repository.store.read(oid, "blob") == b"a"  # but at once where it was put
        assert transaction.get_ref("tags/a") == oid
    assert other.refs().get("tags/a") == oid
    assert other.store.read(oid, "blob") == b"a"


def test_an_exception_drops_what_was_not_landed(repository: Repository, folder: Path) -> None:
    before = files(folder)
    with contextlib.suppress(ZeroDivisionError), repository.transaction("put") as transaction:
        put_text_in(transaction, "tags/a", "a")
        raise ZeroDivisionError
    assert files(folder) == before


def test_an_exception_keeps_what_was_landed(repository: Repository, folder: Path) -> None:
    with contextlib.suppress(ZeroDivisionError), repository.transaction("put") as transaction:
        landed = put_text_in(transaction, "tags/a", "a")
        transaction.checkpoint()
        put_text_in(transaction, "tags/b", "b")
        raise ZeroDivisionError
    again = Repository(folder)
    assert dict(again.refs().items()) == {"tags/a": landed}
    assert again.store.read(landed, "blob") == b"a"
    assert problems(folder) == []


def test_putting_what_is_stored_writes_nothing(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "a")
    before = files(folder)
    with repository.transaction("again") as transaction:
        transaction.put_blob(b"a")
        add = transaction.put_blob(b"unreferenced")
        assert repository.store.has(add)
    assert files(folder) == before


def test_a_transaction_goes_on_after_it_was_published(repository: Repository) -> None:
    with repository.transaction("steps") as transaction:
        for number in range(3):
            put_text_in(transaction, f"tags/{number}", str(number))
            transaction.publish()
            assert len(list(repository.refs().items())) == number + 1
    assert repository.read_root().seq == 3


def test_a_ref_can_be_deleted(repository: Repository) -> None:
    put_text(repository, "tags/a", "a")
    with repository.transaction("delete") as transaction:
        transaction.set_ref("tags/a", None)
        assert transaction.get("tags/a") is None
        assert list(transaction.items("tags/")) == []
    assert repository.refs().root is None


def test_a_transaction_reads_like_the_refs_it_will_make(repository: Repository) -> None:
    put_text(repository, "tags/b", "old")
    with repository.transaction("change") as transaction:
        a = put_text_in(transaction, "tags/a", "a")
        transaction.checkpoint()
        b = put_text_in(transaction, "tags/b", "b")
        assert list(transaction.items("tags/")) == [("tags/a", a), ("tags/b", b)]
    assert list(repository.refs().items("tags/")) == [("tags/a", a), ("tags/b", b)]


def test_an_ended_transaction_takes_nothing_more(repository: Repository) -> None:
    with repository.transaction("put") as transaction:
        pass
    with pytest.raises(StorageError, match="begin a new one"):
        transaction.put_blob(b"late")


# Versions


def test_versions_count_up_by_name(repository: Repository) -> None:
    with repository.transaction("add") as transaction:
        numbers = [add_version(transaction, name, value).number for name, value in ("ax", "ay", "bx", "az")]
    assert numbers == [1, 2, 1, 3]


def test_the_same_value_is_the_same_version(repository: Repository) -> None:
    for _ in range(3):
        with repository.transaction("add") as transaction:
            assert add_version(transaction, "model", "x").number == 1
            assert add_version(transaction, "model", "x").number == 1
    assert len(versions(repository, "model")) == 1


def test_numbers_of_others_stand_and_ours_follow(repository: Repository, folder: Path) -> None:
    other = Repository(folder)
    with repository.transaction("slow") as transaction:
        assert add_version(transaction, "model", "ours").number == 1
        assert add_version(transaction, "model", "both").number == 2
        with other.transaction("fast") as faster:
            add_version(faster, "model", "theirs")
            add_version(faster, "model", "both")
    found = versions(repository, "model")
    store = repository.store
    assert [version.number for version in found] == [1, 2, 3]
    kinds = [store.record(version.artifact, Artifact).type for version in found]
    assert kinds == ["tests.theirs", "tests.both", "tests.ours"]


def test_numbers_go_on_rightly_after_a_rebase(repository: Repository, folder: Path) -> None:
    with repository.transaction("slow") as transaction:
        add_version(transaction, "model", "both")
        with Repository(folder).transaction("fast") as faster:
            add_version(faster, "model", "both")
        transaction.publish()
        assert add_version(transaction, "model", "next").number == 2
    assert [version.number for version in versions(repository, "model")] == [1, 2]


def test_a_changed_version_keeps_its_number(repository: Repository) -> None:
    with repository.transaction("add") as transaction:
        version = add_version(transaction, "model", "x")
        transaction.replace_version(replace(version, tags=("good",)))
    with repository.transaction("tag") as transaction:
        [version] = versions(repository, "model")
        transaction.replace_version(replace(version, tags=("good", "best")))
    [version] = versions(repository, "model")
    assert (version.number, version.tags) == (1, ("good", "best"))
    again = repository.refs().get(names.value_ref("model", version.artifact))
    assert again is not None
    assert repository.store.record(again, Version) == version


PUBLISH = """
import sys
from pathlib import Path
from artvcs.vcs.repository import Repository
from artvcs.vcs.objects.kinds import Tree
sys.path.insert(0, sys.argv[3])
from tests.vcs.helpers import add_version, put_text_in
repository = Repository(Path(sys.argv[1]))
for number in range(25):
    with repository.transaction("add") as transaction:
        add_version(transaction, "model", f"{sys.argv[2]}x{number}")
        add_version(transaction, "model", "shared")
        put_text_in(transaction, f"tags/{sys.argv[2]}/{number}", "text")
"""


def test_four_processes_publish_at_once_and_nothing_is_lost(repository: Repository, folder: Path) -> None:
    top = str(Path(__file__).parents[3])
    writers = [
        subprocess.Popen([sys.executable, "-c", PUBLISH, folder, str(number), top], stderr=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    errors = [writer.communicate()[1] for writer in writers]
    assert errors == [""] * 4
    found = versions(repository, "model")
    assert [version.number for version in found] == list(range(1, 102))
    assert len({version.artifact for version in found}) == 101
    assert len(list(repository.refs().items("tags/"))) == 100
    assert repository.read_root().seq == 100
    assert problems(folder) == []


# Threads, forks, and many of them


def test_several_threads_put_and_land_at_once(repository: Repository, folder: Path) -> None:
    def work(thread: int) -> None:
        for number in range(100):
            put_text_in(transaction, f"tags/{thread}/{number}", f"{thread} {number}" * 20)
            put_text_in(transaction, f"tags/shared/{thread}/{number}", f"shared {number}")
            if number % 10 == 0:
                transaction.checkpoint()

    with repository.transaction("threads") as transaction, ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    refs = dict(Repository(folder).refs().items("tags/"))
    assert len(refs) == 1200
    assert repository.store.read(refs["tags/3/7"], "blob") == b"3 7" * 20
    assert problems(folder) == []


def test_two_transactions_of_one_repository_at_once(repository: Repository, folder: Path) -> None:
    def work(thread: int) -> None:
        for number in range(10):
            with repository.transaction("thread") as transaction:
                put_text_in(transaction, f"tags/{thread}/{number}", f"{thread} {number}")
                add_version(transaction, "model", f"{thread}x{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(list(repository.refs().items("tags/"))) == 40
    assert [version.number for version in versions(repository, "model")] == list(range(1, 41))
    assert problems(folder) == []


def test_many_transactions_leak_no_descriptor(repository: Repository) -> None:
    put_text(repository, "tags/a", "first")
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for number in range(50):
        put_text(repository, "tags/a", str(number))
        with contextlib.suppress(ZeroDivisionError), repository.transaction("fails") as transaction:
            put_text_in(transaction, "tags/a", "never")
            raise ZeroDivisionError
    repository.store.close()
    gc.collect()
    segments = len(repository.store.index.segments())  # each is mapped
    assert len(os.listdir("/proc/self/fd")) <= before + segments


def test_a_transaction_that_cannot_begin_leaves_no_lock(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "a")
    root = repository.layout.root.read_bytes()
    repository.layout.root.write_bytes(b"damaged")
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(Exception, match="damaged"):
        repository.transaction("fails")
    assert len(os.listdir("/proc/self/fd")) == before
    repository.layout.root.write_bytes(root)


def _in_a_fork(work: object) -> int:
    child = os.fork()
    if child == 0:
        try:
            os._exit(work())  # type: ignore[operator]
        except BaseException:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_forked_process_cannot_spoil_its_parents_transaction(repository: Repository, folder: Path) -> None:
    with repository.transaction("parent") as transaction:
        oid = put_text_in(transaction, "tags/a", "before the fork")

        def child() -> int:
            assert repository.store.read(oid, "blob") == b"before the fork"
            with pytest.raises(StorageError, match="forked"):
                transaction.put_blob(b"from the child")
            transaction.close()
            return 7

        assert _in_a_fork(child) == 7
        put_text_in(transaction, "tags/b", "after the fork")
    assert len(list(repository.refs().items("tags/"))) == 2
    assert problems(folder) == []


def test_a_forked_process_can_publish_on_its_own(repository: Repository, folder: Path) -> None:
    with repository.transaction("parent") as transaction:
        put_text_in(transaction, "tags/a", "a")

        def child() -> int:
            put_text(repository, "tags/child", "b")
            return 0

        assert _in_a_fork(child) == 0
    assert {ref for ref, _ in repository.refs().items()} == {"tags/a", "tags/child"}
    assert problems(folder) == []


# Failing half-way


@pytest.mark.parametrize("where", ["finish", "add_pack", "write_root", "after root"])
def test_a_publish_that_fails_half_way_is_made_good_on_the_next_opening(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    put_text(repository, "tags/old", "old")
    write_root = repository.write_root

    def fail(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    def fail_after(seq: int, op: object) -> None:
        write_root(seq, op)  # type: ignore[arg-type]
        fail()

    with monkeypatch.context() as broken:
        if where == "finish":
            broken.setattr("artvcs.vcs.storage.pack.PackWriter.finish", fail)
        elif where == "add_pack":
            broken.setattr(repository.store.index, "add_pack", fail)
        else:
            broken.setattr(repository, "write_root", fail if where == "write_root" else fail_after)
        with pytest.raises(StorageError, match="Input/output"), repository.transaction("put") as transaction:
            oid = put_text_in(transaction, "tags/new", "new")
    assert problems(folder) == []
    again = Repository(folder)
    assert again.refs().get("tags/new") == oid
    assert again.store.read(oid, "blob") == b"new"
    assert list(again.layout.incoming.iterdir()) == []
    assert again.read_root().seq == 2  # published once
    assert problems(folder) == []


def test_after_a_refused_write_a_transaction_can_go_on(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with repository.transaction("put") as transaction:
        put_text_in(transaction, "tags/a", "a")
        with monkeypatch.context() as full:
            full.setattr(os, "pwrite", _full)
            with pytest.raises(StorageError, match="No space"):
                transaction.put_stream(io.BytesIO(os.urandom(3_000_000)))
            with pytest.raises(StorageError, match="No space"):
                transaction.checkpoint()
        put_text_in(transaction, "tags/b", "b")
    assert len(list(Repository(folder).refs().items("tags/"))) == 2
    assert problems(folder) == []


def _full(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_a_folder_that_may_not_be_written_says_so(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied", "gc.lock")

    with monkeypatch.context() as read_only:
        read_only.setattr("artvcs.vcs.storage.durable.open_locked", refuse)
        with pytest.raises(NoPermission, match="who owns it"):
            repository.transaction("put")
