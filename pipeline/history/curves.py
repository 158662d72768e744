"""Curves: a measure at each of many steps of a training, as `log_metadata(…, step=n)` notes it.

The bytes are described in docs/format/objects.md.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from artvcs.vcs import DamagedError

from ..units import count

_MOST = 256 << 20
"""Bytes of all curves of a step; what is larger nobody has logged."""

_SPELT = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""JSON has no such numbers."""


class Point(NamedTuple):
    """One value: at which step, what, and when (milliseconds since 1970 UTC)."""

    step: int
    value: float
    moment: int


class Curve(NamedTuple):
    """One measure, point by point in the order in which it was noted.

    Attributes:
        steps: The steps, as they were counted by whoever noted it.
        values: What was noted.
        moments: When, in milliseconds since 1970 UTC.
    """

    steps: list[int]
    values: list[float]
    moments: list[int]

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.curve_card(self)

    def __repr__(self) -> str:
        if not self.steps:
            return "<curve of no points>"
        first, last = (f"{self.values[at]:.4g} at step {self.steps[at]}" for at in (0, -1))
        return f"<curve of {count(len(self.steps), 'point')}: {first}, {last}>"


def encode(curves: Mapping[str, Sequence[Point]]) -> bytes:
    """Curves as they are stored."""
    told = {
        name: {
            "steps": [point.step for point in points],
            "values": [_spelt(point.value) for point in points],
            "moments": [point.moment for point in points],
        }
        for name, points in curves.items()
    }
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False, sort_keys=True, allow_nan=False).encode()


def _spelt(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def decode(data: bytes) -> dict[str, Curve]:
    """Name → curve, of what `encode` wrote.

    Raises:
        DamagedError: It is nothing that `encode` writes.
    """
    try:
        if len(data) > _MOST:
            raise ValueError(f"it has {len(data)} bytes")
        return {str(name): _curve(said) for name, said in json.loads(data).items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedError(f"The curves of a step cannot be understood ({error}); run `art fsck`.") from None


def _curve(said: Any) -> Curve:
    steps, moments = said["steps"], said["moments"]
    values = [_SPELT[value] if isinstance(value, str) else value for value in said["values"]]
    if not (
        len(steps) == len(values) == len(moments)
        and all(type(each) is int for each in (*steps, *moments))
        and all(type(each) in (int, float) for each in values)
    ):
        raise ValueError("numbers are missing, or are none")
    return Curve(steps, values, moments)
