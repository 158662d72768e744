"""Which results in the cache made which artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..maps import ref_names
from ..maps.refs import RefMap
from ..objects.kinds import Commit
from ..objects.oid import Oid
from .tables import Tables

if TYPE_CHECKING:
    from sqlite3 import Connection


class Results(Tables):
    """The table of results in the cache."""

    PREFIX = ref_names.CACHE
    SCHEMA = (
        "CREATE TABLE results (artifact BLOB, source INTEGER, PRIMARY KEY (artifact, source)) WITHOUT ROWID",
        "CREATE INDEX results_by_source ON results (source)",
    )

    def that_made(self, artifact: Oid) -> list[str]:
        """The refs of the results that made an artifact, under whatever name."""
        query = "SELECT ref FROM results JOIN sources ON id = source WHERE artifact = ?"
        return [ref for (ref,) in self.rows(query, bytes.fromhex(artifact))]

    def add(self, connection: Connection, source: int, refs: RefMap, oid: Oid) -> None:
        """See `Tables.add`."""
        for artifact in {output.artifact for output in refs.record(oid, Commit).outputs.values()}:
            connection.execute("INSERT INTO results VALUES (?, ?)", (bytes.fromhex(artifact), source))

    def drop(self, connection: Connection, source: int) -> None:
        """See `Tables.drop`."""
        connection.execute("DELETE FROM results WHERE source = ?", (source,))
