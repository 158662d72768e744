"""Text for terminals: aligned, as wide as there is room, and nothing that steers the terminal."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd
import pytest

from artvcs.pipelines.values.visualizations import gallery, terminal
from artvcs.pipelines.values.visualizations.kinds import frame, mapping
from artvcs.pipelines.values.visualizations.model import Visualization
from artvcs.pipelines.values.visualizations.summary import Bar, Line, Summary, Table

WIDE = pd.DataFrame(
    {f"a rather long name of column {number}": [f"東京 {number}", "x" * 200, "é"] for number in range(12)}
)


def cells(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    table = pd.concat([WIDE, pd.DataFrame({"n": [1.5, 2, 3], "d": pd.date_range("2020", periods=3)})], axis=1)
    text = terminal.render(frame.of_frame(table), columns)
    assert max(map(cells, text.splitlines())) <= columns


def test_columns_are_aligned() -> None:
    table = Table(("name", "n"), (("東京", "1"), ("a", "20"), ("é", "3")), numeric=frozenset({1}))
    assert terminal.table(table, 80).splitlines() == ["name   n", "東京   1", "a     20", "é      3"]


def test_what_does_not_fit_is_counted() -> None:
    text = terminal.render(frame.of_frame(WIDE), 40)
    assert "more columns" in text
    assert "…" in text


def test_room_is_used() -> None:
    summary = frame.of_frame(WIDE)
    widths = [max(map(cells, terminal.render(summary, columns).splitlines())) for columns in (40, 80, 200)]
    assert widths == sorted(set(widths))


@pytest.mark.parametrize("bad", ["\x1b[2J", "\r", "\x07", "\u202e", "\x9b31m", "\0"])
def test_nothing_steers_the_terminal(bad: str) -> None:
    hostile = f"a{bad}b"
    frames = pd.DataFrame({hostile: [hostile, hostile, "c"]})
    texts = [
        terminal.render(frame.of_frame(frames), 80),
        terminal.render(mapping.of_value({hostile: [hostile], "x": hostile}), 80),
        terminal.render(mapping.of_value(hostile), 80),
        gallery.as_text([Visualization("v.csv", "csv", hostile.encode())], 80),
        gallery.as_text([Visualization(f"{hostile}.png", "image", b"")], 80),
        gallery.as_text([Visualization("v.txt", "text", hostile.encode())], 80),
    ]
    for text in texts:
        assert bad not in text


def test_courses_and_bars_are_drawn_with_letters() -> None:
    table = Table(("", ""), (("loss", Line((3.0, 2.0, 1.0, float("nan")))), ("weight", Bar(-0.5))))
    text = terminal.render(Summary("", (table,)), 80)
    assert "█▄▁" in text
    assert "-████████" in text


def test_long_text_ends_with_how_much_is_left() -> None:
    text = terminal.lines("\n".join(map(str, range(1000))), 80, limit=10)
    assert text.splitlines()[-1] == "… and 990 more lines"
    assert terminal.lines("x" * 100, 40) == "\n".join(["x" * 40, "x" * 40, "x" * 20])
    assert terminal.lines("東京x" * 3, 6) == "東京x\n東京x\n東京x"


def test_the_width_is_the_terminal_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "57")
    assert terminal.width() == 57


def test_numbers_of_numpy_are_numbers() -> None:
    text = terminal.render(mapping.of_value({"a": np.float64(0.5), "b": np.int64(2)}), 80)
    assert text.splitlines()[-1].endswith("█" * 16)
