"""Pipelines by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from artvcs.pipelines.client import Client
from artvcs.pipelines.history.tables import Runs
from artvcs.vcs import Repository

from ...enums import ExecutionStatus
from ...exceptions import NoRun
from .base import Named_, Response
from .runs import PipelineRunResponse


class PipelineResponse(Response):
    """A pipeline by its name, with its runs.

    Raises:
        NoRun: It has none.
    """

    CALLED = "A pipeline"
    SAID = ("id", "name", "created", "tags", "num_runs")
    INSTEAD: ClassVar[Mapping[str, str]] = {
        "spec": ".last_run.steps are its steps, each with its .code",
        "versions": "a pipeline has no versions; each step of a run has its .code",
        "version": "a pipeline has no versions; each step of a run has its .code",
    }

    metadata = Response.body

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self.name = self.id = name
        if not client.list_pipeline_runs(name, limit=1):
            raise NoRun(f"There is no run of a pipeline {name!r}; `art log` lists those there are.")

    def _where(self) -> Repository:
        return self._client.repository

    def _author(self) -> str:
        return self.last_run.record.author

    @property
    def model(self) -> PipelineResponse:
        """This: what ZenML has registered of a pipeline."""
        return self

    @property
    def runs(self) -> list[PipelineRunResponse]:
        """Its runs, newest first."""
        repository = self._client.repository
        return Runs(PipelineRunResponse(repository, each) for each in self._client.list_pipeline_runs(self.name))

    def get_runs(self, **said: Any) -> list[PipelineRunResponse]:
        """Its runs, newest first; of these those of a `page` of a `size`, if that is said."""
        size, first = said.get("size"), (said.get("page", 1) - 1) * said.get("size", 0)
        return self.runs if size is None else self.runs[first:][:size]

    @property
    def last_run(self) -> PipelineRunResponse:
        """Its newest run."""
        return PipelineRunResponse(self._client.repository, self._client.list_pipeline_runs(self.name, limit=1)[0])

    @property
    def last_successful_run(self) -> PipelineRunResponse:
        """Its newest run that completed. Raises NoRun where none has."""
        found = self._client.list_pipeline_runs(self.name, status="completed", limit=1)
        if not found:
            raise NoRun(f"No run of {self.name} has completed; `art log` lists its runs.")
        return PipelineRunResponse(self._client.repository, found[0])

    @property
    def num_runs(self) -> int:
        """How many runs it has."""
        return len(self.runs)

    @property
    def latest_run_id(self) -> str:
        """The id of its newest run."""
        return self.last_run.id

    @property
    def latest_run_status(self) -> ExecutionStatus:
        """How its newest run stands."""
        return self.last_run.status

    @property
    def tags(self) -> tuple[Named_, ...]:
        """The tags of its newest run."""
        return self.last_run.tags

    @property
    def created(self) -> Any:
        """When its first run began, of those that there are."""
        return self.runs[-1].created

    @property
    def updated(self) -> Any:
        """When its newest run ended, or began."""
        return self.last_run.updated

    def _repr_html_(self) -> str:
        return Runs(self.runs)._repr_html_()

    def __repr__(self) -> str:
        return f"<pipeline {self.name}>"
