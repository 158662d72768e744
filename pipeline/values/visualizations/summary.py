"""What there is to say about a value, before anyone decides how it looks.

One summary is rendered twice: by `html` for a page, by `terminal` as text.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Histogram:
    """How many values lie in each of several equal ranges between `low` and `high`."""

    counts: tuple[int, ...]
    low: str
    high: str


@dataclass(frozen=True)
class Shares:
    """The most frequent values and their shares of all, 0 to 1."""

    items: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Bar:
    """A number as a length, -1 to 1."""

    length: float


@dataclass(frozen=True)
class Line:
    """A course of numbers, such as a loss by epoch."""

    values: tuple[float, ...]


Cell = str | Histogram | Shares | Bar | Line


@dataclass(frozen=True)
class Facts:
    """Names and what is to say of them, in a line or two."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """Rows under heads.

    Attributes:
        numeric: Positions of the columns to align to the right.
        note: What is missing from the table, and why.
        wrapped: Positions of the columns that may take several lines on a page.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    numeric: frozenset[int] = frozenset()
    note: str = ""
    wrapped: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Chart:
    """A histogram by itself."""

    histogram: Histogram
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """An image, as PNG."""

    png: bytes
    width: int
    height: int
    caption: str = ""


@dataclass(frozen=True)
class Text:
    """Text as it stands, lines kept."""

    text: str
    caption: str = ""


Block = Facts | Table | Chart | Picture | Text


@dataclass(frozen=True)
class Summary:
    """All there is to say about one value."""

    title: str
    blocks: tuple[Block, ...]
