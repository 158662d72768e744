"""Lists that are asked for with ZenML's conditions, page by page."""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from .._names.absent import not_here

T = TypeVar("T")

Facts = Mapping[str, Callable[[T], Any]]
"""What a list can be asked about: the name of a condition → what a thing has there; a tuple where it has several."""

_OF_SERVERS = frozenset(("hydrate", "project", "user", "scope_user", "expand"))
"""What there is only one of here, or no choice."""


class Page(list[T], Generic[T]):
    """One page of what was found.

    Attributes:
        total: How many were found in all.
        max_size: How many a page has at most.
    """

    def __init__(self, found: Sequence[T], *, index: int = 1, size: int | None = None) -> None:
        self.total = len(found)
        self.max_size = size or max(len(found), 1)
        super().__init__(found[(index - 1) * self.max_size :][: self.max_size])

    @property
    def items(self) -> list[T]:
        """All of the page."""
        return list(self)

    @property
    def total_pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // self.max_size))

    def _repr_html_(self) -> str:
        from artvcs.pipelines.history.tables import Runs, StepRuns, Versions
        from artvcs.pipelines.history.views import ArtifactVersion, PipelineRun, StepView

        things: list[Any] = [getattr(each, "found", each) for each in self]
        tables: tuple[tuple[type, Any], ...] = ((PipelineRun, Runs), (StepView, StepRuns), (ArtifactVersion, Versions))
        table = next((table for kind, table in tables if things and isinstance(things[0], kind)), None)
        shown: str = html.escape(repr(things)) if table is None else table(things)._repr_html_()
        return shown


def ours(said: Mapping[str, Any], function: Callable[..., Any], but: Iterable[str] = ()) -> dict[str, Any]:
    """Those of the conditions that a list of ours knows itself: by its names, and without an operator.

    Args:
        said: The conditions.
        function: The list of ours.
        but: Conditions that mean something else there.
    """
    names = inspect.signature(function).parameters.keys() - {*but, "limit", "sort"}
    return {
        name: value for name, value in said.items()
        if name in names and not isinstance(value, (list, tuple)) and _operator(value)[0] == "equals"
    }  # fmt: skip


def page(found: Iterable[T], said: Mapping[str, Any], facts: Facts[T], called: str) -> Page[T]:
    """Those that meet all conditions, in the order and from the page that is asked for.

    Args:
        found: All.
        said: Condition → what is asked; `sort_by`, `page` and `size` beside them.
        facts: What can be asked.
        called: How the list is called.

    Raises:
        NotHere: Something else is asked.
    """
    asked = {name: value for name, value in said.items() if value is not None and name not in _OF_SERVERS}
    index, size, order = asked.pop("page", 1), asked.pop("size", None), str(asked.pop("sort_by", ""))
    if asked.pop("logical_operator", "and") not in ("and", "AND"):
        not_here(f"{called}(logical_operator=…)")
    for name in asked:
        if name not in facts:
            not_here(f"{called}({name}=…)")
    rows = [each for each in found if all(_meets(facts[name](each), value) for name, value in asked.items())]
    way, _, key = order.rpartition(":")
    if key:
        if key not in facts:
            not_here(f"{called}(sort_by={order!r})")
        rows.sort(key=facts[key], reverse=way == "desc")
    return Page(rows, index=max(1, int(index)), size=None if size is None else max(1, int(size)))


_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": lambda has, asked: str(has) == asked,
    "notequals": lambda has, asked: str(has) != asked,
    "contains": lambda has, asked: asked in str(has),
    "startswith": lambda has, asked: str(has).startswith(asked),
    "endswith": lambda has, asked: str(has).endswith(asked),
    "oneof": lambda has, asked: str(has) in [each.strip(" '\"") for each in asked.strip("[]").split(",")],
    "gt": lambda has, asked: _ordered(has, asked) > 0,
    "gte": lambda has, asked: _ordered(has, asked) >= 0,
    "lt": lambda has, asked: _ordered(has, asked) < 0,
    "lte": lambda has, asked: _ordered(has, asked) <= 0,
}
"""ZenML's operators, as in `name="startswith:train"`."""


def _operator(value: Any) -> tuple[str, str]:
    way, colon, asked = str(getattr(value, "value", value)).partition(":")
    return (way, asked) if colon and way in _COMPARED else ("equals", f"{way}{colon}{asked}")


def _meets(has: Any, asked: Any) -> bool:
    if isinstance(asked, (list, tuple)):
        return all(_meets(has, each) for each in asked)
    way, text = _operator(asked)
    several = has if isinstance(has, tuple) else (has,)
    if way == "notequals":
        return all(_COMPARED[way](_plain(each), text) for each in several)
    return any(_COMPARED[way](_plain(each), text) for each in several)


def _plain(has: Any) -> Any:
    return getattr(has, "value", has)


def _ordered(has: Any, asked: str) -> int:
    """Less than 0, 0, or more, as what a thing has is before, at or behind what is asked."""
    if isinstance(has, datetime):
        there = datetime.fromisoformat(asked)
        there = there if there.tzinfo else there.replace(tzinfo=has.tzinfo)
        return (has > there) - (has < there)
    number = float(asked)
    return (float(has) > number) - (float(has) < number)
