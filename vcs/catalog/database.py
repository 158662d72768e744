"""`cache.db`: what is derived, in SQLite. It can be deleted at any time, and is made anew from what it was made of.

Nothing here may fail a command: a database that is damaged, of another version, or came along with a copied repository
is made anew, and where it cannot be written or others keep it busy, the caller does without. Several processes use it
at once. It has a rollback journal, since a write-ahead log neither works on a network file system nor can be read where
nothing can be written.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..objects.oid import hash_bytes

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

_PATIENCE = 2.0
"""Seconds to wait for another process that writes."""

_HURRY = 60.0
"""Seconds during which nobody is waited for, once that was in vain: a command asks several times."""

_REFUSED = frozenset((3, 5, 6, 7, 8, 9, 10, 13, 14))
"""SQLite's codes for what says nothing of the file: it is busy, full, not to be written, or something fails."""

_FILES = ("-journal", "")
"""What is put behind its name for each of its files."""

_JOURNAL = bytes.fromhex("d9d505f920a163d7")
"""What stands at the end of a journal that names another."""

_MARK_AT = 68
"""Where SQLite keeps the `application_id` in the file."""


class Database:
    """The database of one repository on this machine, opened when it is first used. Safe to use from several threads.

    Args:
        path: Its file; None for one in memory.
        schema: The statements that make its tables.
        beside: A file of the repository that is never written again. A copy of the repository has a new one, and what
            came along with the copy is not believed: it may say anything.
    """

    def __init__(self, path: Path | None, schema: Sequence[str], beside: Path | None = None) -> None:
        self._path = path
        self._schema = tuple(schema)
        self._beside = beside
        self._connection: sqlite3.Connection | None = None
        self._process = os.getpid()
        self._spare: Database | None = None
        self._patience = _PATIENCE
        self._hurries_until = 0.0
        self._checked = False
        self._mutex = threading.RLock()

    @property
    def exists(self) -> bool:
        """Whether anything may be known; looking does not make a file."""
        return self._path is None or self._path.exists()

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query answers; nothing where the database cannot be read."""
        return self._attempt(lambda connection: connection.execute(query, parameters).fetchall(), [])

    def read(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Asks several things of one moment; returns `otherwise` where the database cannot be read."""
        return self._attempt(lambda connection: _in_transaction(connection, "BEGIN", work), otherwise)

    def write(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Does something in one transaction; returns `otherwise` where the database cannot be written."""
        return self._attempt(lambda connection: _in_transaction(connection, "BEGIN IMMEDIATE", work), otherwise)

    def usable(self) -> Iterator[Database]:
        """This database; and where it turned out that it cannot be used, a copy of it in memory from then on."""
        if self._spare is None:
            yield self
            spare = Database(None, self._schema)
            copied = spare._attempt(lambda target: self._attempt(lambda source: _copy(source, target), False), False)
            self._spare = spare if copied else Database(None, self._schema)  # and not one with half of it
        yield self._spare

    def check(self) -> None:
        """Makes sure, once, that all of it says the same; what is damaged is made anew.

        Each table has an index with all that matters in it, so that a flipped bit shows as a difference.
        """
        if not self._checked:
            self._checked = self._attempt(_check, False)

    def close(self) -> None:
        """Closes it; the next use opens it again."""
        with self._mutex:
            connection, self._connection = self._connection, None
            if connection is not None and self._process == os.getpid():
                connection.close()

    def _attempt(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        import sqlite3  # costs milliseconds, and many commands need none of this

        if self._process != os.getpid():  # SQLite must not be carried through a fork, nor a lock that a thread held
            self._connection, self._process, self._mutex = None, os.getpid(), threading.RLock()
        with self._mutex:
            began = time.monotonic()
            for _ in range(2):
                try:
                    return work(self._patient(self._open()))
                except sqlite3.OperationalError as error:
                    if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_BUSY) & 0xFF not in _REFUSED:
                        self._discard()  # its tables are not those that were made
                        continue
                    if self._path is not None and time.monotonic() - began > _PATIENCE / 2:
                        self._hurries_until = time.monotonic() + _HURRY
                    return otherwise  # busy, full, not to be written: the next time perhaps
                except (sqlite3.DatabaseError, UnicodeDecodeError):
                    self._discard()  # damaged
        return otherwise

    def _patient(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """The connection, which waits for others as long as is right now."""
        if self._patience != (patience := self._patience_now()):
            self._patience = patience
            connection.execute(f"PRAGMA busy_timeout = {patience * 1000:.0f}")
        return connection

    def _patience_now(self) -> float:
        return 0.0 if time.monotonic() < self._hurries_until else _PATIENCE

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        if self._connection is None:
            if self._path is not None and not self._may_be_opened(self._path):
                raise sqlite3.OperationalError("something else is in its place")
            self._patience = self._patience_now()
            place = ":memory:" if self._path is None else self._path
            connection = sqlite3.connect(place, timeout=self._patience, isolation_level=None, check_same_thread=False)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _may_be_opened(self, path: Path) -> bool:
        """Whether there is a database made here, or nothing; whatever else is there is deleted.

        SQLite must not even open it: a link may lead anywhere, and a journal can name a file that SQLite then deletes.
        """
        try:
            info = os.lstat(path)
            if stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    head = file.read(_MARK_AT + 4)
                ours = not head or head[_MARK_AT:] == self._mark().to_bytes(4, "big")
                if ours and not _names_others(f"{path}-journal"):
                    return True
        except FileNotFoundError:
            pass
        except OSError:
            return False
        self._discard()
        return not any(os.path.lexists(f"{path}{ending}") for ending in _FILES)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # What is lost in a power cut is made anew; a torn page is found by SQLite, and then everything is.
        for setting in ("synchronous = OFF", "journal_mode = TRUNCATE", "cache_size = -65536", "trusted_schema = OFF"):
            connection.execute(f"PRAGMA {setting}")
        if _mark_of(connection) == 0:
            connection.execute("BEGIN IMMEDIATE")
            if _mark_of(connection) == 0:  # else another process was faster
                for statement in self._schema:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {self._mark()}")
            connection.commit()

    def _mark(self) -> int:
        """Stands in the file's head, for what its tables are and where they were made."""
        where: tuple[int, ...] = ()
        if self._beside is not None:
            with suppress(OSError):
                seen = os.stat(self._beside)
                where = seen.st_ino, seen.st_ctime_ns
        return int(hash_bytes(repr((self._schema, where)).encode())[:8], 16) >> 1 or 1

    def _discard(self) -> None:
        self.close()
        if self._path is not None:
            for ending in _FILES:
                with suppress(OSError):
                    os.unlink(f"{self._path}{ending}")


def _check(connection: sqlite3.Connection) -> bool:
    """True; raises DatabaseError where tables and indexes differ."""
    import sqlite3

    if connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
        raise sqlite3.DatabaseError("tables and indexes differ")
    return True


def _names_others(journal: str) -> bool:
    """Whether a journal says that it is part of something larger, as none of ours is."""
    try:
        with open(journal, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - len(_JOURNAL)))
            return file.read() == _JOURNAL
    except OSError:
        return False


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> bool:
    """Whether all of a database was copied; it has been waited for already, and SQLite's own would wait for ever."""
    import sqlite3

    def look(status: int, _: int, __: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise sqlite3.OperationalError("others keep it busy")

    source.backup(target, progress=look)
    return _mark_of(target) != 0


def _in_transaction(connection: sqlite3.Connection, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
    if connection.in_transaction:
        return work(connection)  # as where something turns out to be damaged while it is read for this
    connection.execute(begin)
    try:
        done = work(connection)
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
    return done


def _mark_of(connection: sqlite3.Connection) -> int:
    [(mark,)] = connection.execute("PRAGMA application_id").fetchall()
    return int(mark)
