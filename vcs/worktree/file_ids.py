"""What single files held when they were last read, so that those that did not change are not read again.

A file is told apart by what the file system says of it, as Git's index does; one that was written just now is read each
time, since a second write within a tick of the clock would leave it the same. Derived: it can be deleted at any time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..catalog.database import Database
from ..objects.oid import Oid, hasher
from .reading import hash_file, read_steady, signature

if TYPE_CHECKING:
    import sqlite3

SCHEMA = ("CREATE TABLE file_ids (path BLOB PRIMARY KEY, signature TEXT, id TEXT, checksum BLOB) WITHOUT ROWID",)

MAX_FILES = 1_000_000
"""So many files are remembered; when there are more, all are forgotten."""

_TICK = 100_000_000
"""Nanoseconds within which a file system may give two writes one time."""

_TOGETHER = 500


class FileIds:
    """The ids of files' contents.

    Args:
        database: Where they are remembered between processes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
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
        """The blob id of a file's content.

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
        if known is not None and known[0] == seen:
            return known[1]
        oid, read = read_steady(Path(path), hash_file)
        if time.time_ns() - max(read.st_mtime_ns, read.st_ctime_ns) > _TICK:
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
    if to.execute("SELECT count(*) FROM file_ids").fetchone()[0] > MAX_FILES:
        to.execute("DELETE FROM file_ids")
    to.executemany("REPLACE INTO file_ids VALUES (?, ?, ?, ?)", rows)


def _checksum(key: bytes, seen: str, id_: str) -> bytes:
    """Of all that a row says: SQLite does not notice a flipped bit."""
    check = hasher("file-row").update(key)
    check.update(f"\0{seen} {id_}".encode())
    return check.digest(16)
