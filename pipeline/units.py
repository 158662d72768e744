"""Sizes, durations and counts in words, for terminals and pages alike."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from artvcs.vcs import count as count


def size(count: int) -> str:
    """A number of bytes: `12 B`, `3.4 MiB`."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def some(names: Iterable[str], most: int = 8, *, of: int | None = None) -> str:
    """Names one after the other, of many the first few: `a, b and 9,998 more`; `none` where there are none.

    Args:
        names: The names.
        most: So many are shown.
        of: How many there are, where `names` are the first of them and the others were not looked for.
    """
    names = list(names)
    shown, total = ", ".join(names[:most]) or "none", len(names) if of is None else of
    return shown if total <= most else f"{shown} and {total - most:,} more"


def duration(time: timedelta | float) -> str:
    """How long something took, in seconds where it is a number: `35 ms`, `1.2 s`, `3 min 20 s`."""
    total = time.total_seconds() if isinstance(time, timedelta) else time
    if total < 0.9995:
        return f"{total * 1000:.0f} ms"
    if total < 60:
        return f"{total:.1f} s"
    minutes, rest = divmod(int(total), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
