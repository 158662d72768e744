"""ZenML's steps: what says where they run is passed over."""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, overload

from artvcs.pipelines.define import building
from artvcs.pipelines.define import step as native
from artvcs.pipelines.define.mapping import unmapped as unmapped
from artvcs.pipelines.define.options import sources
from artvcs.pipelines.define.options.options import StepOptions
from artvcs.pipelines.define.signature import MISSING, Signature, read_signature
from artvcs.pipelines.errors import DefinitionError, perhaps
from artvcs.pipelines.typing import fit
from artvcs.pipelines.values.materializers import Materializer

from .._names.absent import is_absent, passed_over
from ..materializers.base_materializer import OfTheType
from .coercing import coerced
from .contexts import StepContext, get_step_context
from .responses import ArtifactVersionResponse
from .valued import plain

_PASSED_OVER = frozenset((
    "settings", "step_operator", "experiment_tracker", "enable_artifact_metadata", "enable_artifact_visualization",
    "enable_step_logs", "secrets", "runtime", "heartbeat_healthy_threshold", "group", "cache_policy",
    "custom_step_operator", "output_types",
))  # fmt: skip

_OPTIONS = frozenset(inspect.signature(native.Step.with_options).parameters) - {"self"}


class Step(native.Step[..., Any]):
    """A function marked with ZenML's `@step`."""

    def with_options(self, **said: Any) -> Step:
        """The same step with other options; what says where it runs is passed over."""
        options = step_options(said, "@step")
        if isinstance(asked := options.get("output_materializers"), (Sequence, Mapping, type)):
            options["output_materializers"] = self._chosen(asked)
        changed = super().with_options(**options)
        assert isinstance(changed, Step)
        return changed

    def configure(self, **said: Any) -> Step:
        """Gives this step other options."""
        self.options = self.with_options(**said).options
        return self

    def with_return_materializers(self, materializers: Any) -> Step:
        """The same step whose outputs are stored by other materializers, as ZenML's first API said it."""
        return self.with_options(output_materializers=materializers)

    def after(self, step: Step) -> None:
        """Says in a pipeline of the first API, below the calls of both, that this step waits for another.

        Raises:
            DefinitionError: One of them has not been called.
        """
        nodes = getattr(building.current(), "nodes", {})
        for each in (self, step):
            if each.name not in nodes:
                raise DefinitionError(
                    f"{self.name}.after({step.name}) stands below the calls of both in a pipeline, and "
                    f"{each.name!r} was not called; or write {self.name}(…, after={step.name!r})."
                )
        nodes[self.name] = replace(nodes[self.name], after=nodes[self.name].after | {step.name})

    def copy(self) -> Step:
        """The same step."""
        return self.with_options()

    @cached_property
    def _written(self) -> Signature:
        """What the function takes and returns, but for the object of a method."""
        found = read_signature(getattr(self.function, "__func__", self.function))
        return replace(found, inputs=found.inputs[1:]) if inspect.ismethod(self.function) else found

    @cached_property
    def signature(self) -> Signature:
        """What the step takes and returns; a StepContext is no input, for it is the run's to give."""
        inputs = tuple(each for each in self._written.inputs if not _is_context(each.annotation))
        return replace(self._written, inputs=inputs)

    def called(self, arguments: Mapping[str, Any]) -> Any:
        """See `Step.called`; a step of the first API is given where it stands as an argument."""
        here = {each.name: get_step_context() for each in self._written.inputs if _is_context(each.annotation)}
        return super().called({**arguments, **here})

    @property
    def entrypoint(self) -> Callable[..., Any]:
        """The function itself."""
        return self.function

    def _of_dynamic_pipelines(self, *_: Any, **__: Any) -> Any:
        """Calls the step while the pipeline runs."""
        raise DefinitionError(
            f"Steps are called as a run goes on in ZenML's dynamic pipelines; here {self.name}.map([…]) and "
            f"{self.name}.map(product={{…}}) use a step once for each of what is known before."
        )

    submit = product = _of_dynamic_pipelines

    def _chosen(self, asked: Any) -> Any:
        """Output → its materializer; those that ZenML has itself stand for the built-in one of the value's type."""
        if isinstance(asked, type):
            return {} if _is_builtin(asked) else asked
        if isinstance(asked, Mapping):
            found = {name: self._first(each, Any) for name, each in asked.items()}
        else:
            found = {each.name: self._first(asked, each.annotation) for each in self.signature.outputs}
        return {name: each for name, each in found.items() if each is not None}

    def _first(self, asked: Any, annotation: Any) -> type[Materializer] | None:
        """The first of some materializers that fits an annotation."""
        several = asked if isinstance(asked, Sequence) else (asked,)
        bare = fit.bare(annotation)
        kind = typing.get_origin(bare) or bare
        for each in several:
            if not _is_builtin(each) and (
                len(several) == 1
                or (isinstance(kind, type) and any(issubclass(kind, known) for known in each.ASSOCIATED_TYPES))
            ):
                return each  # type: ignore[no-any-return]
        return None

    def fitted(self, value: Any, annotation: Any, what: str) -> Any:
        """An input as it is declared; a Series becomes a DataFrame of one column, as ZenML loads it, and back."""
        return super().fitted(_as_declared(value, fit.bare(annotation)), annotation, what)

    def coerced(self, value: Any, annotation: Any, what: str) -> Any:
        """A parameter as it is declared, as ZenML takes it."""
        return coerced(value, annotation, what)

    def returned(self, value: Any, annotation: Any, what: str) -> Any:
        """An output as it is declared, without what only the Client's answers have."""
        return super().returned(plain(value), annotation, what)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """See `artvcs.step`; ZenML's first API called a step without its inputs to name it."""
        if building.current() is None and self._is_named(args, kwargs):
            parameters = self._of_params(args, kwargs)
            return self.with_options(parameters=parameters) if parameters else self
        if building.current() is not None:
            args, kwargs = tuple(map(_given, args)), {name: _given(value) for name, value in kwargs.items()}
            if not any(isinstance(each, params_base()) for each in args):
                args, kwargs = self._placed(args, kwargs)
            kwargs = {**self._left_out(args, kwargs), **kwargs}
        return super().__call__(*args, **kwargs)

    def _is_named(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Whether this is the first API's `step()` outside of a pipeline: it is given parameters at most."""
        given = (*args, *kwargs.values())
        lacking = any(entry.default is MISSING for entry in self.signature.inputs)
        return (lacking or self._first_api) and all(isinstance(each, params_base()) for each in given)

    _first_api = False

    def _of_params(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(kwargs)
        names = self.parameter_inputs
        return {**found, **dict(zip(names, args, strict=False))}

    @property
    def parameter_inputs(self) -> dict[str, Any]:
        """Input → the class of its value, of those that are parameters of the first API."""
        found = {entry.name: fit.bare(entry.annotation) for entry in self.signature.inputs}
        return {name: kind for name, kind in found.items() if _is_params(kind)}

    def _placed(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Inputs by their place, of which parameters of the first API have none."""
        names = [entry.name for entry in self.signature.inputs if entry.name not in self.parameter_inputs]
        if len(names) == len(self.signature.inputs) or len(args) > len(names) or kwargs.keys() & names[: len(args)]:
            return args, kwargs
        return (), {**dict(zip(names, args, strict=False)), **kwargs}

    def _left_out(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters of the first API that are left out: their defaults."""
        inputs = self.signature.inputs[len(args) :]
        return {
            entry.name: fit.bare(entry.annotation)()
            for entry in inputs
            if entry.name not in kwargs and entry.name not in self.options.parameters and _is_params(entry.annotation)
        }


def _given(value: Any) -> Any:
    """What a step is given, as ours: responses are the versions that they are of, facts are plain."""
    if isinstance(value, (list, tuple)) and any(isinstance(each, ArtifactVersionResponse) for each in value):
        return [_given(each) for each in value]
    return value.found if isinstance(value, ArtifactVersionResponse) else plain(value)


def _as_declared(value: Any, declared: Any) -> Any:
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return value
    if declared is pandas.DataFrame and isinstance(value, pandas.Series):
        return value.to_frame()
    if declared is pandas.Series and isinstance(value, pandas.DataFrame) and value.shape[1] == 1:
        return value.iloc[:, 0]
    return value


def _is_builtin(cls: Any) -> bool:
    """Whether a materializer is one that ZenML has itself, or stands for one."""
    return is_absent(cls) or (
        isinstance(cls, type) and issubclass(cls, OfTheType) and cls.__module__.startswith("artvcs.zenml.")
    )


def step_options(said: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Options of ZenML's as they are called here.

    Raises:
        DefinitionError: One is unknown.
    """
    options = {name: value for name, value in passed_over(said, _PASSED_OVER, what).items() if value is not None}
    for name in ("on_failure", "on_success", "on_start", "on_end"):
        if isinstance(options.get(name), str):
            options[name] = sources.load(options[name])
    if unknown := sorted(set(options) - _OPTIONS):
        raise DefinitionError(f"{what} has no option {unknown[0]!r}{perhaps(unknown[0], _OPTIONS)}.")
    return options


@overload
def step(function: Callable[..., Any], /) -> Step: ...
@overload
def step(function: None = None, /, **options: Any) -> Callable[[Callable[..., Any]], Step]: ...
def step(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Marks a function as a step; see `artvcs.step`."""
    return make(Step, function, options)


def make(cls: type[Step], function: Callable[..., Any] | None, options: dict[str, Any]) -> Any:
    """A step of a class, or what makes one of the function that it is given."""
    if function is None:
        return functools.partial(make, cls, options=options)
    plain = cls(function, StepOptions())
    return plain.with_options(**options) if options else plain


@functools.cache
def params_base() -> type:
    """What the parameters of a step of the first API inherit from."""
    try:
        from pydantic import BaseModel
    except ImportError:
        return _NoParams

    class Annotating(type(BaseModel)):  # type: ignore[misc]
        """Says of a field that has only a value that it has its type, as the pydantic of that time did."""

        def __new__(cls, name: str, bases: tuple[type, ...], fields: dict[str, Any], **said: Any) -> Any:
            known = dict(fields.get("__annotations__", {}))
            for field, value in fields.items():
                plain = isinstance(value, (bool, int, float, str, bytes, list, tuple, dict, set, type(None)))
                if plain and not field.startswith("_") and field not in known and field != "model_config":
                    known[field] = Any if value is None else type(value)
            return super().__new__(cls, name, bases, {**fields, "__annotations__": known}, **said)

    made: type = Annotating(
        "BaseParameters", (BaseModel,), {"__module__": __name__, "__doc__": "Parameters of a step."}
    )
    return made


class _NoParams:
    """Stands for BaseParameters where pydantic is missing."""

    def __init_subclass__(cls) -> None:
        raise DefinitionError("BaseParameters needs pydantic; install artvcs[pydantic].")


def _is_context(annotation: Any) -> bool:
    bare = fit.bare(annotation)
    return isinstance(bare, type) and issubclass(bare, StepContext)


def _is_params(annotation: Any) -> bool:
    bare = fit.bare(annotation)
    return isinstance(bare, type) and issubclass(bare, params_base())
