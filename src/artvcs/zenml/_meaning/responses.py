"""What the Client shows of the past, with the names that ZenML has for it besides ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Self

from artvcs.pipelines import promotion
from artvcs.pipelines.client import Client
from artvcs.pipelines.define.model import ModelStages
from artvcs.pipelines.functions import add_tags, log_metadata
from artvcs.pipelines.history.models import ModelVersion
from artvcs.pipelines.history.tables import Named, Runs, Steps, Versions
from artvcs.pipelines.history.views import ArtifactVersion, PipelineRun, StepView, decode_all
from artvcs.pipelines.units import count
from artvcs.vcs import Repository, UnknownName, stages

from .._names.absent import HasMore, NotHere
from ..enums import ExecutionStatus
from ..exceptions import NotFound


class Named_(str):  # noqa: N801 (a name that has a name)
    """A name that is also what it names: ZenML has an object with a name where ours is text."""

    @property
    def name(self) -> str:
        """The name."""
        return str(self)

    id = name


class ArtifactVersionResponse(ArtifactVersion):
    """An artifact version."""

    @classmethod
    def of(cls, version: ArtifactVersion) -> Self:
        """The same version."""
        return cls(version.repository, version.record)

    @property
    def run_metadata(self) -> Mapping[str, Any]:
        """What is noted with it, and what its step noted."""
        noted = decode_all(self.commit.metadata) if self.commit is not None else {}
        return {**noted, **self.metadata}

    @property
    def data_type(self) -> str:
        """The value's type."""
        return self.type

    @property
    def uri(self) -> str:
        """Where ZenML has the files."""
        raise NotHere("An artifact has no uri here: its files are packed; .load() gives its value, .open() its bytes.")

    def materialize(self) -> Any:
        """The value."""
        return self.load()

    read = materialize

    # ZenML has a list where a step may have several outputs of a name, and ours has the one.
    def __getitem__(self, index: int) -> Self:
        if index not in (0, -1):
            raise IndexError("there is one")
        return self

    def __iter__(self) -> Iterator[Self]:
        return iter((self,))

    def __len__(self) -> int:
        return 1


class _WithVersions:
    """What has versions, of which `found` is the newest."""

    found: ArtifactVersion

    @property
    def latest_version_name(self) -> str:
        """The newest version."""
        return self.found.version

    @property
    def latest_version_id(self) -> str:
        """The newest version's id."""
        return self.found.id

    @property
    def tags(self) -> tuple[str, ...]:
        """The newest version's tags."""
        return self.found.tags


class ArtifactResponse(_WithVersions):
    """An artifact by its name, with its versions."""

    def __init__(self, versions: Sequence[ArtifactVersionResponse]) -> None:
        self.found = versions[-1]
        self.name = self.id = self.found.name
        self.versions = {each.version: each for each in versions}

    def _repr_html_(self) -> str:
        return Versions(self.versions.values())._repr_html_()

    def __repr__(self) -> str:
        return f"<artifact {self.name}, {count(len(self.versions), 'version')}>"


class StepRunResponse(StepView):
    """One step in one run."""

    @property
    def id(self) -> str:
        """The run's id, and the step."""
        return f"{self.run.id}/{self.name}"

    @property
    def status(self) -> ExecutionStatus:
        """How it stands."""
        return ExecutionStatus(super().status)

    @property
    def run_metadata(self) -> Mapping[str, Any]:
        """What it noted."""
        return self.metadata

    @property
    def config(self) -> Any:
        """What it was configured with."""
        return SimpleNamespace(name=self.name, parameters=dict(self.parameters))

    @property
    def outputs(self) -> dict[str, Any]:
        """Output name → the version that it made."""
        return Named({name: ArtifactVersionResponse.of(each) for name, each in super().outputs.items()})

    @property
    def output(self) -> Any:
        """The only output."""
        return ArtifactVersionResponse.of(super().output)


class PipelineRunResponse(PipelineRun):
    """One execution of a pipeline."""

    def __init__(self, repository: Repository, run: PipelineRun) -> None:
        super().__init__(repository, run.record)

    @property
    def pipeline(self) -> Named_:
        """The pipeline's name, and what it names."""
        return Named_(super().pipeline)

    @property
    def status(self) -> ExecutionStatus:
        """How it stands."""
        return ExecutionStatus(super().status)

    @property
    def run_metadata(self) -> Mapping[str, Any]:
        """What is noted of it."""
        return self.metadata

    @property
    def config(self) -> Any:
        """What it was configured with."""
        return SimpleNamespace(name=self.name, parameters=dict(self.parameters), tags=self.tags)

    @property
    def steps(self) -> dict[str, Any]:
        """Invocation id → the step."""
        found = super().steps
        return Steps({name: StepRunResponse(self._repository, self, name, each.record) for name, each in found.items()})

    @property
    def start_time(self) -> Any:
        """When it began."""
        return self.started

    @property
    def end_time(self) -> Any:
        """When it ended."""
        return self.started + self.duration

    def get_step(self, step: str) -> Any:
        """A step by its name."""
        return self.steps[step]


class PipelineResponse:
    """A pipeline by its name, with its runs."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = self.id = name

    @property
    def runs(self) -> list[PipelineRunResponse]:
        """Its runs, newest first."""
        found: list[PipelineRunResponse] = self._client.list_pipeline_runs(self.name)
        return found

    def _repr_html_(self) -> str:
        return Runs(self.runs)._repr_html_()

    def __repr__(self) -> str:
        return f"<pipeline {self.name}>"

    def get_runs(self, **_: Any) -> list[PipelineRunResponse]:
        """Its runs, newest first."""
        return self.runs

    @property
    def last_run(self) -> PipelineRunResponse:
        """Its newest run."""
        return self.runs[0]

    @property
    def last_successful_run(self) -> PipelineRunResponse:
        """Its newest run that completed. Raises UnknownName where none has."""
        for run in self.runs:
            if run.status == ExecutionStatus.COMPLETED:
                return run
        raise UnknownName(f"No run of {self.name} has completed; `art log` lists its runs.")


class ModelResponse(_WithVersions):
    """A model by its name, with its versions."""

    def __init__(self, versions: Sequence[ModelVersionResponse]) -> None:
        self.found = versions[-1].found
        self.name = self.id = self.found.model
        self.versions = list(versions)

    def _repr_html_(self) -> str:
        return Versions(each.found for each in self.versions)._repr_html_()

    def __repr__(self) -> str:
        return f"<model {self.name}, {count(len(self.versions), 'version')}>"


class ModelVersionResponse(HasMore):
    """A version of a model."""

    CALLED = "get_model_version(…)"

    def __init__(self, version: ModelVersion) -> None:
        self.found = version

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
    def id(self) -> str:
        """The version's id."""
        return self.found.id

    @property
    def model(self) -> Named_:
        """The model's name, and what it names."""
        return Named_(self.found.model)

    @property
    def stage(self) -> str | None:
        """A stage that it is in."""
        return next(iter(self.found.stages), None)

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags."""
        return self.found.tags

    @property
    def run_metadata(self) -> Mapping[str, Any]:
        """What is noted of it."""
        return self.found.metadata

    metadata = run_metadata

    @property
    def created(self) -> Any:
        """When it was made."""
        return self.found.created

    @property
    def artifacts(self) -> dict[str, ArtifactVersionResponse]:
        """Name → the version that belongs to it."""
        return {name: ArtifactVersionResponse.of(each) for name, each in self.found.artifacts.items()}

    def get_artifact(self, name: str, version: str | int | None = None) -> ArtifactVersionResponse | None:
        """A version that belongs to it; None where none is called so."""
        try:
            return ArtifactVersionResponse.of(self.found.get_artifact(name, version))
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

    def set_stage(self, stage: str, force: bool = False) -> None:
        """See `set_stage`."""
        set_stage(self.found, stage, force=force)

    def log_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Notes facts about it."""
        log_metadata(metadata, model_name=self.found.model, model_version=self.found.number)

    def _repr_html_(self) -> str:
        return self.found._repr_html_()

    def __repr__(self) -> str:
        return repr(self.found)


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
        raise RuntimeError(
            f"{before.name}@{before.label or before.number} is {stage!r} already; pass force=True to move that stage."
        )
    promotion.promote(version.name, stage, version.number, repository=version.repository)
