"""Which packs were seen to be whole, from process to process: see `vcs.storage.soundness.Memo`."""

from __future__ import annotations

import json

from ..storage.files import Signature
from .database import Database

SCHEMA = ("CREATE TABLE whole_packs (name TEXT PRIMARY KEY, signature TEXT) WITHOUT ROWID",)


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
            self._database.write(
                lambda connection: connection.execute("DELETE FROM whole_packs WHERE name = ?", (name,)), None
            )
