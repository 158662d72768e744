"""The steps of a run as a small drawing: what each took from which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from .. import wording
from . import html

_WIDTH, _HEIGHT = 148, 28
_ACROSS, _DOWN = 44, 12
_MOST = 60
_STATUS_CLASSES = {"completed": "good", "cached": "reused", "reuse": "reused", "failed": "bad"}


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
    layout = _Layout()
    for step in statuses:
        layout.place(step, sources.get(step, ()))
    points = [*layout.steps.values(), *(point for way in layout.ways for point in way)]
    width = max(column for column, _ in points) * (_WIDTH + _ACROSS) + _WIDTH + 2
    height = max(row for _, row in points) * (_HEIGHT + _DOWN) + _HEIGHT + 2
    lines = [_line([_corner(point) for point in way]) for way in layout.ways]
    boxes = [_box(step, status, *_corner(layout.steps[step])) for step, status in statuses.items()]
    return (
        f'<div class="scroll graph"><svg role="img" aria-label="graph of the steps" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{"".join(lines)}{"".join(boxes)}</svg></div>'
    )


class _Layout:
    """Columns and rows of the steps, and of the ways between them, which keep clear of the steps they pass.

    Attributes:
        steps: Step → its column and row.
        ways: For each connection the places that it goes through, both ends included.
    """

    def __init__(self) -> None:
        self.steps: dict[str, tuple[int, int]] = {}
        self.ways: list[list[tuple[int, int]]] = []
        self._used: dict[int, int] = {}

    def place(self, step: str, sources: Sequence[str]) -> None:
        """Puts a step one column to the right of the last one that it depends on."""
        starts = [self.steps[source] for source in sources if source in self.steps]
        column = max((column + 1 for column, _ in starts), default=0)
        self.steps[step] = self._free(column)
        for start in starts:
            between = [self._free(passed) for passed in range(start[0] + 1, column)]
            self.ways.append([start, *between, self.steps[step]])

    def _free(self, column: int) -> tuple[int, int]:
        self._used[column] = self._used.get(column, -1) + 1
        return column, self._used[column]


def _corner(place: tuple[int, int]) -> tuple[int, int]:
    return 1 + place[0] * (_WIDTH + _ACROSS), 1 + place[1] * (_HEIGHT + _DOWN)


def _line(way: Sequence[tuple[int, int]]) -> str:
    """A line from the right side of the first place to the left side of the last, straight through those between."""
    middle = _HEIGHT // 2
    path = f"M{way[0][0] + _WIDTH} {way[0][1] + middle}"
    for (x0, y0), (x1, y1) in pairwise(way):
        bend = x0 + _WIDTH + _ACROSS // 2
        path += f"C{bend} {y0 + middle} {bend} {y1 + middle} {x1} {y1 + middle}H{x1 + _WIDTH}"
    path = path.rpartition("H")[0]
    return f'<path style="stroke:currentColor;stroke-width:1.2;opacity:.35" d="{path}"/>'


def _box(step: str, status: str, x: int, y: int) -> str:
    return (
        f'<g class="{status_class(status)}"><title>{html.escape(f"{step}: {status}")}</title>'
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" '
        'style="fill:currentColor;fill-opacity:.1;stroke:currentColor"/>'
        f'<text x="{x + _WIDTH // 2}" y="{y + _HEIGHT // 2 + 4}" text-anchor="middle" '
        f'style="fill:currentColor;font-size:12px">{html.escape(wording.cut(step, 20))}</text></g>'
    )
