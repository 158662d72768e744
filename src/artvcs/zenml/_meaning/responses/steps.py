"""Steps in runs."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any, ClassVar

from artvcs.pipelines.history.views import StepView, from_ms
from artvcs.vcs import Repository

from ...enums import ExecutionStatus
from ...exceptions import NotOne
from ..valued import valued
from .artifacts import ArtifactVersionResponse, ByName
from .base import Configuration, ImportPath, Response, response


class StepRunResponse(Response, StepView):
    """One step in one run."""

    CALLED = "A step"
    SAID = ("id", "name", "status", "start_time", "end_time", "run_metadata")
    INSTEAD: ClassVar[Mapping[str, str]] = {
        "log_collection": ".logs is what it printed",
        "type": "a step is a function, and nothing else",
        "resource_request": "steps run where `art run` runs",
        "snapshot_id": ".commit holds the code that ran, .fingerprint all of it",
        "substitutions": "outputs stand in .outputs under the names that were made of them",
        "heartbeat_threshold": "a step runs until it ends, or for as long as @step(timeout=…) says",
        "latest_heartbeat": "a step runs until it ends, or for as long as @step(timeout=…) says",
        "cache_expires_at": "`art why` says whether its result would be used again",
    }
    is_retriable = False
    resource_request_id = original_step_run_id = None
    version = 1

    @classmethod
    def of(cls, step: StepView) -> StepRunResponse:
        """The same step."""
        return cls(step._repository, step.run, step.name)

    def _where(self) -> Repository:
        return self._repository

    def _author(self) -> str:
        return self.run.record.author

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
        return valued(self.metadata)

    @property
    def config(self) -> Configuration:
        """What it was configured with."""
        return Configuration(f"step {self.name}", name=self.record.step, parameters=dict(self.parameters))

    @property
    def inputs(self) -> dict[str, Any]:
        """Input name → the versions that it took, to be counted, and looked at by number."""
        return _responses(super().inputs)

    @property
    def input(self) -> ArtifactVersionResponse:
        """The only input. Raises ValueError where there is none, or more than one."""
        return _only(self.name, self.inputs, "input")

    @property
    def outputs(self) -> dict[str, Any]:
        """Output name → the version that it made."""
        return _responses(super().outputs)

    @property
    def output(self) -> ArtifactVersionResponse:  # type: ignore[override]
        """The only output. Raises ValueError where there is none, or more than one."""
        return _only(self.name, self.outputs, "output")

    regular_inputs, regular_outputs = inputs, outputs

    @property
    def start_time(self) -> datetime | None:
        """When it began; None where it did not."""
        return None if self.record.started is None else from_ms(self.record.started)

    created = start_time

    @property
    def end_time(self) -> datetime | None:
        """When it ended; None where it has not."""
        return None if self.record.finished is None else from_ms(self.record.finished)

    updated = end_time

    @property
    def pipeline_run_id(self) -> str:
        """The run's id."""
        return self.run.id

    @property
    def parent_step_ids(self) -> list[str]:
        """The ids of the steps of its run whose outputs it took."""
        return [f"{self.run.id}/{name}" for name in self._upstream]

    @property
    def _upstream(self) -> list[str]:
        before = self.run.record.order[: self.run.record.order.index(self.name)]
        steps = {name: step for name, step in self.run.steps.items() if name in before}
        return [name for name, step in steps.items() if step.made & self.taken]

    @property
    def spec(self) -> Any:
        """Which function it is, and which steps it took something of."""
        return SimpleNamespace(
            source=ImportPath(self.record.step), upstream_steps=self._upstream, invocation_id=self.name,
            pipeline_parameter_name=self.name,
        )  # fmt: skip

    @property
    def cache_key(self) -> str | None:
        """Under which its result can be used again."""
        return self.record.cache_key

    @property
    def code_hash(self) -> str | None:
        """A hash of all the code that ran."""
        return self.execution.code.fingerprint if self.execution else None

    @property
    def source_code(self) -> str | None:
        """The step's function, as it is written; `code` holds all of the user's own that it reached too."""
        parts = self.fingerprint.parts if self.fingerprint else ()
        name = self.execution.step if self.execution else self.record.step
        own = [part.source for part in parts if part.name.rpartition(".")[2].rpartition(":")[2] == name]
        return own[0] if own else self.code or None

    @property
    def docstring(self) -> str | None:
        """What the step's function says of itself."""
        try:
            functions = [each for each in ast.parse(self.source_code or "").body if isinstance(each, ast.FunctionDef)]
        except SyntaxError:
            return None
        return ast.get_docstring(functions[0]) if functions else None

    @property
    def model_version(self) -> Any:
        """The version of a model that its run worked on."""
        return response(self.run).model_version

    @property
    def model_version_id(self) -> Any:
        """The id of the version of a model that its run worked on."""
        return None if self.model_version is None else self.model_version.id

    @property
    def exception_info(self) -> Any:
        """Why it failed; None where it did not."""
        return self.failure and SimpleNamespace(traceback=self.failure.traceback, user_code_line=None)

    def _repr_html_(self) -> str:
        return StepView(self._repository, self.run, self.name)._repr_html_()


@response.register
def _(found: StepView) -> StepRunResponse:
    return StepRunResponse.of(found)


def _responses(found: Mapping[str, Any]) -> ByName:
    return ByName({
        name: [ArtifactVersionResponse(each) for each in group] if isinstance(group, list)
        else ArtifactVersionResponse(group)
        for name, group in found.items()
    })  # fmt: skip


def _only(step: str, found: Mapping[str, Any], kind: str) -> ArtifactVersionResponse:
    several = [each for group in found.values() for each in group]
    if len(several) != 1:
        which = f"{len(several)} {kind}s; choose one from .{kind}s" if several else f"no {kind}; ask another step"
        raise NotOne(f"The step {step!r} has {which}.")
    return several[0]  # type: ignore[no-any-return]
