"""Metadata as SQL can compare it: a first look that never leaves out what a condition fits.

Each value that stands under a key (`a.b` for the key `b` of a mapping under `a`, or for a field of an object) is a
number, a text, or `OTHER`, for what SQL cannot compare as Python does. Numbers are rounded, so that the first look may
find more than what fits; whoever asked then decides exactly. SQL sorts numbers before texts and those before `OTHER`.
"""

from __future__ import annotations

import json
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
Told = tuple[str, float | str | bytes, str | None]
"""A key, what SQL compares, and the value as JSON in the encoding of `vcs.values`; None where that is long."""
Condition = tuple[str, str, Any]
"""A key, one of `= == != < <= > >=`, and a value."""


def of(metadata: Mapping[str, Any]) -> set[Fact]:
    """What metadata says, each value under its key."""
    found: set[Fact] = set()
    try:
        for key, value in _flat({key: values.decode(value) for key, value in metadata.items()}, ""):
            found.add((key, _comparable(value)))
            if len(found) > _MOST:
                return {(UNKNOWN, OTHER)}
    except DamagedError:
        return {(UNKNOWN, OTHER)}
    return found


def told(metadata: Mapping[str, Any]) -> list[Told]:
    """What metadata says, as `of` does, and how it is to be shown; of mappings what stands in them."""
    found: list[Told] = []
    try:
        for key, value in _flat({key: values.decode(value) for key, value in metadata.items()}, ""):
            if not isinstance(value, Mapping):
                text = json.dumps(values.encode(value))
                found.append((key, _comparable(value), text if len(text) <= _LONGEST else None))
            if len(found) > _MOST:
                return [(UNKNOWN, OTHER, None)]
    except DamagedError:
        return [(UNKNOWN, OTHER, None)]
    return found


def query(condition: Condition) -> tuple[str, list[Any]]:
    """Selects the sources of all versions of which, or of an execution that took them, something may be noted so."""
    key, sign, value = condition
    where, given = "", list[Any]()
    wanted = _comparable(value)
    if not isinstance(wanted, bytes) and sign != "!=":
        where, given = _range(sign, wanted)
    key = key.encode("utf-8", "replace").decode()
    own = "SELECT source FROM facts WHERE key = ?"
    users = (
        "SELECT versions.source FROM said JOIN takes ON takes.source = said.source AND takes.step = said.step"
        " JOIN versions ON versions.name = takes.name AND versions.artifact = takes.artifact"
        " WHERE NOT said.given AND said.key = ?"
    )
    parts = [f"{each}{where} UNION ALL {each} AND value = x''" for each in (own, users)]
    unknown = [f"{each} AND value = x''" for each in (own, users)]
    return " UNION ALL ".join([*parts, *unknown]), [*(key, *given, key) * 2, UNKNOWN, UNKNOWN]


def _range(sign: str, wanted: float | str) -> tuple[str, list[Any]]:
    if sign in ("=", "=="):
        return " AND value = ?", [wanted]
    if sign in (">", ">="):
        return " AND value >= ? AND value < ?", [wanted, "" if isinstance(wanted, float) else OTHER]
    return " AND value >= ? AND value <= ?", [float("-inf") if isinstance(wanted, float) else "", wanted]


def _flat(mapping: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, marked in mapping.items():
        if isinstance(key, str):
            value = values.unmarked(marked)
            yield prefix + key, value
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
