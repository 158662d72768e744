"""What people mean by a word: an artifact version, a run, or an object by the start of its id."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice

from artvcs.pipelines.history.finding import lookup, meant, run_lookup
from artvcs.pipelines.history.views import ArtifactVersion, PipelineRun, StepView
from artvcs.vcs import AmbiguousName, Location, Repository, Run, UnknownArtifact, UnknownName, Version, versions

from ..terminal.output import Terminal

_LOOKED_AT = 1000
"""So many names are looked through for the outputs of a step."""

Found = ArtifactVersion | PipelineRun | Location


def find(repository: Repository, text: str) -> Found:
    """What a word stands for: first artifact names, then runs and ids.

    Raises:
        UnknownName: Nothing; with what it may have been meant to be.
        AmbiguousName: More than one thing.
    """
    refs = repository.refs()
    name = text.partition("@")[0]
    start = meant.steps_back(name)[0]
    if versions.exists(refs, meant.named(refs, name)) or versions.exists(refs, meant.named(refs, start)):
        return ArtifactVersion(repository, lookup.find_spec(refs, text, repository.project))
    run = _run(repository, text)
    if run is not None and (text == run.run or not run.run.startswith(text)):
        return PipelineRun(repository, run)
    at = _object(repository, text)
    if run is not None and at is not None:
        raise AmbiguousName(f"{text!r} could be run {run.run[:12]} or {at.kind} {at.oid[:12]}; give more digits.")
    if run is not None:
        return PipelineRun(repository, run)
    if at is not None:
        return _with_names(repository, at)
    if name in repository.catalog().runs.step_names(name):
        made = [each for each in islice(versions.names(refs), _LOOKED_AT) if name in each.split("::")]
        where = f", and its outputs are {', '.join(made)}" if made else ""
        raise UnknownName(
            f"{text!r} is a step, and no artifact, run or object; `art why {name}` says why it ran{where}."
        )
    if meant.steps_back(text)[1]:
        run_lookup.find_run_spec(refs, text)  # says that there are not so many
    hint = meant.near(partial(names, repository), name)
    raise UnknownArtifact(f"There is no artifact, run or object {text!r}{hint}; `art ls` and `art log` list them.")


def step(repository: Repository, text: str) -> StepView | None:
    """The step that `RUN/STEP` stands for; None where there is no such run.

    Raises:
        UnknownName: The run has no such step.
    """
    if versions.exists(repository.refs(), text.partition("@")[0]):
        return None  # a model: `models/NAME`
    run_text, slash, name = text.rpartition("/")
    record = _run(repository, run_text) if slash and _run(repository, text) is None else None
    return None if record is None else PipelineRun(repository, record).steps[name]


def say_model_too(terminal: Terminal, repository: Repository, text: str | None) -> None:
    """Says where a model has the name of the artifact that is shown."""
    if text is not None and (model := meant.model_too(repository.refs(), text)) is not None:
        terminal.tell(f"A model is called so, too; it is meant by `{model}`.")


def names(repository: Repository, start: str) -> Iterator[str]:
    """The names of artifacts, pipelines and runs that start so."""
    refs = repository.refs()
    yield from versions.names(refs, start)
    yield from meant.pipelines_and_runs(refs, start)


def version(repository: Repository, spec: str) -> ArtifactVersion:
    """The artifact version that `NAME[@VERSION]` or the start of an artifact's id stands for.

    Raises:
        UnknownName: There is none.
        AmbiguousName: There are several.
    """
    return ArtifactVersion(repository, lookup.find_spec(repository.refs(), spec, repository.project))


def _run(repository: Repository, text: str) -> Run | None:
    try:
        return run_lookup.find_run_spec(repository.refs(), text)
    except UnknownName:
        return None


def _object(repository: Repository, text: str) -> Location | None:
    if len(text) < lookup.MIN_PREFIX:
        return None
    try:
        return repository.store.expand(text)
    except UnknownName:
        return None


def _with_names(repository: Repository, at: Location) -> Found:
    """An artifact that has a version is shown as that version."""
    if at.kind == "artifact":
        found = next(versions.with_value_like(repository.refs(), at.oid), None)
        if found is not None:
            return ArtifactVersion(repository, found)
    if at.kind == "version":
        return ArtifactVersion(repository, repository.store.record(at.oid, Version))
    return at
