"""`art show`."""

from __future__ import annotations

from typing import Any

import click

from artvcs.pipelines.views import ArtifactVersion, PipelineRun, decode_all
from artvcs.vcs import canonical
from artvcs.vcs.objects import Commit
from artvcs.vcs.oid import Oid
from artvcs.vcs.repository import Repository

from .. import finding, history, output
from ..files import files_of
from ..history import Entry
from ..main import terminal
from .log import entry_document, git_document, git_lines, say_run
from .ls import version_document
from .run import run_document

_FILES = 10


@click.command()
@click.argument("target", metavar="ID|NAME[@VERSION]|RUN")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(target: str, as_json: bool) -> None:
    """Show one artifact version, run, commit or stored object.

    Example: art show digits-model@1
    """
    repository = Repository.discover()
    found = finding.find(repository, target)
    if isinstance(found, ArtifactVersion):
        terminal().document(_version_document(repository, found)) if as_json else _say_version(repository, found)
    elif isinstance(found, PipelineRun):
        terminal().document(run_document(found)) if as_json else _say_run(found)
    elif found.kind == "commit":
        commit = repository.store.record(found.oid, Commit)
        entry = Entry(found.oid, commit, history.made(repository, commit), None)
        terminal().document(entry_document(entry)) if as_json else _say_commit(repository, entry)
    elif found.kind == "blob":
        document = {"id": found.oid, "kind": "blob", "size": found.size}
        terminal().document(document) if as_json else terminal().say(f"blob {found.oid}\n{output.size(found.size)}")
    else:
        content = canonical.loads(repository.store.read(found.oid, found.kind))
        terminal().document({"id": found.oid, "kind": found.kind, "content": content})


def _say_version(repository: Repository, version: ArtifactVersion) -> None:
    say, record = terminal().say, version.record
    say(f"artifact {click.style(f'{version.name}@{version.version}', fg='yellow')}")
    say(f"Id:        {version.id}")
    say(f"Type:      {version.type.removeprefix('builtins.')} ({version.artifact.materializer})")
    say(f"Size:      {output.size(version.size)}, {output.size(_stored(repository, version))} stored")
    say(f"Made:      {version.created.astimezone():%Y-%m-%d %H:%M:%S} ({output.ago(version.created)})")
    if version.tags:
        say(f"Tags:      {', '.join(version.tags)}")
    if version.commit is not None and record.commit is not None:
        _say_origin(repository, record.commit, version.commit)
    else:
        say(f"Origin:    {record.origin} by hand")
    used = sorted({f"{step.name} ({step.run.pipeline})" for step in version.consumers})
    if used:
        say(f"Used by:   {', '.join(used)}")
    _say_mapping("Metadata:", dict(version.metadata))
    _say_files(repository, version)


def _say_origin(repository: Repository, oid: Oid, commit: Commit) -> None:
    say = terminal().say
    say(f"Commit:    {output.short(oid)} step {commit.step} of pipeline {commit.pipeline}")
    for line in git_lines(commit):
        say(line.replace("Git:     ", "Git:       "))
    params = decode_all(commit.params)
    if params:
        say("Params:    " + ", ".join(f"{name}={output.value(value)}" for name, value in params.items()))
    for name, group in inputs_of(repository, commit).items():
        say(f"Input:     {name} = {', '.join(group)}")


def inputs_of(repository: Repository, commit: Commit) -> dict[str, list[str]]:
    """Input name → the artifacts it was, as `name@version`."""
    return {
        name: [history.version_name(repository, source.name, source.artifact) for source in sources]
        for name, sources in {**commit.inputs, **{f"(read) {k}": (v,) for k, v in commit.reads.items()}}.items()
    }


def _say_mapping(title: str, facts: dict[str, Any]) -> None:
    if facts:
        terminal().say(title)
        for name, value in facts.items():
            terminal().say(output.cut(f"  {name}: {output.value(value)}", terminal().width))


def _say_files(repository: Repository, version: ArtifactVersion) -> None:
    if not repository.store.has(version.artifact.payload):
        terminal().say("Files:     pruned; run the pipeline again to make them anew")
        return
    files = files_of(repository, version.artifact.payload)
    terminal().say("Files:")
    for path, entry in list(files.items())[:_FILES]:
        terminal().say(f"  {entry.id}  {output.size(entry.size):>10}  {path}")
    if len(files) > _FILES:
        terminal().say(f"  … and {len(files) - _FILES} more")


def _stored(repository: Repository, version: ArtifactVersion) -> int:
    if not repository.store.has(version.artifact.payload):
        return 0
    files = {entry.id for entry in files_of(repository, version.artifact.payload).values()}
    return sum(repository.store.stored_size(oid) for oid in files)


def _version_document(repository: Repository, version: ArtifactVersion) -> dict[str, object]:
    there = repository.store.has(version.artifact.payload)
    files = files_of(repository, version.artifact.payload) if there else {}
    commit = version.commit
    return {
        **version_document(version),
        "materializer": version.artifact.materializer,
        "stored": _stored(repository, version),
        "params": decode_all(commit.params) if commit else {},
        "inputs": inputs_of(repository, commit) if commit else {},
        "git": git_document(commit) if commit else None,
        "consumers": [{"step": step.name, "run": step.run.id} for step in version.consumers],
        "files": {path: {"id": entry.id, "size": entry.size} for path, entry in files.items()},
    }


def _say_run(run: PipelineRun) -> None:
    say_run(run)
    for name, step in run.steps.items():
        if step.failure:
            terminal().say(f"\n{name} failed:\n{step.failure.traceback.rstrip()}")
    _say_mapping("Metadata:", dict(run.metadata))


def _say_commit(repository: Repository, entry: Entry) -> None:
    terminal().say(f"commit {click.style(entry.oid, fg='yellow')}")
    _say_origin(repository, entry.oid, entry.commit)
    for name, made in entry.commit.outputs.items():
        terminal().say(f"Output:    {name} = {history.version_name(repository, made.name, made.artifact)}")
    _say_mapping("Noted:", decode_all(entry.commit.metadata))
