"""`cache.db`: what is derived, in SQLite. It can be deleted at any time, and is made anew from what it was made of.

Nothing here may fail a command: a database that is damaged or of another version is replaced, and where it cannot be
written or others keep it busy, the caller does without. Several processes use it at once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

VERSION = 1
"""Of all tables together: a database of another version is thrown away."""

_PATIENCE = 2.0
"""Seconds to wait for another process that writes."""


class Database:
    """The database of one repository on this machine, opened when it is first used. Safe to use from several threads.

    Args:
        path: Its file.
        schema: The statements that make its tables.
    """

    def __init__(self, path: Path, schema: Sequence[str]) -> None:
        self._path = path
        self._schema = tuple(schema)
        self._connection: sqlite3.Connection | None = None
        self._process = os.getpid()
        self._mutex = threading.RLock()

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query answers; nothing where the database cannot be read."""
        return self._attempt(lambda connection: connection.execute(query, parameters).fetchall(), [])

    def write(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Does something in one transaction; returns `otherwise` where the database cannot be written."""

        def in_transaction(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                done = work(connection)
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
            return done

        return self._attempt(in_transaction, otherwise)

    def close(self) -> None:
        """Closes it; the next use opens it again."""
        with self._mutex:
            connection, self._connection = self._connection, None
            if connection is not None and self._process == os.getpid():
                connection.close()

    def _attempt(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        import sqlite3  # costs milliseconds, and many commands need none of this

        with self._mutex:
            for _ in range(2):
                try:
                    return work(self._open())
                except sqlite3.OperationalError:
                    return otherwise  # busy, full, not to be written: the next time perhaps
                except sqlite3.DatabaseError:
                    self._discard()  # damaged, or not a database
        return otherwise

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        if self._process != os.getpid():
            self._connection, self._process = None, os.getpid()  # SQLite must not be carried through a fork
        if self._connection is None:
            connection = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # What is lost in a power cut is made anew; a torn page is found by SQLite, and then everything is.
        connection.execute("PRAGMA synchronous = OFF")
        [(version,)] = connection.execute("PRAGMA user_version").fetchall()
        if version == VERSION:
            return
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        [(version,)] = connection.execute("PRAGMA user_version").fetchall()  # another process may have been faster
        if version != VERSION:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                connection.execute(f'DROP TABLE IF EXISTS "{table}"')
            for statement in self._schema:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.commit()

    def _discard(self) -> None:
        self.close()
        for ending in ("", "-wal", "-shm"):
            Path(f"{self._path}{ending}").unlink(missing_ok=True)
