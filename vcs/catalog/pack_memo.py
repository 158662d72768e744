"""Which packs were seen to be whole, and what was found in them, from process to process."""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from ..objects.oid import Oid, hash_bytes
from ..storage.files import Signature
from ..storage.layout import PackName
from ..storage.packs import codec
from ..storage.store import ObjectStore
from .database import Database

if TYPE_CHECKING:
    from sqlite3 import Connection

SCHEMA = (
    "CREATE TABLE whole_packs (name TEXT PRIMARY KEY, signature TEXT) WITHOUT ROWID",
    "CREATE TABLE vetted (id INTEGER PRIMARY KEY, steps BLOB UNIQUE, packs, facts, codec, size, seal)",
)

_MOST_RUNS = 20
"""So many runs are remembered: the newest."""

_MOST_PACKS = 10_000
"""More packs are not looked at one by one."""


class PackMemo:
    """Remembers packs in `cache.db`, as long as that lasts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, name: str) -> Signature | None:
        """See `Memo.known`."""
        if not self._database.exists:
            return None
        found = self._database.rows("SELECT signature FROM whole_packs WHERE name = ?", (name,))
        return tuple(json.loads(found[0][0])) if found else None

    def note(self, name: str, signature: Signature) -> None:
        """See `Memo.note`."""
        row = name, json.dumps(signature)
        self._database.write(
            lambda connection: connection.execute("INSERT OR REPLACE INTO whole_packs VALUES (?, ?)", row), None
        )

    def forget(self, name: str) -> None:
        """See `Memo.forget`."""
        if self._database.exists:
            self._database.write(lambda connection: _forget(connection, name), None)


def _forget(connection: Connection, name: str) -> None:
    connection.execute("DELETE FROM whole_packs WHERE name = ?", (name,))
    connection.execute("DELETE FROM vetted")  # for what it held


class VettedRuns:
    """Remembers in `cache.db` what was found out about the steps of runs, as long as the packs stay as they are.

    Args:
        database: Where.
        store: Has the packs.
    """

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store

    def of(self, steps: Oid) -> tuple[bytes, frozenset[PackName]] | None:
        """What is known, and the packs that it was found in; None where nothing is, or not any more.

        Args:
            steps: The root of the map of the run's steps.
        """
        if not self._database.exists:
            return None
        query = "SELECT seal, packs, facts, codec, size FROM vetted WHERE steps = ?"
        for seal, packs, *facts in self._database.rows(query, (bytes.fromhex(steps),)):
            if seal != _seal(packs, *facts):
                return None
            seen = {PackName(name): tuple(signature) for name, signature in json.loads(packs).items()}
            if seen.keys() <= set(self._store.snapshot.packs()) and self._store.soundness.is_as_seen(seen):
                data, how, size = facts
                return bytes(codec.decompress(how, data, size)), frozenset(seen)
        return None

    def note(self, steps: Oid, packs: AbstractSet[PackName], facts: bytes) -> None:
        """Keeps what is known.

        Args:
            steps: As in `of`.
            packs: The packs that it was found in.
            facts: What is known.
        """
        if (seen := self._store.soundness.seen(packs)) is None or len(packs) > _MOST_PACKS:
            return
        told, (how, data) = json.dumps(seen).encode(), codec.compress(facts)
        row = bytes.fromhex(steps), told, how, len(facts), data, _seal(told, data, how, len(facts))

        def write(connection: Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO vetted (steps, packs, codec, size, facts, seal) VALUES (?, ?, ?, ?, ?, ?)", row
            )
            connection.execute("DELETE FROM vetted WHERE id <= (SELECT max(id) FROM vetted) - ?", (_MOST_RUNS,))

        self._database.write(write, None)


def _seal(packs: object, facts: object, how: object, size: object) -> bytes:
    """By which a damaged row is known."""
    return bytes.fromhex(hash_bytes(repr((packs, facts, how, size)).encode(), "vetted"))
