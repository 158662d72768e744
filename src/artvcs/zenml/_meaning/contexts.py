"""Where a running step, or a pipeline that is being built, stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from artvcs.pipelines.client import Client
from artvcs.pipelines.define import building
from artvcs.pipelines.errors import NoContext
from artvcs.pipelines.functions import log_metadata
from artvcs.pipelines.run import context
from artvcs.vcs import UnknownName

from .._names.absent import HasMore
from .definitions import Model
from .responses import ArtifactVersionResponse, Named_, PipelineRunResponse, set_stage


class StepModel(context.StepModel):
    """The version of a model that a step works on."""

    def get_artifact(self, name: str, version: str | int | None = None) -> Any:
        """A version that belongs to it; None where none is called so."""
        try:
            return ArtifactVersionResponse.of(super().get_artifact(name, version))
        except UnknownName:
            return None

    get_model_artifact = get_data_artifact = get_deployment_artifact = get_artifact

    def load_artifact(self, name: str, version: str | int | None = None) -> Any:
        """The value of a version that belongs to it. Raises UnknownName where none is called so."""
        return super().get_artifact(name, version).load()

    @property
    def id(self) -> str:
        """The version's id."""
        return self._version().id

    @property
    def stage(self) -> str | None:
        """A stage that it is in."""
        return next(iter(self._version().stages), None)

    @property
    def run_metadata(self) -> Mapping[str, Any]:
        """What is noted of it."""
        return {**self._version().metadata, **self._here.of_model}

    metadata = run_metadata

    def set_stage(self, stage: str, force: bool = False) -> None:
        """Moves a stage to it. Raises RuntimeError where another version is in it, and `force` is False."""
        set_stage(self._version(), stage, force=force)


class StepContext(context.StepContext, HasMore):
    """Where a running step stands."""

    CALLED = "get_step_context()"

    @property
    def model(self) -> StepModel:
        """The version of a model that what it makes belongs to."""
        found = super().model
        return StepModel(found._here, found._worked_on)

    @property
    def pipeline(self) -> Named_:
        """The pipeline's name, and what it names."""
        return Named_(self.pipeline_name)

    @property
    def pipeline_run(self) -> _RunHere:
        """The run."""
        return _RunHere(self)

    @property
    def step_run(self) -> _StepHere:
        """The step in the run."""
        return _StepHere(self)

    def add_output_metadata(self, metadata: Mapping[str, Any], output_name: str | None = None) -> None:
        """Notes facts about what the step is about to return."""
        log_metadata(metadata, infer_artifact=True, artifact_name=output_name)


class _Config:
    """What a run or a step was configured with."""

    def __init__(self, here: StepContext) -> None:
        self._here = here

    @property
    def extra(self) -> Mapping[str, Any]:
        """What it says in `extra`."""
        return self._here.extra

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The step's parameters."""
        return self._here.parameters

    @property
    def name(self) -> str:
        """The step's name."""
        return self._here.step_name


class _RunHere:
    """The run that goes on."""

    def __init__(self, here: StepContext) -> None:
        self._here = here

    @property
    def id(self) -> str:
        """Its id."""
        return self._here.run_id

    @property
    def name(self) -> str:
        """Its name."""
        return self._here.run_name

    @property
    def config(self) -> _Config:
        """What it was configured with."""
        return _Config(self._here)

    @property
    def pipeline(self) -> Named_:
        """Its pipeline."""
        return self._here.pipeline

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        client = Client()
        found = PipelineRunResponse(client.repository, client.get_pipeline_run(self.id))
        return getattr(found, name)  # what has been published of it by now


class _StepHere(HasMore):
    """The step that runs."""

    CALLED = "get_step_context().step_run"

    def __init__(self, here: StepContext) -> None:
        self._here = here

    @property
    def name(self) -> str:
        """Which use of the step it is."""
        return self._here.invocation_id

    @property
    def id(self) -> str:
        """The run's id, and the step."""
        return f"{self._here.run_id}/{self._here.invocation_id}"

    @property
    def config(self) -> _Config:
        """What it was configured with."""
        return _Config(self._here)


def get_step_context() -> StepContext:
    """Where the running step stands.

    Raises:
        RuntimeError: No step is running.
    """
    return StepContext(context.running())


class PipelineContext(HasMore):
    """A pipeline that is being built."""

    CALLED = "get_pipeline_context()"

    def __init__(self, name: str, options: Any) -> None:
        self.name = name
        self.model: Any = Model.of(options.model)
        self.extra = dict(options.extra)
        self.enable_cache = options.enable_cache


def get_pipeline_context() -> PipelineContext:
    """The pipeline that is being built.

    Raises:
        RuntimeError: None is.
    """
    built = building.current()
    if built is None:
        raise NoContext("get_pipeline_context() works only while a pipeline is built; call it in a @pipeline function.")
    return PipelineContext(built.name, built.options)
