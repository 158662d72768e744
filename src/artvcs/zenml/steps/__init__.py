"""ZenML's steps as its first API had them: a step was called without its inputs, and that gave the step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, overload

from artvcs.pipelines.define.options.options import StepOptions
from artvcs.pipelines.errors import DefinitionError

from .._meaning import contexts
from .._meaning.steps import Step, make, params_base
from .._names import finder


class FirstStep(Step):
    """A step of the first API: where no pipeline is built, calling it without inputs gives the step itself."""

    _first_api = True


@overload
def step(function: Callable[..., Any], /) -> Step: ...
@overload
def step(function: None = None, /, **options: Any) -> Callable[[Callable[..., Any]], Step]: ...
def step(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Marks a function as a step; see `artvcs.step`."""
    return make(FirstStep, function, options)


def Output(**outputs: Any) -> Any:  # noqa: N802 (what ZenML called it)
    """What the first API annotates several outputs with: name → type."""
    named = tuple(Annotated[kind, name] for name, kind in outputs.items())
    return named[0] if len(named) == 1 else tuple[named]  # type: ignore[valid-type]


class BaseStep:
    """A step of the first API as a class: what its `entrypoint` does is the step; making one gives that step."""

    def __new__(cls, *parameters: Any, **named: Any) -> Any:
        """The step, with parameters where it is given any. Raises DefinitionError where it does nothing."""
        made = super().__new__(cls)
        entrypoint = getattr(made, "entrypoint", None)
        if entrypoint is None:
            raise DefinitionError(f"{cls.__name__} has no entrypoint; write one, or a function with @step.")
        found = _MethodStep(entrypoint, StepOptions())
        return found.with_options(name=cls.__name__)(*parameters, **named)


class _MethodStep(FirstStep):
    """A step whose function is a method of a class of the user's own."""

    def __cache_identity__(self) -> Any:
        return (type(getattr(self.function, "__self__", None)), dict(self.options.parameters))


StepContext = contexts.StepContext
STEP_ENVIRONMENT_NAME = "step_environment"
StepEnvironment = StepContext


def __getattr__(name: str) -> Any:
    if name in ("BaseParameters", "BaseStepConfig"):
        return params_base()
    return finder.look_up(__name__, name)


__all__ = ["BaseStep", "FirstStep", "Output", "Step", "StepContext", "step"]
