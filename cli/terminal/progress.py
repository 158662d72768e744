"""How a run goes, as it goes: a line a step, and a moving one for the step that runs."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from artvcs.pipelines.run.apart import Unseen

from . import drawing, output
from .output import Terminal
from .screen import Screen

_MARKS = {"completed": "✓", "cached": "•", "failed": "✗", "interrupted": "✗", "skipped": "-", "waits": "…"}
_PLAIN_MARKS = {"completed": "+", "cached": "=", "failed": "x", "interrupted": "x", "skipped": "-", "waits": "."}
_SPINNER, _PLAIN_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"
_MOST_NAMED = 3
_AT_ONCE = 0.1
"""Seconds that nobody takes for waiting."""


class Group:
    """The items of one `step.map`, as they are shown: in one line.

    Attributes:
        first: The first item.
        ended: How many have ended so, by status.
    """

    def __init__(self, first: str, count: int) -> None:
        self.first = first
        self.ended: Counter[str] = Counter()
        self._count = count
        self._began = time.monotonic()
        self._has_begun = False

    def begin(self) -> None:
        """An item begins."""
        if not self._has_begun:
            self._has_begun, self._began = True, time.monotonic()

    def end(self, status: str) -> None:
        """An item has ended."""
        self.begin()
        self.ended[status] += 1

    @property
    def name(self) -> str:
        """What is shown of it."""
        return f"{self.first} ×{self._count:,}"

    @property
    def so_far(self) -> str:
        """What is shown of it as it goes on."""
        return f"{self.first} {self.ended.total():,}/{self._count:,}"

    @property
    def is_over(self) -> bool:
        """Whether all have ended."""
        return self.ended.total() == self._count

    @property
    def seconds(self) -> float:
        """How long it took."""
        return time.monotonic() - self._began


class RunProgress:
    """An observer of runs that writes to standard error, so that a step's own output stays apart.

    Attributes:
        run: The run's name, once it has begun.
        repeated: The steps that ran again though their results were reused.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        unicode = output.can_show("".join(_MARKS.values()) + _SPINNER, sys.stderr)
        self._marks, self._spinner = (_MARKS, _SPINNER) if unicode else (_PLAIN_MARKS, _PLAIN_SPINNER)
        self.run: str | None = None
        self.repeated: set[str] = set()
        self._width = 0
        self._running: dict[str, float] = {}
        self._group_of: dict[str, Group] = {}
        self._turn = 0
        self._screen: Screen | None = None

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """While the block runs, a terminal shows what is running."""
        if not self._terminal.live:
            yield
            return
        self._screen = Screen(self._moving_line)
        with self._screen.open():
            yield

    def run_started(self, name: str, steps: list[str], groups: Mapping[str, Sequence[str]]) -> None:
        """Notes the run's name, and how wide those of steps are."""
        self.run = name
        made = [Group(first, len(items)) for first, items in groups.items()]
        self._group_of = {item: group for group in made for item in groups[group.first]}
        names = [*(group.name for group in made), *(step for step in steps if step not in self._group_of)]
        self._width = max(map(drawing.width, names), default=0)

    def step_started(self, step: str) -> None:
        """Lets the moving line show the step."""
        self._running[step] = time.monotonic()
        if (group := self._group_of.get(step)) is not None:
            group.begin()

    def step_lacks(self, step: str, what: str) -> None:
        """Says so, before it may be killed for that."""
        self._terminal.warn(f"The step {step!r} needs {what}; it runs alone.")

    def step_waits(self, step: str, process: int | None) -> None:
        """Says that another run is at it."""
        where = "" if process is None else f" in process {process}"
        self._line(f"{self._marks['waits']} {self._padded(step)}  waiting for another run{where} that executes it")

    def step_repeats(self, step: str, used_by: str) -> None:
        """Says that it runs again though it was a hit."""
        self.repeated.add(step)
        self._line(f"{self._marks['waits']} {self._padded(step)}  runs again: {used_by} uses what it leaves behind")

    def step_ended(self, step: str, status: str, seconds: float, note: str) -> None:
        """Writes the step's line; of the items of a map one for all, and for each of the first that fail."""
        self._running.pop(step, None)
        if (group := self._group_of.get(step)) is None:
            self._ended(step, status, seconds, note)
            return
        group.end(status)
        if status == "failed" and group.ended["failed"] <= _MOST_NAMED:
            self._ended(step, status, seconds, note)
        if group.is_over:
            status, more = output.of_many(group.ended)
            self._ended(group.name, status, group.seconds, more)

    def _ended(self, step: str, status: str, seconds: float, note: str) -> None:
        took = output.duration(seconds) if status in ("completed", "failed", "interrupted") else ""
        what = output.one_line(note).partition("; ")[0]  # what to do about it is said at the end
        more = "  ".join(part for part in (took, what) if part)
        padding = " " * max(2, len("completed") - len(status) + 2) if more else ""
        self._line(f"{self._marks[status]} {self._padded(step)}  {output.status(status)}{padding}{more}")

    def files_are_gone(self, files: Sequence[tuple[str, str]]) -> None:
        """Says so, in one line: they are not made again."""
        self._line_of_files("Gone", files, "makes")

    def files_are_stale(self, files: Sequence[tuple[str, str]]) -> None:
        """Says so, in one line: they are not written again."""
        self._line_of_files("From another run", files, "writes")

    def memory_is_apart(self, unseen: Sequence[Unseen]) -> None:
        """Says so, of one step, and how many others there are."""
        others = f" ({len(unseen) - 1} more such steps)" if unseen[1:] else ""
        self._terminal.warn(f"{unseen[0]}{others}")

    def _line_of_files(self, how: str, files: Sequence[tuple[str, str]], does: str) -> None:
        named = [f"{file} (by {step})" for step, file in files[:_MOST_NAMED]]
        more = [f"{len(files) - _MOST_NAMED} more"] if files[_MOST_NAMED:] else []
        self._line(
            f"{how}, and needed by no step that ran: {output.one_line(', '.join(named + more))}; --no-cache {does} "
            f"{'it' if len(files) == 1 else 'them'} again."
        )

    def run_ended(self, name: str, status: str, seconds: float) -> None:
        """Nothing runs any more."""
        self._running.clear()

    def _padded(self, steps: str) -> str:
        return drawing.padded(steps, self._width)

    def _line(self, text: str) -> None:
        if self._screen is not None and not self._terminal.quiet:
            self._screen.begin_line()
        self._terminal.tell(text)

    def _moving_line(self) -> str:
        running = dict(self._running)
        if not running:
            return ""
        named = dict.fromkeys(group.so_far if (group := self._group_of.get(step)) else step for step in running)
        elapsed = time.monotonic() - min(running.values())
        if elapsed < _AT_ONCE:
            return ""
        mark = self._spinner[self._turn % len(self._spinner)]
        self._turn += 1
        return f"{mark} {self._padded(', '.join(named))}  {output.duration(elapsed)}"
