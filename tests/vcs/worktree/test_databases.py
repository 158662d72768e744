"""What an SQLite database says has an id: its schema and rows, however often and wherever they were written."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from artvcs.vcs.worktree.files import databases

Rows = list[tuple[object, ...]]

cells = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.binary(max_size=20),
)
tables = st.lists(st.tuples(cells, cells), max_size=8)


def write(path: Path, rows: Rows, *, times: int = 1) -> None:
    """Puts rows in place of those that are there, so many times."""
    with closing(sqlite3.connect(path)) as connection:
        for _ in range(times):
            connection.execute('DROP TABLE IF EXISTS "a ""b"""')
            connection.execute('CREATE TABLE "a ""b""" (x, y)')
            connection.executemany('INSERT INTO "a ""b""" VALUES (?, ?)', rows)
            connection.commit()


def id_of(path: Path) -> str | None:
    return databases.database_id(str(path), os.stat(path))


@pytest.mark.long
@given(tables, tables)
@example([("x", None)], [(b"x", None)])
@example([("", "")], [("", b"")])
def test_the_same_rows_have_the_same_id_and_others_another(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, others: Rows
) -> None:
    folder = tmp_path_factory.mktemp("databases")
    write(folder / "once", rows)
    write(folder / "often", others)
    assert (id_of(folder / "once") == id_of(folder / "often")) == (repr(rows) == repr(others))
    write(folder / "often", rows, times=3)
    assert id_of(folder / "once") == id_of(folder / "often")


@pytest.mark.parametrize(
    "change",
    ["CREATE INDEX i ON t (x)", "CREATE VIEW v AS SELECT 1", "PRAGMA user_version = 2", "ALTER TABLE t ADD z",
     "UPDATE t SET x = '1'", "INSERT INTO t VALUES (NULL)"],
)  # fmt: skip
def test_whatever_says_something_else_has_another_id(tmp_path: Path, change: str) -> None:
    path = tmp_path / "d.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.commit()
        before = id_of(path)
        connection.execute(change)
        connection.commit()
    assert None is not before != id_of(path)


def test_rows_of_tables_without_row_numbers_and_of_virtual_ones_count(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    found = set()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x PRIMARY KEY) WITHOUT ROWID")
        connection.execute("CREATE VIRTUAL TABLE words USING fts5 (word)")
        for change in ("INSERT INTO t VALUES (1)", "INSERT INTO words VALUES ('a')", "INSERT INTO words VALUES ('b')"):
            connection.execute(change)
            connection.commit()
            found.add(id_of(path))
    assert len(found - {None}) == 3


def test_what_is_no_sound_database_is_none(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    write(path, [(1, 2)] * 1000)
    sound = path.read_bytes()
    path.write_bytes(sound[:4096] + b"\xff" * (len(sound) - 4096))
    assert id_of(path) is None
    path.write_bytes(sound[:1024])
    assert id_of(path) is None
    path.write_bytes(b"SQLite format 3\0" + bytes(496))
    assert id_of(path) is None
    path.write_bytes(b"x" * 1024)
    assert id_of(path) is None


def test_a_large_one_is_compared_by_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "d.db", [(1, 2)])
    assert id_of(tmp_path / "d.db") is not None
    monkeypatch.setattr(databases, "_LARGEST", 4096)
    assert id_of(tmp_path / "d.db") is None
