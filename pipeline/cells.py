"""Text in the cells of a terminal: how many it takes, cut where they end, aligned in a table.

rich knows how wide each character is, and which column of a table gives way where not all fit. It is imported when it
is first needed. Its markup is not used: a name in brackets is a name. What comes here is made `printable` before.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

BETWEEN = 2
"""Columns between two of a table."""

_BAR = 24
"""Columns of a bar."""


def width(text: str) -> int:
    """How many columns a text takes; many characters of East Asia take two, those that join others none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, room: int) -> str:
    """Text of at most so many columns, with `…` where it was cut."""
    if width(text) <= room:
        return text
    from rich.cells import set_cell_size

    return set_cell_size(text, room - 1) + "…"


def broken(text: str, room: int) -> list[str]:
    """A line of text as lines of at most so many columns."""
    if width(text) <= room:
        return [text]
    from rich.cells import chop_cells

    return chop_cells(text, room)


def one_line(text: str = "") -> Text:
    """Text that is cut where there is no room, and never broken."""
    from rich.text import Text

    return Text(text, no_wrap=True, overflow="ellipsis")


def table(
    rows: Sequence[Sequence[Text]], room: int, right: Collection[int] = (), whole: Collection[int] = ()
) -> list[str]:
    """Rows as lines of aligned columns, of which the widest are cut where not all fit.

    Args:
        rows: Cells made by `one_line`, equally many in each row.
        room: How many columns of the terminal there are.
        right: Positions of the columns to align to the right.
        whole: Positions of the columns that are not cut.
    """
    from rich.table import Table

    drawing = Table(box=None, show_header=False, pad_edge=False, padding=(0, BETWEEN, 0, 0))
    for at in range(max(map(len, rows), default=0)):
        drawing.add_column(justify="right" if at in right else "left", no_wrap=at in whole)
    for row in rows:
        drawing.add_row(*row)
    return drawn(drawing, room)


def bar(share: float, text: str, room: int, stream: TextIO) -> str:
    """A bar, as much of which is filled as a share says, and a text after it; in the characters that a stream has."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    grid = Table.grid(padding=(0, 1))
    grid.add_row(ProgressBar(1.0, share, width=_BAR), one_line(text))
    return drawn(grid, room, stream)[0]


def drawn(what: RenderableType, room: int, stream: TextIO | None = None) -> list[str]:
    """What rich draws, as lines: with escape sequences for the colours that it was given, and for nothing else.

    Args:
        what: A thing of rich's.
        room: How many columns of the terminal there are.
        stream: Where it is to be written, if that may lack characters; then without colours.
    """
    from rich.console import Console

    console = Console(
        file=stream or io.StringIO(), width=room, height=1, force_terminal=True, force_jupyter=False,
        legacy_windows=False, color_system=None if stream else "standard", markup=False, emoji=False, highlight=False,
    )  # fmt: skip
    with console.capture() as capture:
        console.print(what, no_wrap=True, overflow="ellipsis")
    return [line.rstrip(" ") for line in capture.get().removesuffix("\n").split("\n")]
