"""Summaries as text: aligned columns that fit the terminal, without colours and without pictures."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence

from ... import cells
from ...escaping import printable
from . import wording
from .summary import Bar, Block, Cell, Chart, Facts, Histogram, Line, Picture, Shares, Summary, Table, Text

_LEVELS = "▁▂▃▄▅▆▇█"
_NARROW = 6  # columns are left out rather than cut below this
_BAR = 16
_SHORT = 10  # columns of a histogram in a table


def width() -> int:
    """Columns of the terminal; 80 where there is none."""
    return max(20, shutil.get_terminal_size().columns)


def render(summary: Summary, columns: int) -> str:
    """A summary in lines of at most so many columns."""
    blocks = [summary.title and line(summary.title, columns), *(_block(block, columns) for block in summary.blocks)]
    return "\n\n".join(text for text in blocks if text)


def line(text: str, columns: int) -> str:
    """Text on one line that fits."""
    return cells.cut(printable(" ".join(text.split())), columns)


def lines(text: str, columns: int, limit: int = 200) -> str:
    """Text with its lines kept; long ones are broken, and after `limit` lines it says how many more there are."""
    given = text.expandtabs(4).splitlines()
    found: list[str] = []
    for number, each in enumerate(given):
        if len(found) >= limit:
            return "\n".join([*found[:limit], f"… and {wording.count(len(given) - number, 'more line')}"])
        found.extend(cells.broken(printable(each), columns))
    return "\n".join(found)


def table(block: Table, columns: int) -> str:
    """Aligned columns; the widest are cut first, and what would not fit even then is left out, and said."""
    texts = [[printable(" ".join(_cell(cell).split())) for cell in row] for row in (block.heads, *block.rows)]
    natural = [max(map(cells.width, column)) for column in zip(*texts, strict=True)]
    shown = len(natural)
    while shown > 1 and _total([min(each, _NARROW) for each in natural[:shown]]) > columns:
        shown -= 1
    rows = cells.table([[cells.one_line(text) for text in row[:shown]] for row in texts], columns, block.numeric)
    hidden = len(natural) - shown
    notes = [f"… and {wording.count(hidden, 'more column')}" if hidden else "", block.note]
    return "\n".join([*rows, *(lines(note, columns) for note in notes if note)])


def _block(block: Block, columns: int) -> str:
    match block:
        case Facts(items):
            return table(Table(("", ""), items), columns).removeprefix("\n") if items else ""
        case Table():
            return _under(block.caption, table(block, columns), columns)
        case Chart(histogram, caption):
            text = f"{histogram.low} {_columns(histogram.counts)} {histogram.high}"
            return _under(caption, line(text, columns), columns)
        case Picture():
            return line(f"[image, {block.width} x {block.height} pixels: shown in a notebook]", columns)
        case Text(text, caption):
            return _under(caption, lines(text, columns), columns)


def _under(caption: str, text: str, columns: int) -> str:
    return f"{line(caption, columns)}\n{text}" if caption else text


def _cell(cell: Cell) -> str:
    match cell:
        case str():
            return cell
        case Histogram(counts):
            # The ends are among the figures next to it.
            return _columns(
                counts if len(counts) <= _SHORT else [max(counts[at : at + 2]) for at in range(0, len(counts), 2)]
            )
        case Shares(items):
            return ", ".join(f"{wording.cut(label, 24)} {wording.percent(share)}" for label, share in items)
        case Bar(length):
            return (
                ("-" if length < 0 else "") + "█" * round(min(abs(length), 1) * _BAR) if math.isfinite(length) else ""
            )
        case Line(values):
            return _course(values)


def _columns(counts: Sequence[int]) -> str:
    highest = max(counts, default=0)
    # A count that is not zero is not drawn as zero.
    return "".join(_LEVELS[math.ceil(count / highest * 7)] if count else " " for count in counts) if highest else ""


def _course(values: Sequence[float]) -> str:
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    low, span = min(finite), (max(finite) - min(finite)) or 1.0
    step = max(1, math.ceil(len(values) / 24))
    return "".join(_LEVELS[int((v - low) / span * 7)] if math.isfinite(v) else " " for v in values[::step])


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + cells.BETWEEN * (len(widths) - 1)
