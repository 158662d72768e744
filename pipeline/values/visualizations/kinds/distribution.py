"""Distributions of numbers: histograms and the few figures that describe them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import wording
from ..summary import Histogram

BINS = 20
# Above this many values a sample of as many is looked at: more would not change a small picture.
SAMPLE = 100_000


def positions(total: int, size: int = SAMPLE) -> np.ndarray[Any, Any] | None:
    """Which of so many values to look at, in order, the same at each call; None for all.

    Random, since regular steps would see only one phase of what repeats; with repetition, since to draw
    without takes memory for all.
    """
    if total <= size:
        return None
    return np.sort(np.random.default_rng(0).integers(0, total, size))


def histogram(values: np.ndarray[Any, Any], label: Callable[[float], str] = wording.number) -> Histogram | None:
    """How finite numbers are distributed; None if there are none.

    Args:
        values: Numbers of any kind, NaN and infinities included.
        label: How the ends are written.
    """
    finite = _finite(values)
    if not finite.size:
        return None
    low, high = _plain(finite.min()), _plain(finite.max())
    width, bins = _ranges(low, high, whole=finite.dtype.kind in "iu" or bool((finite == np.floor(finite)).all()))
    with np.errstate(all="ignore"):
        # Halved first: differences of numbers near the limits of their type would overflow.
        places = (finite.astype(np.float64) / 2 - low / 2) / (width / 2)
    counts = np.bincount(np.clip(places.astype(np.int64), 0, bins - 1), minlength=bins)
    return Histogram(tuple(map(int, counts)), label(low), label(high))


def statistics(values: np.ndarray[Any, Any]) -> dict[str, str]:
    """Smallest, mean, largest and standard deviation of finite numbers, as text."""
    finite = _finite(values)
    if not finite.size:
        return {}
    with np.errstate(all="ignore"):
        mean, deviation = finite.mean(dtype=np.float64), finite.std(dtype=np.float64)
    return {
        "min": wording.number(_plain(finite.min())),
        "mean": wording.number(float(mean)),
        "max": wording.number(_plain(finite.max())),
        "std": wording.number(float(deviation)),
    }


def _finite(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    flat: np.ndarray[Any, Any] = values.reshape(-1)
    if flat.dtype.kind == "f":
        flat = flat[np.isfinite(flat)]
    return flat.view(np.uint8) if flat.dtype.kind == "b" else flat


def _ranges(low: float, high: float, whole: bool) -> tuple[float, int]:
    """How wide the ranges are, and how many. Those of whole numbers hold equally many of them, or they would jump."""
    span = high / 2 - low / 2
    if whole and span < 2**52:
        numbers = int(high) - int(low) + 1
        width = -(-numbers // BINS)
        return width, -(-numbers // width)
    return (span / BINS * 2, BINS) if span else (1, 1)


def _plain(value: Any) -> int | float:
    found: int | float = value.item()
    return found if isinstance(found, int) else float(found)
