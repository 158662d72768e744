"""Typed values inside canonical JSON: what JSON confuses or lacks is written with its type.

`1`, `1.0` and `True` differ, and so do `[1]`, `(1,)` and `{1}`. Strings, booleans, None, integers,
lists and dictionaries in the order of their string keys are written as JSON; everything else as an object with one key
that starts with `$`. Described in docs/format/objects.md.
"""

from __future__ import annotations

import base64
import reprlib
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from ..errors import DamagedError
from . import canonical
from .limits import MAX_ALIKE, MAX_DIGITS, MAX_FLOAT, MAX_INT, MAX_KEY_DEPTH, MAX_VALUE_DEPTH

Json = Any

_TOO_LONG = 10**MAX_DIGITS


def encode(value: Any) -> Json:
    """Turns a plain Python value into canonical JSON data that remembers its types.

    Supports None, bool, int, float, str, bytes, list, tuple, dict, set and frozenset, nested.

    Raises:
        TypeError: `value` holds anything else.
        ValueError: `value` holds text that is not valid Unicode or an integer that is too long, or is nested too deeply
            (or in itself).
    """
    try:
        return _encode(value, MAX_VALUE_DEPTH)
    except RecursionError:  # whoever called had recursed far already
        raise ValueError("it is nested too deeply") from None


def _encode(value: Any, room: int) -> Json:
    """The encoding of a value that may take so many more levels of JSON."""
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return value
    if kind is int:
        return value if abs(value) <= MAX_INT else {"$int": _digits(value)}
    if kind is float:
        return {"$float": repr(value)}
    if kind is bytes:
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    if room <= 0:
        raise ValueError("it is nested too deeply")
    if kind is list:
        return [_encode(item, room - 1) for item in value]
    if kind is dict:
        return _encode_dict(value, room)
    if kind is tuple:
        return {"$tuple": [_encode(item, room - 2) for item in value]}
    if kind in (set, frozenset):
        items = [_encode(item, min(room - 2, MAX_KEY_DEPTH)) for item in _hashed(value)]
        # Sorted by encoding: the order of a set changes with PYTHONHASHSEED.
        return {f"${kind.__name__}": sorted(items, key=canonical.dumps)}
    raise TypeError(f"{kind.__module__}.{kind.__qualname__} is not a plain value")


def _encode_dict(value: dict[Any, Any], room: int) -> Json:
    if all(type(key) is str and not key.startswith("$") for key in value) and list(value) == sorted(value):
        return {key: _encode(item, room - 1) for key, item in value.items()}
    # The order of a dictionary is part of what it says; that of a JSON object is none.
    keys = [_encode(key, min(room - 3, MAX_KEY_DEPTH)) for key in _hashed(value)]
    return {"$dict": [[key, _encode(item, room - 3)] for key, item in zip(keys, value.values(), strict=True)]}


def _digits(number: int) -> str:
    if abs(number) >= _TOO_LONG:
        raise ValueError(f"an integer has more than {MAX_DIGITS} digits")
    return str(number)


def _hashed(items: Collection[Any]) -> Collection[Any]:
    """Elements of a set, or keys, unless Python would have to compare each with all others."""
    if len(items) > MAX_ALIKE and max(Counter(map(hash, items)).values()) > MAX_ALIKE:
        raise ValueError(f"more than {MAX_ALIKE} elements or keys have the same hash")
    return items


def decode(data: Json) -> Any:
    """The value that `encode` was given.

    Raises:
        DamagedError: `data` was not made by `encode`.
    """
    try:
        value = _decode(data, MAX_VALUE_DEPTH)
        # One value has one encoding: `{"$int": "1"}` or a set with the same element twice was not made here.
        if canonical.dumps(encode(value)) == canonical.dumps(data):
            return value
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise DamagedError(f"A stored value cannot be understood ({error}); run `art fsck`.") from None
    raise DamagedError("A stored value is not in its one encoding; run `art fsck`.")


_NAMED = frozenset(("$dataclass", "$enum", "$model", "$namedtuple"))
"""Marks of what stands behind the name of its type."""


def unmarked(value: Any) -> Any:
    """What is compared and counted of a value that is no plain data, as `pipelines.typing` writes it: what it holds.

    That is the fields of `{"$dataclass": [NAME, FIELDS]}`, the value of an enum's member, the text of a path, and of
    decimals the number. What has no mark is returned as it is.
    """
    match value:
        case dict() if len(value) == 1:
            [(mark, held)] = value.items()
        case _:
            return value
    match mark, held:
        case str(), [_, inner] if mark in _NAMED:
            return unmarked(inner)
        case "$decimal", str():
            try:
                return float(held)
            except ValueError:
                return held
        case str(), _ if mark.startswith("$"):
            return held
    return value


def _decode(data: Json, room: int) -> Any:
    kind = type(data)
    if kind is not list and kind is not dict:
        return data
    if room < 0:  # bounds the recursion; encoding it again is exact
        raise ValueError("it is nested too deeply")
    if kind is list:
        return [_decode(item, room - 1) for item in data]
    if len(data) == 1:
        [(tag, inner)] = data.items()
        if tag.startswith("$"):
            return _decode_tagged(tag, inner, room - 1)
    return {key: _decode(item, room - 1) for key, item in data.items()}


def _decode_tagged(tag: str, inner: Json, room: int) -> Any:
    if tag not in _TAGS:
        raise ValueError(f"there is no type {reprlib.repr(tag)}")
    written_as, read = _TAGS[tag]
    if type(inner) is not written_as:
        raise ValueError(f"{tag} holds {reprlib.repr(inner)}")
    return read(inner, room)


def _decode_int(text: str, room: int) -> int:
    if len(text) > MAX_DIGITS + 1:
        raise ValueError(f"an integer has more than {MAX_DIGITS} digits")
    return int(text)


def _decode_float(text: str, room: int) -> float:
    if len(text) > MAX_FLOAT:
        raise ValueError("a float is too long")
    return float(text)


def _decode_items(items: list[Json], room: int) -> list[Any]:
    return [_decode(item, room - 1) for item in items]


def _decode_dict(pairs: list[Json], room: int) -> dict[Any, Any]:
    # A text of two letters could be taken apart as well.
    if not all(type(pair) is list and len(pair) == 2 for pair in pairs):
        raise ValueError("$dict holds something else than pairs")
    keys, items = ([_decode(pair[at], room - 2) for pair in pairs] for at in (0, 1))
    return dict(zip(_hashed(keys), items, strict=True))


_TAGS: dict[str, tuple[type, Callable[[Any, int], Any]]] = {
    "$int": (str, _decode_int),
    "$float": (str, _decode_float),
    "$bytes": (str, lambda text, room: base64.b64decode(text, validate=True)),
    "$tuple": (list, lambda items, room: tuple(_decode_items(items, room))),
    "$set": (list, lambda items, room: set(_hashed(_decode_items(items, room)))),
    "$frozenset": (list, lambda items, room: frozenset(_hashed(_decode_items(items, room)))),
    "$dict": (list, _decode_dict),
}
