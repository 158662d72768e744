"""What an SQLite database says: its tables and rows, and not how often and in which order it was written.

SQLite counts changes in the file itself and puts rows where there is room: whoever writes the same rows again gets
other bytes (https://www.sqlite.org/fileformat2.html).
"""

from __future__ import annotations

import marshal
import os
import stat
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ...objects.oid import Oid, hasher

if TYPE_CHECKING:
    import sqlite3

_BEGINS = b"SQLite format 3\0"
_LARGEST = 16 << 20
"""Bytes: the rows of a larger one would take long."""
_AT_ONCE = 1000
_FORM = 2
"""Of `marshal`: one that depends on nothing but the values."""
_SMALLEST_PAGE = 512


def is_database(path: str, info: os.stat_result) -> bool:
    """Whether a file, whose state is known, begins as an SQLite database."""
    if info.st_size < _SMALLEST_PAGE or info.st_size % _SMALLEST_PAGE or not stat.S_ISREG(info.st_mode):
        return False
    try:
        with open(path, "rb") as file:
            return file.read(len(_BEGINS)) == _BEGINS
    except OSError:
        return False


def database_id(path: str, info: os.stat_result) -> Oid | None:
    """The id of what a database says; None of what is none, or too large, or cannot be read as one.

    Args:
        path: Where it is.
        info: Its state.
    """
    if info.st_size > _LARGEST or not is_database(path, info):
        return None
    import sqlite3

    try:
        # Immutable: nothing is locked, and nothing is written beside it.
        address = f"file:{quote(os.fsencode(path))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            return _id_of(connection)
    except (sqlite3.Error, OverflowError, ValueError):
        return None


def _id_of(connection: sqlite3.Connection) -> Oid:
    check = hasher("database")
    connection.text_factory = bytes
    settings = [connection.execute(f"PRAGMA {name}").fetchall() for name in ("user_version", "application_id")]
    schema = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    check.update(repr((settings, schema)).encode())
    # Else the text `x` and the bytes `x` would be the same; what is no Unicode is kept, too.
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    for kind, name, _, made in schema:
        if kind == b"table" and not made.upper().startswith(b"CREATE VIRTUAL"):  # whose rows are in tables beside it
            # Without an index, rows come in the order of the table.
            rows = connection.execute(f"SELECT * FROM {_quoted(name)} NOT INDEXED")
            while some := rows.fetchmany(_AT_ONCE):
                check.update(marshal.dumps(some, _FORM))
            check.update(b"\n")
    return Oid(check.hexdigest())


def _quoted(name: Any) -> str:
    return '"' + str(name, "utf-8").replace('"', '""') + '"'
