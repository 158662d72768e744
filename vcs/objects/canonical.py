"""Canonical JSON: one value has one encoding, so that its hash can be its name.

Sorted keys, no spaces, UTF-8, no floats, integers below 2**53, no duplicate keys. A reader refuses
bytes that do not re-encode to themselves. Described in docs/format/objects.md.
"""

from __future__ import annotations

import json
from typing import Any

from ..errors import DamagedError

MAX_INT = 2**53 - 1
MAX_DEPTH = 200


def dumps(value: Any) -> bytes:
    """Encodes JSON data canonically.

    Raises:
        TypeError: `value` holds a float, a key that is not a string, or something JSON has not.
        ValueError: An integer is beyond 2**53 - 1, text is not valid Unicode, or nesting is too deep.
    """
    _check(value, 0)
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def loads(data: bytes) -> Any:
    """Decodes canonical JSON.

    Raises:
        DamagedError: `data` is not the canonical encoding of anything.
    """
    try:
        value = json.loads(data.decode("utf-8"))
        if dumps(value) == data:
            return value
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedError(f"Stored data is not canonical JSON ({error}); run `art fsck`.") from None
    raise DamagedError("Stored data is not canonical JSON; run `art fsck`.")


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if value is None or isinstance(value, (str, bool)):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INT:
            raise ValueError(f"integer {value} is beyond 2**53 - 1")
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"key {key!r} is not a string")
            _check(item, depth + 1)
    else:
        raise TypeError(f"{type(value).__name__} is not canonical JSON data")
