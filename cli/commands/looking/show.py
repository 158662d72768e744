"""`art show`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import click

from artvcs.pipelines.history import experiments
from artvcs.pipelines.history.models import ModelVersion
from artvcs.pipelines.history.views import ArtifactVersion, PipelineRun, StepView, decode_all, from_ms
from artvcs.pipelines.trace.model import Trace
from artvcs.pipelines.values.visualizations import known
from artvcs.vcs import (
    Commit,
    Entry,
    GitState,
    Judge,
    Oid,
    Repository,
    SignatureError,
    canonical,
    config,
    ref_names,
    stages,
    versions,
)

from ...main import terminal
from ...shell import completion
from ...stored import finding, history, runs
from ...stored.files import count_of, files_of, walk
from ...stored.history import History
from ...stored.versions import kind, type_of
from ...terminal import output
from .log import ORIGINS, entry_document, git_lines
from .ls import version_document

_FILES = 10
"""So many files are listed where nobody asks for all."""
_COUNTED = 1000
"""So many are looked at, to say how much is stored."""
_SEEN = 10
"""So many files that an execution used are listed, variables and the like."""
_RUNS = 5
"""So many runs that worked on a model are listed."""
_USERS = 20
"""So many steps that use a version are listed."""


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
    if isinstance(found, StepView):
        terminal().document(_step_document(repository, found)) if as_json else _say_step(repository, found)
    elif isinstance(found, ArtifactVersion) and found.record.origin == "model":
        _say_model(repository, ModelVersion(repository, found.record), as_json=as_json)
    elif isinstance(found, ArtifactVersion):
        if as_json:
            terminal().document(_version_document(repository, found))
        else:
            _say_version(repository, found, all_files=all_files)
    elif isinstance(found, PipelineRun):
        terminal().document(_run_document(repository, found)) if as_json else _say_run(repository, found)
    elif found.kind == "commit":
        entry = History(repository).commit(found.oid)
        terminal().document(entry_document(entry)) if as_json else _say_commit(repository, entry)
    elif found.kind == "blob":
        document = {"id": found.oid, "kind": "blob", "size": found.size}
        terminal().document(document) if as_json else terminal().lines(f"blob {found.oid}\n{output.size(found.size)}")
    else:
        content = canonical.loads(repository.store.read(found.oid, found.kind))
        terminal().document({"id": found.oid, "kind": found.kind, "content": content})


def _say_version(repository: Repository, version: ArtifactVersion, *, all_files: bool) -> None:
    """Writes first what people look for: what it is, and what is known of it."""
    say, record = terminal().say, version.record
    say(f"artifact {output.style(f'{version.name}@{version.version}', fg='yellow')}")
    say(f"Type:      {type_of(version)} ({version.artifact.materializer})")
    _say_measures(version)
    _say_labels(version)
    owners = versions.owners(repository.refs(), version.name, version.id, reverse=True)
    if listed := [f"{name}@{number}" for name, number in islice(owners, _RUNS)]:
        terminal().row(f"Model:     {', '.join([*listed, *('…' for _ in islice(owners, 1))])}")
    _say_mapping("Metadata:", _without_defaults(version.metadata))
    say(f"Made:      {output.moment(version.created)}")
    run = History(repository).run_name(record.run) if record.run else None
    if version.commit is not None and record.commit is not None:
        _say_origin(repository, record.commit, version.commit, run)
    else:
        say(f"Origin:    {ORIGINS.get(record.origin, record.origin)}" + (f", run {run}" if run else ""))
        if record.author is not None:
            terminal().row(f"Author:    {record.author}")
        if record.revision is not None:
            say(f"Git:       {record.revision[:12]}")
    _say_signed(_signed(repository, *_makers(repository, version)), record.commit, version.id)
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


def _say_model(repository: Repository, model: ModelVersion, *, as_json: bool) -> None:
    """Writes what is known of a version of a model, and what belongs to it."""
    say, found, worked_on = terminal().say, model.artifacts, model.runs
    if as_json:
        terminal().document({
            **version_document(model),
            "model": model.model,
            "artifacts": {name: version_document(each) for name, each in found.items()},
            "runs": [run.name for run in worked_on],
        })  # fmt: skip
        return
    say(f"model {output.style(f'{model.name}@{model.version}', fg='yellow')}")
    _say_measures(model)
    _say_labels(model)
    _say_mapping("Metadata:", dict(model.metadata))
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


def _say_origin(repository: Repository, oid: Oid, commit: Commit, run: str | None) -> None:
    say = terminal().say
    say(f"Commit:    {output.short(oid)} step {commit.step} of pipeline {commit.pipeline}")
    if run:
        say(f"Run:       {run}")
    if (command := _command(commit)) is not None:
        terminal().row(f"Command:   {output.value(command)}")
    _say_git(commit.git)
    params = output.values(decode_all(commit.params))
    if params:
        terminal().row(f"Params:    {params}")
    for name, group in inputs_of(repository, commit).items():
        say(f"Input:     {name} = {', '.join(group)}")
    for title, things in _seen(repository, commit).items():
        more = f", … and {len(things) - _SEEN} more; --json lists them" if len(things) > _SEEN else ""
        if things:
            terminal().row(f"{title + ':':<10} {', '.join(things[:_SEEN])}{more}")


def _command(commit: Commit) -> str | None:
    """The command that a stage of another tool ran, where an import has brought it."""
    found = commit.config.get("command")
    return found if isinstance(found, str) else None


def _signed(repository: Repository, *made: Oid) -> dict[Oid, list[str]]:
    """Commits or artifacts → who has signed that they are of his making, of those whom the project knows."""
    refs, judge = repository.refs(), Judge(repository, config.read(repository).trust)
    found = {}
    for oid in dict.fromkeys(made):
        try:
            found[oid] = sorted({str(each) for each in judge.signatures(refs, oid)})
        except SignatureError as error:
            found[oid] = [f"cannot be checked ({str(error).rstrip('.')})"]
    return {oid: signers for oid, signers in found.items() if signers}


def _makers(repository: Repository, version: ArtifactVersion) -> list[Oid]:
    """A value and its executions: the first, and those whose results are kept."""
    refs = repository.refs()
    kept = (refs.get(ref) for ref in repository.catalog(refs).results.that_made(version.id))
    return [oid for oid in (version.id, version.record.commit, *kept) if oid is not None]


def _say_signed(signed: dict[Oid, list[str]], this: Oid | None, artifact: Oid | None = None) -> None:
    """Says of each signature what it is of: that of another execution says nothing of the one that is shown."""
    for oid, signers in signed.items():
        of = "" if oid == this else ", of the value" if oid == artifact else f", of commit {output.short(oid)}"
        terminal().row(f"Signed:    {', '.join(signers)}{of}")


def _seen(repository: Repository, commit: Commit) -> dict[str, list[str]]:
    """What an execution was seen to use beside its inputs; of variables only the names were kept."""
    trace = Trace.of(repository.store, commit) or Trace()
    files = sorted({name.removeprefix("./") for name in trace.files})
    return {"Reads": files, "Variables": sorted(trace.env), "Unverified": list(trace.unverified)}


def _say_git(state: GitState | None) -> None:
    for line in git_lines(state):
        terminal().say(line.replace("Git:     ", "Git:       "))


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
            terminal().row(f"  {name}: {output.value(value)}")


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


def _version_document(repository: Repository, version: ArtifactVersion) -> dict[str, object]:
    files = files_of(repository, version.artifact.payload) if _is_here(repository, version) else {}
    consumers = repository.catalog().runs.taken_by(version.name, version.id)
    commit = version.commit
    return {
        **version_document(version),
        "materializer": version.artifact.materializer,
        "stored": _stored(repository, files.items()),
        "command": _command(commit) if commit else None,
        "params": decode_all(commit.params) if commit else {},
        "inputs": inputs_of(repository, commit) if commit else {},
        "used": {title.lower(): used for title, used in _seen(repository, commit).items()} if commit else {},
        "git": runs.git_document(commit.git) if commit else _revision_document(version.record.revision),
        "consumers": [{"step": step, "run": run} for run, step in consumers],
        "files": {path: {"id": entry.id, "size": entry.size} for path, entry in files.items()},
        "signed": _signed(repository, *_makers(repository, version)),
        "here": _is_here(repository, version),
        "promised_by": repository.promises().by(version.id),
        "author": commit.author if commit else version.record.author,
    }


def _revision_document(revision: str | None) -> dict[str, object] | None:
    """The Git commit at which somebody stored something, as JSON data: of the working tree nothing is known."""
    return None if revision is None else {"commit": revision, "branch": None, "dirty": None}


def _run_document(repository: Repository, run: PipelineRun) -> dict[str, object]:
    noted = experiments.measures(repository, run.id).values()
    return {
        **runs.document(repository, run),
        "measures": {name: value for each in noted for name, value in each.items()},
    }


def _say_run(repository: Repository, run: PipelineRun) -> None:
    say, row, record = terminal().say, terminal().row, run.record
    runs.say(terminal(), repository, run)
    say(f"Id:        {run.id}")
    row(f"Pipeline:  {run.pipeline}" + (f" in {record.file}" if record.file else ""))
    row(f"Began:     {output.moment(run.started)}")
    row(f"Author:    {record.author}")
    _say_git(record.git)
    if run.tags:
        row(f"Tags:      {', '.join(run.tags)}")
    for of, noted in experiments.measures(repository, run.id).items():
        if of != experiments.RUN:  # which is its metadata, and shown in full
            row(f"Measures:  {output.values(noted)} ({of})")
    _say_mapping("Metadata:", dict(run.metadata))
    for step in run.steps.values():
        _say_failure(step)


def _say_failure(step: StepView) -> None:
    if step.failure:
        terminal().say()
        terminal().say(f"{step.name} failed:")
        terminal().lines(step.failure.traceback.rstrip() if terminal().debug else step.traceback)


def _step_document(repository: Repository, step: StepView) -> dict[str, object]:
    return {**runs.step_document(repository, step), "name": step.name, "run": step.run.name, "printed": step.logs}


def _say_step(repository: Repository, step: StepView) -> None:
    """Writes what is known of a step in one run, and at last what it printed."""
    say, row = terminal().say, terminal().row
    say(f"step {output.style(step.name, fg='yellow')} of run {step.run.name}  {output.status(step.status)}")
    if step.noted:
        row(f"Measures:  {output.values(step.noted)}")
    if step.execution is not None and step.record.execution is not None:
        _say_origin(repository, step.record.execution, step.execution, None)
    for name, made in runs.made(repository, step).items():
        say(f"Output:    {name} = {made}")
    _say_failure(step)
    if printed := step.logs.rstrip():
        say()
        say("It printed:")
        terminal().lines(printed)


def _say_commit(repository: Repository, entry: history.Entry) -> None:
    commit = entry.commit
    assert commit is not None
    terminal().say(f"commit {output.style(entry.oid, fg='yellow')}")
    _say_origin(repository, entry.oid, commit, entry.run)
    _say_signed(_signed(repository, entry.oid), entry.oid)
    terminal().say(f"Author:    {commit.author}")
    terminal().say(f"Made:      {output.moment(from_ms(commit.finished))}")
    for name, made in commit.outputs.items():
        terminal().say(f"Output:    {name} = {history.version_name(repository, made.name, made.artifact)}")
    _say_mapping("Noted:", decode_all(commit.metadata))
