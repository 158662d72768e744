"""ZenML's pipelines: what says where they run is passed over. The names of its first API are here too."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, overload

from artvcs.pipelines import pipelines as native
from artvcs.pipelines.client import Client
from artvcs.pipelines.define import building
from artvcs.pipelines.define.options import settings, sources
from artvcs.pipelines.define.options.options import PipelineOptions
from artvcs.pipelines.define.options.settings import StepSettings
from artvcs.pipelines.errors import DefinitionError, perhaps
from artvcs.pipelines.history.views import PipelineRun
from artvcs.vcs import Repository, UnknownName

from .._meaning.coercing import coerced
from .._meaning.definitions import tag_names
from .._meaning.responses import PipelineResponse, PipelineRunResponse
from .._meaning.steps import Step, step_options
from .._meaning.valued import plain
from .._names import finder
from .._names.absent import not_here, passed_over
from ..exceptions import NoFile

_PASSED_OVER = frozenset((
    "settings", "schedule", "build", "unlisted", "prevent_build_reuse", "enable_artifact_metadata", "merge",
    "enable_artifact_visualization", "enable_step_logs", "enable_pipeline_logs", "secrets",
    "cache_policy", "code_repository", "required_stacks", "enable_heartbeat",
    "requirements", "requirements_file", "required_integrations", "dockerignore_file", "docker_configuration",
))  # fmt: skip

_OPTIONS = frozenset(inspect.signature(native.Pipeline.with_options).parameters) - {"self"}


class Pipeline(native.Pipeline[...]):
    """A function marked with ZenML's `@pipeline`."""

    def with_options(self, **said: Any) -> Pipeline:
        """The same pipeline with other options; what says where it runs is passed over."""
        dynamic, config_path = said.pop("dynamic", None), said.pop("config_path", None)
        around = {name: said.pop(name) for name in _AROUND & said.keys()}
        if config_path is not None:
            try:
                said = {**settings.read(config_path, strict=False), **said}
            except UnknownName as error:
                raise NoFile(str(error)) from None
        changed = super().with_options(**_options(said))
        assert isinstance(changed, Pipeline)
        changed._dynamic = self._dynamic if dynamic is None else bool(dynamic)
        changed._around = {**self._around, **around}
        return changed

    _dynamic = False
    _around: Mapping[str, Any] = MappingProxyType({})

    def configure(self, **said: Any) -> Pipeline:
        """Gives this pipeline other options."""
        changed = self.with_options(**said)
        self.options, self._dynamic, self._around = changed.options, changed._dynamic, changed._around
        return self

    def _run(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> PipelineRun:
        """Runs the pipeline between the calls of what is to be called before and after its steps."""
        begin, end = (self._around.get(name) for name in ("on_init", "on_cleanup"))
        try:
            if begin is not None:
                _hook(begin)(**(self._around.get("on_init_kwargs") or {}))
            return super()._run(args, kwargs)
        finally:
            if end is not None:
                _hook(end)()

    @property
    def entrypoint(self) -> Callable[..., Any]:
        """The function itself."""
        return self.function

    @property
    def model(self) -> PipelineResponse:
        """What there is of it: its runs. Raises a RuntimeError where it has not run."""
        return PipelineResponse(Client(), self.name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the pipeline; see `artvcs.pipeline`. ZenML's first API called it with its steps, and then `.run()`."""
        if building.current() is None and any(isinstance(each, Step) for each in (*args, *kwargs.values())):
            return self._with_steps(args, kwargs)
        if self._dynamic:
            raise DefinitionError(
                f"The pipeline {self.name!r} is dynamic, which is not here: which steps there are is known before the "
                "first runs; call them in a loop over what the pipeline is given, or decide inside a step."
            )
        args, kwargs = plain(args), plain(kwargs)
        found = super().__call__(*args, **kwargs)
        if not isinstance(found, PipelineRun):
            return found
        return PipelineRunResponse(Repository.discover(), found)

    def coerced(self, value: Any, annotation: Any, what: str) -> Any:
        """A parameter as it is declared, as ZenML takes it."""
        return coerced(value, annotation, what)

    def _with_steps(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Pipeline:
        """This pipeline with its steps, each of which is called like the argument that it is given as."""
        try:
            given = inspect.signature(self.function).bind(*args, **kwargs)
        except TypeError as error:
            raise DefinitionError(f"The pipeline {self.name!r} cannot be given these steps: {error}.") from None
        steps = {name: each.with_options(name=name) for name, each in given.arguments.items() if isinstance(each, Step)}
        given.arguments.update(steps)

        def connected() -> None:
            self.function(*given.args, **given.kwargs)

        found = _Connected(connected, self.options)
        found.connected, found.declared = steps, self.file
        return found.with_options(name=self.name)

    def with_config(self, config_path: str, overwrite_step_parameters: bool = False) -> Pipeline:
        """The same pipeline with what a file says, as ZenML's first API said it."""
        return self.with_options(config_path=config_path)

    @property
    def runs(self) -> list[PipelineRunResponse]:
        """Its runs, newest first."""
        client = Client()
        found = client.list_pipeline_runs(self.name)
        return [PipelineRunResponse(client.repository, each) for each in found]

    def get_runs(self, **said: Any) -> list[PipelineRunResponse]:
        """Its runs, newest first."""
        return self.model.get_runs(**said) if self.runs else []

    @property
    def last_run(self) -> PipelineRunResponse:
        """Its newest run."""
        return self.model.last_run

    def run(self, *, run_name: str | None = None, config_path: str | None = None, **said: Any) -> Any:
        """Runs the pipeline, as ZenML's first API does."""
        return self.with_options(run_name=run_name, config_path=config_path, **said)()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in _OF_SERVERS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        not_here(f"pipeline.{name}()")


class _Connected(Pipeline):
    """A pipeline of the first API with its steps.

    Attributes:
        connected: Argument → the step that is given as it.
        declared: The file that declares the pipeline.
    """

    connected: Mapping[str, Step]
    declared: Path | None

    def with_options(self, **said: Any) -> Pipeline:
        """See `Pipeline.with_options`; what is said of a step's parameters may say one of their fields."""
        changed = super().with_options(**said)
        assert isinstance(changed, _Connected)
        changed.connected, changed.declared = self.connected, self.declared
        told = changed.options.steps
        steps = {name: _of_fields(self.connected[name], said) for name, said in told.items() if name in self.connected}
        changed.options = replace(changed.options, steps={**told, **steps})
        return changed

    @property
    def file(self) -> Path | None:
        """The file that declares it."""
        return self.declared


def _of_fields(step: Step, said: StepSettings) -> StepSettings:
    """What a file says of a step, with its parameters where they are fields of the one input that holds them."""
    inputs = step.parameter_inputs
    if len(inputs) != 1 or not said.parameters.keys() - {each.name for each in step.signature.inputs}:
        return said
    [(name, kind)] = inputs.items()
    fields = {key: value for key, value in said.parameters.items() if key != name}
    before = said.parameters.get(name) or step.options.parameters.get(name) or kind()
    return replace(said, parameters={name: kind(**{**before.model_dump(), **fields})})


class BasePipeline:
    """A pipeline of the first API as a class: its `connect` calls the steps that it is given as it is made."""

    def __new__(cls, *steps: Any, **named: Any) -> Any:
        """The pipeline with its steps. Raises DefinitionError where it connects nothing."""
        connect = getattr(super().__new__(cls), "connect", None)
        if connect is None:
            raise DefinitionError(f"{cls.__name__} has no connect; write one, or a function with @pipeline.")
        return Pipeline(connect, PipelineOptions()).with_options(name=cls.__name__)._with_steps(steps, named)


_OF_SERVERS = frozenset((
    "build", "deploy", "create_run_template", "create_snapshot", "publish_schedule", "write_run_configuration_template",
    "register", "prepare", "submit", "trigger",
))  # fmt: skip


_AROUND = frozenset(("on_init", "on_init_kwargs", "on_cleanup"))
"""What a run is begun and ended with."""


def _hook(said: Any) -> Callable[..., Any]:
    found: Callable[..., Any] = sources.load(said) if isinstance(said, str) else said
    return found


def _options(said: Mapping[str, Any]) -> dict[str, Any]:
    options = {name: value for name, value in passed_over(said, _PASSED_OVER, "@pipeline").items() if value is not None}
    if (steps := options.pop("step_configurations", None)) is not None:
        options["steps"] = steps
    if "tags" in options:
        options["tags"] = tag_names(options["tags"])
    hooks = step_options({name: options.pop(name) for name in tuple(options) if name.startswith("on_")}, "@pipeline")
    options |= hooks
    if unknown := sorted(set(options) - _OPTIONS):
        raise DefinitionError(f"@pipeline has no option {unknown[0]!r}{perhaps(unknown[0], _OPTIONS)}.")
    return options


@overload
def pipeline(function: Callable[..., Any], /) -> Pipeline: ...
@overload
def pipeline(function: None = None, /, **options: Any) -> Callable[[Callable[..., Any]], Pipeline]: ...
def pipeline(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Marks a function as a pipeline; see `artvcs.pipeline`."""
    if function is None:
        return functools.partial(_make, options=options)
    return _make(function, options)


def _make(function: Callable[..., Any], options: dict[str, Any]) -> Pipeline:
    plain = Pipeline(function, PipelineOptions())
    return plain.with_options(**options) if options else plain


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)


__all__ = ["BasePipeline", "Pipeline", "pipeline"]
