"""Versions by what they are and by what is noted about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ArtError
from ..maps import ref_names, versions
from ..maps.refs import RefMap
from ..objects.kinds import Artifact, Commit, Version
from ..objects.oid import Oid
from . import facts
from .runs import Runs, of_runs
from .tables import Ask, Tables

if TYPE_CHECKING:
    from sqlite3 import Connection

_FIRST, _FACTOR = 100, 4
"""So many versions are taken at first, and so many times more each time that more are asked for."""

_OF_VERSION = "FROM notes JOIN versions ON versions.source = notes.source"
_NOTED_IN_RUNS = f"""(
    SELECT makes.source AS run_source, key, json {_OF_VERSION}
    JOIN makes ON makes.name = versions.name AND makes.artifact = versions.artifact
    UNION ALL SELECT id, key, json {_OF_VERSION} JOIN sources ON ref = '{ref_names.RUNS}' || versions.run)"""
"""What people noted of versions, each with the runs that made it: as what a step returned, or in another way, as a
model."""


@dataclass(frozen=True)
class Wanted:
    """Conditions that versions are to meet; None is no condition.

    Attributes:
        name: The artifact's name.
        version: Its number, or its explicit version.
        tag: One of its tags.
        promoted: Name and artifact of others that count as having that tag.
        type: The last part of its type's name.
        size: Bytes of its files.
        run: The id of the run in which it was first made or saved.
        producer: The step that made it.
        since: When it was made at the earliest, in milliseconds since 1970, give or take one.
        until: When at the latest, give or take one.
        facts: What its metadata says.
        unused: Whether no run makes, takes or reads it.
    """

    name: str | None = None
    version: str | None = None
    tag: str | None = None
    promoted: Sequence[tuple[str, Oid]] = ()
    type: str | None = None
    size: int | None = None
    run: str | None = None
    producer: str | None = None
    since: int | None = None
    until: int | None = None
    facts: Sequence[facts.Condition] = ()
    unused: bool = False


class Versions(Tables):
    """The tables of versions."""

    PREFIX = ref_names.ARTIFACTS
    SCHEMA = (
        """CREATE TABLE versions (
            source INTEGER PRIMARY KEY, name TEXT, number INTEGER, label TEXT, artifact BLOB, created INTEGER, run TEXT,
            type TEXT, size INTEGER, producer TEXT)""",
        "CREATE INDEX versions_by_number ON versions (name, number)",
        "CREATE INDEX versions_by_value ON versions (name, artifact)",  # also for `Database.check`
        "CREATE INDEX versions_by_time ON versions (created)",
        "CREATE INDEX versions_by_run ON versions (run)",
        "CREATE INDEX versions_by_type ON versions (type)",
        "CREATE INDEX versions_by_producer ON versions (producer)",
        "CREATE TABLE tags (tag TEXT, source INTEGER, PRIMARY KEY (tag, source)) WITHOUT ROWID",
        "CREATE INDEX tags_by_source ON tags (source)",
        "CREATE TABLE facts (key TEXT, value, source INTEGER, PRIMARY KEY (key, value, source)) WITHOUT ROWID",
        "CREATE INDEX facts_by_source ON facts (source)",
        # What people noted of a version, as it is to be shown.
        "CREATE TABLE notes (source INTEGER, key TEXT, json TEXT, PRIMARY KEY (source, key)) WITHOUT ROWID",
    )

    def __init__(self, ask: Ask, runs: Runs) -> None:
        super().__init__(ask)
        self._runs = runs

    def select(self, wanted: Wanted, sort: str | None = None, *, reverse: bool = False) -> Iterator[tuple[str, Oid]]:
        """Ref and record of all versions that may meet conditions: none is missing, and a few may turn out not to.

        Args:
            wanted: The conditions.
            sort: `name` (and number), `number`, `created` or `size`; by default, and where that is equal, as the refs.
            reverse: Downwards in what it is sorted by.
        """
        where, given = _where(wanted)
        query = (
            f"SELECT ref, record FROM versions JOIN sources ON id = source WHERE {where}"
            f" ORDER BY {_order(wanted, sort, 'DESC' if reverse else 'ASC')} LIMIT ? OFFSET ?"
        )
        count, start = _FIRST, 0
        also = (self._runs,) if wanted.unused or wanted.facts else ()
        while rows := self.rows(query, *given, count, start, also=also):
            yield from ((ref, Oid(record.hex())) for ref, record in rows)
            count, start = _FACTOR * count, start + count

    def has_fact(self, key: str, name: str | None = None) -> bool:
        """Whether something is noted under a key of any version, or any of this name."""
        given, of_name, by_users = [key], "", ""
        if name is not None:
            given.append(name)
            of_name = " AND source IN (SELECT source FROM versions WHERE name = ?)"
            by_users = (
                " AND EXISTS (SELECT 1 FROM takes"
                " WHERE takes.source = said.source AND takes.step = said.step AND name = ?)"
            )
        own = f"SELECT 1 FROM facts WHERE key = ?{of_name}"
        users = f"SELECT 1 FROM said WHERE key = ? AND NOT given{by_users}"
        return bool(self.rows(f"{own} UNION ALL {users} LIMIT 1", *given, *given, also=(self._runs,)))

    def fact_names(self, start: str = "") -> Iterator[str]:
        """The keys under which something is noted that start so, each once, in order."""
        least, span = start, "WHERE key >= ? AND key < ?"
        query = (
            f"SELECT MIN(key) FROM (SELECT MIN(key) AS key FROM facts {span}"
            f" UNION ALL SELECT MIN(key) AS key FROM said {span})"
        )
        while True:
            between = least, start + ref_names.LAST
            [(key,)] = self.rows(query, *between, *between, also=(self._runs,))
            if key is None:
                return
            yield key
            least = key + "\0"

    def names_in_runs(
        self, start: str, limit: int, pipeline: str | None = None, *, measures: bool = False
    ) -> list[str]:
        """The names of what runs were given, and of what is noted of them, that start so, in order.

        Args:
            start: How they start.
            limit: So many at most.
            pipeline: Only of runs of this one.
            measures: Only what is noted, and not as a text alone.
        """
        said, notes, given = "FROM said", f"FROM {_NOTED_IN_RUNS}", [start, start + ref_names.LAST]
        of = " WHERE key >= ? AND key < ?"
        if pipeline is not None:
            said += " JOIN runs ON runs.source = said.source"
            notes += " JOIN runs ON runs.source = run_source"
            of, given = f"{of} AND pipeline = ?", [*given, pipeline]
        no_text, no_note = " AND NOT given AND typeof(value) <> 'text'", " AND json NOT LIKE '\"%'"
        measured, also = (no_text, no_note) if measures else ("", "")
        query = f"SELECT key {said}{of}{measured} UNION SELECT key {notes}{of}{also} ORDER BY key LIMIT ?"
        return [key for (key,) in self.rows(query, *given, *given, limit, also=(self._runs,)) if key]

    def noted_in_runs(self, pipeline: str | None = None, run: str | None = None) -> list[tuple[str, str, str | None]]:
        """Run, key and value as JSON (see `facts.told`) of what people noted of the versions that runs made.

        Args:
            pipeline: Only those that runs of this one made.
            run: Only those that this one made.
        """
        query = f"SELECT ref, key, json FROM {_NOTED_IN_RUNS} JOIN sources ON id = run_source"
        where, given = of_runs(pipeline, run)
        rows = self.rows(f"{query} JOIN runs ON runs.source = run_source{where}", *given, also=(self._runs,))
        return [(ref_names.last_part(ref), key, text) for ref, key, text in rows]

    def add(self, connection: Connection, source: int, refs: RefMap, oid: Oid) -> None:
        """See `Tables.add`."""
        version = refs.record(oid, Version)
        if version.deleted:
            return
        lost, artifact, commit = None, None, None
        try:
            artifact = refs.record(version.artifact, Artifact)
            commit = refs.record(version.commit, Commit) if version.commit else None
        except ArtError as error:
            lost = error
        row = (
            source, version.name, version.number, version.label, bytes.fromhex(version.artifact), version.created,
            version.run, artifact and artifact.type.rpartition(".")[2], artifact and artifact.size,
            commit and commit.step,
        )  # fmt: skip
        connection.execute(f"INSERT INTO versions VALUES ({', '.join('?' * len(row))})", row)
        connection.executemany("INSERT INTO tags VALUES (?, ?)", [(tag, source) for tag in set(version.tags)])
        rows = [(*fact, source) for fact in facts.of(versions.noted(version, commit))]
        connection.executemany("INSERT INTO facts VALUES (?, ?, ?)", rows)
        noted = {key: version.metadata[key] for key in version.noted or () if key in version.metadata}
        notes = [(source, key, text) for key, _, text in facts.told(noted)]
        connection.executemany("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", notes)
        if lost is not None:
            raise lost

    def drop(self, connection: Connection, source: int) -> None:
        """See `Tables.drop`."""
        for table in ("versions", "tags", "facts", "notes"):
            connection.execute(f"DELETE FROM {table} WHERE source = ?", (source,))


def _where(wanted: Wanted) -> tuple[str, list[Any]]:
    parts: list[tuple[str, Any]] = [
        ("name = ?", wanted.name),
        ("run = ?", wanted.run),
        ("type = ?", wanted.type),
        ("size = ?", wanted.size),
        ("producer = ?", wanted.producer),
        ("created >= ? - 1", wanted.since),
        ("created <= ? + 1", wanted.until),
        ("? IN (label, CAST(number AS TEXT))", wanted.version),
    ]
    parts = [(text, value) for text, value in parts if value is not None]
    # A text that is no Unicode fits nothing that is stored.
    given = [value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for _, value in parts]
    where = [text for text, _ in parts]
    if wanted.tag is not None:
        others = " OR (name = ? AND artifact = ?)" * len(wanted.promoted)
        where.append(f"(source IN (SELECT source FROM tags WHERE tag = ?){others})")
        given.append(wanted.tag.encode("utf-8", "replace").decode())
        given += [each for name, artifact in wanted.promoted for each in (name, bytes.fromhex(artifact))]
    for condition in wanted.facts:
        selected, values = facts.query(condition)
        where.append(f"source IN ({selected})")
        given += values
    if wanted.unused:
        where += [
            f"NOT EXISTS (SELECT 1 FROM {table} AS used"
            " WHERE used.name = versions.name AND used.artifact = versions.artifact)"
            for table in ("takes", "makes")
        ]
    return " AND ".join(where) or "TRUE", given


def _order(wanted: Wanted, sort: str | None, way: str) -> str:
    if sort == "name":
        return f"name {way}, number {way}"
    if sort is not None:
        return f"{sort} {way}, ref"
    return "ref" if wanted.name is None else "number"  # the same, and sooner found
