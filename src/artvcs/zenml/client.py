"""ZenML's Client: the past in ZenML's words; what belongs to its server is a sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from artvcs.pipelines import client as native
from artvcs.pipelines.define import building
from artvcs.pipelines.functions import add_tags, remove_tags
from artvcs.pipelines.history import delete, lookup
from artvcs.pipelines.history.views import ArtifactVersion
from artvcs.vcs import UnknownName, versions

from ._meaning.definitions import tag_names
from ._meaning.pages import Facts, ours, page
from ._meaning.responses import (
    ArtifactResponse,
    ArtifactVersionResponse,
    ModelResponse,
    ModelVersionResponse,
    PipelineResponse,
    PipelineRunResponse,
    set_stage,
)
from ._meaning.stacks import Stack
from ._names import finder
from ._names.absent import HasMore, ignored, not_here
from .exceptions import NotFound


class Client(native.Client, HasMore):
    """Looks into a repository; see `artvcs.Client`."""

    CALLED = "Client()"

    def get_artifact_version(self, name_id_or_prefix: str, version: str | int | None = None, **_: Any) -> Any:  # type: ignore[override]
        """An artifact version. Raises KeyError where there is none."""
        try:
            found = super().get_artifact_version(str(name_id_or_prefix), version)
        except UnknownName as error:
            raise NotFound(str(error)) from None
        return ArtifactVersionResponse.of(found) if isinstance(found, ArtifactVersion) else found

    def list_artifact_versions(self, artifact: str | None = None, **said: Any) -> Any:  # type: ignore[override]
        """Artifact versions, by name and number."""
        if artifact is not None:
            said["name"] = str(artifact)
        said |= {here: said.pop(theirs) for theirs, here in _OF_VERSIONS.items() if said.get(theirs) is not None}
        given = ours(said, super().list_artifact_versions, but=("type",))
        found = map(ArtifactVersionResponse.of, super().list_artifact_versions(**given))
        rest = {name: value for name, value in said.items() if name not in given}
        return page(found, rest, _VERSION_FACTS, "Client().list_artifact_versions")

    def get_artifact(self, name_id_or_prefix: str, **_: Any) -> ArtifactResponse:
        """An artifact by its name, with its versions. Raises KeyError where there is none."""
        name = self.get_artifact_version(str(name_id_or_prefix)).name
        return ArtifactResponse(self.list_artifact_versions(name))

    def list_artifacts(self, **said: Any) -> Any:
        """Artifacts, by name."""
        names = (each for each in versions.names(self.repository.refs()) if not each.startswith(lookup.MODELS))
        return page(map(self.get_artifact, names), said, _NAMED_FACTS, "Client().list_artifacts")

    def update_artifact(self, name_id_or_prefix: str, **said: Any) -> Any:
        """Changes the tags of an artifact's newest version; its name stays."""
        return self.update_artifact_version(name_id_or_prefix, **said)

    def update_artifact_version(
        self, name_id_or_prefix: str, version: str | int | None = None, add_tags: Any = None, remove_tags: Any = None,
        **said: Any,
    ) -> Any:  # fmt: skip
        """Changes the tags of an artifact version."""
        if said.get("new_name") is not None:
            not_here("update_artifact(new_name=…)")
        _retag(str(name_id_or_prefix), version, add_tags, remove_tags)
        return self.get_artifact_version(name_id_or_prefix, version)

    def prune_artifacts(self, only_versions: bool = True, delete_from_artifact_store: bool = False, **_: Any) -> None:
        """Deletes the versions that no run uses."""
        delete.prune(self.repository)

    def get_pipeline_run(self, name_id_or_prefix: str, **_: Any) -> Any:  # type: ignore[override]
        """A run. Raises KeyError where there is none."""
        try:
            return PipelineRunResponse(self.repository, super().get_pipeline_run(str(name_id_or_prefix)))
        except UnknownName as error:
            raise NotFound(str(error)) from None

    def list_pipeline_runs(self, pipeline: str | None = None, **said: Any) -> Any:
        """Runs, newest first."""
        theirs = [said.pop(name, None) for name in ("pipeline_name", "pipeline_id", "limit")]
        said["pipeline"] = pipeline or theirs[0] or theirs[1]
        given = ours({name: each for name, each in said.items() if each is not None}, super().list_pipeline_runs)
        found = super().list_pipeline_runs(**given, limit=theirs[2])
        rest = {name: value for name, value in said.items() if name not in given}
        return page(
            (PipelineRunResponse(self.repository, run) for run in found), rest, _RUN_FACTS,
            "Client().list_pipeline_runs",
        )  # fmt: skip

    def get_pipeline(self, name_id_or_prefix: str, **_: Any) -> PipelineResponse:
        """A pipeline with its runs. Raises KeyError where it has none."""
        name = str(getattr(name_id_or_prefix, "name", name_id_or_prefix))
        if not super().list_pipeline_runs(name, limit=1):
            raise NotFound(f"There is no run of a pipeline {name!r}; `art log` lists those there are.")
        return PipelineResponse(self, name)

    def get_model(self, model_name_or_id: str, **_: Any) -> ModelResponse:
        """A model with its versions. Raises KeyError where there is none."""
        return ModelResponse(self.list_model_versions(model_name_or_id))

    def list_models(self, **said: Any) -> Any:
        """Models, by name."""
        stored = versions.names(self.repository.refs(), lookup.MODELS)
        found = (self.get_model(name.removeprefix(lookup.MODELS)) for name in stored)
        return page(found, said, _NAMED_FACTS, "Client().list_models")

    def get_model_version(  # type: ignore[override]
        self, model_name_or_id: str | None = None, model_version_name_or_number_or_id: Any = None, **_: Any
    ) -> Any:
        """A version of a model. Raises KeyError where there is none."""
        version = model_version_name_or_number_or_id
        try:
            found = super().get_model_version(str(model_name_or_id), None if version is None else str(version))
        except UnknownName as error:
            raise NotFound(str(error)) from None
        if building.current() is not None:
            return ModelVersionResponse(found).to_model_class()
        return ModelVersionResponse(found)

    def list_model_versions(self, model_name_or_id: Any = None, **said: Any) -> Any:  # type: ignore[override]
        """The versions of a model, oldest first."""
        name = model_name_or_id or said.pop("model", None) or said.pop("model_name", None)
        try:
            found = super().list_model_versions(str(name))
        except UnknownName as error:
            raise NotFound(str(error)) from None
        return page(map(ModelVersionResponse, found), said, _MODEL_FACTS, "Client().list_model_versions")

    def update_model_version(
        self, model_name_or_id: str, version_name_or_id: Any, stage: Any = None, force: bool = False,
        add_tags: Any = None, remove_tags: Any = None, **said: Any,
    ) -> Any:  # fmt: skip
        """Moves a stage to a version of a model, or changes its tags."""
        found = self.get_model_version(model_name_or_id, version_name_or_id)
        if stage is not None:
            set_stage(found.found, stage, force=force)
        _retag(found.found.name, found.number, add_tags, remove_tags)
        return self.get_model_version(model_name_or_id, found.number)

    def create_model(self, name: str, **_: Any) -> Any:
        """Nothing: a model is there as soon as a version of it is made."""
        return SimpleNamespace(name=name, id=name)

    def get_secret(self, name_id_or_prefix: str, **_: Any) -> Secret:
        """A secret, whose values are environment variables: `get_secret("db").secret_values["url"]` is `DB_URL`."""
        return Secret(str(name_id_or_prefix))

    @property
    def active_stack(self) -> Any:
        """A stack with a place for files, and nothing else."""
        return Stack(super().active_stack.artifact_store.path)

    active_stack_model = active_stack

    def activate_stack(self, stack_name_id_or_prefix: str) -> None:
        """Nothing: there are no stacks to choose from."""
        ignored(f"Client().activate_stack({stack_name_id_or_prefix!r})")

    @property
    def active_project(self) -> Any:
        """The one project that there is."""
        name = self.repository.project.name
        return SimpleNamespace(name=name, id=name, display_name=name)

    active_workspace = active_project

    @staticmethod
    def is_inside_repository(file_path: str) -> bool:
        """Whether a file lies in the project."""
        return Path(file_path).absolute().is_relative_to(native.Client().repository.project)

    @property
    def root(self) -> Any:
        """The project's folder."""
        return self.repository.project


class Secret:
    """A secret by its name: `db` has the value `url` where the environment has `DB_URL`."""

    def __init__(self, name: str) -> None:
        self.name = self.id = name
        self.secret_values = self.values = _Values(name)


class _Values(Mapping[str, str]):
    """The values of a secret, looked up in the environment when they are asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _variables(self, key: str) -> list[str]:
        spelt = "".join(char if char.isalnum() else "_" for char in f"{self._name}_{key}")
        return [spelt.upper(), "".join(char if char.isalnum() else "_" for char in key).upper()]

    def __getitem__(self, key: str) -> str:
        for variable in self._variables(key):
            if variable in os.environ:
                return os.environ[variable]
        raise NotFound(
            f"The secret {self._name!r} has no value {key!r} here; set the environment variable "
            f"{self._variables(key)[0]}."
        )

    def __contains__(self, key: object) -> bool:
        return any(variable in os.environ for variable in self._variables(str(key)))

    def _known(self) -> list[str]:
        [start, _] = self._variables("")
        return [name.removeprefix(start).lower() for name in os.environ if name.startswith(start)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())


def _retag(name: str, version: str | int | None, added: Any, removed: Any) -> None:
    if added:
        add_tags(*tag_names(added), artifact=name, version=version)
    if removed:
        remove_tags(*tag_names(removed), artifact=name, version=version)


_OF_VERSIONS = {
    "pipeline_run": "run",
    "version_number": "number",
    "run_metadata": "metadata",
    "model_version_id": "model",
}
"""ZenML's conditions that have another name in ours."""

_VERSION_FACTS: Facts[Any] = {
    "id": lambda each: each.id,
    "name": lambda each: each.name,
    "version": lambda each: each.version,
    "number": lambda each: each.number,
    "created": lambda each: each.created,
    "size": lambda each: each.size,
    "tag": lambda each: each.tags,
    "tags": lambda each: each.tags,
    "data_type": lambda each: (each.type, each.type.rpartition(".")[2]),
    "materializer": lambda each: each.artifact.materializer,
}
_RUN_FACTS: Facts[Any] = {
    "id": lambda run: run.id,
    "name": lambda run: run.name,
    "pipeline": lambda run: run.pipeline,
    "status": lambda run: run.status,
    "created": lambda run: run.started,
    "start_time": lambda run: run.start_time,
    "end_time": lambda run: run.end_time,
    "tag": lambda run: run.tags,
    "tags": lambda run: run.tags,
}
_MODEL_FACTS: Facts[Any] = {
    "id": lambda each: each.id,
    "name": lambda each: each.name,
    "version": lambda each: each.version,
    "number": lambda each: each.number,
    "created": lambda each: each.created,
    "stage": lambda each: each.found.stages,
    "tag": lambda each: each.tags,
    "tags": lambda each: each.tags,
}
_NAMED_FACTS: Facts[Any] = {
    "id": lambda each: each.id,
    "name": lambda each: each.name,
    "created": lambda each: each.found.created,
    "tag": lambda each: each.tags,
    "tags": lambda each: each.tags,
}


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
