"""The steps of a run as a small drawing: what each took from which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import html, wording

_WIDTH, _HEIGHT = 148, 28
_ACROSS, _DOWN = 44, 12
_MOST = 60
_STATUS_CLASSES = {"completed": "good", "cached": "reused", "failed": "bad"}


def status_class(status: str) -> str:
    """The colour of a status, as a class of the style."""
    return _STATUS_CLASSES.get(status, "muted")


def draw(statuses: Mapping[str, str], sources: Mapping[str, Sequence[str]]) -> str:
    """The steps from left to right as SVG; nothing where there are too many, or no connections.

    Args:
        statuses: Step → its status, each after those it depends on.
        sources: Step → the steps whose outputs it took.
    """
    if len(statuses) > _MOST or not any(sources.values()):
        return ""
    places = _places(statuses, sources)
    width = max(x for x, _ in places.values()) + _WIDTH + 2
    height = max(y for _, y in places.values()) + _HEIGHT + 2
    lines = [_line(places[source], places[step]) for step, given in sources.items() for source in given]
    boxes = [_box(step, status, *places[step]) for step, status in statuses.items()]
    return (
        f'<div class="scroll"><svg role="img" aria-label="graph of the steps" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{"".join(lines)}{"".join(boxes)}</svg></div>'
    )


def _places(statuses: Mapping[str, str], sources: Mapping[str, Sequence[str]]) -> dict[str, tuple[int, int]]:
    """Each step one column to the right of the last one that it depends on."""
    columns: dict[str, int] = {}
    used: dict[int, int] = {}
    places = {}
    for step in statuses:
        column = max((columns[source] + 1 for source in sources.get(step, ()) if source in columns), default=0)
        columns[step] = column
        row = used[column] = used.get(column, -1) + 1
        places[step] = 1 + column * (_WIDTH + _ACROSS), 1 + row * (_HEIGHT + _DOWN)
    return places


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x0, y0 = start[0] + _WIDTH, start[1] + _HEIGHT // 2
    x1, y1 = end[0], end[1] + _HEIGHT // 2
    bend = (x1 - x0) // 2
    path = f"M{x0} {y0}C{x0 + bend} {y0} {x1 - bend} {y1} {x1} {y1}"
    return f'<path style="stroke:currentColor;stroke-width:1.2;opacity:.35" d="{path}"/>'


def _box(step: str, status: str, x: int, y: int) -> str:
    return (
        f'<g class="{status_class(status)}"><title>{html.escape(f"{step}: {status}")}</title>'
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" '
        'style="fill:currentColor;fill-opacity:.1;stroke:currentColor"/>'
        f'<text x="{x + _WIDTH // 2}" y="{y + _HEIGHT // 2 + 4}" text-anchor="middle" '
        f'style="fill:currentColor;font-size:12px">{html.escape(wording.cut(step, 20))}</text></g>'
    )
