"""Runs of pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any, ClassVar

from artvcs.pipelines.history.finding import meant
from artvcs.pipelines.history.models import ModelVersion
from artvcs.pipelines.history.tables import Steps
from artvcs.pipelines.history.views import PipelineRun, from_ms
from artvcs.vcs import Repository, runs, versions

from ...enums import ExecutionStatus
from ..stacks import Stack
from ..valued import valued
from .artifacts import ArtifactVersionResponse
from .base import Configuration, Named_, Response, response
from .steps import StepRunResponse


class PipelineRunResponse(Response, PipelineRun):
    """One execution of a pipeline."""

    CALLED = "A run"
    SAID = ("id", "name", "pipeline", "status", "start_time", "end_time", "tags", "run_metadata")
    INSTEAD: ClassVar[Mapping[str, str]] = {
        "log_collection": ".steps[NAME].logs is what a step printed",
        "snapshot": ".record.git says at which commit it ran, .steps[NAME].code what",
        "source_snapshot": ".record.git says at which commit it ran, .steps[NAME].code what",
        "active_wait_condition": "a run waits for nobody",
        "child_key": "a run has no runs in it",
        "trigger_execution_info": "it was started by hand, or by whatever calls `art run`",
        "outputs": ".steps[NAME].outputs holds what each step made",
    }
    build = schedule = code_path = template_id = trigger = trigger_info = original_run = parent_run = None
    triggered_by_deployment = is_templatable = enable_heartbeat = False

    def __init__(self, repository: Repository, run: PipelineRun) -> None:
        super().__init__(repository, run.record)

    def _where(self) -> Repository:
        return self._repository

    def _author(self) -> str:
        return self.record.author

    @property
    def pipeline(self) -> Named_:
        """The pipeline's name, and what it names."""
        return Named_(super().pipeline)

    @property
    def pipeline_id(self) -> str:
        """The pipeline's name."""
        return super().pipeline

    @property
    def status(self) -> ExecutionStatus:
        """How it stands."""
        return ExecutionStatus(super().status)

    @property
    def tags(self) -> tuple[Named_, ...]:
        """Its tags, each with its name."""
        return tuple(map(Named_, super().tags))

    @property
    def in_progress(self) -> bool:
        """Whether it goes on."""
        return not self.status.is_finished

    @property
    def run_metadata(self) -> Mapping[str, Any]:
        """What is noted of it."""
        return valued(self.metadata)

    @property
    def config(self) -> Configuration:
        """What it was configured with."""
        version = self.model_version
        model = None if version is None else SimpleNamespace(name=str(version.model), version=version.name)
        return Configuration(
            f"run {self.name}", name=self.pipeline_id, parameters=dict(self.parameters), tags=self.tags, model=model
        )

    @property
    def steps(self) -> dict[str, Any]:
        """Invocation id → the step."""
        return Steps({name: StepRunResponse(self._repository, self, name) for name in super().steps})

    def get_step(self, step: str) -> Any:
        """A step by its name."""
        return self.steps[step]

    @property
    def start_time(self) -> datetime:
        """When it began."""
        return self.started

    created = start_time

    @property
    def end_time(self) -> datetime | None:
        """When it ended; None where it goes on."""
        return None if self.record.finished is None else from_ms(self.record.finished)

    @property
    def updated(self) -> datetime:
        """When it ended, or began."""
        return self.end_time or self.started

    @property
    def index(self) -> int:
        """The how-manieth run of its pipeline it is, from 1, of those that there are."""
        every = [run.run for run in runs.of_pipeline(self._repository.refs(), self.record.pipeline)]
        return len(every) - every.index(self.id) if self.id in every else len(every) + 1

    @property
    def orchestrator_run_id(self) -> str:
        """Its id."""
        return self.id

    root_run_id = orchestrator_run_id

    @property
    def stack(self) -> Stack:
        """The one stack that there is."""
        return Stack(str(self._repository.layout.workspace))

    @property
    def client_environment(self) -> Mapping[str, Any]:
        """Where its steps ran."""
        first = next((step.execution for step in self.steps.values() if step.execution), None)
        return {} if first is None else {"python_version": first.environment.get("python"), **first.environment}

    orchestrator_environment = client_environment

    @property
    def code_reference(self) -> Any:
        """At which Git commit it ran; None outside of Git."""
        return self.record.git and SimpleNamespace(commit=self.record.git.commit, subdirectory="")

    @property
    def artifact_versions(self) -> list[ArtifactVersionResponse]:
        """What its steps took and made."""
        return _distinct(self.steps, ("inputs", "outputs"))

    @property
    def produced_artifact_versions(self) -> list[ArtifactVersionResponse]:
        """What its steps made."""
        return _distinct({name: step for name, step in self.steps.items() if not step.cached}, ("outputs",))

    @property
    def model_version(self) -> Any:
        """The version of a model that it worked on."""
        for link in self.record.models:
            found = versions.by_value(self._repository.refs(), link.name, link.artifact)
            if found is not None and found.name.startswith(meant.MODELS):
                return response(ModelVersion(self._repository, found))
        return None

    @property
    def exception_info(self) -> Any:
        """Why it failed; None where it did not."""
        return next((step.exception_info for step in self.steps.values() if step.failure), None)


@response.register
def _(found: PipelineRun) -> PipelineRunResponse:
    return PipelineRunResponse(found._repository, found)


def _distinct(steps: Mapping[str, Any], which: tuple[str, ...]) -> list[ArtifactVersionResponse]:
    groups = (group for step in steps.values() for kind in which for group in getattr(step, kind).values())
    return list({each.id: each for group in groups for each in group}.values())
