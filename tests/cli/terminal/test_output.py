"""Values, sizes and times as people and programs read them."""

from __future__ import annotations

import io
import json
import math
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from artvcs.cli.terminal import drawing, output
from artvcs.cli.terminal.marks import bare
from artvcs.cli.terminal.output import Terminal
from artvcs.pipelines.escaping import printable


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (1, "1"),
        (1.0, "1.0"),
        (-3.0, "-3.0"),
        (0.1 + 0.2, "0.3"),
        (1e30, "1e+30"),
        (math.nan, "nan"),
        ("x\ny", "x y"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ([1, "a"], "[1, 'a']"),
    ],
)
def test_values_on_one_line(found: Any, shown: str) -> None:
    assert output.value(found) == shown


def test_a_long_value_is_cut_for_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert output.value("x" * 100) == "x" * 100
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert output.value("x" * 100) == "x" * 79 + "…"


def test_control_characters_of_a_stranger_do_not_reach_the_terminal() -> None:
    assert printable("a\x1b]0;title\x07b\x9b2J\u202eevil") == "a\\x1b]0;title\\x07b\\x9b2J\\u202eevil"
    assert printable("tab\tand ünïcode ✓") == "tab\tand ünïcode ✓"


@pytest.mark.parametrize(
    ("took", "shown"),
    [
        (0.0351, "35 ms"),
        (0.9994, "999 ms"),
        (1.25, "1.2 s"),
        (timedelta(seconds=200), "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations(took: timedelta | float, shown: str) -> None:
    assert output.duration(took) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB"), (3 << 40, "3.0 TiB")]
)
def test_sizes(number: int, shown: str) -> None:
    assert output.size(number) == shown


@pytest.mark.parametrize(
    ("past", "shown"),
    [
        (0, "0 seconds ago"),
        (1, "1 second ago"),
        (130, "2 minutes ago"),
        (3600, "1 hour ago"),
        (3 * 86400, "3 days ago"),
    ],
)
def test_how_long_ago(past: int, shown: str) -> None:
    assert output.ago(datetime.now(UTC) - timedelta(seconds=past + 0.2)) == shown


def test_json_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    when = datetime(2026, 1, 2, tzinfo=UTC)
    data = {"nan": math.nan, "inf": [math.inf], "when": when, "took": timedelta(seconds=1.5), 1: (2, {3}), "b": b"x"}
    Terminal().document(data)
    written = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert written == {
        "nan": "nan", "inf": ["inf"], "when": "2026-01-02T00:00:00+00:00", "took": 1.5, "1": [2, [3]], "b": "b'x'",
    }  # fmt: skip


def test_a_table_is_cut_at_the_width_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Terminal, "width", 12)
    Terminal().table(["a", "b"], [["1", "long long long"], ["22", "x"]], whole="a")
    assert capsys.readouterr().out.splitlines() == ["a   b", "1   long lo…", "22  x"]


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (40, "aaaaaaaaaaaaaa  bbbbbbbbbbbb  10 B  new"),
        (36, "aaaaaaaaaaaaaa  bbbbbbb…  10 B  new"),
        (34, "aaaaaaaaaaaaaa  bbbbbbbbbbbb  new"),
        (30, "aaaaaaaaaaaaaa  bbbbbbb…  new"),
        (28, "aaaaaaaaaaaaaa  bbbbbbbbbbbb"),
        (24, "aaaaaaaaaaaaaa  bbbbbbb…"),
        (20, "aaaaaaaaaaaaaa"),
        (5, "aaaaaaaaaaaaaa"),
    ],
)
def test_names_are_whole_and_columns_are_left_out(
    room: int, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Terminal, "width", room)
    cells = ["a" * 14, "b" * 12, "10 B", "new"]
    Terminal().table(["name", "type", "size", "made"], [cells], whole="name", spare=("size", "made"))
    assert capsys.readouterr().out.splitlines()[1] == shown


NAMES = [["東京", "1"], ["[bold]é[/bold]", "[red]"], [":smile:", "x" * 200]]


def test_a_pipe_gets_all_of_a_table_in_plain_columns(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().table(["name", "tags"], NAMES, whole="name")
    lines = ["name            tags", "東京            1", "[bold]é[/bold]  [red]", ":smile:         " + "x" * 200]
    assert capsys.readouterr().out.splitlines() == lines


def test_what_is_stored_is_no_markup_in_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Terminal, "width", 40)
    Terminal().table(["name", "tags"], NAMES, whole="name")
    Terminal().row("[bold]東京[/bold] :smile: https://example.org")
    lines = ["name            tags", "東京            1", "[bold]é[/bold]  [red]", f":smile:         {'x' * 23}…"]
    assert capsys.readouterr().out.splitlines() == [*lines, "[bold]東京[/bold] :smile: https://examp…"]


def test_what_is_cut_keeps_its_colours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(output, "_takes_colours", lambda stream: True)
    monkeypatch.setattr(Terminal, "width", 12)
    red = output.style("long long long", fg="red")
    Terminal().table(["a", "b"], [["1", red], ["22", output.style("x", bold=True)]], whole="a")
    Terminal().row(red)
    Terminal(colour=False).row(red)
    assert capsys.readouterr().out.splitlines() == [
        "\x1b[2ma\x1b[0m   \x1b[2mb\x1b[0m",
        "1   \x1b[31mlong lo…\x1b[0m",
        "22  \x1b[1mx\x1b[0m",
        "\x1b[31mlong long l…\x1b[0m",
        "long long l…",
    ]


@pytest.mark.long
def test_a_table_of_very_many_rows_takes_no_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Terminal, "width", 12)
    Terminal().table(["a", "b"], [["1", "long long long"]] * 20_000, whole="a")
    lines = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[-1]) == (20_001, "1  long lon…")


def test_what_an_encoding_can_show() -> None:
    assert output.can_show("✓", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert not output.can_show("✓", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))


def test_a_sentence_is_broken_between_words_and_not_within_a_command() -> None:
    text = f"{output.style('error:', fg='red')} Step 'two' failed; mend it and `art run bad.py -p x=1` goes on."
    lines = drawing.broken(text, 40)
    assert [bare(line) for line in lines] == [
        "error: Step 'two' failed; mend it and",
        "`art run bad.py -p x=1` goes on.",
    ]
    assert drawing.broken("  parameter name: 1 → 22222222", 20) == ["  parameter name: 1", "  → 22222222"]
    assert drawing.broken("x" * 50, 20) == ["x" * 50]  # what is longer than a line is the terminal's to break
    assert drawing.broken("東京 東京 東京", 10) == ["東京 東京", "東京"]
    assert drawing.broken("fits", 4) == ["fits"]
    assert drawing.broken("", 4) == [""]
