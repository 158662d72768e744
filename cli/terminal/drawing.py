"""Rows and lines laid out: the one place that chooses between plain text for pipes and what fits a terminal.

Where there is no end of room, columns are aligned and nothing is cut, so that other programs can take them apart. Where
a terminal has less room than that, rich draws them. It is imported only then: that takes longer than to draw.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from artvcs.pipelines import cells

from .marks import bare, marked, pieces, safe, style

if TYPE_CHECKING:
    from rich.text import Text

_MANY = 1000
"""More rows nobody reads in a terminal, and to fit them would take longer than to find them."""

_LEAST = 8
"""Of a column that is cut so much stays."""

_theirs: set[str] = set()
"""Libraries that are modules of the user's from now on."""


def leave(library: str) -> None:
    """Imports nothing more of a library: the user has a module of that name, and would have it imported."""
    _theirs.add(library)


def width(text: str) -> int:
    """How many columns of a terminal a text takes, its marks left out."""
    return cells.width(bare(text)) if _has_rich() else len(bare(text))


def padded(text: str, room: int) -> str:
    """Text with blanks after it, of at least so many columns."""
    return text + " " * (room - width(text))


def cut(text: str, room: int) -> str:
    """Text without its colours, cut with `…` where there is no more room."""
    text = bare(safe(text))
    return cells.cut(text, room) if _has_rich() else text[:room]


def line(text: str, room: int | None) -> str:
    """A line in its colours, cut with `…` where the terminal ends."""
    text = safe(text)
    return text if room is None or width(text) <= room else marked(cells.drawn(_styled(text), room)[0])


_WORD = re.compile(r"(?:`[^`\n]*`|\S)+")
"""A word, or a command, which is one: whoever copies it must not get a line's end with it."""


def broken(text: str, room: int) -> list[str]:
    """A line in its colours, broken between its words where the terminal ends; what goes on is indented as it is."""
    text = safe(text)
    if width(text) <= room:
        return [text]
    indent = text[: len(text) - len(text.lstrip())]
    lines, end = [""], 0
    for found in _WORD.finditer(text):
        gap = text[end : found.start()] if end else indent
        if end and width(lines[-1]) + width(gap) + width(found[0]) > room:
            lines.append("")
            gap = indent
        lines[-1] += gap + found[0]
        end = found.end()
    return lines


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], room: int | None, whole: str, spare: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """The lines of a table, and the heads of the columns that are left out.

    In a terminal where not all fits, columns that can be spared are left out, and then the widest are cut: but never
    that of the names, which is what one has to type.

    Args:
        heads: What stands above each column.
        rows: The cells.
        room: How many columns of the terminal there are; None where there is no end.
        whole: The head of the column with the names.
        spare: The heads of columns that can be spared, the first one first.
    """
    texts = [[safe(cell) for cell in row] for row in ([style(head, dim=True) for head in heads], *rows)]
    widths = [max(map(width, column)) for column in zip(*texts, strict=True)]
    shown = list(range(len(heads)))
    if room is not None:
        for head in spare:
            if _needed(shown, widths, heads, whole, spare) > room:
                shown.remove(heads.index(head))
        if _needed(shown, widths, heads, whole, spare) > room:
            shown = [heads.index(whole)]
    left_out = [head for at, head in enumerate(heads) if at not in shown]
    texts = [[row[at] for at in shown] for row in texts]
    lines = _plain(texts)
    if room is None or len(shown) == 1 or max(map(width, lines)) <= room:
        return lines, left_out
    if len(rows) > _MANY:
        return [line(each, room) for each in lines], left_out
    fixed = [place for place, at in enumerate(shown) if heads[at] == whole or heads[at] in spare]
    drawn = cells.table([list(map(_styled, row)) for row in texts], room, whole=fixed)
    return list(map(marked, drawn)), left_out


def _needed(shown: Sequence[int], widths: Sequence[int], heads: Sequence[str], whole: str, spare: Sequence[str]) -> int:
    """How many columns of the terminal those of a table take at least; those that are cut keep some of each text."""
    rigid = {heads.index(head) for head in (whole, *spare)}
    room = sum(widths[at] if at in rigid else min(widths[at], _LEAST) for at in shown)
    return room + cells.BETWEEN * (len(shown) - 1)


def bar(doing: str, done: int, total: int, more: str, room: int) -> str:
    """A line that shows how much of a thing is done.

    Args:
        doing: What is being done, as in "writing".
        done: So much of `total`.
        total: How much there is to do.
        more: What else there is to say.
        room: How many columns of the terminal there are.
    """
    share = done / total if total else 1.0
    text = safe("  ".join(filter(None, [f"{int(100 * share):>3} %", more, doing])))
    return cells.bar(share, text, room, sys.stderr) if _has_rich() else text


def _has_rich() -> bool:
    return "rich" not in _theirs


def _plain(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(padded, row, widths)).rstrip() for row in rows]


def _styled(text: str) -> Text:
    """A line as rich takes it, each piece in its colour."""
    found = cells.one_line()
    for piece, colour in pieces(text):
        found.append(piece, colour)
    return found
