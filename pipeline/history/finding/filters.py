"""Choosing among versions and runs: by tag, type, producer, time, or what metadata says."""

from __future__ import annotations

import itertools
import json
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from artvcs.vcs import values

from ...errors import ParameterError

T = TypeVar("T")

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge, "<=": operator.le, "!=": operator.ne, "==": operator.eq, "=": operator.eq,
    ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_COMPARISON = re.compile(r"\s*(?P<key>[^<>=!]*[^<>=!\s])\s*(?P<operator>>=|<=|!=|==|=|>|<)\s*(?P<value>.+?)\s*")
_SECOND = re.compile(r"\s(and|or|&&?|\|\|?)\s.*[<>=]", re.IGNORECASE)
"""How another condition follows what is compared with; there is no grammar of them here, and all must be met."""
_NUMBER = re.compile(r"[+-]?(\.\d+|(0|[1-9]\d*)\.)([eE][+-]?\d+)?")
"""How Python writes a number, and JSON does not."""
_WORDS = {"True": True, "False": False, "None": None}
_AGO = re.compile(r"(?P<count>\d+)\s*(?P<unit>[smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

Conditions = str | Iterable[str] | Mapping[str, Any] | None
"""`"accuracy > 0.9"`, several of these, or a mapping of what must be equal."""

Condition = tuple[str, str, Any]
"""A key, an operator and a value."""

When = datetime | timedelta | str | None
"""A point in time, as `moment` takes it."""


def metadata_matches(metadata: Mapping[str, Any], conditions: Conditions) -> bool:
    """Whether metadata meets all conditions; a key that is not there meets none.

    Args:
        metadata: What is known. `a.b` in a condition is key `b` of the mapping under `a`, or a field of an object.
        conditions: Comparisons such as `accuracy > 0.9` (the value is JSON, or else text), or a mapping.

    Raises:
        ParameterError: A condition cannot be understood.
    """
    return all(_meets(metadata, *condition) for condition in parse(conditions))


def knows(metadata: Mapping[str, Any], condition: Condition) -> bool:
    """Whether metadata says anything of what a condition asks."""
    return _look_up(metadata, condition[0]) is not _NOTHING


def meets(metadata: Mapping[str, Any], condition: Condition) -> bool:
    """Whether metadata meets one condition; see `metadata_matches`."""
    return _meets(metadata, *condition)


def parse(conditions: Conditions) -> list[Condition]:
    """Conditions as keys, operators and values.

    Raises:
        ParameterError: One cannot be understood.
    """
    if conditions is None:
        return []
    if isinstance(conditions, Mapping):
        return [(key, "==", value) for key, value in conditions.items()]
    return [_parse(text) for text in ([conditions] if isinstance(conditions, str) else conditions)]


def _parse(text: str) -> Condition:
    match = _COMPARISON.fullmatch(text)
    if match is None or match["value"][0] in "<>=!":  # as in `accuracy >> 0.9`
        raise ParameterError(
            f"The condition {text!r} cannot be understood; write it as in 'accuracy > 0.9' (text that begins with one "
            "of < > = ! in quotes)."
        )
    return match["key"], match["operator"], _value(match["value"], text)


def _value(spelt: str, condition: str) -> Any:
    """What is compared with: JSON, a number or word of Python's, or else text."""
    if spelt in _WORDS:
        return _WORDS[spelt]
    if _NUMBER.fullmatch(spelt):
        return float(spelt)
    try:
        return json.loads(spelt)
    except ValueError:
        if spelt[0] not in "'\"" and _SECOND.search(spelt):
            raise ParameterError(
                f"The condition {condition!r} holds several; give each by itself (text that is so spelt, in quotes)."
            ) from None
        return spelt.strip("'\"")


_NOTHING = object()


def _look_up(metadata: Mapping[str, Any], key: str) -> Any:
    if key in metadata:
        return values.unmarked(metadata[key])
    found: Any = metadata
    for part in key.split("."):
        found = values.unmarked(found.get(part, _NOTHING)) if isinstance(found, Mapping) else _NOTHING
    return found


def _meets(metadata: Mapping[str, Any], key: str, sign: str, value: Any) -> bool:
    found = _look_up(metadata, key)
    if found is _NOTHING:
        return False
    try:
        return bool(_OPERATORS[sign](found, value))
    except TypeError:
        return False  # text is neither more nor less than a number


def moment(when: When) -> datetime | None:
    """A point in time as users write it: a datetime, an ISO date or time, or how long ago (`30d`, `12h`).

    What has no time zone is taken as local time.

    Raises:
        ParameterError: It cannot be understood.
    """
    if isinstance(when, timedelta):
        return datetime.now(UTC) - when
    if isinstance(when, str):
        if ago := _AGO.fullmatch(when.strip()):
            return datetime.now(UTC) - timedelta(**{_UNITS[ago["unit"]]: int(ago["count"])})
        try:
            when = datetime.fromisoformat(when)
        except ValueError:
            raise ParameterError(f"The time {when!r} cannot be understood; write 2026-01-31 or 30d.") from None
    return when.astimezone(UTC) if when is not None else None


def milliseconds(when: When) -> int | None:
    """A point in time in milliseconds since 1970, rounded downwards.

    Raises:
        ParameterError: It cannot be understood.
    """
    found = moment(when)
    return None if found is None else math.floor(found.timestamp() * 1000)


def within(when: datetime, after: When, before: When) -> bool:
    """Whether a time lies between two, each as `moment` takes it; None is no limit."""
    start, end = moment(after), moment(before)
    return (start is None or when >= start) and (end is None or when < end)


def ordered(found: Iterable[T], sort: str | None, keys: Mapping[str, Callable[[T], Any]], limit: int | None) -> list[T]:
    """Sorts by one of `keys`, downwards with a `-` before it, and keeps the first `limit`.

    Raises:
        ParameterError: There is no such key.
    """
    if sort is not None:
        name = sort.removeprefix("-")
        check_sort(name, keys)
        found = sorted(found, key=keys[name], reverse=sort.startswith("-"))
    return list(itertools.islice(found, limit))


def check_sort(name: str, keys: Iterable[str]) -> None:
    """Raises ParameterError unless things can be sorted by this."""
    if name not in keys:
        raise ParameterError(f"Nothing can be sorted by {name!r}; choose one of {', '.join(keys)}.")
