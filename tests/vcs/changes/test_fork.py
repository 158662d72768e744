"""A forked process: its parent's locks, leases and changes stay its parent's."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from artvcs.vcs.errors import StorageError
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.disk import leases
from artvcs.vcs.storage.disk.locks import Lock
from artvcs.vcs.upkeep import gc

from ..helpers import problems, put_text, put_text_in, tags


def in_a_fork(work: Callable[[], object]) -> None:
    """Does `work` in a forked process, and waits for it to succeed."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(7)
        except BaseException:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_it_cannot_spoil_its_parents_transaction(repository: Repository, folder: Path) -> None:
    with repository.transaction("parent") as transaction:
        oid = put_text_in(transaction, "tags/a", "before the fork")
        transaction.checkpoint()

        def child() -> None:
            assert repository.store.read(oid, "blob") == b"before the fork"
            for refused in (lambda: transaction.put_blob(b"from the child"), transaction.publish):
                with pytest.raises(StorageError, match="forked"):
                    refused()
            transaction.close()

        in_a_fork(child)
        put_text_in(transaction, "tags/b", "after the fork")
    assert tags(repository).keys() == {"tags/a", "tags/b"}
    assert problems(folder) == []


def test_it_can_publish_on_its_own(repository: Repository, folder: Path) -> None:
    with repository.transaction("parent") as transaction:
        put_text_in(transaction, "tags/a", "a")
        in_a_fork(lambda: put_text(repository, "tags/child", "b"))
    assert tags(repository).keys() == {"tags/a", "tags/child"}
    assert problems(folder) == []


def test_it_takes_its_parents_journal_for_that_of_a_living_process(repository: Repository) -> None:
    with repository.transaction("parent") as transaction:
        put_text_in(transaction, "tags/a", "a")
        transaction.checkpoint()

        def child() -> None:
            assert repository.recover() == []
            put_text(repository, "tags/child", "b")

        in_a_fork(child)
        assert tags(repository).keys() == {"tags/child"}
    assert tags(repository).keys() == {"tags/a", "tags/child"}


def test_its_parents_lease_outlives_it(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "a")
    with repository.transaction("parent") as transaction:
        in_a_fork(transaction.close)
        [holder] = leases.holders(repository.layout.leases)
        assert holder.process == os.getpid()
    assert leases.holders(repository.layout.leases) == []


def test_what_its_parent_relies_on_is_not_collected_after_it_ended(repository: Repository, folder: Path) -> None:
    content = os.urandom(400_000).hex()
    oid = put_text(repository, "tags/a", content)
    with repository.transaction("parent") as transaction:
        assert put_text_in(transaction, "tags/b", content) == oid
        put_text(Repository(folder), "tags/a", "else")
        in_a_fork(transaction.close)
        gc.collect(Repository(folder))
        assert repository.store.read(oid, "blob") == content.encode()
    assert Repository(folder).store.read(oid, "blob") == content.encode()
    assert problems(folder) == []


def test_it_holds_no_lock_of_its_parent(tmp_path: Path) -> None:
    """Also while it lives on: a worker that was forked during a publish keeps nobody out."""
    lock = Lock.take(tmp_path / "lock")
    assert lock is not None
    go, end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(end)
        os.read(go, 1)  # until the parent has seen
        os._exit(0)
    lock.release()
    again = Lock.take(tmp_path / "lock")
    assert again is not None
    again.release()
    os.close(end)
    os.waitpid(child, 0)


def test_a_child_that_releases_or_removes_a_lock_of_its_parent_does_nothing(tmp_path: Path) -> None:
    lock = Lock.take(tmp_path / "lock")
    assert lock is not None
    in_a_fork(lock.release)
    in_a_fork(lock.remove)
    assert (tmp_path / "lock").exists()
    assert Lock.take(tmp_path / "lock") is None


def test_it_does_not_wait_for_a_thread_that_it_does_not_have(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread was reading, writing or publishing when it was forked."""
    oid = put_text(repository, "tags/a", "a" * 500_000)
    inside, go_on, here = threading.Event(), threading.Event(), threading.get_ident()
    pread = os.pread

    def slow(fd: int, length: int, at: int) -> bytes:
        if threading.get_ident() != here:
            inside.set()
            go_on.wait()
        return pread(fd, length, at)

    monkeypatch.setattr(os, "pread", slow)
    repository = Repository(repository.layout.folder)  # which has read nothing yet
    reader = threading.Thread(target=repository.store.read, args=(oid, "blob"), daemon=True)
    reader.start()
    assert inside.wait(10)

    def child() -> None:
        signal.alarm(10)
        assert repository.store.read(oid, "blob") == b"a" * 500_000
        put_text(repository, "tags/b", "b")

    in_a_fork(child)
    go_on.set()
    reader.join()
    assert tags(repository).keys() == {"tags/a", "tags/b"}


def test_it_hashes_what_is_large_also_where_its_parent_did_so_on_all_processors(
    repository: Repository, folder: Path
) -> None:
    """The threads by which BLAKE3 does that are the parent's."""
    content = os.urandom(3_000_000).hex()
    oid = put_text(repository, "tags/a", content)

    def verify() -> None:
        """As whoever has not written a pack does before he relies on what is in it."""
        (folder / "cache.db").unlink(missing_ok=True)
        fresh = Repository(folder)
        with fresh.transaction("again") as transaction:
            assert transaction.put_blob(content.encode()) == oid

    def verify_in_time() -> None:
        signal.alarm(30)  # it would wait for ever
        verify()

    verify()
    in_a_fork(verify_in_time)
