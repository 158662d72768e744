"""Metadata as SQL can compare it: a first look that never leaves out what a condition fits.

Each value that stands under a key (`a.b` for the key `b` of a mapping under `a`) is a number, a text, or `OTHER`, for
what SQL cannot compare as Python does. Numbers are rounded, so that the first look may find more than what fits;
whoever asked then decides exactly. SQL sorts numbers before texts and those before `OTHER`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import DamagedError
from ..objects import values

OTHER = b""
"""Stands for a value that SQL cannot compare: it may fit any condition."""

UNKNOWN = ""
"""The key of a version whose metadata cannot be listed: it may fit any condition."""

_MOST = 1000
"""More values of one version are not listed."""
_LONGEST = 200
"""Longer texts are not listed."""

Fact = tuple[str, float | str | bytes]
Condition = tuple[str, str, Any]
"""A key, one of `= == != < <= > >=`, and a value."""


def of(metadata: Mapping[str, Any]) -> set[Fact]:
    """What metadata says, each value under its key."""
    found: set[Fact] = set()
    try:
        for fact in _flat({key: values.decode(value) for key, value in metadata.items()}, ""):
            found.add(fact)
            if len(found) > _MOST:
                return {(UNKNOWN, OTHER)}
    except DamagedError:
        return {(UNKNOWN, OTHER)}
    return found


def query(condition: Condition) -> tuple[str, list[Any]]:
    """Selects the sources of all that may meet a condition."""
    key, sign, value = condition
    where, given = "", list[Any]()
    wanted = _comparable(value)
    if not isinstance(wanted, bytes) and sign != "!=":
        where, given = _range(sign, wanted)
    key = key.encode("utf-8", "replace").decode()
    select = "SELECT source FROM facts WHERE key = ?"
    also = f" UNION ALL {select} AND value = x'' UNION ALL {select} AND value = x''"
    return f"{select}{where}{also}", [key, *given, key, UNKNOWN]


def _range(sign: str, wanted: float | str) -> tuple[str, list[Any]]:
    if sign in ("=", "=="):
        return " AND value = ?", [wanted]
    if sign in (">", ">="):
        return " AND value >= ? AND value < ?", [wanted, "" if isinstance(wanted, float) else OTHER]
    return " AND value >= ? AND value <= ?", [float("-inf") if isinstance(wanted, float) else "", wanted]


def _flat(mapping: Mapping[Any, Any], prefix: str) -> Iterator[Fact]:
    for key, value in mapping.items():
        if isinstance(key, str):
            yield prefix + key, _comparable(value)
            if isinstance(value, Mapping):
                yield from _flat(value, f"{prefix}{key}.")


def _comparable(value: Any) -> float | str | bytes:
    if isinstance(value, (bool, int, float)):
        try:
            number = float(value)
        except OverflowError:
            return OTHER
        return number if number == number else OTHER  # NaN would be no value
    if isinstance(value, str) and len(value) <= _LONGEST:
        try:
            value.encode()
        except UnicodeEncodeError:
            return OTHER
        return str(value)
    return OTHER
