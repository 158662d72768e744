"""Artifacts without a pipeline: saving a value, registering a file, loading, and noting metadata."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from artvcs.vcs import (
    Conflict,
    Draft,
    EditRun,
    EditVersion,
    Input,
    Output,
    Repository,
    UnknownName,
    now_ms,
    storage_errors,
    worktree,
)
from artvcs.vcs import versions as known

from .define import naming
from .errors import ParameterError, PipelineError
from .history import answers
from .history.curves import Point
from .history.finding import lookup, meant, run_lookup
from .history.views import ArtifactVersion
from .record import versions
from .run.execution import context
from .trace.owners import note
from .typing.encode import encode_metadata
from .units import some
from .values import store
from .values.materializers import Materializer
from .values.store import Saved


def save_artifact(
    data: Any,
    name: str,
    version: str | int | None = None,
    tags: Sequence[str] = (),
    materializer: type[Materializer] | None = None,
    metadata: Mapping[str, Any] | None = None,
    extract_metadata: bool = True,
) -> ArtifactVersion:
    """Stores a value as a version of an artifact, inside a step or anywhere else.

    Saving a value that is a version of this name already gives that version.

    Args:
        data: The value.
        name: The artifact's name.
        version: An explicit version; by default the next number.
        tags: Labels.
        materializer: Who writes it; by default the one that its type has.
        metadata: What to note with it.
        extract_metadata: Whether the materializer looks at the value for more, such as the shape of an array.

    Raises:
        InvalidName: The name cannot be used.
        DefinitionError: The name has that explicit version already.
        MaterializerError: The value cannot be stored.
    """
    with context.writing(f"save {name}") as (repository, transaction):
        saved = store.save(transaction, repository, data, materializer, describe=extract_metadata)
        return _add(repository, transaction, saved, name, version, tags, metadata, "saved")


def register_artifact(
    folder_or_file_uri: str | os.PathLike[str],
    name: str,
    version: str | int | None = None,
    tags: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
    *,
    progress: worktree.Progress = worktree.no_progress,
) -> ArtifactVersion:
    """Stores an existing file or folder as a version of an artifact; `load()` gives a `pathlib.Path` to a copy.

    Args:
        folder_or_file_uri: Any local path.
        name: The artifact's name.
        version: An explicit version; by default the next number.
        tags: Labels.
        metadata: What to note with it.
        progress: Told how many bytes more are stored, as it goes on.

    Raises:
        UnknownName: There is nothing at that path.
        InvalidName: The name cannot be used, or a file's name cannot be stored.
        StorageError: A file cannot be read.
    """
    path = Path(folder_or_file_uri).absolute()
    with storage_errors(f"reading {path}"):
        if not path.exists():
            raise UnknownName(f"There is no file or folder {path} to register; check the path.")
    with context.writing(f"register {name}") as (repository, transaction):
        saved = store.save(transaction, repository, path, progress=progress)
        return _add(repository, transaction, saved, name, version, tags, metadata, "registered")


def load_artifact(name_or_id: str, version: str | int | None = None) -> Any:
    """The value of an artifact: the newest version, or the one given.

    Raises:
        UnknownName: There is no such artifact or version.
        MaterializerError: The value cannot be made here.
    """
    return find_version(name_or_id, version).load()


def find_version(
    name_or_id: str,
    version: str | int | None = None,
    repository: Repository | None = None,
    rev: str | None = None,
) -> ArtifactVersion:
    """A version by name or start of its id. Inside a step it is recorded as something the step read.

    Raises:
        UnknownName: There is no such artifact or version.
        AmbiguousName: The id, or its start, fits versions of several names.
    """
    here, asked = context.current(), meant.spec(name_or_id, version, rev)
    if here is None:
        # A thread of a step's has no context of its own, but what it asks is asked by the step.
        repository = repository or Repository.discover()
        found = None
        try:
            found = lookup.find_spec(repository.refs(), asked, repository.project)
        finally:
            answer = answers.NONE if found is None else found.artifact
            note(answers.VERSION, {"asked": asked}, lambda: answer)
        return ArtifactVersion(repository, found)
    try:
        found = lookup.find_spec(here.draft, asked, here.repository.project)
    except UnknownName:
        here.noted.missing.add(asked)  # once there is one, the step has to run again
        raise
    here.noted.reads[asked] = Input(found.artifact, found.name, found.commit, found.output)
    return ArtifactVersion(here.repository, found)


def log_metadata(
    metadata: Mapping[str, Any],
    *,
    artifact_name: str | None = None,
    artifact_version: str | int | None = None,
    artifact_version_id: str | None = None,
    infer_artifact: bool = False,
    run_id_name_or_prefix: str | None = None,
    step_name: str | None = None,
    model_name: str | None = None,
    model_version: str | int | None = None,
    infer_model: bool = False,
    step: int | None = None,
) -> None:
    """Notes facts about the running step, or about an artifact version, a run, a step of a run, or a model version.

    Args:
        metadata: Facts by name: numbers, text, lists, dictionaries and other plain values.
        artifact_name: Note them with this artifact.
        artifact_version: Which version, by its number, explicit version or stage; by default the newest.
        artifact_version_id: Note them with the version of the artifact with this id, or start of an id.
        infer_artifact: Note them with what the running step is about to return: its only output, or the one that is
            called `artifact_name`.
        run_id_name_or_prefix: Note them with this run.
        step_name: Note them with this step of that run.
        model_name: Note them with this model.
        model_version: Which version of it; by default the newest.
        infer_model: Note them with the version of a model that the running step works on.
        step: Of a training: note numbers as points of curves, which `art plot` shows; the last value of each is noted
            as a fact of the running step.

    Raises:
        ParameterError: A value is not plain.
        PipelineError: Nothing was named, and no step is running; or the step has no such output, or no model.
        UnknownName: What was named does not exist.
    """
    if step is not None:
        _log_points(metadata, step)
    facts = encode_metadata(metadata)
    here, artifact_name = context.current(), artifact_version_id or artifact_name
    if infer_artifact:
        step_here, output = running_output("log_metadata", artifact_name)
        step_here.noted.of_outputs.setdefault(output, {}).update(metadata)
    elif infer_model:
        context.get_step_context().model.log_metadata(metadata)
    elif artifact_name is not None:
        _log_version_metadata(meant.spec(artifact_name, artifact_version), facts)
    elif model_name is not None:
        _log_version_metadata(meant.spec(meant.model_name(model_name), model_version), facts)
    elif run_id_name_or_prefix is not None:
        _log_run_metadata(run_id_name_or_prefix, step_name, metadata, facts)
    elif here is not None:
        here.noted.metadata.update(metadata)
    else:
        raise PipelineError("log_metadata() outside a step needs artifact_name or run_id_name_or_prefix; name one.")


def _log_points(metadata: Mapping[str, Any], step: int) -> None:
    here, moment = context.current(), now_ms()
    if here is None:
        raise PipelineError("log_metadata(step=…) works only inside a running step; note the last value without step.")
    if isinstance(step, bool) or not isinstance(step, int):
        raise ParameterError(f"step={step!r} is no step of a training; count with whole numbers.")
    points = {}
    for name, value in metadata.items():
        number = value.item() if callable(getattr(value, "item", None)) and getattr(value, "ndim", 0) == 0 else value
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise ParameterError(
                f"{name!r} is a {type(value).__name__}, and a curve needs numbers; note it without step."
            )
        points[name] = Point(step, float(number), moment)
    for name, point in points.items():
        here.noted.curves.setdefault(name, []).append(point)


def _log_version_metadata(asked: str, facts: dict[str, Any]) -> None:
    with context.writing(f"note metadata of {asked}") as (repository, transaction):
        found = lookup.find_spec(transaction, asked, repository.project)
        transaction.add(EditVersion(found.name, found.artifact, facts))


def running_output(function: str, name: str | None) -> tuple[context.RunningStep, str]:
    """The running step, and its only output, or the one that is called so, or stored so.

    Raises:
        PipelineError: No step is running, or it has no such output.
    """
    here = context.current()
    if here is None:
        raise PipelineError(f"{function}(infer_artifact=True) works only inside a running step; name the artifact.")
    found = [output for output, artifact in here.task.outputs.items() if name in (None, output, artifact)]
    if len(found) != 1:
        known = ", ".join(here.task.outputs) or "none"
        which = "no output" if not here.task.outputs else "several outputs" if name is None else f"no output {name!r}"
        raise PipelineError(
            f"The step {here.task.step_name!r} has {which}; name one of its outputs as artifact_name: {known}."
        )
    return here, found[0]


def _log_run_metadata(text: str, step_name: str | None, metadata: Mapping[str, Any], facts: dict[str, Any]) -> None:
    here = context.current()
    with context.writing(f"note metadata of run {text}") as (_, transaction):
        run = run_lookup.find_run_spec(transaction, text)
        if step_name is not None and step_name not in run.order:
            raise PipelineError(f"The run {run.name} has no step {step_name!r}; it has {some(run.order)}.")
        if here is not None and run.run == here.task.run_id:
            # The record of a run that goes on is written by that run alone.
            here.noted.notes.setdefault(step_name, {}).update(metadata)
            return
        if step_name is not None and step_name not in run.steps:
            raise PipelineError(f"The step {step_name!r} of the run {run.name} never began; note it elsewhere.")
        transaction.add(EditRun(run.run, step_name, facts))


def add_tags(
    *tags: str, artifact: str | None = None, version: str | int | None = None, run: str | None = None,
    infer_artifact: bool = False,
) -> None:  # fmt: skip
    """Adds tags to an artifact version, or to a run.

    Args:
        *tags: The tags.
        artifact: The artifact's name, or the start of an artifact's id.
        version: Which version, by its number, explicit version or stage; by default the newest.
        run: The run's id, its name, or the start of either.
        infer_artifact: To what the running step is about to return: its only output, or the one called `artifact`.

    Raises:
        PipelineError: Neither an artifact nor a run was named; or the step has no such output.
        InvalidName: No tag can be called so.
        UnknownName: What was named does not exist.
    """
    checked = [naming.check_name(tag, "tag") for tag in tags]
    if infer_artifact:
        here, output = running_output("add_tags", artifact)
        here.noted.output_tags.setdefault(output, []).extend(checked)
    else:
        _edit_tags(checked, (), artifact, version, run)


def remove_tags(
    *tags: str, artifact: str | None = None, version: str | int | None = None, run: str | None = None,
    infer_artifact: bool = False,
) -> None:  # fmt: skip
    """Takes tags from an artifact version, or from a run; those that it has not, it has not. See `add_tags`.

    Raises:
        PipelineError: Neither an artifact nor a run was named; or the step has no such output.
        UnknownName: What was named does not exist.
    """
    if infer_artifact:
        here, output = running_output("remove_tags", artifact)
        here.noted.output_tags[output] = [tag for tag in here.noted.output_tags.get(output, ()) if tag not in tags]
    else:
        _edit_tags((), tags, artifact, version, run)


def _edit_tags(
    add: Sequence[str], remove: Sequence[str], artifact: str | None, version: str | int | None, run: str | None
) -> None:
    if (artifact is None) == (run is None):
        raise PipelineError("Tags are of an artifact or of a run; name one of them.")
    with context.writing("tag") as (repository, transaction):
        if artifact is not None:
            asked = meant.spec(artifact, version)
            found = lookup.find_spec(transaction, asked, repository.project)
            transaction.add(EditVersion(found.name, found.artifact, {}, tuple(add), tuple(remove)))
        else:
            of = run_lookup.find_run_spec(transaction, str(run))
            transaction.add(EditRun(of.run, None, {}, tuple(add), tuple(remove)))


def _add(
    repository: Repository, transaction: Draft[Any], saved: Saved, name: str, version: str | int | None,
    tags: Sequence[str], metadata: Mapping[str, Any] | None, origin: str,
) -> ArtifactVersion:  # fmt: skip
    title = naming.check_artifact_name(name)
    label = None if version is None else naming.check_name(str(version), "artifact version")
    if label is not None:
        versions.check_label(transaction, title, label, saved.id)
    here = context.current()
    fresh = versions.fresh(title, saved.id, origin, label=label, run=here.task.run_id if here else None, tags=tags)
    if here is None:
        fresh = versions.by_hand(repository, fresh)
    versions.add(transaction, fresh, saved.facts, encode_metadata(metadata or {}))
    # A number is final only when it is published, and only then anybody is told.
    transaction.publish(tolerant=here is not None)
    if here is not None and here.model is not None:
        here.model.add([Output(saved.id, title)])
    added = known.by_value(repository.refs(), title, saved.id)
    if added is None or (label is not None and added.label != label):
        raise Conflict(
            f"Somebody else has changed {title!r} at the same moment; look at `art ls {title}` and try again."
        )
    return ArtifactVersion(repository, added)
