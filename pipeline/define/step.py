"""The `@step` decorator: a function whose returned values become artifacts."""

from __future__ import annotations

import copy
import functools
import inspect
import types
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Generic, ParamSpec, TypeVar, overload

from ..errors import DefinitionError, ParameterError, perhaps
from ..fingerprint import Followed, follow
from ..trace import generators  # noqa: F401  # looks at Python's random numbers before they are seeded
from ..typing import coerce, fit
from ..values.materializers import Materializer, is_builtin
from . import building, mapping
from .model import Model
from .options.options import Hook, Retry, StepOptions, as_retry
from .options.policy import CachePolicy
from .options.resources import Resources, as_resources
from .signature import Signature, as_written, read_signature

P = ParamSpec("P")
T = TypeVar("T")


class Step(Generic[P, T]):
    """A function marked with `@step`.

    Called inside a `@pipeline` it becomes a node of the graph; called anywhere else it runs as a plain function.

    Attributes:
        function: The function itself.
        options: What was said about it besides its code.

    Raises:
        DefinitionError: The function cannot be a step.
    """

    __name__: str

    def __init__(self, function: Callable[P, T], options: StepOptions) -> None:
        if isinstance(function, (staticmethod, classmethod)) or not callable(function):
            raise DefinitionError("@step marks plain functions; put it below, not above, other decorators.")
        self.function = function
        self.options = options
        functools.update_wrapper(self, function)
        self._check_options()  # a step that cannot work says so where it is declared, not when it runs

    @property
    def name(self) -> str:
        """What the step is called."""
        return self.options.name or self.function.__name__

    @cached_property
    def signature(self) -> Signature:
        """What the step takes and returns."""
        return read_signature(self.function)

    def _check_options(self) -> None:
        outputs = {output.name for output in self.signature.outputs}
        if unknown := sorted(set(self.options.output_materializers) - outputs):
            raise DefinitionError(
                f"The step {self.name!r} has no output {unknown[0]!r} to give a materializer; it has {sorted(outputs)}."
            )
        inputs = {entry.name for entry in self.signature.inputs}
        if unknown := sorted(set(self.options.cache.ignore_inputs) - inputs):
            raise DefinitionError(
                f"The step {self.name!r} has no input {unknown[0]!r} to ignore; it has {sorted(inputs)}."
            )

        if unknown := sorted(set(self.options.parameters) - inputs):
            raise ParameterError(
                f"The step {self.name!r} has no input {unknown[0]!r}{perhaps(unknown[0], inputs)}; it has "
                f"{', '.join(sorted(inputs)) or 'none'}."
            )

    def code(self) -> Followed:
        """The step's code, followed as far as its cache policy says that code counts."""
        asked = {cls for cls in self.options.output_materializers.values() if not is_builtin(cls)}
        also: tuple[Any, ...] = tuple(sorted(asked, key=lambda cls: cls.NAME))
        if type(self.options.on_start) is types.FunctionType:
            also += (self.options.on_start,)  # it may prepare what the step then uses
        return follow(self.function, reach=self.options.cache.code, also=also)

    def __cache_identity__(self) -> Any:
        """What code depends on that holds this step: the function, which it then calls. See `values.identity`."""
        return (self.function, dict(self.options.parameters)) if self.options.parameters else self.function

    def with_options(
        self,
        *,
        name: str | None = None,
        enable_cache: bool | None = None,
        cache: CachePolicy | None = None,
        cache_policy: CachePolicy | None = None,
        retry: Retry | Mapping[str, Any] | int | None = None,
        timeout: float | None = None,
        resources: Resources | Mapping[str, Any] | None = None,
        substitutions: Mapping[str, str] | None = None,
        output_materializers: Any = None,
        on_start: Hook | None = None,
        on_end: Hook | None = None,
        on_success: Hook | None = None,
        on_failure: Hook | None = None,
        model: Model | None = None,
        parameters: Mapping[str, Any] | None = None,
        extra: Mapping[str, Any] | None = None,
        environment: Mapping[str, Any] | None = None,
    ) -> Step[P, T]:
        """The same step with other options; what is not said stays as it is. See `StepOptions`.

        Raises:
            DefinitionError: An option has an impossible value.
        """
        said = dict(
            name=name, enable_cache=enable_cache, cache=cache or cache_policy, retry=as_retry(retry), timeout=timeout,
            resources=as_resources(resources),
            substitutions=substitutions, on_start=on_start, on_end=on_end, on_success=on_success,
            on_failure=on_failure, model=model, parameters=parameters, extra=extra, environment=environment,
            output_materializers=self._materializers(output_materializers),
        )  # fmt: skip
        return self._with(self.options.override(**said))

    def _with(self, options: StepOptions) -> Step[P, T]:
        changed = copy.copy(self)  # the signature was read already, from the source: that takes a while
        changed.options = options
        changed._check_options()
        return changed

    def _materializers(self, asked: Any) -> Mapping[str, type[Materializer]] | None:
        if isinstance(asked, type) and issubclass(asked, Materializer):
            return {output.name: asked for output in self.signature.outputs}
        if asked is not None and not isinstance(asked, Mapping):
            raise DefinitionError("output_materializers takes a Materializer class, or a dictionary of output names.")
        return asked

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Adds a node to the pipeline being built, or runs the function where none is.

        In a pipeline two more keywords are known: `id` for the invocation id, and `after` for what must end first.
        """
        built = building.current()
        if built is None:
            if self.options.parameters:
                given = inspect.signature(self.function).bind_partial(*args, **kwargs).arguments
                kwargs = {**{k: v for k, v in self.options.parameters.items() if k not in given}, **kwargs}  # type: ignore[assignment]
            return self.function(*args, **kwargs)
        inputs = {entry.name for entry in self.signature.inputs}
        extra = {name: kwargs.pop(name, None) for name in ("id", "after") if name not in inputs}
        handles: T = built.add(self, args, kwargs, id=extra.get("id"), after=extra.get("after"))
        return handles

    def map(self, *args: Any, product: Mapping[str, Iterable[Any]] | None = None, **kwargs: Any) -> Any:
        """Uses the step once for each item of a list: `scores = score.map(models, data=data)`.

        Inputs that are lists, tuples or ranges go in step with each other; all others are the same for every item, as
        is a list in `unmapped(…)`. Each item is executed, reused and may fail by itself.

        Args:
            *args: Inputs by their position.
            product: Input → values: an item for each combination of them.
            **kwargs: Inputs by their name; in a pipeline also `after`, and `id` for the first item.

        Returns:
            A list of what each item returns, in their order; of a step with several outputs a tuple of such lists.
            Another step, or another `.map`, takes it.

        Raises:
            DefinitionError: There is nothing to map, lists differ in length, or an input is unknown.
        """
        inputs = {entry.name for entry in self.signature.inputs}
        extra = {name: kwargs.pop(name, None) for name in ("id", "after") if name not in inputs}
        calls = mapping.calls(self.name, self.signature, args, kwargs, product)
        built = building.current()
        if built is None:
            return mapping.transposed([self(**call) for call in calls], self.signature)  # type: ignore[call-arg]
        made = built.add_all(self, calls, id=extra.get("id"), after=extra.get("after"))
        return mapping.transposed(made, self.signature)

    def called(self, arguments: Mapping[str, Any]) -> Any:
        """What the function returns for its inputs: how a run calls it."""
        return self.function(**arguments)  # type: ignore[call-arg]

    def coerced(self, value: Any, annotation: Any, what: str) -> Any:
        """A parameter as it is declared. Raises ParameterError where it cannot be that."""
        return coerce.coerce(value, annotation, what)

    def fitted(self, value: Any, annotation: Any, what: str) -> Any:
        """An input as it is declared. Raises TypeMismatch where it does not fit."""
        return fit.check(value, annotation, what)

    def returned(self, value: Any, annotation: Any, what: str) -> Any:
        """An output as it is declared. Raises TypeMismatch where it does not fit."""
        return fit.check(value, annotation, what)

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        def facts() -> list[tuple[str, str]]:
            takes = [as_written(entry) for entry in self.signature.inputs]
            makes = [output.config.name or output.name for output in self.signature.outputs]
            return [("takes", ", ".join(takes) or "nothing"), ("makes", ", ".join(makes) or "nothing")]

        return cards.definition_card(f"step {self.name}", facts)

    def __repr__(self) -> str:
        return f"<step {self.name}>"


@overload
def step(function: Callable[P, T], /) -> Step[P, T]: ...
@overload
def step(function: None = None, /, **options: Any) -> Callable[[Callable[P, T]], Step[P, T]]: ...
def step(function: Callable[P, T] | None = None, /, **options: Any) -> Any:
    """Marks a function as a step: `@step`, or `@step(name=..., retry=..., ...)`.

    Args:
        function: The function, when used without parentheses.
        **options: As `Step.with_options` takes them.

    Raises:
        DefinitionError: The function cannot be a step, or an option is impossible.
    """
    if function is None:
        return functools.partial(_make_step, options=options)
    return _make_step(function, options=options)


def _make_step(function: Callable[P, T], options: dict[str, Any]) -> Step[P, T]:
    plain: Step[P, T] = Step(function, StepOptions())
    if not options:
        return plain
    known = inspect.signature(plain.with_options).parameters
    if unknown := [name for name in options if name not in known]:
        hint = perhaps(unknown[0], known)
        raise DefinitionError(
            f"@step on {function.__name__!r} has no option {unknown[0]!r}{hint}; it has {', '.join(known)}."
        )
    return plain.with_options(**options)
