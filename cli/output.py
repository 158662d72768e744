"""Text, tables, colour and JSON on the terminal."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

import click

from artvcs.pipelines.units import duration as duration
from artvcs.pipelines.units import size as size

# A stored name or message may come from a hostile repository, and must not command the terminal.
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


_NARROW = 8
"""No column is made narrower than this."""


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
    def live(self) -> bool:
        """Whether somebody watches who may be shown how far a thing is."""
        return sys.stderr.isatty() and not self.quiet

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
        click.echo(json.dumps(plain(data), indent=2, ensure_ascii=False, allow_nan=False))

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Writes aligned columns; the widest are cut where the terminal is narrow."""
        if not rows:
            return
        widths = _fitting([max(len(_bare(row[i])) for row in [heads, *rows]) for i in range(len(heads))], self.width)
        for row in [[click.style(head, dim=True) for head in heads], *rows]:
            cells = [cut(cell, width) for cell, width in zip(row, widths, strict=True)]
            line = "  ".join(cell + " " * (width - len(_bare(cell))) for cell, width in zip(cells, widths, strict=True))
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


def count(number: int, noun: str) -> str:
    """So many of a thing: `1 step`, `2 steps`."""
    return f"{number} {noun}{'s' * (number != 1)}"


def ago(when: datetime) -> str:
    """How long ago, in the largest unit."""
    past = max(0, int((datetime.now(UTC) - when).total_seconds()))
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if past >= length:
            return f"{count(past // length, unit)} ago"
    return f"{count(past, 'second')} ago"


def moment(when: datetime) -> str:
    """A time of day here, and how long ago that is."""
    return f"{when.astimezone():%Y-%m-%d %H:%M:%S} ({ago(when)})"


def value(found: Any) -> str:
    """A parameter or metadata value on one line."""
    if isinstance(found, float):
        text = f"{found:.6g}"
        # `1` and `1.0` are not the same parameter.
        return f"{text}.0" if text.lstrip("-").isdigit() else text
    text = one_line(found if isinstance(found, str) else repr(found))
    return text if len(text) <= 80 else text[:79] + "…"


def values(found: Mapping[str, Any]) -> str:
    """Parameters or metadata on one line, as `rate=0.1, label=x`."""
    return ", ".join(f"{name}={value(each)}" for name, each in found.items())


def one_line(text: str) -> str:
    """Text as one line that does nothing to the terminal but show itself."""
    return clean(" ".join(text.split()))


def clean(text: str) -> str:
    """Text with every control character spelt out, as Python's `repr` does."""
    return _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def can_show(text: str, stream: TextIO) -> bool:
    """Whether a stream's encoding has these characters."""
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def plain(found: Any) -> Any:
    """Data as strict JSON can hold it: times in ISO, durations in seconds, NaN and the like as text."""
    if isinstance(found, Mapping):
        return {key if isinstance(key, str) else str(key): plain(item) for key, item in found.items()}
    if isinstance(found, (list, tuple, set, frozenset)):
        return [plain(item) for item in found]
    if isinstance(found, datetime):
        return found.isoformat()
    if isinstance(found, timedelta):
        return found.total_seconds()
    if found is None or isinstance(found, (bool, int, str)):
        return found
    return found if isinstance(found, float) and math.isfinite(found) else str(found)


def _fitting(widths: list[int], limit: int) -> list[int]:
    """Widths of columns that together fit, the widest made narrower."""
    widths = list(widths)
    while sum(widths) + 2 * (len(widths) - 1) > limit and max(widths) > _NARROW:
        widths[widths.index(max(widths))] -= 1
    return widths


def _bare(text: str) -> str:
    return click.unstyle(text)
