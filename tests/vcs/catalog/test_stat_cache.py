"""An unchanged file is not read again; a changed one always is."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from artvcs.vcs import worktree
from artvcs.vcs.changes.transaction import Transaction
from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep import fsck

LONG_AGO = time.time() - 3600


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.init(tmp_path / ".artifacts")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file at rest. Its change time cannot be set, so the cache is told to accept young files."""
    monkeypatch.setattr("artvcs.vcs.catalog.stat_cache.AT_REST", -1.0)
    path = tmp_path / "data.csv"
    path.write_text("a,b")
    return path


def add(repository: Repository, path: Path) -> str:
    with repository.transaction("add") as transaction:
        entry = worktree.add_path(transaction, path, path.name)
        transaction.set_ref("test/entry", entry.id)
        return entry.id


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every content that is hashed and stored from here on."""
    seen: list[bytes] = []
    put_blob = Transaction.put_blob

    def spy(self: Transaction, data: bytes) -> object:
        seen.append(data)
        return put_blob(self, data)

    monkeypatch.setattr(Transaction, "put_blob", spy)
    return seen


def test_an_unchanged_file_is_not_read_again(repository: Repository, file: Path, hashed: list[bytes]) -> None:
    first = add(repository, file)
    assert hashed == [b"a,b"]
    assert add(repository, file) == first
    assert hashed == [b"a,b"]


def test_a_changed_file_is_read_again_even_with_its_old_times(
    repository: Repository, file: Path, hashed: list[bytes]
) -> None:
    first = add(repository, file)
    before = file.stat()
    file.write_text("c,d")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert add(repository, file) != first


def test_a_young_file_is_not_trusted(repository: Repository, tmp_path: Path, hashed: list[bytes]) -> None:
    path = tmp_path / "young.csv"
    path.write_text("a,b")
    add(repository, path)
    add(repository, path)
    assert hashed == [b"a,b", b"a,b"]


def test_a_damaged_cache_is_as_none_and_fsck_names_it(repository: Repository, file: Path, hashed: list[bytes]) -> None:
    first = add(repository, file)
    cache = repository.layout.stat_cache
    data = bytearray(cache.read_bytes())
    data[len(data) // 2] ^= 1
    cache.write_bytes(data)
    assert [problem.where for problem in fsck.fsck(repository.layout.folder)] == ["stat-cache"]
    assert add(repository, file) == first
    assert list(fsck.fsck(repository.layout.folder)) == []


def test_what_is_known_but_not_stored_any_more_is_stored_again(
    repository: Repository, file: Path, hashed: list[bytes]
) -> None:
    add(repository, file)
    shutil.rmtree(repository.layout.ops)
    repository.layout.format.unlink()
    again = Repository.init(repository.layout.folder)
    add(again, file)
    assert hashed == [b"a,b", b"a,b"]


def test_a_file_that_another_took_the_place_of_is_read_again(repository: Repository, file: Path) -> None:
    first = add(repository, file)
    before = file.stat()
    (file.parent / "other").write_text("c,d")
    (file.parent / "other").rename(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert add(repository, file) != first


def test_a_cache_that_cannot_be_written_fails_no_publish(
    repository: Repository, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("artvcs.vcs.catalog.stat_cache.write_register", full)
    oid = add(repository, file)
    assert repository.refs().get("test/entry") == oid
