"""Text, tables, colour and JSON on the terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click


@dataclass
class Terminal:
    """How to write: set once from the command's options and what the terminal can do.

    Attributes:
        quiet: Say nothing but errors and what was asked for.
        colour: Whether colours may be used.
        debug: Show tracebacks.
    """

    quiet: bool = False
    colour: bool = True
    debug: bool = False

    @property
    def width(self) -> int:
        """Columns; far more than any line when the output is a pipe."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000

    def say(self, text: str = "") -> None:
        """Writes a line that answers what was asked."""
        click.echo(text, color=self.colour and None)

    def note(self, text: str) -> None:
        """Writes a line that quiet users do without."""
        if not self.quiet:
            self.say(text)

    def document(self, data: Any) -> None:
        """Writes JSON."""
        click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=plain))

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Writes aligned columns; the last one is cut at the terminal's width."""
        if not rows:
            return
        widths = [max(len(_bare(row[i])) for row in [heads, *rows]) for i in range(len(heads))]
        for row in [[click.style(head, dim=True) for head in heads], *rows]:
            line = "  ".join(cell + " " * (width - len(_bare(cell))) for cell, width in zip(row, widths, strict=True))
            self.say(cut(line.rstrip(), self.width))


def make_terminal(*, quiet: bool, no_color: bool, debug: bool) -> Terminal:
    """A terminal as the options and NO_COLOR say."""
    return Terminal(quiet=quiet, colour=not no_color and not os.environ.get("NO_COLOR"), debug=debug)


def cut(line: str, width: int) -> str:
    """A line that fits, cut with `…` where it must be; coloured lines are left alone unless they are too long."""
    bare = _bare(line)
    return line if len(bare) <= width else bare[: width - 1] + "…"


def short(oid: str | None) -> str:
    """An id as people read it: its first twelve digits."""
    return click.style((oid or "")[:12], fg="yellow")


def status(word: str) -> str:
    """A status in its colour."""
    colours = {"completed": "green", "cached": "cyan", "failed": "red", "interrupted": "red", "running": "yellow"}
    return click.style(word, fg=colours.get(word))


def seconds(duration: timedelta | float) -> str:
    """A duration for people: `35 ms`, `1.2 s`, `3 min 20 s`."""
    total = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if total < 0.9995:
        return f"{total * 1000:.0f} ms"
    if total < 60:
        return f"{total:.1f} s"
    minutes, rest = divmod(int(total), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def size(count: int) -> str:
    """A number of bytes for people."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def ago(when: datetime) -> str:
    """How long ago, in the largest unit."""
    past = max(0, int((datetime.now(UTC) - when).total_seconds()))
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if past >= length:
            count = past // length
            return f"{count} {unit}{'s' * (count > 1)} ago"
    return f"{past} second{'s' * (past != 1)} ago"


def value(found: Any) -> str:
    """A parameter or metadata value on one line."""
    if isinstance(found, float):
        return f"{found:.6g}"
    text = repr(found) if not isinstance(found, str) else found
    return text if len(text) <= 80 else text[:79] + "…"


def plain(found: Any) -> Any:
    """What JSON lacks, as text."""
    if isinstance(found, datetime):
        return found.isoformat()
    if isinstance(found, timedelta):
        return found.total_seconds()
    if isinstance(found, (set, frozenset, tuple)):
        return list(found)
    return str(found)


def _bare(text: str) -> str:
    return click.unstyle(text)
