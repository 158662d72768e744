"""The graph that a `@pipeline` function builds: which step takes what from where.

While the function runs, calling a step adds a node and returns handles of its outputs; nothing is executed yet.
"""

from __future__ import annotations

import graphlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import DefinitionError, ParameterError, perhaps
from ..typing import encode
from ..typing.fit import capitalised
from ..units import count
from . import naming
from .handles import Source, StepOutput
from .options.options import PipelineOptions
from .options.settings import StepSettings
from .signature import MISSING
from .step import Step

_NOTHING: Mapping[str, tuple[Source, ...]] = {}
_NONE: frozenset[str] = frozenset()
"""Of nothing one is enough: there may be a hundred thousand nodes."""


@dataclass(frozen=True, slots=True)
class Node:
    """One use of a step.

    Attributes:
        id: Invocation id, unique in the pipeline.
        step: The step, with its options.
        sources: Input name → where its artifacts come from.
        lists: Inputs that are a list of artifacts, even of one.
        params: Parameter name → value, coerced to its annotation.
        after: Invocations that must end first, data or not.
        group: The first item's id, where this is an item of a `step.map`.
    """

    id: str
    step: Step[Any, Any]
    sources: Mapping[str, Sequence[Source]]
    lists: frozenset[str]
    params: Mapping[str, Any]
    after: frozenset[str]
    group: str | None = None

    @property
    def upstream(self) -> frozenset[str]:
        """All invocations that must end before this one starts."""
        if not self.sources:
            return self.after
        taken = (source for sources in self.sources.values() for source in sources)
        return self.after | {source.invocation for source in taken if isinstance(source, StepOutput)}


class Graph:
    """The nodes of one pipeline, by invocation id, in the order in which they were called.

    Attributes:
        name: The pipeline's name.
        options: What is said about the pipeline besides its code.
    """

    def __init__(self, name: str, options: PipelineOptions) -> None:
        self.name = name
        self.options = options
        self.nodes: dict[str, Node] = {}
        self._settings = options.steps
        self._handles: set[StepOutput] = set()
        self._uses: Counter[str] = Counter()

    def add(
        self,
        step: Step[Any, Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        id: Any,  # noqa: A002
        after: Any,
        group: str | None = None,
    ) -> Any:
        """Adds one use of a step; returns what its caller gets: a handle, or a tuple of handles.

        Raises:
            DefinitionError: The id is taken, or an input is of another pipeline.
            InvalidName: The id is no name.
            ParameterError: An input is missing, unknown, or not fit to be a parameter.
        """
        invocation = self._next_id(step.name) if id is None else self._checked_id(id)
        said = self._said_of(step.name, invocation)
        step = step.with_options(**said.options) if said.options else step
        if around := self.options.environment:
            step = step.with_options(environment={**around, **step.options.environment})
        node = replace(_make_node(invocation, step, _bind(step, args, kwargs, said), after, said), group=group)
        self._refuse_strangers(node)
        self.nodes[invocation] = node
        names: list[str | None] = [output.name for output in step.signature.outputs]
        handles = tuple(StepOutput(invocation, name) for name in names or [None])
        self._handles.update(handles)
        return handles[0] if step.signature.single or not step.signature.outputs else handles

    def add_all(
        self,
        step: Step[Any, Any],
        calls: Sequence[dict[str, Any]],
        *,
        id: Any,  # noqa: A002
        after: Any,
    ) -> list[Any]:
        """Adds a use of a step for each of some inputs; returns what `add` would of each. Raises as `add`.

        The first gets the id, if one is given; the others are numbered.
        """
        first = self._next_id(step.name) if id is None else self._checked_id(id)
        return [
            self.add(step, (), call, id=naming.invocation_id(first, self.nodes, number), after=after, group=first)
            for number, call in enumerate(calls, start=1)
        ]

    @property
    def groups(self) -> dict[str, list[str]]:
        """The items of each `step.map`: the first one's id → the ids of all."""
        found: dict[str, list[str]] = {}
        for node in self.nodes.values():
            if node.group is not None:
                found.setdefault(node.group, []).append(node.id)
        return found

    def _said_of(self, step: str, invocation: str) -> StepSettings:
        """What is said about a use of a step: what is said of that use goes before what is said of the step."""
        said = self._settings.get(step, StepSettings())
        return said.override(self._settings[invocation]) if invocation in self._settings else said

    def close(self) -> None:
        """No more steps come. Raises DefinitionError where something is said about what is not there."""
        self._handles.clear()
        known = {name for node in self.nodes.values() for name in (node.id, node.step.name)}
        for name, said in self._settings.items():
            if name not in known:
                raise DefinitionError(
                    f"{said.origin}: there is no step {name!r}{perhaps(name, known)}; the pipeline has "
                    f"{', '.join(self.nodes)}."
                )

    def _next_id(self, step: str) -> str:
        self._uses[step] += 1
        return naming.invocation_id(step, self.nodes, self._uses[step])

    def _checked_id(self, id_: object) -> str:
        if not isinstance(id_, str):
            raise DefinitionError(f"id={id_!r} is no name; give text.")
        if id_ in self.nodes:
            raise DefinitionError(f"Two steps have the id {id_!r}; give each its own.")
        return naming.check_name(id_, "step id")

    def _refuse_strangers(self, node: Node) -> None:
        for source in (each for sources in node.sources.values() for each in sources):
            if isinstance(source, StepOutput) and source not in self._handles:
                raise DefinitionError(
                    f"The step {node.id!r} takes an output of {source.invocation!r} from another pipeline; load that "
                    "with Client().get_artifact_version(...)."
                )

    def order(self) -> list[str]:
        """Invocation ids such that each comes after all it waits for.

        Raises:
            DefinitionError: Steps wait for each other in a circle, or for one that is not there.
        """
        for id_, node in self.nodes.items():
            if strangers := sorted(each for each in node.upstream if each not in self.nodes):
                hint = perhaps(strangers[0], self.nodes)
                raise DefinitionError(
                    f"The step {id_!r} waits for {strangers[0]!r}, which is not in this pipeline{hint}; "
                    "call that step, or leave it out of `after`."
                )
        try:
            return list(self.sorter().static_order())
        except graphlib.CycleError as error:
            circle = " → ".join(reversed(error.args[1]))
            raise DefinitionError(
                f"These steps wait for each other in a circle: {circle}; remove an `after`."
            ) from None

    def sorter(self) -> graphlib.TopologicalSorter[str]:
        """Hands out invocation ids as soon as what they wait for is done, where there is an `order`."""
        return graphlib.TopologicalSorter({node.id: node.upstream for node in self.nodes.values()})


def _bind(step: Step[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any], said: StepSettings) -> dict[str, Any]:
    inputs = step.signature.inputs
    names = [entry.name for entry in inputs]
    if len(args) > len(names):
        takes = count(len(names), "input")
        raise ParameterError(f"The step {step.name!r} takes {takes} but got {len(args)}; remove some.")
    given = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name not in names:
            hint, known = perhaps(name, names), ", ".join(names) or "none"
            raise ParameterError(f"The step {step.name!r} has no input {name!r}{hint}; it has {known}.")
        if name in given:
            raise ParameterError(f"The step {step.name!r} got the input {name!r} twice; give it once.")
        given[name] = value
    for name, value in said.parameters.items():
        if name not in names:
            hint, known = perhaps(name, names), ", ".join(names) or "none"
            raise ParameterError(f"{said.origin}: the step {step.name!r} has no input {name!r}{hint}; it has {known}.")
        if _is_artifact(given.get(name)):
            raise ParameterError(
                f"{said.origin}: the input {name!r} of step {step.name!r} is an artifact in this pipeline, and no "
                "parameter; leave it out."
            )
        given[name] = value
    for name, value in step.options.parameters.items():
        given.setdefault(name, value)
    for entry in inputs:
        if entry.name not in given:
            if entry.default is MISSING:
                is_method = entry is inputs[0] and entry.name in ("self", "cls")
                advice = "steps are functions, and no methods" if is_method else "give it a value"
                raise ParameterError(f"The step {step.name!r} needs the input {entry.name!r}; {advice}.")
            given[entry.name] = entry.default
    return given


def _is_artifact(value: Any) -> bool:
    return isinstance(value, Source) or (
        isinstance(value, (list, tuple)) and any(isinstance(each, Source) for each in value)
    )


def _make_node(invocation: str, step: Step[Any, Any], given: dict[str, Any], after: Any, said: StepSettings) -> Node:
    sources: dict[str, tuple[Source, ...]] = {}
    lists, params = set(), {}
    annotations = {entry.name: entry.annotation for entry in step.signature.inputs}
    for name, value in given.items():
        what = f"the input {name!r} of step {step.name!r}"
        what = f"{what} ({said.origin})" if name in said.parameters else what
        if isinstance(value, Source):
            sources[name] = (_not_empty(value, what),)
        elif isinstance(value, (list, tuple)) and any(isinstance(item, Source) for item in value):
            if not all(isinstance(item, Source) for item in value):
                raise ParameterError(f"In {what} artifacts and plain values are mixed; pass them as two inputs.")
            sources[name] = tuple(_not_empty(item, what) for item in value)
            lists.add(name)
        elif (hidden := _hidden_source(value)) is not None:
            raise ParameterError(
                f"{capitalised(what)} hides {hidden!r} in a {type(value).__name__}; an artifact is given by "
                "itself or in a list of artifacts."
            )
        else:
            params[name] = step.coerced(value, annotations[name], what)
            encode.to_plain(params[name], what)
    waits = frozenset(_after_ids(after)) or _NONE
    return Node(invocation, step, sources or _NOTHING, frozenset(lists) or _NONE, params, waits)


def _hidden_source(value: Any) -> Source | None:
    """A source somewhere inside a container, where it would pass for plain data."""
    if isinstance(value, Source):
        return value
    inside: Any = ()
    if isinstance(value, dict):
        inside = (*value, *value.values())
    elif isinstance(value, (list, tuple, set, frozenset)):
        inside = value
    return next((found for item in inside if (found := _hidden_source(item)) is not None), None)


def _not_empty(source: Source, what: str) -> Source:
    if isinstance(source, StepOutput) and source.output is None:
        raise DefinitionError(
            f"{capitalised(what)} is what {source.invocation!r} returns, but that returns nothing; use "
            f"after={source.invocation!r} to order steps without data."
        )
    return source


def _after_ids(after: Any) -> Iterator[str]:
    if after is None:
        return
    for item in after if isinstance(after, (list, tuple, set, frozenset)) else [after]:
        if isinstance(item, tuple):
            yield from _after_ids(item)
        elif isinstance(item, StepOutput):
            yield item.invocation
        elif isinstance(item, str):
            yield item
        else:
            raise DefinitionError(f"after={item!r} is not a step; give what a step returned, or its id.")
