"""What the refs and records of one state say, turned round: which runs use a version, and what no ref answers.

The tables are in `cache.db`, and are brought to the state asked about first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..maps.refs import RefMap
from . import tables
from .database import Database
from .results import Results
from .runs import Runs
from .tables import Row, Tables
from .versions import Versions

if TYPE_CHECKING:
    from sqlite3 import Connection

_ROWS = "-- 6: fields of objects are known by their names"
"""Part of the schema, so that tables whose rows were made otherwise are not taken for these."""

SCHEMA = (_ROWS, *tables.SCHEMA, *Runs.SCHEMA, *Versions.SCHEMA, *Results.SCHEMA)


class Catalog:
    """The catalog of one state of the refs.

    Where `cache.db` cannot be written, or others keep it busy, the same tables are made in memory.

    Args:
        database: Where the tables are.
        refs: The state.
        most: Where more records of a kind than so many would have to be read first, an older state answers; None where
            whoever asks waits for this one.

    Attributes:
        runs: What runs use, and the steps in them.
        versions: Versions by what they are and what is noted about them.
        results: Results in the cache by what they made.
    """

    def __init__(self, database: Database, refs: RefMap, most: int | None = None) -> None:
        self._database = database
        self._most = most
        self._refs = refs
        self.runs = Runs(self._ask)
        self.results = Results(self._ask)
        self.versions = Versions(self._ask, self.runs)

    def check(self) -> None:
        """Makes sure, once, that the tables are as they were written: for who deletes something because of them."""
        self._database.check()

    def _ask(self, needed: Sequence[Tables], query: str, parameters: Sequence[Any]) -> list[Row]:
        """Answers a query on tables of this state. Raises DamagedError where the refs cannot be read."""

        def answer(connection: Connection) -> list[Row] | None:
            if not tables.in_step(connection, self._refs, needed):
                return None
            return connection.execute(query, parameters).fetchall()

        def bring_and_answer(connection: Connection) -> tuple[bool | None, list[Row]]:
            there = tables.bring(connection, self._refs, needed, self._most)
            return there, connection.execute(query, parameters).fetchall() if there else []

        if not all(_may_be_stored(each) for each in parameters):
            return []
        failed: tuple[bool | None, list[Row]] = None, []
        for database in self._database.usable():
            found = database.read(answer, None)
            if found is not None:
                return found
            there: bool | None = False
            while there is False:  # None where it cannot be written
                there, rows = database.write(bring_and_answer, failed)
            if there:
                return rows
        raise AssertionError(f"SQLite cannot answer {query}")


def _may_be_stored(value: object) -> bool:
    """Whether SQLite takes it: it refuses a text that is no Unicode, as nothing stored is."""
    return not isinstance(value, str) or not any("\ud800" <= char <= "\udfff" for char in value)
