"""`art status`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from artvcs.pipelines.client import Client
from artvcs.pipelines.views import PipelineRun

from .. import output, runs
from ..main import terminal

_RUNS = 5


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(as_json: bool) -> None:
    """Show where the repository is, how large it is, its latest runs, and what was edited since.

    Example: art status
    """
    client = Client()
    layout = client.repository.layout
    stored = sum(path.stat().st_size for path in layout.folder.rglob("*") if path.is_file())
    versions, found = client.list_artifact_versions(), client.list_pipeline_runs()
    names = {each.name for each in versions}
    edited = [each for run in newest(found) for each in edited_since(client.repository.project, run)]
    if as_json:
        latest = [
            {"id": run.id, "name": run.name, "status": run.status, "started": run.started} for run in found[:_RUNS]
        ]
        counts = {"artifacts": len(names), "versions": len(versions), "runs": len(found)}
        changes = [{"pipeline": run.pipeline, "step": step, "code": code} for run, step, code in edited]
        head = {"repository": str(layout.folder), "bytes": stored}
        terminal().document({**head, **counts, "latest": latest, "edited": changes})
        return
    counted = ((len(names), "artifact"), (len(versions), "version"), (len(found), "run"))
    logical = sum({each.id: each.size for each in versions}.values())
    terminal().say(f"{layout.folder}: {output.size(stored)} on disk for {output.size(logical)} of artifacts")
    terminal().say(", ".join(output.count(number, noun) for number, noun in counted))
    runs.say_table(terminal(), found[:_RUNS])
    for line in [*_unfinished(found), *(f"{step} ({run.pipeline}): {code} was edited" for run, step, code in edited)]:
        terminal().say(line)


def newest(found: list[PipelineRun]) -> list[PipelineRun]:
    """The newest run of each pipeline."""
    return list({run.pipeline: run for run in reversed(found)}.values())


def edited_since(project: Path, run: PipelineRun) -> Iterator[tuple[PipelineRun, str, str]]:
    """Which code of a run's steps no longer stands in its file as it ran: run, step, name of the code.

    Text is compared, so an edited comment counts here; `art run FILE --plan` says what would run again.
    """
    texts: dict[str, str | None] = {}
    for name, step in run.steps.items():
        for part in step.fingerprint.parts if step.fingerprint else ():
            if part.file is None or part.kind not in ("function", "class", "constant"):
                continue
            if part.file not in texts:
                texts[part.file] = _text(project / part.file)
            text = texts[part.file]
            if text is not None and _stripped(part.source) not in text:
                yield run, name, part.name


def _unfinished(found: list[PipelineRun]) -> Iterator[str]:
    for run in found:
        if run.status == "running":
            ended = sum(step.status != "running" for step in run.steps.values())
            yield f"{run.name} is running: {ended} of {len(run.record.order)} steps have ended"
    for run in newest(found):
        if run.status == "interrupted":
            yield f"{run.name} was interrupted; what had finished is kept: run it again to go on"


def _text(path: Path) -> str | None:
    try:
        return _stripped(path.read_text(errors="replace"))
    except OSError:
        return None  # of another project, or gone: then there is nothing to compare


def _stripped(text: str) -> str:
    """Lines without their indentation: a method is recorded without that of its class."""
    return "\n".join(line.strip() for line in text.splitlines())
