"""What is noted, as ZenML's responses give it: ZenML 0.45 to 0.6x wrapped each fact, and code asks for its `.value`.

A fact is what it is, a float, a text, a list, and has a `.value` besides; stored, pickled or given to a step it is
plain again. True, False and None have none, for Python lets nothing else be these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _Valued(Generic[T]):
    """A fact that has a `.value`."""

    _kind: Callable[[Any], T]

    @property
    def value(self) -> T:
        """The fact itself, plain."""
        return self._kind(self)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return self._kind, (self.value,)


class _Float(_Valued[float], float):
    _kind = float


class _Int(_Valued[int], int):
    _kind = int


class Text(_Valued[str], str):
    """A text that has a `.value`."""

    _kind = str


class _List(_Valued[list[Any]], list[Any]):
    _kind = list


class _Tuple(_Valued[tuple[Any, ...]], tuple[Any, ...]):
    _kind = tuple


class _Dict(_Valued[dict[str, Any]], dict[str, Any]):
    _kind = dict


_OF: Mapping[type, type] = {float: _Float, int: _Int, str: Text, list: _List, tuple: _Tuple, dict: _Dict}


def valued(noted: Mapping[str, Any]) -> dict[str, Any]:
    """What is noted, each fact with a `.value`."""
    return {name: _OF[type(fact)](fact) if type(fact) in _OF else fact for name, fact in noted.items()}


def plain(value: Any) -> Any:
    """A value without facts that have a `.value`, also in what it holds; where there are none, the value itself."""
    if isinstance(value, _Valued):
        return plain(value.value)
    if type(value) in (list, tuple, set, frozenset):
        items = [plain(item) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else type(value)(items)
    if type(value) is dict:
        pairs = {plain(key): plain(item) for key, item in value.items()}
        same = all(a is b and value[a] is pairs[b] for a, b in zip(value, pairs, strict=True))
        return value if same else pairs
    return value
