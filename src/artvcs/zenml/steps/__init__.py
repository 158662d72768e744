"""ZenML's steps as its first API had them: a step was called without its inputs, and that gave the step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, overload

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


StepContext = contexts.StepContext
BaseStep = Step


def __getattr__(name: str) -> Any:
    if name in ("BaseParameters", "BaseStepConfig"):
        return params_base()
    return finder.look_up(__name__, name)


__all__ = ["BaseStep", "FirstStep", "Output", "Step", "StepContext", "step"]
