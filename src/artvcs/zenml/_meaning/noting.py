"""Saving, noting and tagging, with ZenML's arguments."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from artvcs.pipelines import functions
from artvcs.pipelines.errors import DefinitionError, PipelineError
from artvcs.pipelines.history.finding import lookup, meant
from artvcs.pipelines.record.models import new_version
from artvcs.pipelines.run.execution import context
from artvcs.vcs import EditVersion, Output, Repository, UnknownName, versions

from .._names.absent import NotHere, ignored, not_here
from ..exceptions import EntityExistsError, NoFile
from ..materializers.base_materializer import OfTheType
from . import ids
from .definitions import Tag, tag_names, with_type
from .responses import ArtifactVersionResponse, ModelVersionResponse, find_model
from .valued import plain


def save_artifact(
    data: Any, name: str, version: str | int | None = None, artifact_type: Any = None,
    tags: Iterable[str | Tag] | None = None, extract_metadata: bool = True, include_visualizations: bool = True,
    user_metadata: Mapping[str, Any] | None = None, materializer: Any = None, uri: str | None = None, **_: Any,
) -> ArtifactVersionResponse:  # fmt: skip
    """Stores a value; see `artvcs.save_artifact`. Pictures are made when somebody looks at it."""
    if uri is not None:
        ignored("save_artifact(uri=…)", "where an artifact lies")
    if (
        materializer is not None
        and issubclass(materializer, OfTheType)
        and materializer.__module__.startswith(__package__)
    ):
        materializer = None
    with _telling():
        found = functions.save_artifact(
            plain(data), name, version, tag_names(tags), materializer, with_type(plain(user_metadata), artifact_type),
            extract_metadata=extract_metadata,
        )  # fmt: skip
    return ArtifactVersionResponse(found)


def register_artifact(
    folder_or_file_uri: str, name: str, version: str | int | None = None, artifact_type: Any = None,
    tags: Iterable[str | Tag] | None = None, has_custom_name: bool = True,
    artifact_metadata: Mapping[str, Any] | None = None, **_: Any,
) -> ArtifactVersionResponse:  # fmt: skip
    """Stores a file or folder; see `artvcs.register_artifact`."""
    with _telling():
        found = functions.register_artifact(
            folder_or_file_uri, name, version, tag_names(tags), with_type(plain(artifact_metadata), artifact_type)
        )
    return ArtifactVersionResponse(found)


def load_artifact(name_or_id: str, version: str | int | None = None) -> Any:
    """The value of an artifact; see `artvcs.load_artifact`."""
    return functions.load_artifact(*ids.named(name_or_id, version))


def log_metadata(
    metadata: Mapping[str, Any], *, step_id: str | None = None, step_name: str | None = None,
    run_id_name_or_prefix: str | None = None, artifact_version_id: str | None = None, artifact_name: str | None = None,
    artifact_version: str | int | None = None, infer_artifact: bool = False, model_version_id: str | None = None,
    model_name: str | None = None, model_version: str | int | None = None, infer_model: bool = False, **_: Any,
) -> None:  # fmt: skip
    """Notes facts; see `artvcs.log_metadata`."""
    if step_id is not None:
        run_id_name_or_prefix, _slash, step_name = step_id.partition("/")
    if (id_ := artifact_version_id or model_version_id) is not None:
        artifact_name, artifact_version = ids.named(id_)
    functions.log_metadata(
        plain(dict(metadata)), artifact_name=artifact_name, artifact_version=artifact_version,
        infer_artifact=infer_artifact,
        run_id_name_or_prefix=run_id_name_or_prefix, step_name=step_name, model_name=model_name,
        model_version=model_version, infer_model=infer_model,
    )  # fmt: skip


@dataclass(frozen=True)
class PipelineRunIdentifier:
    """Names a run."""

    id: str | None = None
    name: str | None = None
    prefix: str | None = None

    @property
    def spelt(self) -> str:
        """What it is found by."""
        return str(self.id or self.name or self.prefix)


@dataclass(frozen=True)
class StepRunIdentifier:
    """Names a step in a run."""

    id: str | None = None
    name: str | None = None
    run: PipelineRunIdentifier | None = None


@dataclass(frozen=True)
class ArtifactVersionIdentifier:
    """Names a version of an artifact."""

    id: str | None = None
    name: str | None = None
    version: str | int | None = None


@dataclass(frozen=True)
class ModelVersionIdentifier(ArtifactVersionIdentifier):
    """Names a version of a model."""


def bulk_log_metadata(
    metadata: Mapping[str, Any], pipeline_runs: Iterable[Any] | None = None, step_runs: Iterable[Any] | None = None,
    artifact_versions: Iterable[Any] | None = None, model_versions: Iterable[Any] | None = None,
    infer_artifacts: bool = False, infer_models: bool = False,
) -> None:  # fmt: skip
    """Notes facts of several things, each named by an identifier or given itself."""
    for run in pipeline_runs or ():
        log_metadata(metadata, run_id_name_or_prefix=run.spelt if isinstance(run, PipelineRunIdentifier) else run.id)
    for each in step_runs or ():
        if isinstance(each, StepRunIdentifier) and each.run is not None:
            log_metadata(metadata, run_id_name_or_prefix=each.run.spelt, step_name=each.name)
        else:
            log_metadata(metadata, step_id=str(each.id))
    for each in artifact_versions or ():
        log_metadata(metadata, artifact_version_id=each.id, artifact_name=None if each.id else each.name,
                     artifact_version=None if each.id else each.version)  # fmt: skip
    for each in model_versions or ():
        name = each.model if isinstance(each, ModelVersionResponse) else each.name
        log_metadata(metadata, model_version_id=each.id, model_name=None if each.id else name,
                     model_version=None if each.id else each.version)  # fmt: skip
    if infer_models:
        log_metadata(metadata, infer_model=True)
    if infer_artifacts:
        log_metadata(metadata, infer_artifact=True)


def log_artifact_metadata(
    metadata: Mapping[str, Any], artifact_name: str | None = None, artifact_version: str | int | None = None
) -> None:
    """Notes facts about an output of the running step, or about an artifact."""
    here = context.current()
    of_step = (
        here is not None
        and artifact_version is None
        and (artifact_name is None or artifact_name in here.task.outputs or artifact_name in here.task.outputs.values())
    )
    log_metadata(
        metadata, artifact_name=artifact_name, artifact_version=artifact_version,
        infer_artifact=of_step or artifact_name is None,
    )  # fmt: skip


def log_model_metadata(
    metadata: Mapping[str, Any], model_name: str | None = None, model_version: str | int | None = None
) -> None:
    """Notes facts about a model, by default that of the running step."""
    log_metadata(metadata, model_name=model_name, model_version=model_version, infer_model=model_name is None)


def log_step_metadata(
    metadata: Mapping[str, Any], step_name: str | None = None, pipeline_name_id_or_prefix: str | None = None,
    run_id: str | None = None,
) -> None:  # fmt: skip
    """Notes facts about the running step, or about a step of a run."""
    run = run_id or pipeline_name_id_or_prefix
    log_metadata(metadata, step_name=step_name if run is not None else None, run_id_name_or_prefix=run)


def add_tags(tags: Iterable[str | Tag], **of: Any) -> None:
    """Adds tags to what is named: an artifact version, a run, or what the running step makes."""
    functions.add_tags(*tag_names(tags), **_tagged(of))


def remove_tags(tags: Iterable[str | Tag], **of: Any) -> None:
    """Takes tags from what is named."""
    functions.remove_tags(*tag_names(tags), **_tagged(of))


def _tagged(of: Mapping[str, Any]) -> dict[str, Any]:
    """What ZenML names in many ways, as an artifact with its version, or a run."""
    said = {name: value for name, value in of.items() if value not in (None, False)}
    ways = ("artifact_version_id", "model_version_id", "artifact_name", "artifact")
    artifact = next((said.pop(name) for name in ways if name in said), None)
    version, run = said.pop("artifact_version", None), said.pop("run", None)
    infer = bool(said.pop("infer_artifact", False))
    if (of_model := said.pop("model", None)) is not None:
        artifact, version = meant.model_name(str(getattr(of_model, "name", of_model))), said.pop("model_version", None)
    if artifact is not None:
        artifact, version = ids.named(artifact, version)
    if "pipeline" in said:
        raise NotHere(
            "A pipeline has no tags of its own here, its runs have: @pipeline(tags=[…]) gives each its tags, and "
            f"add_tags([…], run={said['pipeline']!r}) those of its newest run."
        )
    if said:
        not_here(f"add_tags({next(iter(said))}=…)")
    if run is None and artifact is None and not infer:
        here = context.current()
        if here is None:
            raise PipelineError("Tags are of an artifact or of a run; name one of them.")
        run = here.task.run_id
    run = None if run is None else str(getattr(run, "id", run))
    return {"artifact": artifact, "version": version, "run": run, "infer_artifact": infer}


@contextlib.contextmanager
def _telling() -> Iterator[None]:
    """What is there already, or is no file, is told as ZenML tells it."""
    try:
        yield
    except DefinitionError as error:
        raise EntityExistsError(str(error)) from None
    except UnknownName as error:
        raise NoFile(str(error)) from None


def _is_new(model: Any) -> bool:
    """Whether a model has no version yet, and none is asked for by its number."""
    asked = isinstance(model.version, int) or str(model.version).isdecimal()
    return not asked and not versions.exists(Repository.discover(create=True).refs(), meant.model_name(model.name))


def link_artifact_to_model(artifact_version: Any, model: Any = None, **_: Any) -> None:
    """Says that an artifact version belongs to a model, by default that of the running step; makes one that is new."""
    here = context.current()
    record = artifact_version.record
    link = Output(record.artifact, record.name)
    if model is None:
        if here is None or here.model is None:
            raise PipelineError("link_artifact_to_model() needs a model: pass it, or call it in a step that has one.")
        here.model.add([link])
        return
    if not isinstance(model, ModelVersionResponse) and _is_new(model):
        with context.writing(f"make the model {model.name} with {link.name}") as (repository, transaction):
            label = None if model.version is None else str(model.version)
            made = new_version(repository, transaction, model, label, context.run_id() or None)
            transaction.add(EditVersion(meant.model_name(model.name), made, {}, links=(link,)))
        return
    found = (model if isinstance(model, ModelVersionResponse) else find_model(model.name, model.version)).found
    with context.writing(f"link {link.name} to {found.name}") as (repository, transaction):
        version = lookup.find_spec(transaction, meant.spec(found.name, found.number), repository.project)
        transaction.add(EditVersion(version.name, version.artifact, {}, links=(link,)))
