"""Parameters: from JSON data, or text on the command line, to what a step's annotation says.

`coerce` is strict where guessing would hide a mistake: text never comes from a number, a bool only
from a bool, and no number from text. The way back to plain data is `plain.to_plain`.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence, MutableSet, Set
from contextlib import suppress
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any
from uuid import UUID

from ..errors import ParameterError
from .encode import constructed, is_model, to_plain
from .fit import (
    NUMBERS,
    Misfit,
    accepts_all,
    bare,
    capitalised,
    describe,
    first_fit,
    fit,
    fit_at,
    fit_literal,
    fit_number,
    is_container,
    spell,
)

__all__ = ["coerce", "parse_text", "to_plain"]

# What a list of JSON becomes under each annotation.
_FROM_LIST: dict[Any, Any] = {
    list: list,
    MutableSequence: list,
    tuple: tuple,
    set: set,
    MutableSet: set,
    frozenset: frozenset,
    Set: frozenset,
}
_FROM_DICT = (dict, Mapping, MutableMapping)
# What is made from one value of JSON: the type, what it is made from, and how.
_READERS: tuple[tuple[type, tuple[type, ...], Callable[[Any, Any], Any]], ...] = (
    (PurePath, (str,), lambda cls, text: cls(text)),
    (date, (str,), lambda cls, text: cls.fromisoformat(text)),  # and `datetime`, which is a date
    (time, (str,), lambda cls, text: cls.fromisoformat(text)),
    (timedelta, (int, float), lambda cls, seconds: cls(seconds=seconds)),
    (Decimal, (str, int), lambda cls, number: cls(number)),  # a float's digits are not those written
    (UUID, (str,), lambda cls, text: cls(text)),
)


def coerce(value: Any, annotation: Any, what: str) -> Any:
    """Turns a parameter given as JSON data into what its annotation says.

    An int becomes a float, a list a tuple or a set, text an enum member, a `Path`, a `datetime`, a
    `Decimal` or a `UUID`, a dict a dataclass or a pydantic model, and so on inside containers. What
    already has its type passes unchanged; a union prefers the member that needs no change.

    Args:
        value: What was given.
        annotation: The declared type.
        what: The parameter's name in a message, as in "parameter 'rate' of step 'train'".

    Raises:
        ParameterError: The value cannot be what the annotation says.
    """
    try:
        return _coerce(value, annotation)
    except Misfit as misfit:
        raise _refusal(misfit, annotation, what) from None


def parse_text(text: str, annotation: Any, what: str = "the value") -> Any:
    """A parameter written on the command line.

    Text stays text where that is declared. Elsewhere it is read as JSON; where that does not fit, as
    the text it is (`2024` for a `Path`), and at last as Python writes it (`True`, `.5`).

    Args:
        text: What was written.
        annotation: The parameter's type.
        what: The parameter's name in a message.

    Raises:
        ParameterError: No reading fits the annotation.
    """
    try:
        return _read_text(text, annotation)
    except Misfit as misfit:
        raise _refusal(misfit, annotation, what) from None


def _refusal(misfit: Misfit, annotation: Any, what: str) -> ParameterError:
    return ParameterError(
        f"{capitalised(what)} must be {spell(annotation)}, but {misfit}; give a value of the declared type."
    )


def _read_text(text: str, annotation: Any) -> Any:
    if bare(annotation) is str:
        return text
    misfits = []
    for reading in _readings(text):
        try:
            return _coerce(reading, annotation)
        except Misfit as misfit:
            misfits.append(misfit)
    raise misfits[0]


def _readings(text: str) -> list[Any]:
    readings: list[Any] = [text]
    with suppress(ValueError, RecursionError):
        readings.insert(0, json.loads(text))
    with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        readings.append(ast.literal_eval(text))
    return readings


def _coerce(value: Any, annotation: Any) -> Any:
    annotation = bare(annotation)
    if accepts_all(annotation):
        return value
    origin = typing.get_origin(annotation) or annotation
    if origin in (typing.Union, types.UnionType):
        return first_fit(value, annotation, _coerce)
    if origin is typing.Literal:
        return fit_literal(value, annotation)
    if is_container(origin) and issubclass(origin, Iterable):
        if origin in _FROM_DICT and type(value) is dict:
            return _coerce_dict(value, *(typing.get_args(annotation) or (Any, Any)))
        if type(value) in (list, tuple, set, frozenset):
            return _coerce_items(value, origin, annotation)
        # Text is a sequence of texts, but who declares several and gives one made a mistake.
        if isinstance(value, str) and origin is not str:
            raise Misfit(spell(annotation), describe(value))
    if isinstance(annotation, type):
        return _coerce_class(value, annotation)
    return fit(value, annotation)


def _coerce_dict(value: dict[Any, Any], of_keys: Any, of_values: Any) -> Any:
    coerced = {
        _coerce_key(key, of_keys): fit_at(f"the value of key {key!r}", item, of_values, _coerce)
        for key, item in value.items()
    }
    if len(coerced) < len(value):
        raise Misfit(f"a dict with keys of type {spell(of_keys)}", "a dict that has one key twice")
    return _unless_same(value, coerced)


def _coerce_key(key: Any, annotation: Any) -> Any:
    try:
        return _coerce(key, annotation)
    except Misfit as misfit:
        if isinstance(key, str):  # JSON has no other keys: `{"1": 0.5}` is how it writes a dict[int, float]
            return fit_at(f"the key {key!r}", key, annotation, _read_text)
        raise misfit.inside(f"the key {key!r}") from None


def _unless_same(old: dict[Any, Any], new: dict[Any, Any]) -> dict[Any, Any]:
    pairs = zip(old.items(), new.items(), strict=True)
    return old if all(a[0] is b[0] and a[1] is b[1] for a, b in pairs) else new


def _coerce_items(items: Any, origin: type, annotation: Any) -> Any:
    target: Any = type(items) if isinstance(items, origin) else _FROM_LIST.get(origin)
    if target is None or (isinstance(items, Set) and not issubclass(target, Set)):
        raise Misfit(spell(annotation), describe(items))  # the order of a set is an accident
    wanted = typing.get_args(annotation) or (Any, ...)
    if origin is not tuple or Ellipsis in wanted:
        wanted = (wanted[0],) * len(items)
    if len(wanted) != len(items):
        raise Misfit(spell(annotation), f"{describe(items)} of {len(items)}")
    pairs = enumerate(zip(items, wanted, strict=True))
    coerced = [fit_at(f"item {i}", item, each, _coerce) for i, (item, each) in pairs]
    if target is type(items) and all(old is new for old, new in zip(items, coerced, strict=True)):
        return items
    return constructed(target, items, lambda: target(coerced))


def _coerce_class(value: Any, cls: Any) -> Any:
    if cls in NUMBERS:
        return fit_number(value, cls)
    if typing.is_typeddict(cls):
        return _coerce_typed_dict(value, cls)
    try:
        return fit(value, cls)
    except Misfit:
        if issubclass(cls, enum.Enum):
            return _coerce_enum(value, cls)
        if dataclasses.is_dataclass(cls) and isinstance(value, dict):
            return _coerce_dataclass(value, cls)
        if is_model(cls) and isinstance(value, dict):
            return constructed(cls, value, lambda: cls.model_validate(value))
        readers = [each for each in _READERS if issubclass(cls, each[0]) and type(value) in each[1]]
        if not readers:
            raise
        return constructed(cls, value, lambda: readers[0][2](cls, value))


def _coerce_enum(value: Any, cls: Any) -> Any:
    for member in cls:
        if type(member.value) is type(value) and member.value == value:
            return member
    if isinstance(value, str) and value in cls.__members__:
        return cls[value]
    if issubclass(cls, enum.Flag) and type(value) is int:
        return constructed(cls, value, lambda: cls(value))
    raise Misfit(spell(cls), f"{describe(value)}, none of {', '.join(cls.__members__)}")


def _coerce_typed_dict(value: Any, cls: Any) -> Any:
    hints = _hints(cls)
    origins = {key: typing.get_origin(hint) for key, hint in hints.items()}
    # Where annotations are text, Python itself takes a NotRequired key for a required one.
    optional = {key for key, origin in origins.items() if origin is typing.NotRequired}
    required = {key for key, origin in origins.items() if origin is typing.Required}
    required |= cls.__required_keys__ - optional
    return _unless_same(value, _coerce_fields(value, cls, hints, required))


def _coerce_dataclass(value: dict[Any, Any], cls: Any) -> Any:
    hints = _hints(cls)
    fields = [field for field in dataclasses.fields(cls) if field.init]
    missing = dataclasses.MISSING
    required = {f.name for f in fields if f.default is missing and f.default_factory is missing}
    known = {field.name: hints.get(field.name, Any) for field in fields}
    arguments = _coerce_fields(value, cls, known, required)
    return constructed(cls, value, lambda: cls(**arguments))


def _coerce_fields(value: Any, cls: Any, known: Mapping[str, Any], required: Set[str]) -> dict[str, Any]:
    if type(value) is not dict:
        raise Misfit(spell(cls), describe(value))
    for key in value:
        if key not in known:
            raise Misfit(spell(cls), f"a dict with the unknown key {key!r}")
    for key in sorted(required - value.keys()):
        raise Misfit(spell(cls), f"a dict without the key {key!r}")
    return {key: fit_at(f"the value of key {key!r}", item, known[key], _coerce) for key, item in value.items()}


def _hints(cls: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except Exception:  # a name that cannot be resolved: the fields stay as they are given
        return dict.fromkeys(cls.__annotations__, Any)
