"""The id of a file's content is asked for again and again, and read again only where the file may have changed."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

import pytest

from artvcs.vcs.catalog.database import Database
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.worktree.files import file_ids
from artvcs.vcs.worktree.files.file_ids import FileIds
from artvcs.vcs.worktree.files.reading import signature
from artvcs.vcs.worktree.files.rest import Rest

LONG_AGO = 1_000_000_000


def id_of(known: FileIds, path: Path) -> Oid:
    known.expect([str(path)])
    return known.id_of(str(path), os.stat(path))


def test_it_is_the_id_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    assert id_of(FileIds(Database(None, file_ids.SCHEMA)), tmp_path / "a") == hash_bytes(b"one")


def test_a_second_write_within_a_tick_is_seen(tmp_path: Path) -> None:
    known = FileIds(Database(None, file_ids.SCHEMA))
    for content in (b"one", b"two", b"six"):
        (tmp_path / "a").write_bytes(content)
        assert id_of(known, tmp_path / "a") == hash_bytes(content)


def test_a_store_through_a_mapping_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    os.utime(path, (LONG_AGO, LONG_AGO))
    known = FileIds(Database(None, file_ids.SCHEMA))
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 3) as mapped:
        mapped[:] = b"two"
        time.sleep(0.2)  # only the first store changes the times, and it is long over
        assert id_of(known, path) == hash_bytes(b"two")
        mapped[:] = b"six"
        assert id_of(known, path) == hash_bytes(b"six")


def test_a_row_that_was_changed_by_others_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    database = Database(None, file_ids.SCHEMA)
    row = (os.fsencode(path), repr(signature(os.stat(path))), hash_bytes(b"other"), b"checksum")
    database.write(lambda to: to.execute("INSERT INTO file_ids VALUES (?, ?, ?, ?)", row), None)
    assert id_of(FileIds(database), path) == hash_bytes(b"one")


def test_of_too_many_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_ids, "MAX_FILES", 3)
    monkeypatch.setattr(Rest, "is_at_rest", lambda *_: True)
    database = Database(None, file_ids.SCHEMA)
    for number in range(5):
        (tmp_path / str(number)).write_bytes(b"x")
        known = FileIds(database)
        id_of(known, tmp_path / str(number))
        known.settle()
    assert [os.path.basename(path) for (path,) in database.rows("SELECT path FROM file_ids")] == [b"2", b"3", b"4"]
