"""What steps print and the moving line below it never garble one another."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import time
from collections.abc import Iterator
from typing import TextIO

import pytest

from artvcs.cli.terminal import output, screen
from artvcs.cli.terminal.output import Terminal as Output
from artvcs.cli.terminal.progress import RunProgress
from artvcs.cli.terminal.screen import Counter, Screen


class Terminal(io.StringIO):
    """A terminal with one moving line: what a person would see in the end."""

    def isatty(self) -> bool:
        return True

    @property
    def seen(self) -> list[str]:
        lines = [""]
        for part in re.split(r"(\r\x1b\[K|\n)", self.getvalue()):
            if part == "\n":
                lines.append("")
            elif part == output.ERASE:
                lines[-1] = ""
            else:
                lines[-1] += part
        return lines


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "_EVERY", 0.002)


@contextlib.contextmanager
def in_terminal(stdout: TextIO | None = None) -> Iterator[Terminal]:
    terminal = Terminal()
    with contextlib.redirect_stdout(stdout or terminal), contextlib.redirect_stderr(terminal):
        yield terminal


def wait_for(terminal: Terminal, text: str) -> None:
    deadline = time.monotonic() + 10
    while text not in terminal.getvalue():
        assert time.monotonic() < deadline, terminal.getvalue()
        time.sleep(0.001)


def test_whole_lines_scroll_by_and_the_moving_line_goes_in_the_end() -> None:
    with in_terminal() as tty:
        with Screen(lambda: "moving").open():
            wait_for(tty, "moving")
            print("one")
            wait_for(tty, "one\n" + output.ERASE + "moving")
            print("two", file=sys.stderr)
        assert sys.stdout is tty
    assert tty.seen == ["one", "two", ""]


def test_a_half_written_line_is_left_alone() -> None:
    moving = Screen(lambda: "moving")
    with in_terminal() as tty, moving.open():
        wait_for(tty, "moving")
        print("half", end="")
        before = tty.getvalue()
        time.sleep(0.02)
        assert tty.getvalue() == before
        moving.begin_line()
        print("✓ step")
    assert tty.seen == ["half", "✓ step", ""]


def test_a_stream_that_is_no_terminal_is_not_touched() -> None:
    piped = io.StringIO()
    with in_terminal(piped), Screen(lambda: "moving").open():
        assert sys.stdout is piped
        print("data")
    assert piped.getvalue() == "data\n"


def test_the_moving_line_names_what_runs_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    watcher = RunProgress(Output())
    watcher.run_started("run", ["a" * 50, "b"], {})
    assert watcher._moving_line() == ""
    watcher._running["a" * 50] = time.monotonic() - 5
    assert len(output.moving(watcher._moving_line()).removeprefix(output.ERASE)) == 39
    watcher.run_ended("run", "completed", 5.0)
    assert watcher._moving_line() == ""


@pytest.mark.parametrize(
    ("done", "total", "seconds", "said"),
    [
        (0, 4 << 20, 0.0, "0 B of 4.0 MiB, 0 B/s"),
        (1 << 20, 4 << 20, 0.01, "1.0 MiB of 4.0 MiB, 10.0 MiB/s"),  # too early to tell
        (1 << 20, 4 << 20, 1.0, "1.0 MiB of 4.0 MiB, 1.0 MiB/s, 3 s left"),
        (3 << 20, 4 << 20, 1.5, "3.0 MiB of 4.0 MiB, 2.0 MiB/s, 500 ms left"),
        (1 << 20, 1 << 30, 2.0, "1.0 MiB of 1.0 GiB, 512.0 KiB/s, 34 min 6 s left"),
        (4 << 20, 4 << 20, 2.0, "4.0 MiB of 4.0 MiB, 2.0 MiB/s"),
        (5 << 20, 4 << 20, 2.0, "5.0 MiB, 2.5 MiB/s"),  # it grew meanwhile
        (5 << 20, None, 2.0, "5.0 MiB, 2.5 MiB/s"),
    ],
)  # fmt: skip
def test_bytes_rate_and_what_is_left(done: int, total: int | None, seconds: float, said: str) -> None:
    assert output.pace(done, total, seconds) == said


def test_a_count_of_bytes() -> None:
    with in_terminal() as tty:
        counter = Counter("writing", 200, live=True)
        counter(50)
        counter(0)
        counter(150)
        shown = tty.seen
        counter.end()
        silent = Counter("writing", 200, live=False)
        silent(200)
        silent.end()
    assert tty.getvalue().count("writing") == 2
    [line] = shown
    assert line.startswith("━━━━━━━━━━━━━━━━━━━━━━━━ 100 %  200 B of 200 B")
    assert line.endswith("writing")
    assert tty.seen == [""]
