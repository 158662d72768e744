"""One step over many inputs: which calls `step.map(…)` stands for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import DefinitionError, perhaps
from ..units import count
from .handles import StepOutput
from .signature import Signature


@dataclass(frozen=True)
class Unmapped:
    """An input that all items get as it is, though it is a list. `unmapped` makes it."""

    value: Any


def unmapped(value: Any) -> Any:
    """Has all items of a `step.map(…)` get a list as it is: `fit.map(seeds, columns=unmapped(["x", "y"]))`."""
    return Unmapped(value)


def calls(
    name: str, signature: Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any],
    product: Mapping[str, Iterable[Any]] | None,
) -> list[dict[str, Any]]:  # fmt: skip
    """The inputs of each item.

    Lists go in step with each other: the first item gets the first of each. All else is the same for every item.

    Args:
        name: The step's name.
        signature: What it takes.
        args: Inputs by their position.
        kwargs: Inputs by their name.
        product: Input → values: an item for each combination.

    Raises:
        DefinitionError: There is nothing to map, or lists of different lengths; or an input is unknown, or given twice.
    """
    names = [entry.name for entry in signature.inputs]
    if len(args) > len(names):
        raise DefinitionError(f"The step {name!r} takes {count(len(names), 'input')} but .map got {len(args)}.")
    given = dict(zip(names, args, strict=False))
    for each, value in [*kwargs.items(), *(product or {}).items()]:
        if each not in names:
            known = ", ".join(names) or "none"
            raise DefinitionError(f"The step {name!r} has no input {each!r}{perhaps(each, names)}; it has {known}.")
        if each in given:
            raise DefinitionError(f"The step {name!r} got the input {each!r} twice; give it once.")
        given[each] = value
    crossed = {each: _listed(name, each, given.pop(each)) for each in product or ()}
    listed = {each: value for each, value in given.items() if isinstance(value, (list, tuple, range))}
    lengths = {each: len(value) for each, value in listed.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{each} has {length}" for each, length in lengths.items())
        raise DefinitionError(f"The lists that {name}.map takes differ in length: {told}; wrap one in unmapped(…).")
    if not listed and not crossed:
        made = next((each for each, value in given.items() if isinstance(value, StepOutput)), None)
        if made is not None:
            raise DefinitionError(
                f"{name}.map takes a list that is there before the run, of which the length is known, and {made!r} is "
                f"what a step will return; make that list in the pipeline, or call {name}(…) once with the whole."
            )
        raise DefinitionError(f"{name}.map takes a list for at least one input; call {name}(…) for a single item.")
    fixed = {each: value for each, value in given.items() if each not in listed}
    fixed = {each: value.value if isinstance(value, Unmapped) else value for each, value in fixed.items()}
    rows: Iterable[tuple[Any, ...]] = zip(*listed.values(), strict=True) if listed else [()]
    together = list(itertools.product(*crossed.values()))
    return [
        {**fixed, **dict(zip(listed, row, strict=True)), **dict(zip(crossed, each, strict=True))}
        for row in rows
        for each in together
    ]


def _listed(step: str, name: str, values: Any) -> list[Any]:
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise DefinitionError(f"{step}.map(product=…): {name} is {values!r}; give the values to combine, in a list.")
    return list(values)


def transposed(results: list[Any], signature: Signature) -> Any:
    """What `.map` returns: a list, or of a step with several outputs a tuple of lists."""
    if signature.single or not signature.outputs:
        return results
    return tuple([each[position] for each in results] for position in range(len(signature.outputs)))
