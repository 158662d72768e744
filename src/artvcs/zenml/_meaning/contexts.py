"""Where a running step, or a pipeline that is being built, stands."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from artvcs.pipelines.client import Client
from artvcs.pipelines.define import building
from artvcs.pipelines.errors import NoContext
from artvcs.pipelines.functions import add_tags, log_metadata, remove_tags, running_output
from artvcs.pipelines.history.finding import lookup
from artvcs.pipelines.history.views import ArtifactVersion
from artvcs.pipelines.run.execution import context
from artvcs.pipelines.typing import fit
from artvcs.pipelines.values.materializers import find_for_type
from artvcs.vcs import Input, UnknownName

from .._names.absent import HasMore, NotHere
from ..enums import ExecutionStatus
from . import ids
from .definitions import Model, tag_names
from .responses import ArtifactVersionResponse, Named_, PipelineRunResponse, set_stage
from .valued import plain, valued


class StepModel(context.StepModel, ids.OfModel):
    """The version of a model that a step works on."""

    def get_artifact(self, name: str, version: str | int | None = None) -> Any:
        """A version that belongs to it; None where none is called so."""
        try:
            return ArtifactVersionResponse(super().get_artifact(name, version))
        except UnknownName:
            return None

    get_model_artifact = get_data_artifact = get_deployment_artifact = get_artifact

    def load_artifact(self, name: str, version: str | int | None = None) -> Any:
        """The value of a version that belongs to it. Raises UnknownName where none is called so."""
        return super().get_artifact(name, version).load()

    @property
    def id(self) -> UUID:
        """The version's id."""
        return ids.of(self._version().record)

    @property
    def stage(self) -> str | None:
        """A stage that it is in."""
        return next(iter(self._version().stages), None)

    @property
    def run_metadata(self) -> Mapping[str, Any]:
        """What is noted of it."""
        return valued({**self._version().metadata, **self._here.noted.of_model})

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
        log_metadata(plain(dict(metadata)), infer_artifact=True, artifact_name=output_name)

    def get_output_metadata(self, output_name: str | None = None) -> dict[str, Any]:
        """What is noted of what the step is about to return."""
        here, output = running_output("get_output_metadata", output_name)
        return {**(self._declared(output).config.run_metadata or {}), **here.noted.of_outputs.get(output, {})}

    def add_output_tags(self, tags: Iterable[Any], output_name: str | None = None) -> None:
        """Gives tags to what the step is about to return."""
        add_tags(*tag_names(tags), artifact=output_name, infer_artifact=True)

    def remove_output_tags(self, tags: Iterable[Any], output_name: str | None = None) -> None:
        """Takes tags from what the step is about to return, of those that it was given while the step runs."""
        remove_tags(*tag_names(tags), artifact=output_name, infer_artifact=True)

    def get_output_tags(self, output_name: str | None = None) -> list[str]:
        """The tags of what the step is about to return."""
        here, output = running_output("get_output_tags", output_name)
        return list(dict.fromkeys((*self._declared(output).config.tags, *here.noted.output_tags.get(output, ()))))

    def get_output_materializer(self, output_name: str | None = None, **_: Any) -> Any:
        """The class that writes what the step is about to return; None where its type says too little."""
        here, output = running_output("get_output_materializer", output_name)
        bare = fit.bare(self._declared(output).annotation)
        kind = typing.get_origin(bare) or bare
        of_type = find_for_type(kind) if isinstance(kind, type) else None
        return here.task.step.options.output_materializers.get(output) or of_type

    def get_output_artifact_uri(self, output_name: str | None = None) -> str:
        """Cannot be told: files are packed. Raises NotHere."""
        raise NotHere(
            "An output has no uri here: its files are packed. Write them into a folder and return its pathlib.Path, or "
            "write them in a materializer."
        )

    def __getattr__(self, name: str) -> Any:
        if name == "pipeline_state":
            raise NotHere(
                "There is no pipeline_state here, for what on_init returns is not kept; make in the step what it needs."
            )
        return super().__getattr__(name)

    @property
    def inputs(self) -> dict[str, list[ArtifactVersionResponse]]:
        """Input name → the versions that the step takes. Which ones they are counts for the cache then."""
        return {name: [self._taken(each) for each in group] for name, group in self._here.task.inputs.items()}

    def _taken(self, link: Input) -> ArtifactVersionResponse:
        record = lookup.find_value(self._here.draft, link.name, link.artifact)
        self._here.noted.reads[f"{link.name}@{record.number}"] = link
        return ArtifactVersionResponse(ArtifactVersion(self._here.repository, record))

    def _declared(self, output: str) -> Any:
        return next(each for each in self._here.task.step.signature.outputs if each.name == output)


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

    @property
    def enable_cache(self) -> bool | None:
        """Whether an earlier result of the step may be used."""
        return self._here._here.task.uses_cache

    @property
    def model(self) -> Any:
        """The model that it works on."""
        return None if self._here._here.model is None else self._here.model

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotHere(f"config.{name} cannot be asked inside of a step here; make it a parameter, or say it in extra.")


class _ConfigOfRun(_Config):
    """What a run was configured with."""

    @property
    def extra(self) -> Mapping[str, Any]:
        """What the pipeline says in `extra`."""
        _ = self._here.extra  # the step depends on what is said there
        return self._here._here.task.extra_of_pipeline

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self._here.pipeline_name


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
        return _ConfigOfRun(self._here)

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

    status = ExecutionStatus.RUNNING

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
