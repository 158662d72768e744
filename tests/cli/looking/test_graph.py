"""Drawing lineage as `git log --graph` does."""

from __future__ import annotations

from artvcs.cli.terminal.graph import draw


def picture(order: str, parents: dict[str, str]) -> list[str]:
    lines = []
    for node, row in zip(order, draw(order, parents), strict=True):
        lines += [*row.before, row.node + node, *row.after]
    return [line.rstrip() for line in lines]


def test_a_line() -> None:
    assert picture("cba", {"c": "b", "b": "a"}) == ["* c", "* b", "* a"]


def test_two_that_come_from_one() -> None:
    assert picture("cba", {"c": "a", "b": "a"}) == ["* c", "| * b", "|/", "* a"]


def test_one_that_comes_from_two() -> None:
    assert picture("cba", {"c": "ba"}) == ["* c", "|\\", "* | b", " /", "* a"]


def test_a_diamond() -> None:
    assert picture("dcba", {"d": "cb", "c": "a", "b": "a"}) == ["* d", "|\\", "* | c", "| * b", "|/", "* a"]


def test_a_short_cut_beside_a_line() -> None:
    assert picture("cba", {"c": "ba", "b": "a"}) == ["* c", "|\\", "* | b", "|/", "* a"]


def test_every_node_is_drawn_once_in_a_wild_graph() -> None:
    order = "hgfedcba"
    parents = {"h": "gfe", "g": "dc", "f": "dba", "e": "ca", "d": "a", "c": "a", "b": "a"}
    drawn = "".join(line[-1] for line in picture(order, parents) if "*" in line)
    assert drawn == order
