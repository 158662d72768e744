"""Versions of artifacts and of models, as `art show` shows them: first what people look for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from artvcs.pipelines.history.models import ModelVersion
from artvcs.pipelines.history.views import ArtifactVersion, decode_all, from_ms
from artvcs.pipelines.values.visualizations import known
from artvcs.vcs import (
    Entry,
    Repository,
    ref_names,
    stages,
    versions,
)

from ....main import terminal
from ....stored import runs
from ....stored.files import count_of, files_of, walk
from ....stored.history import History
from ....stored.versions import kind, type_of
from ....terminal import output
from ..log import ORIGINS
from ..ls import version_document
from . import executions

_FILES = 10
"""So many files are listed where nobody asks for all."""
_COUNTED = 1000
"""So many are looked at, to say how much is stored."""
_RUNS = 5
"""So many runs that worked on a model are listed."""
_USERS = 20
"""So many steps that use a version are listed."""


def say_version(repository: Repository, version: ArtifactVersion, *, all_files: bool) -> None:
    """Writes first what people look for: what it is, and what is known of it."""
    say, record = terminal().say, version.record
    say(f"artifact {output.style(f'{version.name}@{version.version}', fg='yellow')}")
    say(f"Type:      {type_of(version)} ({version.artifact.materializer})")
    _say_measures(version)
    _say_labels(version)
    owners = versions.owners(repository.refs(), version.name, version.id, reverse=True)
    if listed := [f"{name}@{number}" for name, number in islice(owners, _RUNS)]:
        terminal().row(f"Model:     {', '.join([*listed, *('…' for _ in islice(owners, 1))])}")
    executions.say_mapping("Metadata:", _without_defaults(version.metadata))
    say(f"Made:      {output.moment(version.created)}")
    run = History(repository).run_name(record.run) if record.run else None
    if version.commit is not None and record.commit is not None:
        executions.say_origin(repository, record.commit, version.commit, run)
    else:
        say(f"Origin:    {ORIGINS.get(record.origin, record.origin)}" + (f", run {run}" if run else ""))
        if record.author is not None:
            terminal().row(f"Author:    {record.author}")
        if record.revision is not None:
            say(f"Git:       {record.revision[:12]}")
    executions.say_signed(executions.signed_of(repository, version), record.commit, version.id)
    steps = list(islice(repository.catalog().runs.steps_taking(version.name, version.id), _USERS + 1))
    used = sorted(f"{step} ({pipeline})" for pipeline, step in steps[:_USERS])
    if used:
        say(f"Used by:   {', '.join(used)}{', …' if len(steps) > _USERS else ''}")
    files = (
        list(islice(walk(repository, version.artifact.payload), _COUNTED + 1)) if _is_here(repository, version) else []
    )
    stored = "" if len(files) > _COUNTED else f", {output.size(_stored(repository, files))} stored"
    say(f"Size:      {output.size(version.size)}{stored}")
    say(f"Artifact:  {version.id}")
    _say_files(repository, version, files, every=all_files)


def _say_labels(version: ArtifactVersion) -> None:
    if version.stages:
        terminal().say(f"Stages:    {output.stages(version.stages)}")
    if version.tags:
        terminal().say(f"Tags:      {', '.join(version.tags)}")


def _say_measures(version: ArtifactVersion) -> None:
    for step, noted in known.measures(version):
        terminal().row(f"Measures:  {output.values(noted)} ({step})")


def model_document(model: ModelVersion) -> dict[str, object]:
    """A version of a model as JSON data."""
    return {
        **version_document(model),
        "model": model.model,
        "artifacts": {name: version_document(each) for name, each in model.artifacts.items()},
        "runs": [run.name for run in model.runs],
    }


def say_model(repository: Repository, model: ModelVersion) -> None:
    """Writes what is known of a version of a model, and what belongs to it."""
    say, found, worked_on = terminal().say, model.artifacts, model.runs
    say(f"model {output.style(f'{model.name}@{model.version}', fg='yellow')}")
    _say_measures(model)
    _say_labels(model)
    executions.say_mapping("Metadata:", dict(model.metadata))
    say(f"Made:      {output.moment(model.created)}")
    for promotion in stages.history(repository.refs(), model.name):
        if promotion.artifact == model.id:
            why = f": {promotion.reason}" if promotion.reason else ""
            terminal().row(
                f"Promoted:  {promotion.stage}, {output.ago(from_ms(promotion.created))}, by {promotion.author}{why}"
            )
    for run in worked_on[:_RUNS]:
        terminal().row(f"Run:       {run.name}  {output.status(run.status)}  {output.ago(run.started)}")
    if len(worked_on) > _RUNS:
        say(f"           … and {len(worked_on) - _RUNS} more; --json lists them")
    if found:
        say("Artifacts:")
    rows = [[f"  {each.name}@{each.version}", kind(each), output.size(each.size)] for each in found.values()]
    terminal().table(["  artifact", "type", "size"], rows, whole="  artifact")


def _without_defaults(metadata: Mapping[str, Any]) -> dict[str, Any]:
    found, changed, defaults = known.split_defaults(metadata)
    if changed is not None:
        found["parameters"] = ", ".join(filter(None, [output.values(changed), f"{defaults} as the class has them"]))
    return found


def _say_files(
    repository: Repository, version: ArtifactVersion, files: list[tuple[str, Entry]], *, every: bool
) -> None:
    """Lists the files of a version, where they are few or `every` one is asked for; else says how many there are."""
    if not _is_here(repository, version):
        terminal().say(f"Files:     {_where(repository, version)}")
        return
    if len(files) > _FILES and not every:
        count = len(files) if len(files) <= _COUNTED else count_of(repository, version.artifact.payload)
        terminal().say(f"Files:     {count:,}; --files lists them")
        return
    terminal().say("Files:")
    for path, entry in walk(repository, version.artifact.payload) if every else files:
        terminal().say(f"  {entry.id}  {output.size(entry.size):>10}  {path}")


def _is_here(repository: Repository, version: ArtifactVersion) -> bool:
    return repository.store.has(version.artifact.payload)


def _where(repository: Repository, version: ArtifactVersion) -> str:
    """Where the data of a version is that is not here."""
    if repository.refs().get(ref_names.pruned(version.id)) is not None:
        return "pruned; run the pipeline again to make them anew"
    remotes = repository.promises().by(version.id)
    if not remotes:
        return "lost; `art fsck` says more"
    return (
        f"at {' and '.join(remotes)}; they come when they are read, or by `art pull {version.name}@{version.version}`"
    )


def _stored(repository: Repository, files: Iterable[tuple[str, Entry]]) -> int:
    return sum(repository.store.stored_size(oid) for oid in {entry.id for _, entry in files})


def document(repository: Repository, version: ArtifactVersion) -> dict[str, object]:
    """A version of an artifact as JSON data."""
    files = files_of(repository, version.artifact.payload) if _is_here(repository, version) else {}
    consumers = repository.catalog().runs.taken_by(version.name, version.id)
    commit = version.commit
    return {
        **version_document(version),
        "materializer": version.artifact.materializer,
        "stored": _stored(repository, files.items()),
        "command": executions.command_of(commit) if commit else None,
        "params": decode_all(commit.params) if commit else {},
        "inputs": executions.inputs_of(repository, commit) if commit else {},
        "used": {title.lower(): used for title, used in executions.seen(repository, commit).items()} if commit else {},
        "git": runs.git_document(commit.git) if commit else _revision_document(version.record.revision),
        "consumers": [{"step": step, "run": run} for run, step in consumers],
        "files": {path: {"id": entry.id, "size": entry.size} for path, entry in files.items()},
        "signed": executions.signed_of(repository, version),
        "here": _is_here(repository, version),
        "promised_by": repository.promises().by(version.id),
        "author": commit.author if commit else version.record.author,
    }


def _revision_document(revision: str | None) -> dict[str, object] | None:
    """The Git commit at which somebody stored something, as JSON data: of the working tree nothing is known."""
    return None if revision is None else {"commit": revision, "branch": None, "dirty": None}
