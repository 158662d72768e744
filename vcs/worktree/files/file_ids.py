"""What single files held when they were last read, so that those that did not change are not read again.

A file is told apart by what the file system says of it, as Git's index does; one that is not at rest (see `rest`) is
read each time. Derived: it can be deleted at any time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ...catalog.database import Database
from ...objects.oid import Oid, hasher
from .databases import database_id
from .reading import hash_file, read_steady, signature
from .rest import Rest

if TYPE_CHECKING:
    import sqlite3

SCHEMA = ("CREATE TABLE file_ids (path BLOB UNIQUE, signature TEXT, id TEXT, checksum BLOB)",)

MAX_FILES = 1_000_000
"""So many files are remembered; the oldest go."""

_TOGETHER = 500


class FileIds:
    """The ids of what files hold.

    Args:
        database: Where they are remembered between processes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rest = Rest()
        self._known: dict[bytes, tuple[str, Oid]] = {}
        self._new: list[tuple[bytes, str, Oid, bytes]] = []

    def expect(self, paths: Iterable[str]) -> None:
        """Says which files will be asked for: what is remembered of them is fetched together."""
        keys = [key for path in paths if (key := os.fsencode(path)) not in self._known]
        for start in range(0, len(keys), _TOGETHER):
            some = keys[start : start + _TOGETHER]
            query = f"SELECT path, signature, id, checksum FROM file_ids WHERE path IN ({', '.join('?' * len(some))})"
            for key, seen, id_, checksum in self._database.rows(query, some):
                if _checksum(key, seen, id_) == checksum:
                    self._known[key] = (seen, Oid(id_))

    def id_of(self, path: str, info: os.stat_result) -> Oid:
        """The id of what a file holds: the blob id of its content; of an SQLite database, what `database_id` says.

        Args:
            path: Its absolute path.
            info: Its state now.

        Raises:
            ChangedWhileRead: It changes all the time.
            StorageError: It is no plain file.
            OSError: The operating system refused.
        """
        key, seen = os.fsencode(path), repr(signature(info))
        known = self._known.get(key)
        if known is not None and known[0] == seen and self._rest.trusts(info.st_dev):
            return known[1]
        now = time.time_ns()

        def read_at_rest(file: BinaryIO, info: os.stat_result) -> tuple[Oid, bool]:
            rests = self._rest.is_at_rest(file.fileno(), (info.st_mtime_ns, info.st_ctime_ns), info.st_dev, now)
            return database_id(path, info) or hash_file(file, info), rests

        (oid, rests), read = read_steady(Path(path), read_at_rest)
        if rests:
            seen = repr(signature(read))
            self._known[key] = (seen, oid)
            self._new.append((key, seen, oid, _checksum(key, seen, oid)))
        return oid

    def settle(self) -> None:
        """Remembers what was read for other processes. Never fails."""
        new, self._new = self._new, []
        if new:
            self._database.write(lambda to: _write(to, new), None)


def _write(to: sqlite3.Connection, rows: list[tuple[bytes, str, Oid, bytes]]) -> None:
    to.executemany("REPLACE INTO file_ids VALUES (?, ?, ?, ?)", rows)
    to.execute("DELETE FROM file_ids WHERE rowid <= (SELECT max(rowid) FROM file_ids) - ?", (MAX_FILES,))


def _checksum(key: bytes, seen: str, id_: str) -> bytes:
    """Of all that a row says: SQLite does not notice a flipped bit."""
    check = hasher("file-row").update(key)
    check.update(f"\0{seen} {id_}".encode())
    return check.digest(16)
