"""Which runs take and make which versions, and which steps they have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ArtError
from ..maps import ref_names, steps, uses
from ..maps.refs import RefMap
from ..objects.kinds import Commit, Run, StepRun
from ..objects.limits import MAX_INT
from ..objects.oid import Oid
from . import facts
from .tables import Row, Tables

if TYPE_CHECKING:
    from sqlite3 import Connection


class Listed(NamedTuple):
    """A run. Times are milliseconds since 1970 UTC; it has not finished where that is None."""

    run: str
    name: str
    pipeline: str
    status: str
    began: int
    finished: int | None


class Said(NamedTuple):
    """What one thing is that a run, or a step of it, was given, or that is noted of it.

    Attributes:
        run: The run's id.
        step: The step; empty for what is said of the run itself.
        is_given: Whether it is a parameter.
        key: What it is called; `a.b` for the key `b` of a mapping under `a`.
        json: The value as JSON, in the encoding of `vcs.values`; None where that is long.
    """

    run: str
    step: str
    is_given: bool
    key: str
    json: str | None


class Runs(Tables):
    """The tables of runs. A run is named by its id, a version by its name and its artifact's id.

    Where only what differs is asked for, each query finds the next row after many equal ones at once. (A comparison
    such as `(a, b) > (?, ?)` would not: SQLite finds the first equal one, and goes through all.)
    """

    PREFIX = ref_names.RUNS
    SCHEMA = (
        """CREATE TABLE runs (
            source INTEGER PRIMARY KEY, status TEXT, began INTEGER, finished INTEGER, pipeline TEXT, name TEXT)""",
        "CREATE INDEX runs_by_status ON runs (status, began)",
        "CREATE INDEX runs_by_pipeline ON runs (pipeline, began)",
        # What is noted of a run (`step` is empty) or of one of its steps, or is a parameter of it (`given`).
        """CREATE TABLE said (
            key TEXT, value, source INTEGER, step TEXT, given INTEGER, json TEXT,
            PRIMARY KEY (key, value, source, step, given)) WITHOUT ROWID""",
        "CREATE INDEX said_by_source ON said (source)",
        # `oid` is the commit's, `finished` when that was executed, `began` when the run began.
        """CREATE TABLE steps (
            source INTEGER, step TEXT, began INTEGER, oid BLOB, executed INTEGER, finished INTEGER,
            PRIMARY KEY (source, step)) WITHOUT ROWID""",
        "CREATE INDEX steps_by_name ON steps (step, began)",
        "CREATE INDEX steps_by_commit ON steps (oid, executed, began)",
        "CREATE INDEX steps_by_time ON steps (finished, oid)",
        """CREATE TABLE takes (
            name TEXT, artifact BLOB, pipeline TEXT, step TEXT, source INTEGER,
            PRIMARY KEY (name, artifact, pipeline, step, source)) WITHOUT ROWID""",
        "CREATE INDEX takes_by_source ON takes (source, step)",
        """CREATE TABLE makes (
            name TEXT, finished INTEGER, oid BLOB, artifact BLOB, source INTEGER, step TEXT,
            PRIMARY KEY (name, finished, oid, artifact, source, step)) WITHOUT ROWID""",
        "CREATE INDEX makes_by_value ON makes (name, artifact, finished, oid)",
        "CREATE INDEX makes_by_source ON makes (source)",
    )

    def users(self, name: str, artifact: Oid, limit: int) -> list[str]:
        """Some runs that take, read or make a version; at least `limit` of them where there are so many."""
        found = []
        for table in ("takes", "makes"):
            distinct = f"SELECT DISTINCT source FROM {table} WHERE name = ? AND artifact = ? LIMIT ?"
            query = f"SELECT ref FROM sources WHERE id IN ({distinct})"
            found += self.rows(query, name, bytes.fromhex(artifact), limit)
        return _run_ids(found)

    def taken_by(self, name: str, artifact: Oid) -> list[tuple[str, str]]:
        """Run and step of all that took or read a version, newest run first."""
        rows = self.rows(
            "SELECT ref, step FROM takes JOIN sources ON id = takes.source JOIN runs ON runs.source = takes.source"
            " WHERE takes.name = ? AND artifact = ? ORDER BY began DESC, ref, step",
            name, bytes.fromhex(artifact),
        )  # fmt: skip
        return [(ref_names.last_part(ref), step) for ref, step in rows]

    def steps_taking(self, name: str, artifact: Oid) -> Iterator[tuple[str, str]]:
        """Pipeline and step of all that took or read a version in any run, each once."""
        query = "SELECT pipeline, step FROM takes WHERE name = ? AND artifact = ? AND "
        given, last = (name, bytes.fromhex(artifact)), ("", "")
        while found := self.rows(query + "pipeline = ? AND step > ? ORDER BY step LIMIT 1", *given, *last) or self.rows(
            query + "pipeline > ? ORDER BY pipeline, step LIMIT 1", *given, last[0]
        ):
            [last] = found
            yield last

    def executed(self, commit: Oid) -> str | None:
        """The run that executed a commit; where its record is gone, the first one that reused it."""
        for order in ("executed = 1 ORDER BY began DESC", "executed = 0 ORDER BY began"):
            query = f"SELECT ref FROM steps JOIN sources ON id = source WHERE oid = ? AND {order} LIMIT 1"
            if found := _run_ids(self.rows(query, bytes.fromhex(commit))):
                return found[0]
        return None

    def latest_with(self, step: str) -> str | None:
        """The newest run that has a step of this name."""
        query = "SELECT ref FROM steps JOIN sources ON id = source WHERE step = ? ORDER BY began DESC LIMIT 1"
        return next(iter(_run_ids(self.rows(query, step))), None)

    def names_with(self, step: str, start: str, limit: int, pipeline: str | None = None) -> list[str]:
        """The names that start so of runs (of a pipeline) that have a step of this name, newest first.

        Args:
            step: The step.
            start: How the names start.
            limit: So many at most.
            pipeline: Only runs of this one.
        """
        query = (
            "SELECT runs.name FROM steps JOIN runs ON runs.source = steps.source"
            " WHERE step = ? AND runs.name >= ? AND runs.name < ? AND pipeline = ifnull(?, pipeline)"
            " ORDER BY steps.began DESC LIMIT ?"
        )
        return [name for (name,) in self.rows(query, step, start, start + ref_names.LAST, pipeline, limit)]

    def step_names(self, start: str = "") -> Iterator[str]:
        """The names of steps that start so, each once, in order."""
        query = "SELECT step FROM steps WHERE step >= ? AND step < ? ORDER BY step LIMIT 1"
        least = start
        while found := self.rows(query, least, start + ref_names.LAST):
            [(step,)] = found
            yield step
            least = step + "\0"

    def listed(self, pipeline: str | None = None) -> list[Listed]:
        """All runs (of a pipeline), newest first."""
        query = "SELECT ref, name, pipeline, status, began, finished FROM runs JOIN sources ON id = source"
        where, given = of_runs(pipeline)
        rows = self.rows(f"{query}{where} ORDER BY began DESC, ref DESC", *given)
        return [Listed(ref_names.last_part(ref), *row) for ref, *row in rows]

    def said(self, pipeline: str | None = None, run: str | None = None) -> list[Said]:
        """What all runs (of a pipeline), or one run, and their steps were given, and what is noted of them.

        In the order in which the steps were executed, what is said of the run itself last.
        """
        where, given = of_runs(pipeline, run)
        query = (
            "SELECT ref, said.step, given, key, json FROM said JOIN sources ON id = said.source"
            " JOIN runs ON runs.source = said.source"
            " LEFT JOIN steps ON steps.source = said.source AND steps.step = said.step"
        )
        rows = self.rows(f"{query}{where} ORDER BY said.step = '', steps.finished, said.step", *given)
        return [Said(ref_names.last_part(ref), step, bool(given), key, text) for ref, step, given, key, text in rows]

    def noted_by_takers(self, name: str, artifact: Oid, limit: int = -1) -> list[Said]:
        """What steps noted that took or read a version, those of the newest runs first; at most `limit` things."""
        query = (
            "SELECT ref, takes.step, said.key, said.json FROM takes JOIN sources ON id = takes.source"
            " JOIN runs ON runs.source = takes.source"
            " JOIN said ON said.source = takes.source AND said.step = takes.step AND NOT said.given"
            " WHERE takes.name = ? AND artifact = ? ORDER BY began DESC, ref, takes.step LIMIT ?"
        )
        rows = self.rows(query, name, bytes.fromhex(artifact), limit)
        return [Said(ref_names.last_part(ref), step, False, key, text) for ref, step, key, text in rows]

    def unreadable(self) -> list[str]:
        """Runs of which something cannot be read: nobody knows all that they use."""
        span = self.PREFIX, self.PREFIX + ref_names.LAST
        return _run_ids(self.rows("SELECT ref FROM sources WHERE NOT whole AND ref >= ? AND ref < ?", *span))

    def with_status(self, status: str) -> list[str]:
        """The runs that ended so, or are `running`, newest first."""
        query = "SELECT ref FROM runs JOIN sources ON id = source WHERE status = ? ORDER BY began DESC, ref DESC"
        return _run_ids(self.rows(query, status))

    def commits(self, name: str | None = None, artifact: Oid | None = None) -> Iterator[tuple[int, Oid]]:
        """The commits in all runs, the one that finished last first, with that time; read as they are come to.

        Args:
            name: Only those that made versions of this name.
            artifact: Only those that made this one of them.
        """
        table, where, given = "steps", "oid IS NOT NULL", list[Any]()
        if name is not None:
            table, where, given = "makes", "name = ?", [name]
        if artifact is not None:
            where, given = "name = ? AND artifact = ?", [name, bytes.fromhex(artifact)]
        query = f"SELECT finished, oid FROM {table} WHERE {where} AND "
        last = MAX_INT, b""
        while found := self.rows(
            query + "finished = ? AND oid < ? ORDER BY oid DESC LIMIT 1", *given, *last
        ) or self.rows(query + "finished < ? ORDER BY finished DESC, oid DESC LIMIT 1", *given, last[0]):
            [last] = found
            yield last[0], Oid(last[1].hex())

    def add(self, connection: Connection, source: int, refs: RefMap, oid: Oid) -> None:
        """See `Tables.add`."""
        run, lost = refs.record(oid, Run), list[ArtError]()
        row = source, run.status, run.started, run.finished, run.pipeline, run.name
        connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)", row)
        _say(connection, source, "", run.params, run.metadata)
        models = uses.models(run)
        self._take(connection, source, run, "", models)
        for name, step in steps.readable(run, lost):
            commit = None
            try:
                commit = refs.record(step.execution, Commit) if step.execution else None
            except ArtError as error:
                lost.append(error)
            self._add_step(connection, source, run, name, step, commit)
            if len(models) == 1:  # of several, nobody wrote down which step worked on which
                self._take(connection, source, run, name, models)
        if lost:
            raise lost[0]

    def _take(self, connection: Connection, source: int, run: Run, step: str, taken: Iterable[tuple[str, Oid]]) -> None:
        rows = [(name, bytes.fromhex(artifact), run.pipeline, step, source) for name, artifact in taken]
        connection.executemany("INSERT OR IGNORE INTO takes VALUES (?, ?, ?, ?, ?)", rows)

    def _add_step(
        self, connection: Connection, source: int, run: Run, name: str, step: StepRun, commit: Commit | None
    ) -> None:
        oid = bytes.fromhex(step.commit) if step.commit else None
        finished = commit.finished if commit and oid else 0
        connection.execute(
            "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?)",
            (source, name, run.started, oid, step.status == "completed", finished),
        )
        if commit is None:
            _say(connection, source, name, {}, step.metadata)
        else:
            _say(connection, source, name, commit.params, {**commit.noted, **step.metadata})
        self._take(connection, source, run, name, uses.taken(step, commit))
        for use, artifact in uses.made(step):
            made = use, finished, oid or b"", bytes.fromhex(artifact), source, name
            connection.execute("INSERT INTO makes VALUES (?, ?, ?, ?, ?, ?)", made)

    def drop(self, connection: Connection, source: int) -> None:
        """See `Tables.drop`."""
        for table in ("runs", "said", "steps", "takes", "makes"):
            connection.execute(f"DELETE FROM {table} WHERE source = ?", (source,))


def _say(connection: Connection, source: int, step: str, given: Mapping[str, Any], noted: Mapping[str, Any]) -> None:
    """Adds what a run, or a step of it, was given and what is noted of it."""
    rows = [
        (key, value, source, step, is_given, text)
        for is_given, told in ((1, given), (0, noted))
        for key, value, text in facts.told(told)
    ]
    connection.executemany("INSERT OR REPLACE INTO said VALUES (?, ?, ?, ?, ?, ?)", rows)


def of_runs(pipeline: str | None, run: str | None = None) -> tuple[str, list[str]]:
    """What chooses runs by their pipeline, or one by its id, where `sources` and `runs` are joined; and its values."""
    asked = {"pipeline": pipeline, "ref": None if run is None else ref_names.run(run)}
    chosen = {name: value for name, value in asked.items() if value is not None}
    where = " AND ".join(f"{name} = ?" for name in chosen)
    return f" WHERE {where}" if where else "", list(chosen.values())


def _run_ids(rows: list[Row]) -> list[str]:
    return [ref_names.last_part(ref) for ref, *_ in rows]
