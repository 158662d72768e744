"""Canonical JSON: one value has one encoding, so that its hash can be its name.

Sorted keys, no spaces, UTF-8, no floats, integers below 2**53, no duplicate keys. A reader refuses
bytes that do not re-encode to themselves. Described in docs/format/objects.md.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import orjson

from ..errors import DamagedError
from .limits import MAX_DEPTH, MAX_INT, MAX_ITEMS, MAX_RECORD

# Says of what orjson refuses, in words, why; writes the same bytes, a good deal slower.
_PATIENT = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def dumps(value: Any, *, checked: bool = False) -> bytes:
    """Encodes JSON data canonically.

    Args:
        value: The data.
        checked: Whether it is known to be nothing but lists or tuples, texts, and integers below 2**53.

    Raises:
        TypeError: `value` holds a float, a key that is not a string, or something JSON has not.
        ValueError: An integer is beyond 2**53 - 1, text is not valid Unicode, or there is too much or too deep nesting.
    """
    try:
        data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        data = _dumped_patiently(value)
    _check_size(data)
    if not checked:
        check(value)
    return data


def loads(data: bytes, *, checked: bool = False) -> Any:
    """Decodes canonical JSON.

    Args:
        data: The bytes.
        checked: Whether the caller refuses floats and integers beyond 2**53 - 1 wherever they stand.

    Raises:
        DamagedError: `data` is not the canonical encoding of anything.
    """
    try:
        _check_size(data)
        value = orjson.loads(data)
        if orjson.dumps(value, option=orjson.OPT_SORT_KEYS) != data:
            raise _damaged()
        if not checked:
            check(value)
    except (ValueError, TypeError) as error:
        raise _damaged(f" ({error})") from None
    return value


def _dumped_patiently(value: Any) -> bytes:
    try:
        return _PATIENT.encode(value).encode("utf-8")
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _damaged(reason: str = "") -> DamagedError:
    return DamagedError(f"Stored data is not canonical JSON{reason}; run `art fsck`.")


def check(value: Any) -> None:
    """Refuses what the encoder would write though JSON has another type for it.

    Raises:
        TypeError: There is a float, a key that is not a string, or something JSON has not.
        ValueError: There is an integer beyond 2**53 - 1.
    """
    if type(value) in _PLAIN or (type(value) is int and -MAX_INT <= value <= MAX_INT) or _holds_plain(value):
        return  # nearly all that there is
    items: list[Any] = [value]
    while items:  # level by level, so that no step of Python's own is taken for each item of a long list
        below: list[Any] = []
        kinds: set[type[Any]] = set(map(type, items))
        for kind in kinds - _PLAIN:
            same: list[Any] = [item for item in items if type(item) is kind]
            if issubclass(kind, int):
                if max(same) > MAX_INT or min(same) < -MAX_INT:
                    raise ValueError("an integer is beyond 2**53 - 1")
            elif issubclass(kind, dict):
                for item in same:
                    _check_keys(item)
                    below += item.values()
            elif issubclass(kind, (list, tuple)):
                below += itertools.chain.from_iterable(same)
            elif not issubclass(kind, str):
                raise TypeError(f"{kind.__name__} is not canonical JSON data")
        items = below


_PLAIN = frozenset({str, bool, type(None)})


def _holds_plain(value: Any) -> bool:
    """Whether it is a list of texts and the like, or an object of such."""
    if type(value) is list:
        return _PLAIN.issuperset(map(type, value))
    if type(value) is dict and _PLAIN.issuperset(map(type, value.values())):
        _check_keys(value)
        return True
    return False


def _check_keys(item: dict[Any, Any]) -> None:
    try:
        "".join(item)  # the quickest way to look at all of them
    except TypeError:
        raise TypeError("a key is not a string") from None


def marks(data: bytes) -> int:
    """How many commas and opening brackets an encoding has, those in texts counted too: what decoding it may make."""
    return data.count(b",") + data.count(b"[") + data.count(b"{")


def _check_size(data: bytes) -> None:
    """Refuses what would cost too much, before anything recurses into it."""
    if len(data) > MAX_RECORD:
        raise ValueError(f"it has more than {MAX_RECORD >> 20} MiB")
    brackets = data.count(b"[") + data.count(b"{")
    if marks(data) > MAX_ITEMS:
        raise ValueError(f"it has more than {MAX_ITEMS:,} items")
    if brackets > MAX_DEPTH and _is_deeper(data, MAX_DEPTH):
        raise ValueError("its brackets are nested too deeply or not closed")


_MARKS = b'[]{}"\\'
_OTHERS = bytes(set(range(256)) - set(_MARKS))
_SQUARE = bytes.maketrans(b"{}", b"[]")
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)


def _is_deeper(data: bytes, limit: int) -> bool:
    """Whether brackets are nested more than `limit` deep, or do not match; which bracket it is does not matter.

    Whole strings at a time: a loop over brackets would take longer than parsing them.
    """
    # Quotes in pairs have no bracket between them; if all are in pairs, no bracket stands in a text.
    left = data.translate(_SQUARE, _OTHERS).replace(b'""', b"")
    if b'"' in left or b"\\" in left:
        left = _TEXT.sub(b"", data).translate(_SQUARE, _OTHERS)
    too_deep = b"[" * (limit + 1)
    for _ in range(limit):
        before, left = left, left.replace(b"[]", b"")
        if len(left) == len(before) or too_deep in left:
            break
    return bool(left)
