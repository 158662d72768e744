"""`art status`."""

from __future__ import annotations

import click

from artvcs.pipelines.client import Client

from .. import output
from ..main import terminal

_RUNS = 5


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(as_json: bool) -> None:
    """Show where the repository is, how large it is, and its latest runs.

    Example: art status
    """
    client = Client()
    layout = client.repository.layout
    stored = sum(path.stat().st_size for path in layout.folder.rglob("*") if path.is_file())
    versions = client.list_artifact_versions()
    runs = client.list_pipeline_runs()
    if as_json:
        latest = [
            {"id": run.id, "name": run.name, "status": run.status, "started": run.started} for run in runs[:_RUNS]
        ]
        counts = {"artifacts": len({each.name for each in versions}), "versions": len(versions), "runs": len(runs)}
        terminal().document({"repository": str(layout.folder), "bytes": stored, **counts, "latest": latest})
        return
    logical = sum({each.id: each.size for each in versions}.values())
    terminal().say(f"{layout.folder}: {output.size(stored)} on disk for {output.size(logical)} of artifacts")
    names = len({each.name for each in versions})
    terminal().say(f"{names} artifacts, {len(versions)} versions, {len(runs)} runs")
    rows = [
        [run.name, output.status(run.status), output.seconds(run.duration), output.ago(run.started)]
        for run in runs[:_RUNS]
    ]
    terminal().table(["run", "status", "took", "began"], rows)
