"""Models and their versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from artvcs.pipelines import promotion
from artvcs.pipelines.client import Client
from artvcs.pipelines.define.model import ModelStages
from artvcs.pipelines.functions import add_tags, log_metadata
from artvcs.pipelines.history.models import ModelVersion
from artvcs.pipelines.history.tables import Versions
from artvcs.pipelines.history.views import ArtifactVersion
from artvcs.pipelines.units import count
from artvcs.vcs import Repository, UnknownName, stages, versions

from ...enums import ArtifactType
from ...exceptions import NotFound
from .. import ids
from ..valued import plain, valued
from .artifacts import ArtifactVersionResponse, WithVersions
from .base import Named_, Response, response
from .runs import PipelineRunResponse

NOTED = ("license", "description", "audience", "use_cases", "limitations", "trade_offs", "ethics")
"""What a model says of itself; here it is noted with each version."""


class ModelResponse(WithVersions):
    """A model by its name, with its versions."""

    CALLED = "A model"
    INSTEAD: ClassVar[Mapping[str, str]] = {"visualizations": "`art show NAME` shows its newest version"}
    save_models_to_registry = False

    def __init__(self, versions: list[ModelVersionResponse]) -> None:
        self.found: ModelVersion = versions[-1].found
        self.name = self.id = self.found.model
        self.versions = list(versions)

    def __getattr__(self, name: str) -> Any:
        if name in NOTED:  # by the newest version
            return valued(self.found.metadata).get(name)
        return super().__getattr__(name)

    def _repr_html_(self) -> str:
        return Versions(each.found for each in self.versions)._repr_html_()

    def __repr__(self) -> str:
        return f"<model {self.name}, {count(len(self.versions), 'version')}>"


class ModelVersionResponse(Response):
    """A version of a model."""

    CALLED = "A version of a model"
    INSTEAD: ClassVar[Mapping[str, str]] = {"to_model_class": "Model(NAME, version=NUMBER) names the same version"}
    SAID = ("id", "name", "number", "model", "stage", "tags", "created", "run_metadata")

    def __init__(self, version: ModelVersion) -> None:
        self.found = version

    def _where(self) -> Repository:
        return self.found.repository

    def __cache_identity__(self) -> Any:
        """What a step depends on that holds it: see `values.identity`."""
        return self.found.__cache_identity__()

    @property
    def name(self) -> str:
        """The version's name."""
        return self.found.version

    version = name

    @property
    def number(self) -> int:
        """The version's number."""
        return self.found.number

    @property
    def id(self) -> UUID:
        """The version's id."""
        return ids.of(self.found.record)

    @property
    def model(self) -> Named_:
        """The model's name, and what it names."""
        return Named_(self.found.model)

    @property
    def stage(self) -> str | None:
        """A stage that it is in."""
        return next(iter(self.found.stages), None)

    @property
    def tags(self) -> tuple[Named_, ...]:
        """Its tags, each with its name."""
        return tuple(map(Named_, self.found.tags))

    @property
    def run_metadata(self) -> Mapping[str, Any]:
        """What is noted of it."""
        return valued(self.found.metadata)

    metadata = run_metadata

    @property
    def description(self) -> str | None:
        """What is noted of it as its description."""
        return self.found.metadata.get("description")

    @property
    def created(self) -> Any:
        """When it was made."""
        return self.found.created

    @property
    def artifacts(self) -> dict[str, ArtifactVersionResponse]:
        """Name → the version that belongs to it."""
        return {name: ArtifactVersionResponse(each) for name, each in self.found.artifacts.items()}

    @property
    def data_artifacts(self) -> dict[str, dict[str, ArtifactVersionResponse]]:
        """Name → version → what belongs to it, but models and services."""
        return self._artifacts(lambda kind: kind not in (ArtifactType.MODEL, ArtifactType.SERVICE))

    @property
    def model_artifacts(self) -> dict[str, dict[str, ArtifactVersionResponse]]:
        """Name → version → the models that belong to it."""
        return self._artifacts(lambda kind: kind == ArtifactType.MODEL)

    @property
    def deployment_artifacts(self) -> dict[str, dict[str, ArtifactVersionResponse]]:
        """Name → version → the services that belong to it."""
        return self._artifacts(lambda kind: kind == ArtifactType.SERVICE)

    @property
    def data_artifact_ids(self) -> dict[str, dict[str, UUID]]:
        """Name → version → id of what belongs to it, but models and services."""
        return _ids(self.data_artifacts)

    @property
    def model_artifact_ids(self) -> dict[str, dict[str, UUID]]:
        """Name → version → id of the models that belong to it."""
        return _ids(self.model_artifacts)

    @property
    def deployment_artifact_ids(self) -> dict[str, dict[str, UUID]]:
        """Name → version → id of the services that belong to it."""
        return _ids(self.deployment_artifacts)

    def linked(self) -> list[ArtifactVersionResponse]:
        """All versions that belong to it."""
        repository = self.found.repository
        refs = repository.refs()
        found = (versions.by_value(refs, link.name, link.artifact) for link in self.found.record.links)
        return [ArtifactVersionResponse(ArtifactVersion(repository, each)) for each in found if each is not None]

    def _artifacts(self, belongs: Callable[[ArtifactType], bool]) -> dict[str, dict[str, ArtifactVersionResponse]]:
        found: dict[str, dict[str, ArtifactVersionResponse]] = {}
        for each in self.linked():
            if belongs(each.type):
                found.setdefault(each.name, {})[each.version] = each
        return found

    def get_artifact(self, name: str, version: str | int | None = None) -> ArtifactVersionResponse | None:
        """A version that belongs to it; None where none is called so."""
        try:
            return ArtifactVersionResponse(self.found.get_artifact(name, version))
        except UnknownName:
            return None

    get_model_artifact = get_data_artifact = get_deployment_artifact = get_artifact

    def load_artifact(self, name: str, version: str | int | None = None) -> Any:
        """The value of a version that belongs to it. Raises UnknownName where none is called so."""
        return self.found.load_artifact(name, version)

    @property
    def pipeline_runs(self) -> dict[str, PipelineRunResponse]:
        """Name → the run that worked on it."""
        return {run.name: PipelineRunResponse(self.found.repository, run) for run in self.found.runs}

    @property
    def pipeline_run_ids(self) -> dict[str, str]:
        """Name → the id of the run that worked on it."""
        return {run.name: run.id for run in self.found.runs}

    def set_stage(self, stage: str, force: bool = False) -> None:
        """See `set_stage`."""
        set_stage(self.found, stage, force=force)

    def log_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Notes facts about it."""
        log_metadata(plain(dict(metadata)), model_name=self.found.model, model_version=self.found.number)

    def _repr_html_(self) -> str:
        return self.found._repr_html_()

    def __repr__(self) -> str:
        return repr(self.found)


@response.register
def _(found: ModelVersion) -> ModelVersionResponse:
    return ModelVersionResponse(found)


def _ids(found: Mapping[str, Mapping[str, ArtifactVersionResponse]]) -> dict[str, dict[str, UUID]]:
    return {name: {version: each.id for version, each in group.items()} for name, group in found.items()}


def find_model(name: str, version: str | int | None = None) -> ModelVersionResponse:
    """A version of a model. Raises NotFound, which is a KeyError, where there is none."""
    try:
        return ModelVersionResponse(Client().get_model_version(name, version))
    except UnknownName as error:
        raise NotFound(str(error)) from None


def set_stage(version: ModelVersion, stage: str, *, force: bool = False) -> None:
    """Moves a stage to a version of a model, as ZenML does: `archived` is a tag, and takes the version's stages away.

    Raises:
        RuntimeError: Another version is in that stage, and `force` is False.
    """
    stage = str(stage)
    if stage in (ModelStages.ARCHIVED, ModelStages.NONE):
        for each in version.stages:
            promotion.demote(version.name, each, repository=version.repository)
        if stage == ModelStages.ARCHIVED:
            add_tags(stage, artifact=version.name, version=version.number)
        return
    before = stages.version(version.repository.refs(), version.name, stage)
    if before is not None and before.artifact != version.id and not force:
        raise RuntimeError(f"{before.spelt} is {stage!r} already; pass force=True to move that stage.")
    promotion.promote(version.name, stage, version.number, repository=version.repository)
