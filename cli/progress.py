"""How a run goes, as it goes: a line a step, and a moving one for the step that runs."""

from __future__ import annotations

import sys
import threading
import time

import click

from . import output
from .output import Terminal

_MARKS = {"completed": "✓", "cached": "•", "failed": "✗", "skipped": "-"}
_PLAIN_MARKS = {"completed": "+", "cached": "=", "failed": "x", "skipped": "-"}
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_EVERY = 0.1


class RunProgress:
    """An observer of runs that writes to standard error, so that a step's own output stays apart."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._unicode = _can_encode("".join(_MARKS.values()) + _SPINNER)
        self._live = sys.stderr.isatty() and not terminal.quiet and self._unicode
        self._width = 0
        self._spinner: _Spinner | None = None

    def run_started(self, name: str, steps: list[str]) -> None:
        """Notes how wide the names are."""
        self._width = max(len(step) for step in steps)

    def step_started(self, step: str) -> None:
        """Shows a spinner, where there is a terminal."""
        if self._live:
            self._spinner = _Spinner(step)

    def step_waits(self, step: str) -> None:
        """Says that another run is at it."""
        self._line(f"… {step:<{self._width}}  waiting for another run that executes it")

    def step_ended(self, step: str, status: str, seconds: float, note: str) -> None:
        """Writes the step's line."""
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None
        mark = (_MARKS if self._unicode else _PLAIN_MARKS)[status]
        took = output.seconds(seconds) if status in ("completed", "failed") else ""
        more = "  ".join(part for part in (took, " ".join(note.split())) if part)
        padding = " " * (len("completed") - len(status) + 2) if more else ""
        self._line(f"{mark} {step:<{self._width}}  {output.status(status)}{padding}{more}")

    def run_ended(self, name: str, status: str, seconds: float) -> None:
        """Removes what is left of a spinner."""
        if self._spinner is not None:
            self._spinner.stop()

    def _line(self, text: str) -> None:
        if not self._terminal.quiet:
            click.echo(text, err=True)


class _Spinner:
    """A line that moves while a step runs."""

    def __init__(self, step: str) -> None:
        self._step = step
        self._started = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._turn, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _turn(self) -> None:
        # The real stream: while steps run, sys.stderr also feeds their log.
        stream, turn = sys.__stderr__, 0
        while stream is not None and not self._over.wait(_EVERY):
            elapsed = output.seconds(time.monotonic() - self._started)
            stream.write(f"\r\x1b[K{_SPINNER[turn % len(_SPINNER)]} {self._step}  {elapsed}")
            stream.flush()
            turn += 1
        if stream is not None and turn:
            stream.write("\r\x1b[K")
            stream.flush()


def _can_encode(text: str) -> bool:
    try:
        text.encode(sys.stderr.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
