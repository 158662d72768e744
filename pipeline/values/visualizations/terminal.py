"""Summaries as text: aligned columns that fit the terminal, without colours and without pictures."""

from __future__ import annotations

import math
import shutil
import unicodedata
from collections.abc import Sequence

from ...escaping import printable
from . import wording
from .summary import Bar, Block, Cell, Chart, Facts, Histogram, Line, Picture, Shares, Summary, Table, Text

_LEVELS = "▁▂▃▄▅▆▇█"
_BETWEEN = "  "
_NARROW = 6  # a column is not cut below this
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
    return _cut(printable(" ".join(text.split())), columns)


def lines(text: str, columns: int, limit: int = 200) -> str:
    """Text with its lines kept; long ones are broken, and after `limit` lines it says how many more there are."""
    given = text.expandtabs(4).splitlines()
    found: list[str] = []
    for number, each in enumerate(given):
        if len(found) >= limit:
            return "\n".join([*found[:limit], f"… and {wording.count(len(given) - number, 'more line')}"])
        found.extend(_broken(printable(each), columns))
    return "\n".join(found)


def table(block: Table, columns: int) -> str:
    """Aligned columns; the widest are cut first, and what does not fit even then is left out, and said."""
    texts = [[printable(" ".join(_cell(cell).split())) for cell in row] for row in (block.heads, *block.rows)]
    natural = [max(map(_width, column)) for column in zip(*texts, strict=True)]
    shown = len(natural)
    while shown > 1 and _total([min(each, _NARROW) for each in natural[:shown]]) > columns:
        shown -= 1
    widths = _shrunk(natural[:shown], columns)
    rows = [_row(row[:shown], widths, block.numeric).rstrip() for row in texts]
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


def _row(cells: Sequence[str], widths: Sequence[int], numeric: frozenset[int]) -> str:
    return _BETWEEN.join(
        _padded(cell, room, at in numeric) for at, (cell, room) in enumerate(zip(cells, widths, strict=True))
    )


def _padded(text: str, room: int, right: bool) -> str:
    text = _cut(text, room)
    space = " " * (room - _width(text))
    return space + text if right else text + space


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_BETWEEN) * (len(widths) - 1)


def _shrunk(natural: Sequence[int], columns: int) -> list[int]:
    """Widths that fit: all above a common limit are cut to it."""
    low, high = 1, max(natural, default=1)
    while low < high:
        middle = (low + high + 1) // 2
        if _total([min(each, middle) for each in natural]) <= columns:
            low = middle
        else:
            high = middle - 1
    widths = [min(each, low) for each in natural]
    spare = columns - _total(widths)
    for at, each in enumerate(natural):  # a common limit leaves less than a column each over
        more = min(spare, each - widths[at])
        if more > 0:
            widths[at] += more
            spare -= more
    return widths


def _broken(text: str, columns: int) -> list[str]:
    pieces = [""]
    room = columns
    for char in text:
        wide = _width(char)
        if wide > room:
            pieces.append("")
            room = columns
        pieces[-1] += char
        room -= wide
    return pieces


def _cut(text: str, columns: int) -> str:
    if _width(text) <= columns:
        return text
    while text and _width(text) > columns - 1:
        text = text[: columns - 1] if len(text) >= columns else text[:-1]
    return text + "…"


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or char in "\u200c\u200d":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
