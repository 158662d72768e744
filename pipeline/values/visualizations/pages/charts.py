"""Small charts as inline SVG: no scripts, nothing from outside, colours that suit light and dark pages."""

from __future__ import annotations

import math

from ..summary import Bar, Histogram, Line

_GAP = 1


def histogram(data: Histogram, width: int = 120, height: int = 28) -> str:
    """Columns, one for each range of values."""
    highest = max(data.counts, default=0)
    if not highest:
        return ""
    step = width / len(data.counts)
    columns = []
    for position, count in enumerate(data.counts):
        tall = max(1.0, count / highest * height) if count else 0.0  # one value among millions is still seen
        if tall:
            columns.append(
                f'<rect x="{position * step:.1f}" y="{height - tall:.1f}" width="{max(step - _GAP, 0.5):.1f}" '
                f'height="{tall:.1f}"/>'
            )
    return _svg(width, height, "histogram", "".join(columns))


def bar(data: Bar, width: int = 120, height: int = 10) -> str:
    """A length; a negative one in another colour."""
    length = max(-1.0, min(1.0, data.length)) if math.isfinite(data.length) else 0.0
    kind = ' class="minus"' if length < 0 else ""
    rect = f'<rect{kind} x="0" y="0" width="{abs(length) * width:.1f}" height="{height}" rx="2"/>'
    return _svg(width, height, "bar", f'<rect class="track" width="{width}" height="{height}" rx="2"/>{rect}')


def line(data: Line, width: int = 120, height: int = 28) -> str:
    """A course from left to right; gaps where a value is not finite."""
    finite = [value for value in data.values if math.isfinite(value)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    span = (high - low) or 1.0
    step = width / max(len(data.values) - 1, 1)
    parts: list[str] = []
    pen = "M"
    for position, value in enumerate(data.values):
        if not math.isfinite(value):
            pen = "M"
            continue
        parts.append(f"{pen}{position * step:.1f} {height - 2 - (value - low) / span * (height - 4):.1f}")
        pen = "L"
    return _svg(width, height, "line", f'<path d="{" ".join(parts)}"/>')


def _svg(width: int, height: int, label: str, content: str) -> str:
    return (
        f'<svg class="{label}" role="img" aria-label="{label}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" preserveAspectRatio="none">{content}</svg>'
    )
