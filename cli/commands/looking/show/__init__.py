"""`art show`: what a word stands for, shown by what it is."""

from __future__ import annotations

import click

from artvcs.pipelines.history.models import ModelVersion
from artvcs.pipelines.history.views import ArtifactVersion, PipelineRun, StepView
from artvcs.vcs import Repository, canonical

from ....main import terminal
from ....shell import completion
from ....stored import finding
from ....stored.history import History
from ....terminal import output
from ..log import entry_document
from . import executions
from . import versions as shown


@click.command()
@click.argument("target", metavar="ID|NAME[@VERSION]|RUN[/STEP]", shell_complete=completion.names_and_runs)
@click.option("--files", "all_files", is_flag=True, help="List all files of a version.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(target: str, all_files: bool, as_json: bool) -> None:
    """Show one artifact version, run, step of a run with what it printed, commit or stored object.

    Example: art show digits-model@1
    """
    repository = Repository.discover()
    found = finding.step(repository, target) or finding.find(repository, target)
    finding.say_model_too(terminal(), repository, target)
    if as_json:
        terminal().document(_document(repository, found))
    elif isinstance(found, StepView):
        executions.say_step(repository, found)
    elif isinstance(found, ArtifactVersion) and found.record.origin == "model":
        shown.say_model(repository, ModelVersion(repository, found.record))
    elif isinstance(found, ArtifactVersion):
        shown.say_version(repository, found, all_files=all_files)
    elif isinstance(found, PipelineRun):
        executions.say_run(repository, found)
    elif found.kind == "commit":
        executions.say_commit(repository, History(repository).commit(found.oid))
    elif found.kind == "blob":
        terminal().lines(f"blob {found.oid}\n{output.size(found.size)}")
    else:
        terminal().document(_document(repository, found))


def _document(repository: Repository, found: finding.Found | StepView) -> dict[str, object]:
    """What is shown, as JSON data."""
    if isinstance(found, StepView):
        return executions.step_document(repository, found)
    if isinstance(found, ArtifactVersion) and found.record.origin == "model":
        return shown.model_document(ModelVersion(repository, found.record))
    if isinstance(found, ArtifactVersion):
        return shown.document(repository, found)
    if isinstance(found, PipelineRun):
        return executions.run_document(repository, found)
    if found.kind == "commit":
        return entry_document(History(repository).commit(found.oid))
    if found.kind == "blob":
        return {"id": found.oid, "kind": "blob", "size": found.size}
    return {
        "id": found.oid,
        "kind": found.kind,
        "content": canonical.loads(repository.store.read(found.oid, found.kind)),
    }
