"""`art runs`."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import click

from artvcs.pipelines.history.experiments import OWN, Experiment, Experiments, check_column, experiments, unknown
from artvcs.pipelines.history.finding import filters
from artvcs.vcs import Repository

from ...main import terminal
from ...shell import completion
from ...stored import runs
from ...terminal import output

_PAGE = 50
"""So many runs are written where nobody asks for another number."""


@click.command()
@click.argument("pipeline", required=False, shell_complete=completion.pipelines)
@click.option("--where", "conditions", multiple=True, help="Only runs like that, as 'accuracy > 0.9'.")
@click.option("--sort", help="By a column; with a - before it downwards.", shell_complete=completion.column)
@click.option("--columns", help="These columns, as 'max_depth,accuracy'.", shell_complete=completion.columns)
@click.option("-n", "limit", type=click.IntRange(min=1), help=f"At most so many, instead of {_PAGE}.")
@click.option("--all", "everything", is_flag=True, help="However many there are.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV, of all unless -n.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, of all unless -n.")
def command(
    pipeline: str | None, conditions: tuple[str, ...], sort: str | None, columns: str | None, limit: int | None,
    everything: bool, as_csv: bool, as_json: bool,
) -> None:  # fmt: skip
    """Compare runs (of PIPELINE): what they were given and what came of it, newest first.

    Example: art runs digits --sort -accuracy
    """
    repository = Repository.discover()
    found = experiments(repository, pipeline, where=conditions or None, sort=sort)
    chosen = _chosen(found, columns)
    rows = found.rows if everything or (limit is None and (as_csv or as_json)) else found.rows[: limit or _PAGE]
    if as_json:
        terminal().document([_document(row) for row in rows])
    elif as_csv:
        terminal().content([_csv(rows, chosen or found.columns).encode()])
    elif not (rows or conditions):
        runs.say_none(terminal())
    else:
        _say_table(rows, found, chosen, several=pipeline is None)
        if len(found.rows) > len(rows):
            terminal().note(f"… and {len(found.rows) - len(rows)} more; --all lists them")
    if not rows and conditions:
        _say_why_none(repository, pipeline, conditions)
    if found.left_out:
        terminal().warn(f"{output.count(found.left_out, 'run')} cannot be read in full; `art fsck` says more.")


def _chosen(found: Experiments, columns: str | None) -> list[str]:
    """The columns that were asked for; none where nobody did."""
    names = [name.strip() for name in (columns or "").split(",") if name.strip()]
    for name in names if found.rows else ():
        check_column(name, found.rows)
    return list(dict.fromkeys(names))


def _say_table(rows: Sequence[Experiment], found: Experiments, chosen: list[str], *, several: bool) -> None:
    """Writes a line for each run; where there is no room for all columns, those go first that tell least runs apart."""
    around = [name for name in ["pipeline"] * several + ["status", "took", "began"] if name not in found.columns]
    heads = ["run", *(name for name in chosen if name != "run")] if chosen else ["run", *found.columns, *around]
    cells = [[_cell(row, name) for name in heads] for row in rows]
    different = {name: len(set(column)) for name, column in zip(heads, zip(*cells, strict=True), strict=False)}

    def by_use(names: Sequence[str]) -> list[str]:
        return sorted(names, key=lambda name: (different.get(name, 0), -names.index(name)))

    same = [name for name in ("pipeline", "status", *found.columns) if different.get(name) == 1]
    given, came = found.columns[: len(found.parameters)], found.columns[len(found.parameters) :]
    # A status that differs says which runs have no measures, and why.
    spare = [*same, "began", "took", "pipeline", *by_use(given), "status", *by_use(came)]
    spare = list(dict.fromkeys(name for name in spare if name in heads))
    left_out = terminal().table(heads, cells, whole="run", spare=[] if chosen else spare)
    if left_out and rows:
        terminal().note(f"No room for {', '.join(left_out)}; --columns chooses, --csv and --json have all")


def _cell(row: Experiment, name: str) -> str:
    own = row.own(name)
    if own == "seconds":
        return "" if row.seconds is None else output.duration(row.seconds)
    if own == "started":
        return output.ago(row.started)
    if own == "status":
        return output.status(row.status)
    return output.value(row.get(name)) if name in row else ""


def _csv(rows: Sequence[Experiment], columns: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    names = [*OWN, *(name for name in columns if name not in OWN)]
    writer.writerow(names)
    writer.writerows([_plain(row.get(name)) for name in names] for row in rows)
    return text.getvalue()


def _plain(found: Any) -> Any:
    found = output.plain(found)
    return "" if found is None else found


def _document(row: Experiment) -> dict[str, object]:
    return {**{name: row.get(name) for name in OWN}, "parameters": row.parameters, "measures": row.measures}


def _say_why_none(repository: Repository, pipeline: str | None, conditions: tuple[str, ...]) -> None:
    """Says that no run fits, and which condition asks for what no run has."""
    rows = experiments(repository, pipeline).rows
    parsed = filters.parse(conditions)
    for key in dict.fromkeys(key for key, _, _ in parsed):
        if (hint := unknown(key, rows)) is not None:
            terminal().warn(f"No run has {key!r}{hint}; `art runs` shows what they have.")
    for key, _, value in parsed:
        found = [row.get(key) for row in rows if key in row]
        if isinstance(value, str) and found and all(isinstance(each, (int, float)) for each in found):
            terminal().warn(f"{key!r} is a number wherever it is known, and {value!r} is none.")
    terminal().tell("No run is like that.")
