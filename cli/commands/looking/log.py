"""`art log`."""

from __future__ import annotations

import itertools
from functools import partial

import click

from artvcs.pipelines.client import Client
from artvcs.pipelines.history.views import PipelineRun, decode_all, from_ms
from artvcs.vcs import Damaged, GitState, Oid, ref_names
from artvcs.vcs import runs as known

from ...main import terminal
from ...shell import completion
from ...stored import finding, history, runs
from ...stored.history import Entry
from ...terminal import graph, output

_RUNS = 10


@click.command()
@click.argument("target", metavar="[NAME|RUN|COMMIT]", required=False, shell_complete=completion.names_and_runs)
@click.option("-n", "limit", type=click.IntRange(min=1), help=f"At most so many entries; of runs, instead of {_RUNS}.")
@click.option("--all", "everything", is_flag=True, help="However many runs there are.")
@click.option("--graph", "as_graph", is_flag=True, help="Draw which commit came from which.")
@click.option("--oneline", is_flag=True, help="One line each.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    target: str | None, limit: int | None, everything: bool, as_graph: bool, oneline: bool, as_json: bool
) -> None:
    """Show runs, newest first; or where an artifact, run or commit came from, back to the raw data.

    Example: art log digits-model --graph
    """
    if target is None and not as_graph:
        count = None if everything or (as_json and limit is None) else limit or _RUNS
        more = _log_runs(count, oneline, as_json)
        if more and limit is None and not as_json:
            if not oneline:
                terminal().note("")
            terminal().note(f"… and {more} more; --all lists them")
        return
    repository = Client().repository
    shown = history.of(repository, target, limit) if target else history.everything(repository, limit)
    finding.say_model_too(terminal(), repository, target)
    if as_json:
        terminal().document([entry_document(entry) for entry in shown])
    elif not shown and repository.refs().count(ref_names.RUNS):
        terminal().tell("No step of any run has ended yet; `art log` lists the runs.")
    elif not shown:
        runs.say_none(terminal())
    elif as_graph:
        _draw(shown, oneline)
    else:
        for number, entry in enumerate(shown):
            for line in _lines(entry, oneline):
                terminal().row(line)
            if not oneline and number < len(shown) - 1:
                terminal().say()


def _draw(entries: list[Entry], oneline: bool) -> None:
    shown = {entry.oid for entry in entries}
    parents: dict[str, list[Oid]] = {entry.oid: [oid for oid in entry.parents if oid in shown] for entry in entries}
    rows = graph.draw([entry.oid for entry in entries], parents)
    for entry, row in zip(entries, rows, strict=True):
        first, *more = _lines(entry, oneline)
        gap = [] if oneline or entry is entries[-1] else [""]
        for line in row.before:
            terminal().row(line)
        terminal().row(row.node + first)
        for line in [*more, *gap]:
            terminal().row((row.beside + line).rstrip())
        for line in row.after:
            terminal().row(line.rstrip())


def _lines(entry: Entry, oneline: bool) -> list[str]:
    decoration = output.style(f" ({', '.join(entry.made)})", fg="green") if entry.made else ""
    if entry.damaged is not None:
        return [f"{entry.kind} {output.short(entry.oid)}{decoration} {output.damaged(entry.damaged)}"]
    if entry.commit is None:
        return _data_lines(entry, decoration, oneline)
    commit = entry.commit
    params = output.values(decode_all(commit.params))
    if oneline:
        return [f"{output.short(entry.oid)} {commit.step}{decoration} {params}".rstrip()]
    seconds = (commit.finished - commit.started) / 1000
    took = f", took {output.duration(seconds)}" if seconds else ""  # not every tool that is imported from says it
    lines = [
        f"commit {output.short(entry.oid)}{decoration}",
        f"Step:    {commit.step} of pipeline {commit.pipeline}" + (f", run {entry.run}" if entry.run else ""),
        f"Date:    {output.moment(from_ms(commit.finished))}{took}",
        f"Author:  {commit.author}",
        *git_lines(commit.git),
    ]
    if params:
        lines.append(f"Params:  {params}")
    if commit.metadata:
        lines.append(f"Noted:   {output.values(decode_all(commit.metadata))}")
    return lines


def _data_lines(entry: Entry, decoration: str, oneline: bool) -> list[str]:
    """What no step made: registered, saved, or given to a pipeline from outside."""
    origin = ORIGINS.get(entry.version.origin, entry.version.origin) if entry.version else "deleted"
    if oneline:
        return [f"{output.short(entry.oid)} {origin}{decoration}"]
    run = f", run {entry.run}" if entry.run else ""
    kind = "model" if entry.version is not None and entry.version.origin == "model" else "data"
    lines = [f"{kind} {output.short(entry.oid)}{decoration}", f"Origin:  {origin}{run}"]
    if entry.version is not None:
        lines.append(f"Date:    {output.moment(from_ms(entry.when))}")
        if entry.version.author is not None:
            lines.append(f"Author:  {entry.version.author}")
        if entry.version.revision is not None:
            lines.append(f"Git:     {entry.version.revision[:12]}")
        if entry.version.metadata:
            lines.append(f"Noted:   {output.values(decode_all(entry.version.metadata))}")
    return lines


ORIGINS = {
    "registered": "registered by hand",
    "saved": "saved by hand",
    "external": "given to the pipeline",
    "file": "a file given to the pipeline",
    "step": "made by a step",
    "model": "of a model",
}
"""How a version that no commit made came here."""


def git_lines(state: GitState | None) -> list[str]:
    """What Git said when a step ran, for people."""
    if state is None or state.commit is None:
        return []
    branch = f" {state.branch}" if state.branch else ""
    return [f"Git:     {state.commit[:12]}{branch}{', with uncommitted changes' if state.diff else ''}"]


def entry_document(entry: Entry) -> dict[str, object]:
    """An entry of a history as JSON data."""
    if entry.damaged is not None:
        return {"kind": entry.kind, "id": entry.oid, "damaged": entry.damaged}
    version = entry.version
    origin = "step" if entry.commit else version.origin if version else None
    document: dict[str, object] = {"kind": entry.kind, "id": entry.oid, "origin": origin}
    document |= {"made": entry.made, "parents": entry.parents, "run": entry.run, "finished": from_ms(entry.when)}
    noted = entry.commit or version
    return {**document, "metadata": decode_all(noted.metadata if noted else {}), **_commit_document(entry)}


def _commit_document(entry: Entry) -> dict[str, object]:
    commit = entry.commit
    if commit is None:
        return {}
    return {
        "commit": entry.oid, "step": commit.step, "pipeline": commit.pipeline, "params": decode_all(commit.params),
        "inputs": {name: [source.artifact for source in sources] for name, sources in commit.inputs.items()},
        "outputs": {name: {"artifact": made.artifact, "name": made.name} for name, made in commit.outputs.items()},
        "started": from_ms(commit.started), "author": commit.author, "git": runs.git_document(commit.git),
    }  # fmt: skip


def _log_runs(limit: int | None, oneline: bool, as_json: bool) -> int:
    """Writes the newest runs, and returns how many more there are."""
    repository = Client().repository
    refs = repository.refs()
    found = list(itertools.islice(known.listed(refs), limit))
    shown = [each if isinstance(each, Damaged) else PipelineRun(repository, each) for each in found]
    if as_json:
        document = partial(runs.document, repository)
        terminal().document([runs.either(run, document, runs.damaged_document) for run in shown])
    elif not found:
        runs.say_none(terminal())
    elif oneline:
        runs.say_table(terminal(), shown, ids=True)
    else:
        for number, run in enumerate(shown):
            runs.either(run, partial(runs.say, terminal(), repository), partial(runs.say_damaged, terminal()))
            if number < len(found) - 1:
                terminal().say()
    return refs.count(ref_names.RUNS) - len(found)
