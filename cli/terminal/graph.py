"""Drawing history as `git log --graph` does: a column for each line of descent.

A history is no tree, as rich draws them: what a step makes has several parents, and several children.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """How one node is drawn.

    Attributes:
        before: Lines above it, where columns meet.
        node: What stands before its first line.
        beside: What stands before its further lines.
        after: Lines below it, where columns part.
    """

    before: tuple[str, ...]
    node: str
    beside: str
    after: tuple[str, ...]


def draw(order: Sequence[str], parents: Mapping[str, Sequence[str]]) -> Iterator[Row]:
    """Lays out nodes, children before parents.

    Args:
        order: The nodes, each after all its children.
        parents: Node → its parents.
    """
    columns: list[str] = []
    for node in order:
        if node not in columns:
            columns.append(node)
        at = columns.index(node)
        before = tuple(_join(columns, at))
        mark = "".join("* " if i == at else "| " for i in range(len(columns)))
        above = [parent for parent in parents.get(node, ()) if parent not in columns]
        joined = [columns.index(parent) for parent in parents.get(node, ()) if parent in columns]
        beside = "".join("  " if i == at and not (above or joined) else "| " for i in range(len(columns)))
        yield Row(before, mark, beside, tuple(_part(columns, at, above, joined)))


def _join(columns: list[str], at: int) -> Iterator[str]:
    """Brings the columns that wait for the same node together."""
    node = columns[at]
    while node in columns[at + 1 :]:
        other = columns.index(node, at + 1)
        yield _slant_left(len(columns), at, other)
        del columns[other]


def _part(columns: list[str], at: int, fresh: list[str], joined: list[int]) -> Iterator[str]:
    """Leads the columns from a node to its parents; those that are waited for already are joined later."""
    waiting = [columns[other] for other in joined]
    size = len(columns)
    columns[at : at + 1] = [*fresh, *waiting]
    grown = len(fresh) + len(waiting) - 1
    for step in range(grown):
        cells = ["| "] * (at + step) + ["|\\"] + [" \\"] * (size - at - 1)
        yield "".join(cells)
    if grown < 0 and size > at + 1:
        yield "| " * at + " /" * (size - at - 1)


def _slant_left(size: int, at: int, other: int) -> str:
    cells = [" "] * (2 * size)
    for i in range(size):
        if i < other:
            cells[2 * i] = "|"
        if at < i < other:
            cells[2 * i - 1] = "_"
        if i >= other:
            cells[2 * i - 1] = "/"
    if other - at > 1:
        cells[2 * other - 1] = "/"
    return "".join(cells).rstrip()
