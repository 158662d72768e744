"""What was executed, as `art show` shows it: runs, steps of runs, commits, and where a version came from."""

from __future__ import annotations

from typing import Any

from artvcs.pipelines.history import experiments
from artvcs.pipelines.history.views import ArtifactVersion, PipelineRun, StepView, decode_all, from_ms
from artvcs.pipelines.trace.model import Trace
from artvcs.vcs import (
    Commit,
    GitState,
    Judge,
    Oid,
    Repository,
    SignatureError,
    config,
)

from ....main import terminal
from ....stored import history, runs
from ....terminal import output
from ..log import git_lines

_FAILED = 20
"""So many failures of a run are shown."""

_SEEN = 10
"""So many files that an execution used are listed, variables and the like."""


def say_origin(repository: Repository, oid: Oid, commit: Commit, run: str | None) -> None:
    """Writes what was executed, with what, and what it was seen to use."""
    say = terminal().say
    say(f"Commit:    {output.short(oid)} step {commit.step} of pipeline {commit.pipeline}")
    if run:
        say(f"Run:       {run}")
    if (command := command_of(commit)) is not None:
        terminal().row(f"Command:   {output.value(command)}")
    _say_git(commit.git)
    params = output.values(decode_all(commit.params))
    if params:
        terminal().row(f"Params:    {params}")
    for name, group in inputs_of(repository, commit).items():
        say(f"Input:     {name} = {', '.join(history.in_short(group))}")
    if (worker := commit.environment.get("worker")) is not None:
        terminal().row(f"Worker:    {output.value(worker)}")
    for title, things in seen(repository, commit).items():
        more = f", … and {len(things) - _SEEN} more; --json lists them" if len(things) > _SEEN else ""
        if things:
            terminal().row(f"{title + ':':<10} {', '.join(things[:_SEEN])}{more}")


def command_of(commit: Commit) -> str | None:
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


def signed_of(repository: Repository, version: ArtifactVersion) -> dict[Oid, list[str]]:
    """As `_signed`, of a value and its executions: the first, and those whose results are kept."""
    return _signed(repository, *_makers(repository, version))


def _makers(repository: Repository, version: ArtifactVersion) -> list[Oid]:
    refs = repository.refs()
    kept = (refs.get(ref) for ref in repository.catalog(refs).results.that_made(version.id))
    return [oid for oid in (version.id, version.record.commit, *kept) if oid is not None]


def say_signed(signed: dict[Oid, list[str]], this: Oid | None, artifact: Oid | None = None) -> None:
    """Says of each signature what it is of: that of another execution says nothing of the one that is shown."""
    for oid, signers in signed.items():
        of = "" if oid == this else ", of the value" if oid == artifact else f", of commit {output.short(oid)}"
        terminal().row(f"Signed:    {', '.join(signers)}{of}")


def seen(repository: Repository, commit: Commit) -> dict[str, list[str]]:
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


def run_document(repository: Repository, run: PipelineRun) -> dict[str, object]:
    """A run as JSON data."""
    noted = experiments.measures(repository, run.id).values()
    return {
        **runs.document(repository, run),
        "measures": {name: value for each in noted for name, value in each.items()},
    }


def say_run(repository: Repository, run: PipelineRun) -> None:
    """Writes what is known of a run, its steps and what they measured."""
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
    say_mapping("Metadata:", dict(run.metadata))
    failed = run.failed
    for name in failed[:_FAILED]:
        _say_failure(run.steps[name])
    if len(failed) > _FAILED:
        say(f"\n{output.count(len(failed) - _FAILED, 'more step')} failed; `art show {run.name}/STEP` shows one.")


def _say_failure(step: StepView) -> None:
    if step.failure:
        terminal().say()
        terminal().say(f"{step.name} failed:")
        terminal().lines(step.failure.traceback.rstrip() if terminal().debug else step.traceback)


def step_document(repository: Repository, step: StepView) -> dict[str, object]:
    """A step in one run as JSON data."""
    return {**runs.step_document(repository, step), "name": step.name, "run": step.run.name, "printed": step.logs}


def say_step(repository: Repository, step: StepView) -> None:
    """Writes what is known of a step in one run, and at last what it printed."""
    say, row = terminal().say, terminal().row
    say(f"step {output.style(step.name, fg='yellow')} of run {step.run.name}  {output.status(step.status)}")
    if step.noted:
        row(f"Measures:  {output.values(step.noted)}")
    if step.execution is not None and step.record.execution is not None:
        say_origin(repository, step.record.execution, step.execution, None)
    for name, made in runs.made(repository, step).items():
        say(f"Output:    {name} = {made}")
    _say_failure(step)
    if printed := step.logs.rstrip():
        say()
        say("It printed:")
        terminal().lines(printed)


def say_commit(repository: Repository, entry: history.Entry) -> None:
    """Writes what is known of an execution."""
    commit = entry.commit
    assert commit is not None
    terminal().say(f"commit {output.style(entry.oid, fg='yellow')}")
    say_origin(repository, entry.oid, commit, entry.run)
    say_signed(_signed(repository, entry.oid), entry.oid)
    terminal().say(f"Author:    {commit.author}")
    terminal().say(f"Made:      {output.moment(from_ms(commit.finished))}")
    for name, made in commit.outputs.items():
        terminal().say(f"Output:    {name} = {history.version_name(repository, made.name, made.artifact)}")
    say_mapping("Noted:", decode_all(commit.metadata))


def say_mapping(title: str, facts: dict[str, Any]) -> None:
    """Writes facts below a title, where there are any."""
    if facts:
        terminal().say(title)
        for name, value in facts.items():
            terminal().row(f"  {name}: {output.value(value)}")
