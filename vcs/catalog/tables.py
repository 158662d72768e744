"""Keeping tables in step with the refs: rows are made of the records that refs lead to.

For each kind of table `states` says of which state of the refs its rows are. A question about another state first
brings them there, by the difference of the two; where the older state cannot be read any more (it was collected, or is
another clone's), each ref is compared with what its rows were made of. So only records that changed are read again. It
works in both directions; and in the transaction of the last step it is answered, so that whoever asks sees the rows of
the very state that is asked about.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import ArtError
from ..maps import ref_names
from ..maps.refs import RefMap
from ..objects.oid import Oid, is_oid

if TYPE_CHECKING:
    from sqlite3 import Connection

SCHEMA = (
    "CREATE TABLE states (prefix TEXT PRIMARY KEY, root TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE sources (id INTEGER PRIMARY KEY, ref TEXT UNIQUE, record BLOB, whole INTEGER)",
    "CREATE INDEX damaged ON sources (ref) WHERE NOT whole",
)

watcher: ContextVar[Callable[[int, int], None]] = ContextVar("artvcs_catalog_watcher")
"""Told now and then how many records have been read, and of how many, where that takes its time; at last of all."""

_EVERY = 0.1
"""Seconds between two reports."""

_AT_ONCE = 20_000
"""So many records are read in one transaction; what is done so far need not be done again by whoever goes on."""

_RETRIES = 100
"""So many records that could not be read are tried again with each question: one may have been healed."""

Row = tuple[Any, ...]
Ask = Callable[[Sequence["Tables"], str, Sequence[Any]], list[Row]]


class Tables(ABC):
    """Tables made of the records under one prefix of the refs, and the questions that they answer.

    Args:
        ask: Answers a query on these tables, for one state of the refs.
    """

    PREFIX: ClassVar[str]
    """The refs."""
    SCHEMA: ClassVar[tuple[str, ...]]
    """The statements that make the tables."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    @abstractmethod
    def add(self, connection: Connection, source: int, refs: RefMap, oid: Oid) -> None:
        """Adds the rows of one record, marked with the number `source`; where not all can be read, those that can.

        Raises:
            ArtError: Not all could be read.
        """

    @abstractmethod
    def drop(self, connection: Connection, source: int) -> None:
        """Removes the rows of one record."""

    def rows(self, query: str, *parameters: Any, also: Sequence[Tables] = ()) -> list[Row]:
        """What a query answers; `also` are other tables that it looks into."""
        return self._ask((self, *also), query, parameters)


def in_step(connection: Connection, refs: RefMap, tables: Iterable[Tables]) -> bool:
    """Whether tables are of this state, and nothing is left out because it could not be read."""
    return all(
        _root(connection, each.PREFIX) == (refs.root or "") and not _damaged(connection, each.PREFIX) for each in tables
    )


def bring(connection: Connection, refs: RefMap, tables: Iterable[Tables], most: int | None = None) -> bool:
    """Brings tables to this state, or nearer, inside a transaction; returns whether they are there.

    Args:
        connection: Where the tables are.
        refs: The state.
        tables: The tables.
        most: Tables for which more records would have to be read stay as they are, and count as being there.

    Raises:
        ArtError: The refs cannot be read.
    """
    for each in tables:
        changes = _damaged(connection, each.PREFIX) | _changes(connection, refs, each.PREFIX)
        if most is not None and len(changes) > most:
            continue
        for ref, oid in _watched(changes, _AT_ONCE):
            _replace(connection, refs, each, ref, oid)
        if len(changes) > _AT_ONCE:
            connection.execute("DELETE FROM states WHERE prefix = ?", (each.PREFIX,))
            return False
        connection.execute("INSERT OR REPLACE INTO states VALUES (?, ?)", (each.PREFIX, refs.root or ""))
    return True


def _changes(connection: Connection, refs: RefMap, prefix: str) -> dict[str, Oid | None]:
    """Each ref that differs from what rows were made of → what it leads to in this state."""
    root = _root(connection, prefix)
    if root == (refs.root or ""):
        return {}
    if root and is_oid(root):
        try:
            changed = refs.diff(refs.at(Oid(root)))
            return {ref: new for ref, (_, new) in changed.items() if ref.startswith(prefix)}
        except ArtError:
            pass  # nobody keeps what that state consisted of
    rows = connection.execute("SELECT ref, record FROM sources WHERE ref >= ? AND ref < ?", _span(prefix))
    known = {ref: record.hex() for ref, record in rows}
    changes: dict[str, Oid | None] = {ref: oid for ref, oid in refs.items(prefix) if known.pop(ref, None) != oid}
    return changes | dict.fromkeys(known)


def _replace(connection: Connection, refs: RefMap, tables: Tables, ref: str, oid: Oid | None) -> None:
    for (source,) in connection.execute("SELECT id FROM sources WHERE ref = ?", (ref,)).fetchall():
        tables.drop(connection, source)
        connection.execute("DELETE FROM sources WHERE id = ?", (source,))
    if oid is None:
        return
    added = connection.execute("INSERT INTO sources (ref, record, whole) VALUES (?, ?, 1)", (ref, bytes.fromhex(oid)))
    source = added.lastrowid or 0
    try:
        tables.add(connection, source, refs, oid)
    except ArtError:
        connection.execute("UPDATE sources SET whole = 0 WHERE id = ?", (source,))


def _root(connection: Connection, prefix: str) -> str | None:
    row = connection.execute("SELECT root FROM states WHERE prefix = ?", (prefix,)).fetchone()
    return None if row is None else str(row[0])


def _damaged(connection: Connection, prefix: str) -> dict[str, Oid | None]:
    query = "SELECT ref, record FROM sources WHERE NOT whole AND ref >= ? AND ref < ? LIMIT ?"
    return {ref: Oid(record.hex()) for ref, record in connection.execute(query, (*_span(prefix), _RETRIES))}


def _span(prefix: str) -> tuple[str, str]:
    return prefix, prefix + ref_names.LAST


def _watched(changes: Mapping[str, Oid | None], most: int) -> Iterator[tuple[str, Oid | None]]:
    """The first changes, in order, while somebody may watch how far it is."""
    tell, last = watcher.get(None), time.monotonic()
    first = sorted(changes)[:most]
    for done, ref in enumerate(first):
        yield ref, changes[ref]
        if tell is not None and time.monotonic() > last + _EVERY:
            tell(done, len(changes))
            last = time.monotonic()
    if tell is not None and first:
        tell(len(first), len(changes))
