"""An unchanged file is not read again; a changed one always is, and so is what is not stored any more."""

from __future__ import annotations

import mmap
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from artvcs.vcs import worktree
from artvcs.vcs.changes.transaction import Transaction
from artvcs.vcs.errors import InvalidName
from artvcs.vcs.objects.nodes import Entry
from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep.check.fsck import fsck
from artvcs.vcs.upkeep.gc.collection import collect
from artvcs.vcs.worktree.files import rest

from ..helpers import files
from ..worktree.helpers import checkout

TICK = 0.05
"""Seconds after which a file is at rest, and some more."""

pytestmark = pytest.mark.skipif(
    rest._kind_of(os.stat(tempfile.gettempdir()).st_dev) not in rest._LOCAL, reason="needs a file system like ext4"
)


def add(repository: Repository, path: Path) -> Entry:
    """As `art add` does."""
    with repository.transaction("add") as transaction:
        known = worktree.StatCache(repository.cache, repository.store)
        entry = worktree.add_path(transaction, path, path.name, known=known)
        transaction.set_ref("tags/added", entry.id)
    return entry


def fresh(repository: Repository) -> Repository:
    """The same repository, as another process sees it."""
    return Repository(repository.layout.folder)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every content that is hashed from here on, in the order of names."""
    seen: list[bytes] = []
    blobs, stream = Transaction.put_blobs, Transaction.put_stream

    def spy_on_blobs(self: Transaction, contents: list[bytes]) -> object:
        seen.extend(contents)
        return blobs(self, contents)

    def spy_on_stream(self: Transaction, file: object, *rest: object) -> object:
        seen.append(Path(os.readlink(f"/proc/self/fd/{file.fileno()}")).read_bytes())  # type: ignore[attr-defined]
        return stream(self, file, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Transaction, "put_blobs", spy_on_blobs)
    monkeypatch.setattr(Transaction, "put_stream", spy_on_stream)
    return seen


@pytest.fixture
def folder_at_rest(tmp_path: Path) -> Path:
    """A folder of some files and folders that nobody has changed for a moment."""
    folder = tmp_path / "data"
    (folder / "sub" / "deep").mkdir(parents=True)
    for number in range(700):
        (folder / f"file{number:03}").write_text(f"content {number}")
    (folder / "sub" / "one").write_text("one")
    (folder / "sub" / "deep" / "two").write_text("two")
    (folder / "sub" / "link").symlink_to("../file000")
    time.sleep(TICK)
    return folder


def test_an_unchanged_file_is_not_read_again(repository: Repository, tmp_path: Path, read: list[bytes]) -> None:
    (tmp_path / "data.csv").write_text("a,b")
    time.sleep(TICK)
    first = add(repository, tmp_path / "data.csv")
    assert read == [b"a,b"]
    assert add(repository, tmp_path / "data.csv") == first
    assert add(fresh(repository), tmp_path / "data.csv") == first
    assert read == [b"a,b"]


def test_an_unchanged_folder_is_not_read_again(repository: Repository, folder_at_rest: Path, read: list[bytes]) -> None:
    first = add(repository, folder_at_rest)
    assert len(read) == 702
    del read[:]
    assert add(fresh(repository), folder_at_rest) == first
    assert read == []


def test_of_a_changed_folder_only_what_changed_is_read(
    repository: Repository, folder_at_rest: Path, read: list[bytes], tmp_path: Path
) -> None:
    add(repository, folder_at_rest)
    for path, content in (("file300", "changed"), ("file3005", "new"), ("sub/deep/two", "changed too")):
        del read[:]
        (folder_at_rest / path).write_text(content)
        time.sleep(TICK)
        add(fresh(repository), folder_at_rest)
        assert len(read) == 1
    del read[:]
    (folder_at_rest / "file000").unlink()
    (folder_at_rest / "file500").rename(folder_at_rest / "renamed")
    entry = add(fresh(repository), folder_at_rest)
    assert read == [b"content 500"]
    checkout(repository, entry, tmp_path / "last")
    assert files(tmp_path / "last") == files(folder_at_rest)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_a_folder_has_the_id_that_it_would_have_anew(
    repository: Repository, folder_at_rest: Path, tmp_path: Path, seed: int
) -> None:
    order = random.Random(seed)
    add(repository, folder_at_rest)
    for _ in range(3):
        for path in order.sample(sorted(folder_at_rest.glob("file*")), 5):
            path.unlink()
        for number in order.sample(range(1000), 20):
            (folder_at_rest / f"file{number:03}").write_text(str(order.random()))
        entry = add(fresh(repository), folder_at_rest)
        assert entry == add(Repository.init(tmp_path / f"{order.random()}"), folder_at_rest)


# Changes that hardly show


def test_a_file_with_its_old_size_and_time_is_read_again(repository: Repository, folder_at_rest: Path) -> None:
    file = folder_at_rest / "file007"
    first, before = add(repository, folder_at_rest), file.stat()
    file.write_text("CONTENT 7")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert add(repository, folder_at_rest) != first


def test_another_file_in_the_place_of_one_is_read(repository: Repository, folder_at_rest: Path) -> None:
    file = folder_at_rest / "file007"
    first, before = add(repository, folder_at_rest), file.stat()
    (folder_at_rest.parent / "other").write_text("CONTENT 7")
    (folder_at_rest.parent / "other").rename(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert add(repository, folder_at_rest) != first


def test_an_edit_in_the_tick_in_which_the_file_was_read_is_seen(repository: Repository, folder_at_rest: Path) -> None:
    file = folder_at_rest / "file007"
    for number in range(100):
        file.write_text(f"{number:03} before")
        first = add(repository, file)
        file.write_text(f"{number:03} behind")
        assert add(repository, file) != first


def test_an_edit_within_the_same_tick_is_seen(
    repository: Repository, folder_at_rest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `test_an_edit_in_the_tick…`, on a system whose clock stands still for a while."""
    file = folder_at_rest / "file007"
    (file.parent / "sub" / "one").write_text("young")
    frozen = file.stat()
    monkeypatch.setattr(time, "time_ns", lambda: max(frozen.st_mtime_ns, frozen.st_ctime_ns) + 5_000_000)
    first = add(repository, file)
    known = worktree.StatCache(repository.cache, repository.store)
    assert known.leaves(file, repository.store.snapshot) == [], "not remembered"
    monkeypatch.undo()
    assert add(repository, file) == first
    assert len(worktree.StatCache(repository.cache, repository.store).leaves(file, repository.store.snapshot)) == 1


def test_a_time_in_the_future_says_nothing(repository: Repository, folder_at_rest: Path, read: list[bytes]) -> None:
    os.utime(folder_at_rest / "file007", (2**32, 2**32))
    time.sleep(TICK)
    add(repository, folder_at_rest)
    del read[:]
    add(repository, folder_at_rest)
    assert read == [b"content 7"]


def test_a_time_of_whole_seconds_rests_longer(repository: Repository, folder_at_rest: Path, read: list[bytes]) -> None:
    """So FAT keeps times; the state was changed a moment ago, and may be again without a trace."""
    os.utime(folder_at_rest / "file007", (10**9, 10**9))
    time.sleep(TICK)
    add(repository, folder_at_rest)
    del read[:]
    add(repository, folder_at_rest)
    assert read == [b"content 7"]


def test_stores_through_a_mapping_are_seen(repository: Repository, folder_at_rest: Path) -> None:
    file, unnoticed = folder_at_rest / "file007", 0
    with open(file, "r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapped:
        os.fsync(opened.fileno())
        mapped[0] = 0
        time.sleep(TICK)
        last = add(repository, folder_at_rest)
        for number in range(1, 10):
            before = file.stat()
            mapped[0] = number
            unnoticed += file.stat() == before  # the page was changed already, and not written back since
            now = add(repository, folder_at_rest)
            assert now != last
            last = now
    assert unnoticed, "the file system shows each store: this test shows nothing here"


def test_stores_through_a_mapping_made_after_the_file_was_read_are_seen(
    repository: Repository, folder_at_rest: Path
) -> None:
    file = folder_at_rest / "file007"
    first = add(repository, folder_at_rest)
    with open(file, "r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapped:
        assert mapped[0] == ord("c")
        mapped[0] = ord("1")
        assert add(repository, folder_at_rest) != first


def test_a_mapped_file_that_was_written_back_long_ago_is_not_read_again(
    repository: Repository, folder_at_rest: Path, read: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder_at_rest / "file007"
    with open(file, "r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapped:
        mapped[0] = ord("1")
        mapped.flush()
        monkeypatch.setattr(rest, "_WRITTEN_BACK", int(TICK * 1e9))
        time.sleep(2 * TICK)
        first = add(repository, folder_at_rest)
        del read[:]
        add(repository, folder_at_rest)
        assert read == []
        mapped[0] = ord("2")
        assert add(repository, folder_at_rest) != first


@pytest.mark.skipif(rest._kind_of(os.stat("/dev/shm").st_dev) != "tmpfs", reason="needs tmpfs")
def test_where_stores_never_show_everything_is_read(repository: Repository) -> None:
    file = Path("/dev/shm") / f"artvcs-test-{os.getpid()}"
    file.write_text("before")
    try:
        with open(file, "r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapped:
            assert mapped[0] == ord("b")
        time.sleep(TICK)
        with open(file, "r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapped:
            assert mapped[0] == ord("b")
            first, before = add(repository, file), file.stat()
            mapped[0] = ord("B")
            assert file.stat().st_mtime_ns == before.st_mtime_ns
            assert add(repository, file) != first
    finally:
        file.unlink()


def test_the_executable_bit_is_seen(repository: Repository, folder_at_rest: Path, read: list[bytes]) -> None:
    file = folder_at_rest / "file007"
    first = add(repository, folder_at_rest)
    file.chmod(0o755)
    second = add(repository, folder_at_rest)
    file.chmod(0o644)
    assert second != first
    assert add(repository, folder_at_rest) == first


def test_files_folders_and_links_take_each_others_places(
    repository: Repository, folder_at_rest: Path, tmp_path: Path
) -> None:
    place = folder_at_rest / "sub" / "one"

    def folder() -> None:
        place.mkdir()
        (place / "inner").write_text("inner")

    def renamed_folder() -> None:
        (folder_at_rest / "sub" / "deep").rename(place)

    for change in (folder, lambda: place.write_text("one"), lambda: place.symlink_to("deep"), renamed_folder):
        if place.is_dir() and not place.is_symlink():
            (place / "inner").unlink(missing_ok=True)
            place.rmdir()
        else:
            place.unlink()
        change()
        time.sleep(TICK)
        for _ in range(2):
            entry = add(fresh(repository), folder_at_rest)
            assert entry == add(Repository.init(tmp_path / os.urandom(8).hex()), folder_at_rest)


def test_a_link_is_judged_by_where_it_stands_now(repository: Repository, folder_at_rest: Path) -> None:
    add(repository, folder_at_rest)
    with pytest.raises(InvalidName, match="leads out"):
        add(repository, folder_at_rest / "sub")


# What is stored


def damaged(repository: Repository, content: bytes) -> Iterator[Path]:
    """Flips a bit of a stored file, wherever it is stored."""
    for path in sorted(repository.layout.folder.rglob("*")):
        if path.is_file() and path.parent.name != "tmp" and content in (data := path.read_bytes()):
            if path.name.startswith("cache.db"):
                continue
            at = data.index(content)
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            yield path


@pytest.mark.long
@pytest.mark.parametrize("size", [50, 3_000_000])
def test_what_was_damaged_is_stored_again_though_nothing_has_changed(
    repository: Repository, folder_at_rest: Path, tmp_path: Path, size: int
) -> None:
    content = random.Random(1).randbytes(size)
    (folder_at_rest / "large").write_bytes(content)
    time.sleep(TICK)
    first = add(repository, folder_at_rest)
    assert list(damaged(repository, content[-40:]))
    again = fresh(repository)
    assert add(again, folder_at_rest) == first
    checkout(fresh(repository), first, tmp_path / "back")
    assert files(tmp_path / "back") == files(folder_at_rest)


def test_what_was_collected_is_stored_again(repository: Repository, folder_at_rest: Path, tmp_path: Path) -> None:
    first = add(repository, folder_at_rest)
    with repository.transaction("forget") as transaction:
        transaction.set_ref("tags/added", None)
    collect(repository)
    again = fresh(repository)
    assert not again.store.has(first.id)
    assert add(again, folder_at_rest) == first
    checkout(again, first, tmp_path / "back")
    assert files(tmp_path / "back") == files(folder_at_rest)


def test_what_was_never_published_is_stored(repository: Repository, folder_at_rest: Path, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), repository.transaction("fails") as transaction:
        known = worktree.StatCache(repository.cache, repository.store)
        first = worktree.add_path(transaction, folder_at_rest, "data", known=known)
        known.settle()
        raise ZeroDivisionError
    assert not fresh(repository).store.has(first.id)
    assert add(fresh(repository), folder_at_rest) == first
    checkout(repository, first, tmp_path / "back")
    assert files(tmp_path / "back") == files(folder_at_rest)


# The database


def test_a_cache_may_vanish_at_any_time(repository: Repository, folder_at_rest: Path) -> None:
    first = add(repository, folder_at_rest)
    for path in repository.layout.folder.glob("cache.db*"):
        path.unlink()
    assert add(repository, folder_at_rest) == first, "also while it is open"
    for path in repository.layout.folder.glob("cache.db*"):
        path.unlink()
    assert add(fresh(repository), folder_at_rest) == first
    assert list(fsck(repository.layout.folder)) == []


def test_a_cache_may_be_overwritten_or_beyond_reach(repository: Repository, folder_at_rest: Path) -> None:
    first = add(repository, folder_at_rest)
    repository.cache.close()
    repository.layout.cache.write_bytes(b"no database" * 1000)
    assert add(fresh(repository), folder_at_rest) == first
    for path in repository.layout.folder.glob("cache.db*"):
        path.unlink()
    repository.layout.cache.mkdir()
    assert add(fresh(repository), folder_at_rest) == first


@pytest.mark.long
@pytest.mark.parametrize(
    "change",
    [
        "leaf = (SELECT leaf FROM leaves WHERE last = 'two')",
        "size = size + 1",
        "files = files - 1",
        "names = replace(names, 'file', 'film')",
        "folder = 'elsewhere'",
        "states = zeroblob(length(states))",
    ],
)
def test_a_row_that_is_not_what_was_written_is_not_believed(
    repository: Repository, folder_at_rest: Path, change: str
) -> None:
    first = add(repository, folder_at_rest)
    repository.cache.close()
    with sqlite3.connect(repository.layout.cache) as database:
        assert database.execute(f"UPDATE leaves SET {change} WHERE last LIKE 'file%'").rowcount > 1
    assert add(fresh(repository), folder_at_rest) == first
    assert list(fsck(repository.layout.folder)) == []


def test_the_rows_are_bounded(repository: Repository, folder_at_rest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artvcs.vcs.catalog.stat_cache.MAX_LEAVES", 3)
    first = add(repository, folder_at_rest)
    [[rows]] = repository.cache.rows("SELECT count(*) FROM leaves")
    assert rows == 3
    assert add(repository, folder_at_rest) == first


def test_what_was_made_to_be_stored_is_not_noted(repository: Repository, folder_at_rest: Path) -> None:
    known = worktree.StatCache(repository.cache, repository.store)
    with repository.transaction("add") as transaction:
        worktree.add_folder(transaction, folder_at_rest, {"given/one": folder_at_rest / "sub" / "one"}, known=known)
        transaction.set_ref("tags/added", None)
    assert repository.cache.rows("SELECT DISTINCT last FROM leaves") == [("one",)]
