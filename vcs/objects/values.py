"""Typed values inside canonical JSON: what JSON confuses or lacks is written with its type.

`1`, `1.0` and `True` differ, and so do `[1]`, `(1,)` and `{1}`. Strings, booleans, None, integers,
lists and string-keyed dictionaries are written as JSON; everything else as an object with one key
that starts with `$`. Described in docs/format/objects.md.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from ..errors import DamagedError
from . import canonical

Json = Any


def encode(value: Any) -> Json:
    """Turns a plain Python value into canonical JSON data that remembers its types.

    Supports None, bool, int, float, str, bytes, list, tuple, dict, set and frozenset, nested.

    Raises:
        TypeError: `value` holds anything else.
        ValueError: `value` holds text that is not valid Unicode, or is nested too deeply (or in itself).
    """
    try:
        return _encode(value)
    except RecursionError:
        raise ValueError("the value is nested too deeply") from None


def _encode(value: Any) -> Json:
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return value
    if kind is int:
        return value if abs(value) <= canonical.MAX_INT else {"$int": str(value)}
    if kind is float:
        return {"$float": repr(value)}
    if kind is list:
        return [_encode(item) for item in value]
    if kind is dict:
        return _encode_dict(value)
    if kind is tuple:
        return {"$tuple": [_encode(item) for item in value]}
    if kind is bytes:
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    if kind in (set, frozenset):
        # Sorted by encoding: the order of a set changes with PYTHONHASHSEED.
        return {f"${kind.__name__}": sorted((_encode(item) for item in value), key=canonical.dumps)}
    raise TypeError(f"{kind.__module__}.{kind.__qualname__} is not a plain value")


def _encode_dict(value: dict[Any, Any]) -> Json:
    if all(type(key) is str and not key.startswith("$") for key in value):
        return {key: _encode(item) for key, item in value.items()}
    pairs = [[_encode(key), _encode(item)] for key, item in value.items()]
    return {"$dict": sorted(pairs, key=canonical.dumps)}


def decode(data: Json) -> Any:
    """The value that `encode` was given.

    Raises:
        DamagedError: `data` was not made by `encode`.
    """
    value = _decode(data)
    # One value has one encoding: `{"$int": "1"}` or a set with the same element twice was not made here.
    if canonical.dumps(_encode(value)) != canonical.dumps(data):
        raise DamagedError("A stored value is not in its one encoding; run `art fsck`.")
    return value


def _decode(data: Json) -> Any:
    if isinstance(data, list):
        return [_decode(item) for item in data]
    if not isinstance(data, dict):
        return data
    if len(data) == 1:
        [(key, inner)] = data.items()
        if key.startswith("$"):
            return _decode_tagged(key, inner)
    return {key: _decode(item) for key, item in data.items()}


_TAGS: dict[str, Callable[[Any], Any]] = {
    "$int": int,
    "$float": float,
    "$bytes": lambda text: base64.b64decode(text, validate=True),
    "$tuple": lambda items: tuple(_decode(item) for item in items),
    "$set": lambda items: {_decode(item) for item in items},
    "$frozenset": lambda items: frozenset(_decode(item) for item in items),
    "$dict": lambda pairs: {_decode(key): _decode(item) for key, item in pairs},
}


def _decode_tagged(tag: str, inner: Any) -> Any:
    try:
        return _TAGS[tag](inner)
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedError(f"A stored value cannot be understood ({tag}: {error}); run `art fsck`.") from None
