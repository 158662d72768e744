"""`art log`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from artvcs.pipelines.client import Client
from artvcs.pipelines.views import PipelineRun, decode_all, from_ms
from artvcs.vcs.objects import Commit

from .. import graph, history, output
from ..history import Entry
from ..main import terminal
from .run import run_document

_RUNS = 10


@click.command()
@click.argument("target", metavar="[NAME|RUN|COMMIT]", required=False)
@click.option("-n", "limit", type=click.IntRange(min=1), help="At most so many entries.")
@click.option("--graph", "as_graph", is_flag=True, help="Draw which commit came from which.")
@click.option("--oneline", is_flag=True, help="One line each.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(target: str | None, limit: int | None, as_graph: bool, oneline: bool, as_json: bool) -> None:
    """Show runs, newest first; or where an artifact, run or commit came from, back to the raw data.

    Example: art log digits-model --graph
    """
    if target is None and not as_graph:
        _log_runs(limit or _RUNS, oneline, as_json)
        return
    repository = Client().repository
    entries = history.of(repository, target) if target else _everything()
    shown = entries[:limit]
    if as_json:
        terminal().document([entry_document(entry) for entry in shown])
    elif as_graph:
        _draw(shown, oneline)
    else:
        for number, entry in enumerate(shown):
            for line in _lines(entry, oneline):
                terminal().say(line)
            if not oneline and number < len(shown) - 1:
                terminal().say()


def _everything() -> list[Entry]:
    runs = Client().list_pipeline_runs()
    return history.of(Client().repository, runs[0].id) if runs else []


def _draw(entries: list[Entry], oneline: bool) -> None:
    shown = {entry.oid for entry in entries}
    parents: dict[str, Sequence[str]] = {
        entry.oid: [oid for oid in entry.commit.parents if oid in shown] for entry in entries
    }
    rows = graph.draw([entry.oid for entry in entries], parents)
    for entry, row in zip(entries, rows, strict=True):
        first, *more = _lines(entry, oneline)
        for line in row.before:
            terminal().say(line)
        terminal().say(output.cut(row.node + first, terminal().width))
        for line in [*more, *([] if oneline else [""])]:
            terminal().say(output.cut((row.beside + line).rstrip(), terminal().width))
        for line in row.after:
            terminal().say(line.rstrip())


def _lines(entry: Entry, oneline: bool) -> list[str]:
    commit = entry.commit
    decoration = click.style(f" ({', '.join(entry.made)})", fg="green") if entry.made else ""
    params = ", ".join(f"{name}={output.value(value)}" for name, value in decode_all(commit.params).items())
    if oneline:
        return [f"{output.short(entry.oid)} {commit.step}{decoration} {params}".rstrip()]
    when = from_ms(commit.finished)
    took = output.seconds((commit.finished - commit.started) / 1000)
    lines = [
        f"commit {output.short(entry.oid)}{decoration}",
        f"Step:    {commit.step} of pipeline {commit.pipeline}" + (f", run {entry.run}" if entry.run else ""),
        f"Date:    {when.astimezone():%Y-%m-%d %H:%M:%S} ({output.ago(when)}), took {took}",
        f"Author:  {commit.author}",
        *git_lines(commit),
    ]
    if params:
        lines.append(f"Params:  {params}")
    if commit.metadata:
        noted = ", ".join(f"{name}={output.value(value)}" for name, value in decode_all(commit.metadata).items())
        lines.append(f"Noted:   {noted}")
    return lines


def git_lines(commit: Commit) -> list[str]:
    """What Git said when a step ran, for people."""
    if commit.git is None or commit.git.commit is None:
        return []
    branch = f" {commit.git.branch}" if commit.git.branch else ""
    return [f"Git:     {commit.git.commit[:12]}{branch}{', with uncommitted changes' if commit.git.diff else ''}"]


def entry_document(entry: Entry) -> dict[str, object]:
    """A commit in a history as JSON data."""
    commit = entry.commit
    return {
        "commit": entry.oid, "step": commit.step, "pipeline": commit.pipeline, "run": entry.run, "made": entry.made,
        "parents": commit.parents, "params": decode_all(commit.params), "metadata": decode_all(commit.metadata),
        "inputs": {name: [source.artifact for source in sources] for name, sources in commit.inputs.items()},
        "outputs": {name: {"artifact": made.artifact, "name": made.name} for name, made in commit.outputs.items()},
        "started": from_ms(commit.started), "finished": from_ms(commit.finished), "author": commit.author,
        "git": git_document(commit),
    }  # fmt: skip


def git_document(commit: Commit) -> dict[str, object] | None:
    """What Git said when a step ran, as JSON data."""
    state = commit.git
    if state is None:
        return None
    return {"commit": state.commit, "branch": state.branch, "dirty": bool(state.diff)}


def _log_runs(limit: int, oneline: bool, as_json: bool) -> None:
    runs = Client().list_pipeline_runs(limit=limit)
    if as_json:
        terminal().document([run_document(run) for run in runs])
    elif oneline:
        rows = [
            [run.id[:8], run.name, output.status(run.status), output.seconds(run.duration), output.ago(run.started)]
            for run in runs
        ]
        terminal().table(["id", "run", "status", "took", "began"], rows)
    else:
        for run in runs:
            say_run(run)
            terminal().say()
    if not runs and not as_json:
        terminal().note("There are no runs yet; `art run FILE` makes one.")


def say_run(run: PipelineRun) -> None:
    """Writes a run: a line for it, and one for each step."""
    head = f"run {click.style(run.name, fg='yellow')} ({run.id[:8]})  {output.status(run.status)}"
    terminal().say(f"{head}  {output.seconds(run.duration)}  {output.ago(run.started)}")
    if run.parameters:
        terminal().say("  " + ", ".join(f"{name}={output.value(value)}" for name, value in run.parameters.items()))
    rows = []
    for name, step in run.steps.items():
        made = ", ".join(f"{each.name}@{each.version}" for each in step.outputs.values())
        failure = (
            f"{step.failure.type}: {step.failure.message.splitlines()[0]}"
            if step.failure and step.failure.message
            else ""
        )
        took = "" if step.cached or step.status == "skipped" else output.seconds(step.duration)
        rows.append([f"  {name}", output.status(step.status), took, made or failure])
    terminal().table(["  step", "status", "took", "made"], rows)
