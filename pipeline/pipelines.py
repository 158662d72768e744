"""The `@pipeline` decorator: a function that says which steps make what from what."""

from __future__ import annotations

import copy
import functools
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, ParamSpec, overload

from artvcs.vcs import ArtError, Repository

from . import errors
from .define import building
from .define.graph import Graph
from .define.handles import Source
from .define.model import Model
from .define.options import settings
from .define.options.options import ExecutionMode, Hook, PipelineOptions
from .define.signature import MISSING, Input, Signature, as_written, read_signature
from .errors import DefinitionError, ParameterError, RunFailed, for_people, perhaps
from .history.views import PipelineRun
from .run import scheduler
from .run.dry_run import preview
from .run.plan import Plan
from .run.sharing import shared
from .typing import coerce, encode

P = ParamSpec("P")


class Pipeline(Generic[P]):
    """A function marked with `@pipeline`. Calling it runs the steps that it calls.

    Attributes:
        function: The function itself.
        options: What was said about it besides its code.
    """

    def __init__(self, function: Callable[P, Any], options: PipelineOptions) -> None:
        self.function = function
        self.options = options
        functools.update_wrapper(self, function)

    @property
    def name(self) -> str:
        """What the pipeline is called."""
        return self.options.name or self.function.__name__

    @property
    def file(self) -> Path | None:
        """The file that declares it; None for a cell of a notebook."""
        found = inspect.getsourcefile(inspect.unwrap(self.function))
        return Path(found).absolute() if found and os.path.isfile(found) else None

    def __cache_identity__(self) -> Callable[P, Any]:
        """What code depends on that holds this pipeline. See `values.identity`."""
        return self.function

    def with_options(
        self,
        *,
        name: str | None = None,
        enable_cache: bool | None = None,
        substitutions: Mapping[str, str] | None = None,
        execution_mode: ExecutionMode | None = None,
        run_name: str | None = None,
        run_all: bool | None = None,
        tags: Sequence[str] | None = None,
        on_start: Hook | None = None,
        on_end: Hook | None = None,
        on_success: Hook | None = None,
        on_failure: Hook | None = None,
        model: Model | None = None,
        parameters: Mapping[str, Any] | None = None,
        extra: Mapping[str, Any] | None = None,
        environment: Mapping[str, Any] | None = None,
        executor: str | None = None,
        jobs: int | None = None,
        steps: Mapping[str, Any] | None = None,
        config_path: str | os.PathLike[str] | None = None,
    ) -> Pipeline[P]:
        """The same pipeline with other options; what is not said stays as it is. See `PipelineOptions`.

        `config_path` is a YAML file that says the same, see docs/configuration.md; what is said here goes before it.

        Raises:
            DefinitionError: An option has an impossible value, or the file cannot be understood.
        """
        options = self.options if config_path is None else self.options.override(**settings.read(config_path))
        said = dict(
            name=name, enable_cache=enable_cache, substitutions=substitutions, execution_mode=execution_mode,
            run_name=run_name, run_all=run_all, tags=tags, on_start=on_start, on_end=on_end, on_success=on_success,
            on_failure=on_failure, model=model, parameters=parameters, extra=extra, environment=environment,
            executor=executor, jobs=jobs,
            steps=None if steps is None else settings.of_steps(steps),
        )  # fmt: skip
        return type(self)(self.function, options.override(**said))

    def inputs(self) -> tuple[Input, ...]:
        """The pipeline's parameters.

        Raises:
            DefinitionError: It takes `*args`, `**kwargs` or positional-only parameters.
        """
        return self._signature.inputs

    @functools.cached_property
    def _signature(self) -> Signature:
        return read_signature(self.function, "pipeline")

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Runs the pipeline and returns its run; inside another pipeline it adds its steps to that one.

        Raises:
            DefinitionError: The pipeline cannot work as it is; nothing was run.
            ParameterError: A parameter is missing, unknown, or not a JSON value of its type.
            RunFailed: A step failed. What had finished is kept, and running again goes on from there.
        """
        if building.current() is not None:
            return self.function(*args, **kwargs)
        if building.loading.get():
            raise building.Reached
        try:
            return self._run(args, kwargs)
        except KeyboardInterrupt as interrupt:
            interrupt.add_note("What had finished is kept: run it again to go on.")
            raise for_people(interrupt) from None
        except ArtError as error:
            raise for_people(error)  # noqa: B904 (it has its cause)

    def _run(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> PipelineRun:
        params, built = self._build(args, kwargs)
        params = {name: value for name, value in params.items() if not isinstance(value, Source)}
        repository = Repository.for_run()
        with shared(repository):
            record, error = scheduler.run_pipeline(repository, built, self.name, self.options, params, self.file)
        run = PipelineRun(repository, record)
        if error is not None:
            raise _failed(run) from error
        return run

    def plan(self, *args: P.args, **kwargs: P.kwargs) -> Plan:
        """What calling the pipeline so would do now: which steps would be reused, which would run, and why.

        Raises:
            DefinitionError: The pipeline cannot work as it is.
            ParameterError: A parameter is missing, unknown, or not a JSON value of its type.
        """
        _, built = self._build(args, kwargs)
        return preview(Repository.discover(create=True), built, self.name, self.options)

    def _build(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], Graph]:
        params = self._bind(args, kwargs)
        with building.entered(Graph(self.name, self.options)) as built:
            self.function(**_copies(params))  # type: ignore[call-arg]
        built.close()
        if not built.nodes:
            raise DefinitionError(f"The pipeline {self.name!r} calls no step; call one in it.")
        return params, built

    def _bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        inputs, signature = self.inputs(), inspect.signature(self.function)
        configured = self.options.parameters
        names = [entry.name for entry in inputs]
        if unknown := [name for name in configured if name not in names]:
            raise ParameterError(
                f"The pipeline {self.name!r} has no parameter {unknown[0]!r}{perhaps(unknown[0], names)}; it has "
                f"{', '.join(names) or 'none'}."
            )
        try:
            there = signature.bind_partial(*args, **kwargs).arguments
            more = {name: value for name, value in configured.items() if name not in there}
            given = signature.bind(*args, **kwargs, **more).arguments
        except TypeError as error:
            raise ParameterError(
                f"The pipeline {self.name!r} cannot be called so: {error}; it takes "
                f"{', '.join(entry.name for entry in inputs) or 'no parameters'}."
            ) from None
        params = {}
        for entry in inputs:
            value = given.get(entry.name, entry.default)
            assert value is not MISSING, "bind() checked that"
            what = f"the parameter {entry.name!r} of pipeline {self.name!r}"
            if isinstance(value, Source):
                params[entry.name] = value  # an artifact; the steps that take it record it
                continue
            params[entry.name] = self.coerced(value, entry.annotation, what)
            encode.to_plain(params[entry.name], what)
        return params

    def coerced(self, value: Any, annotation: Any, what: str) -> Any:
        """A parameter as it is declared. Raises ParameterError where it cannot be that."""
        return coerce.coerce(value, annotation, what)

    def _repr_html_(self) -> str:
        from .values.visualizations import cards

        def facts() -> list[tuple[str, str]]:
            takes = ", ".join(map(as_written, self.inputs())) or "nothing"
            return [("takes", takes), *([("file", str(self.file))] if self.file else [])]

        return cards.definition_card(f"pipeline {self.name}", facts)

    def __repr__(self) -> str:
        return f"<pipeline {self.name}>"


def _copies(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters for the function: what it changes in them is not what was given."""
    return {name: value if isinstance(value, Source) else copy.deepcopy(value) for name, value in params.items()}


def _failed(run: PipelineRun) -> RunFailed:
    failed = run.failed
    first = run.steps[failed[0]]
    assert first.failure is not None
    message = first.failure.message.strip().splitlines()
    reason = f"{first.failure.type}: {message[0]}" if message else first.failure.type
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    reason = f"Step {first.name!r} failed{more}: {reason.rstrip('.')}"
    # Our own errors say already what to do; of those of the user's code nobody knows it.
    return RunFailed(reason, run, advice=", and ") if first.failure.type in vars(errors) else RunFailed(reason, run)


@overload
def pipeline(function: Callable[P, Any], /) -> Pipeline[P]: ...
@overload
def pipeline(function: None = None, /, **options: Any) -> Callable[[Callable[P, Any]], Pipeline[P]]: ...
def pipeline(function: Callable[P, Any] | None = None, /, **options: Any) -> Any:
    """Marks a function as a pipeline: `@pipeline`, or `@pipeline(name=..., enable_cache=..., ...)`.

    Args:
        function: The function, when used without parentheses.
        **options: As `Pipeline.with_options` takes them.

    Raises:
        DefinitionError: An option is impossible.
    """
    if function is None:
        return functools.partial(_make_pipeline, options=options)
    return _make_pipeline(function, options=options)


def _make_pipeline(function: Callable[P, Any], options: dict[str, Any]) -> Pipeline[P]:
    plain = Pipeline(function, PipelineOptions())
    try:
        return plain.with_options(**options) if options else plain
    except TypeError as error:
        raise DefinitionError(f"@pipeline on {function.__name__!r}: {error}; see docs/steps.md.") from None
