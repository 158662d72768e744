"""The derived database: it answers or does without, and never fails a command."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
import time
from pathlib import Path

import pytest

from artvcs.vcs.catalog import database
from artvcs.vcs.catalog.database import Database

from ..faults.inject import Say, run

SCHEMA = ["CREATE TABLE seen (name TEXT PRIMARY KEY, size INTEGER) WITHOUT ROWID"]
ALL = "SELECT name, size FROM seen ORDER BY name"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.db"


@pytest.fixture
def known(path: Path) -> Database:
    return Database(path, SCHEMA)


def note(where: Database, name: str, size: int = 1) -> bool:
    def work(connection: sqlite3.Connection) -> bool:
        connection.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (name, size))
        return True

    return where.write(work, otherwise=False)


def test_what_was_written_is_found_by_others_and_the_next_time(known: Database, path: Path) -> None:
    assert known.rows(ALL) == []
    assert note(known, "a", 5)
    assert Database(path, SCHEMA).rows(ALL) == known.rows(ALL) == [("a", 5)]
    known.close()
    assert known.rows("SELECT size FROM seen WHERE name = ?", ("a",)) == [(5,)]


def test_a_write_that_fails_leaves_nothing(known: Database) -> None:
    def work(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO seen VALUES ('a', 1)")
        raise KeyError("no")

    with pytest.raises(KeyError):
        known.write(work, None)
    assert known.rows(ALL) == []
    assert note(known, "b")


@pytest.mark.parametrize("damage", ["deleted", "emptied", "no database", "torn", "of another version"])
def test_a_database_that_is_not_what_it_was_is_made_anew(known: Database, path: Path, damage: str) -> None:
    for number in range(500):
        note(known, f"name {number}")
    known.close()
    if damage == "deleted":
        path.unlink()
    elif damage != "of another version":
        good = path.read_bytes()
        path.write_bytes(
            {"emptied": b"", "no database": b"x" * 5000, "torn": good[:100] + bytes(len(good) - 100)}[damage]
        )
    again = Database(path, [*SCHEMA, "CREATE TABLE more (name)"] if damage == "of another version" else SCHEMA)
    assert again.rows(ALL) == []
    assert note(again, "a")
    assert again.rows(ALL) == [("a", 1)]


def test_what_came_along_with_a_copy_is_not_believed(tmp_path: Path) -> None:
    first, copy = tmp_path / "first", tmp_path / "copy"
    first.mkdir()
    (first / "format").touch()
    here = Database(first / "cache.db", SCHEMA, beside=first / "format")
    assert note(here, "a")
    here.close()
    shutil.copytree(first, copy)
    assert Database(first / "cache.db", SCHEMA, beside=first / "format").rows(ALL) == [("a", 1)]
    assert Database(copy / "cache.db", SCHEMA, beside=copy / "format").rows(ALL) == []


def test_what_somebody_else_made_of_it_does_nothing(path: Path) -> None:
    hostile = sqlite3.connect(path)
    hostile.execute(
        "CREATE VIEW seen AS WITH RECURSIVE all_of(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM all_of)"
        " SELECT n AS name, n AS size FROM all_of"
    )
    hostile.commit()
    hostile.close()
    assert Database(path, SCHEMA).rows(ALL) == []


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    others, missing = tmp_path / "others.db", tmp_path / "missing.db"
    other = sqlite3.connect(others)
    other.execute("CREATE TABLE precious (x)")
    other.close()
    before = others.read_bytes()
    for target in (others, missing):
        path.symlink_to(target)
        known = Database(path, SCHEMA)
        assert known.rows(ALL) == []
        known.close()
        assert not path.is_symlink()
        path.unlink()
    assert others.read_bytes() == before
    assert not missing.exists()


@pytest.mark.parametrize("beside", ["a database that came along too", "one that was made here"])
def test_a_journal_that_came_along_deletes_nothing(known: Database, path: Path, tmp_path: Path, beside: str) -> None:
    """SQLite would take it for what a killed process left, and delete the file that it names."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    if beside == "one that was made here":
        assert note(known, "a")
        known.close()
    else:
        hostile = sqlite3.connect(path, isolation_level=None)
        hostile.execute("CREATE TABLE seen (name, size)")
        hostile.close()
    name = os.fsencode(precious)
    head = bytes.fromhex("d9d505f920a163d7") + (0).to_bytes(4, "big") + bytes(4) + (1).to_bytes(4, "big")
    head += (512).to_bytes(4, "big") + (4096).to_bytes(4, "big")
    end = (2**30 // 4096 + 1).to_bytes(4, "big") + name + len(name).to_bytes(4, "big")
    end += sum(name).to_bytes(4, "big") + bytes.fromhex("d9d505f920a163d7")
    journal = Path(f"{path}-journal")
    journal.write_bytes(head.ljust(512, b"\0") + end)
    assert Database(path, SCHEMA).rows(ALL) == []
    assert precious.read_text() == "mine"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_where_nothing_can_be_written_it_is_read() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder, "cache.db")
        known = Database(path, SCHEMA)
        note(known, "a")
        known.close()

        def as_nobody(say: Say) -> None:
            os.setuid(65534)
            there = Database(path, SCHEMA)
            say(f"{there.rows(ALL)} {note(there, 'b')}")

        assert run(as_nobody).said == ["[('a', 1)] False"]


def test_in_memory_it_goes_on_where_the_file_cannot_be_used(known: Database) -> None:
    note(known, "a")
    file, *rest = known.usable()
    [spare] = rest
    assert file is known
    assert note(spare, "b")
    assert spare.rows(ALL) == [("a", 1), ("b", 1)]
    assert known.rows(ALL) == [("a", 1)]
    assert list(known.usable()) == [spare]


def test_who_may_not_write_does_without(tmp_path: Path) -> None:
    nowhere = Database(tmp_path / "missing" / "cache.db", SCHEMA)
    assert nowhere.rows(ALL) == []
    assert not note(nowhere, "a")


def test_nobody_waits_for_a_writer_for_long(known: Database, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_PATIENCE", 0.05)
    note(known, "a")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    again = Database(path, SCHEMA)
    assert not note(again, "b")
    assert again.rows(ALL) == [("a", 1)]  # reading goes on
    other.rollback()
    other.close()
    assert note(again, "b")


def test_who_was_waited_for_in_vain_is_waited_for_again_after_a_while(
    known: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command asks several times, and waits once; a notebook goes on for days."""
    monkeypatch.setattr(database, "_PATIENCE", 0.3)
    monkeypatch.setattr(database, "_HURRY", 0.5)
    note(known, "a")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def waited() -> float:
        began = time.monotonic()
        assert not note(known, "b")
        return time.monotonic() - began

    assert waited() >= 0.2
    assert waited() < 0.2
    time.sleep(0.5)
    assert waited() >= 0.2
    other.close()


def test_threads_use_it_at_once(known: Database) -> None:
    threads = [
        threading.Thread(target=lambda me=me: [note(known, f"{me} {number}") for number in range(50)])
        for me in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(known.rows(ALL)) == 200


def test_a_forked_child_opens_its_own(known: Database) -> None:
    note(known, "parent")
    child = os.fork()
    if child == 0:
        os._exit(0 if note(known, "child") and len(known.rows(ALL)) == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert known.rows(ALL) == [("child", 1), ("parent", 1)]
    assert note(known, "again")


@pytest.mark.long
def test_where_others_keep_it_busy_one_in_memory_takes_its_place_soon(known: Database, path: Path) -> None:
    """Also where it was open already: copying it would wait as long as they do."""
    assert note(known, "a")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    first, spare = known.usable()
    assert not note(first, "b")
    assert time.monotonic() - began < 6
    assert note(spare, "b")
    assert ("b",) in {row[:1] for row in spare.rows(ALL)}
    other.close()
