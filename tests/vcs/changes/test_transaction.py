"""Transactions: nothing is visible before it is published, and all of it is after."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from artvcs.vcs.changes import publish, putting
from artvcs.vcs.changes import transaction as transaction_module
from artvcs.vcs.changes.intents import DeleteVersion, EditVersion
from artvcs.vcs.errors import NoPermission, StorageError
from artvcs.vcs.maps import ref_names
from artvcs.vcs.maps import versions as version_refs
from artvcs.vcs.objects.oid import NULL
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.disk import durable, leases, locks
from artvcs.vcs.storage.disk.locks import Lock
from artvcs.vcs.storage.layout import is_lineage_name
from artvcs.vcs.upkeep.gc import collect as gc_collect

from ..helpers import add_version, files, packs, problems, put_text, put_text_in, random_text, tags, versions

LARGE = 400_000
"""Bytes of random data that are too many for an op's own file, and make a pack."""


def test_nothing_is_visible_before_it_is_published(repository: Repository, folder: Path) -> None:
    other = Repository(folder)
    with repository.transaction("put") as transaction:
        oid = put_text_in(transaction, "tags/a", "a")
        transaction.checkpoint()
        assert other.refs().get("tags/a") is None
        assert not other.store.has(oid)
        assert repository.store.read(oid, "blob") == b"a"  # but at once where it was put
        assert transaction.get("tags/a") == oid
    assert other.refs().get("tags/a") == oid
    assert other.store.read(oid, "blob") == b"a"


def test_an_exception_drops_what_was_not_landed(repository: Repository, folder: Path) -> None:
    before = files(folder)
    with contextlib.suppress(ZeroDivisionError), repository.transaction("put") as transaction:
        put_text_in(transaction, "tags/a", "a")
        transaction.put_blob(os.urandom(LARGE))
        transaction.seal()
        raise ZeroDivisionError
    assert files(folder) == before


def test_an_exception_keeps_what_was_landed(repository: Repository, folder: Path) -> None:
    with contextlib.suppress(ZeroDivisionError), repository.transaction("put") as transaction:
        landed = put_text_in(transaction, "tags/a", "a")
        transaction.checkpoint()
        put_text_in(transaction, "tags/b", "b")
        raise ZeroDivisionError
    repository.recover()
    assert tags(repository) == {"tags/a": landed}
    assert repository.store.read(landed, "blob") == b"a"
    assert problems(folder) == []


def test_putting_what_is_stored_writes_nothing(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "a")
    before = files(folder)
    with repository.transaction("again") as transaction:
        transaction.put_blob(b"a")
        add = transaction.put_blob(b"unreferenced")
        assert repository.store.has(add)
    assert files(folder) == before


def test_lineage_can_be_kept_apart(repository: Repository, folder: Path) -> None:
    with repository.transaction("put") as transaction:
        data = put_text_in(transaction, "tags/data", random_text(1))
        transaction.seal()
        transaction.divide(lineage=True)
        record = put_text_in(transaction, "tags/record", random_text(2))
        transaction.seal()
    assert [path.parent.name for path in packs(folder)].count("lineage") == 1
    for again in (repository, Repository(folder)):
        names = {name for oid in (data, record) for name, _ in again.store.refresh().find(oid)}
        assert sorted(map(is_lineage_name, names)) == [False, True]
    put_text(repository, "tags/data", "other")
    gc_collect(repository)
    assert not Repository(folder).store.has(data)
    assert Repository(folder).store.read(record, "blob") == random_text(2).encode()
    assert problems(folder) == []


def test_a_small_change_is_one_file(repository: Repository, folder: Path) -> None:
    before = files(folder)
    put_text(repository, "tags/a", "a" * 1000)
    assert files(folder).keys() - before.keys() == {"ops/000000000002", "queue", "turn"}


def test_what_is_large_goes_into_a_pack(repository: Repository, folder: Path) -> None:
    content = os.urandom(LARGE)
    with repository.transaction("put") as transaction:
        transaction.set_ref("tags/large", transaction.put_blob(content))
    [pack] = packs(folder)
    assert content[:1000] in pack.read_bytes()
    assert (folder / "ops" / "000000000002").stat().st_size < 5000


def test_a_transaction_goes_on_after_it_was_published(repository: Repository) -> None:
    with repository.transaction("steps") as transaction:
        for number in range(3):
            put_text_in(transaction, f"tags/{number}", str(number))
            transaction.publish()
            assert len(tags(repository)) == number + 1
    assert repository.store.refresh().seq == 4


def test_publishing_nothing_changes_nothing(repository: Repository, folder: Path) -> None:
    before = files(folder)
    with repository.transaction("nothing") as transaction:
        transaction.publish()
        transaction.checkpoint()
    assert files(folder) == before


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
        assert list(transaction.items("tags/", reverse=True)) == [("tags/b", b), ("tags/a", a)]
    assert list(repository.refs().items("tags/")) == [("tags/a", a), ("tags/b", b)]


def test_an_ended_transaction_takes_nothing_more(repository: Repository) -> None:
    with repository.transaction("put") as transaction:
        pass
    with pytest.raises(StorageError, match="begin a new one"):
        transaction.put_blob(b"late")


def test_two_that_put_the_same_at_once_both_have_it(repository: Repository, folder: Path) -> None:
    """What another has put and not published does not count as stored: it may come to nothing."""
    with repository.transaction("relies on nobody") as transaction:
        other = repository.transaction("comes to nothing")
        other.put_blob(b"the same")
        oid = put_text_in(transaction, "tags/a", "the same")
        other.close()
    assert Repository(folder).store.read(oid, "blob") == b"the same"
    assert problems(folder) == []


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


def test_of_many_values_it_is_known_at_once_which_have_versions(repository: Repository) -> None:
    with repository.transaction("before") as transaction:
        published = [add_version(transaction, name, value) for name in ("model", "table/é") for value in "abc"]
    with repository.transaction("now") as transaction:
        made = add_version(transaction, "model", "d")
        transaction.add(DeleteVersion("model", 2, transaction.get(ref_names.version("model", 2)) or NULL))
        values = {(each.name, each.artifact) for each in (*published, made)}
        none = {("model", NULL), ("other", made.artifact), ("mode", made.artifact)}
        gone = {("model", published[1].artifact)}
        transaction.set_ref(ref_names.pruned(published[3].artifact), NULL)  # who makes it again unsays that
        gone |= {(each.name, each.artifact) for each in published if each.artifact == published[3].artifact}
        assert transaction.have_versions(values | none) == values - gone
        assert transaction.have_versions(()) == set()


def test_a_changed_version_keeps_its_number(repository: Repository) -> None:
    with repository.transaction("add") as transaction:
        version = add_version(transaction, "model", "x")
        transaction.add(EditVersion("model", version.artifact, {}, tags=("good",)))
    with repository.transaction("tag") as transaction:
        transaction.add(EditVersion("model", version.artifact, {}, tags=("good", "best")))
    [version] = versions(repository, "model")
    assert (version.number, version.tags) == (1, ("good", "best"))
    assert version_refs.by_value(repository.refs(), "model", version.artifact) == version


# Threads, and many of them


def test_several_threads_put_and_land_at_once(repository: Repository, folder: Path) -> None:
    def work(thread: int) -> None:
        for number in range(50):
            put_text_in(transaction, f"tags/{thread}/{number}", f"{thread} {number}" * 20)
            put_text_in(transaction, f"tags/shared/{thread}/{number}", f"shared {number}")
            if number % 10 == 0:
                transaction.checkpoint()

    with repository.transaction("threads") as transaction, ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    refs = tags(Repository(folder))
    assert len(refs) == 600
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
    assert len(tags(repository)) == 40
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
    segments = len(repository.store.snapshot.segments)  # each is mapped
    files_open = 64  # as many as `LocalFiles` keeps
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before + segments + files_open
    repository.store.close()
    repository.store.files.close()  # type: ignore[attr-defined]
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_transaction_that_cannot_begin_leaves_no_lease(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "a")
    (folder / "ops" / "000000000002").write_bytes(b"damaged")
    again = Repository(folder)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(Exception, match="damaged"):
        again.transaction("fails")
    assert list((folder / "leases").iterdir()) == []
    again.store.files.close()  # type: ignore[attr-defined]
    assert len(os.listdir("/proc/self/fd")) <= before


# Failing half-way


def _refuse(*_: object, **__: object) -> int:
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize("size", [100, LARGE])
@pytest.mark.parametrize("landed", [False, True])
@pytest.mark.parametrize("where", ["seal", "adopt", "create", "after create", "hint"])
def test_a_publish_that_fails_half_way_is_whole_or_nothing(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch, where: str, landed: bool, size: int
) -> None:
    put_text(repository, "tags/old", "old")
    content = os.urandom(size)
    if not landed and where in ("seal", "adopt") and size < LARGE:
        pytest.skip("nothing is sealed")
    with monkeypatch.context() as broken:
        _break(broken, where)
        with contextlib.suppress(StorageError), repository.transaction("put") as transaction:
            transaction.set_ref("tags/new", transaction.put_blob(content))
            if landed:
                transaction.checkpoint()
    assert problems(folder) == []
    again = Repository(folder)
    before = again.refs().get("tags/new")
    again.recover()
    after = again.refs().get("tags/new")
    assert before is None or before == after
    if landed or after is not None:
        assert after is not None
        assert again.store.read(after, "blob") == content
    assert list((folder / "incoming").iterdir()) == []
    assert again.store.refresh().seq == (2 if after is None else 3)  # published once
    assert problems(folder) == []


def _break(broken: pytest.MonkeyPatch, where: str) -> None:
    files = "artvcs.vcs.storage.local.LocalFiles."
    if where == "seal":
        broken.setattr("artvcs.vcs.storage.packs.pack_writer.PackWriter.seal", _refuse)
    elif where == "after create":
        sync_folder = durable.sync_folder

        def refuse(folder: Path) -> None:
            if folder.name == "ops":
                _refuse()
            sync_folder(folder)

        broken.setattr(durable, "sync_folder", refuse)
    else:
        broken.setattr(files + where, _refuse)


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
    assert len(tags(Repository(folder))) == 2
    assert problems(folder) == []


def _full(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_a_folder_that_may_not_be_written_says_so(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied", "leases")

    with monkeypatch.context() as read_only:
        read_only.setattr("artvcs.vcs.storage.disk.leases.begin", refuse)
        with pytest.raises(NoPermission, match="who owns it"):
            repository.transaction("put")


@pytest.mark.long
@pytest.mark.usefixtures("few_objects")
def test_an_interrupt_at_any_moment_leaves_no_lease_and_no_turn(repository: Repository, folder: Path) -> None:
    """Ctrl-C in a notebook: the process goes on, and must hold nothing that others wait for."""
    files = tuple(module.__file__ for module in (putting, transaction_module, publish, locks, leases))
    put_text(repository, "tags/warm", "warm")
    for at in range(1, 400, 3):
        left = at

        def trace(frame: Any, event: str, _: object) -> Any:
            nonlocal left
            callers = (caller.f_code.co_name for caller, _ in traceback.walk_stack(frame))
            if frame.f_code.co_filename not in files or "__del__" in callers:
                return None  # what is raised there Python keeps to itself
            if event == "line" and not sys.exc_info()[0]:
                left -= 1
                if left == 0:
                    raise KeyboardInterrupt
            return trace

        sys.settrace(trace)
        try:
            put_text(repository, f"tags/{at}", f"text {at}")
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)
        gc.collect()
        assert [path.name for path in (folder / "leases").iterdir() if Lock.take(path) is None] == [], at
        for name in ("turn", "queue"):
            lock = Lock.take(folder / name)
            assert lock is not None, (name, at)
            lock.release()
    assert not repository.store.leased
    assert problems(folder) == []
