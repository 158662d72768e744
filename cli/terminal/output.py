"""Text, tables, colour and JSON on the terminal.

Whatever is written goes through `Terminal`, and there through `safe`: a name or a message may come from a stranger's
repository, and does nothing to the terminal but show itself. Only what `style` made becomes colour.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import itertools
import json
import math
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, TextIO

import click

from artvcs.pipelines.escaping import printable, printable_json
from artvcs.pipelines.typing.spelling import spelt
from artvcs.pipelines.units import count as count
from artvcs.pipelines.units import duration as duration
from artvcs.pipelines.units import size as size
from artvcs.vcs import storage_errors

from . import drawing
from .drawing import cut as cut
from .marks import bare, coloured
from .marks import safe as safe
from .marks import style as style

ERASE = "\r\x1b[K"
"""Takes a line away that was shown without an end."""

_EARLY = 0.1
"""Seconds after which it can be said how fast something goes."""

_USUAL = 80
"""Columns where nobody says how many there are."""


_LOOKED_AT = 8000
"""So many bytes tell whether a file is text; Git's rule."""


class NotText(Exception):
    """What should be shown on a terminal is no text."""


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
    def may_ask(self) -> bool:
        """Whether somebody sits there who can answer."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def width(self) -> int | None:
        """Columns; None when the output is a pipe, which has no end."""
        return _columns(sys.stdout) if sys.stdout.isatty() else None

    def has_room(self, line: str) -> bool:
        """Whether a line fits."""
        return self.width is None or drawing.width(safe(line)) <= self.width

    def say(self, text: str = "", *, err: bool = False) -> None:
        """Writes one line that answers what was asked; with `err` to standard error."""
        stream = sys.stderr if err else sys.stdout
        text = safe(text)
        # Nothing is left for click to strip; it knows how to write on every system.
        _write(coloured(text) if self.colour and _takes_colours(stream) else bare(text), stream)

    @property
    def in_colour(self) -> bool:
        """Whether what is written is seen in colours."""
        return self.colour and _takes_colours(sys.stdout)

    def drawn(self, line: str) -> None:
        """Writes a line that was drawn here, colours and all: nothing of it is anybody's text but names made safe."""
        _write(line if self.in_colour else click.unstyle(line))

    def row(self, text: str) -> None:
        """Writes one of several lines that are read side by side: it is cut where the terminal ends."""
        self.say(drawing.line(text, self.width))

    def sentence(self, text: str, *, err: bool = False) -> None:
        """Writes a line of words: a terminal gets it broken between them, and not where it happens to end."""
        stream = sys.stderr if err else sys.stdout
        for line in drawing.broken(text, _columns(stream)) if stream.isatty() else [text]:
            self.say(line, err=err)

    def note(self, text: str) -> None:
        """Writes a sentence that quiet users do without."""
        if not self.quiet:
            self.sentence(text)

    def tell(self, text: str) -> None:
        """Writes a sentence beside the answer: to standard error, so that pipes stay clean; quiet users do without."""
        if not self.quiet:
            self.sentence(text, err=True)

    def lines(self, text: str, *, err: bool = False) -> None:
        """Writes text that has lines of its own, such as a traceback."""
        for line in text.splitlines():
            self.say(line, err=err)

    def confirm(self, question: str, declined: str = "Nothing was deleted.") -> None:
        """Asks whoever sits at the terminal whether to do something, and ends the command where he says no.

        A script has said yes by calling us. Whoever interrupts has said no.
        """
        if not self.may_ask:
            return
        try:
            if click.confirm(bare(safe(one_line(question))), err=True):
                return
        except click.Abort as error:
            self.say(err=True)  # the question's line ends
            if isinstance(interrupt := error.__context__, KeyboardInterrupt):
                interrupt.args = (declined,)
                raise interrupt from None
        self.say(declined, err=True)
        raise click.exceptions.Exit(1)

    def warn(self, message: str) -> None:
        """Writes a warning."""
        self.sentence(f"{style('warning:', fg='yellow')} {one_line(message)}", err=True)

    def fail(self, message: str) -> None:
        """Writes an error."""
        self.sentence(f"{style('error:', fg='red')} {one_line(message)}", err=True)

    def document(self, data: Any) -> None:
        """Writes JSON."""
        _write(printable_json(json.dumps(plain(data), indent=2, ensure_ascii=False, allow_nan=False)))

    def content(self, pieces: Iterable[bytes]) -> None:
        """Writes the bytes of a file as they are, and on a terminal as lines of text.

        Raises:
            NotText: They are none, and a terminal would show nothing but noise.
        """
        if sys.stdout.isatty():
            pieces, last = iter(pieces), b""
            first = next(pieces, b"")
            if b"\0" in first[:_LOOKED_AT]:
                raise NotText
            pieces = itertools.chain([first], pieces)
            decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)
            for piece in itertools.chain(pieces, [b""]):
                _write(printable(decoder.decode(piece, final=not piece), lines=True), nl=False)
                last = piece or last
            if last and not last.endswith(b"\n"):
                _write("")  # what is asked next begins a line
        else:
            for piece in pieces:
                _write(piece, nl=False)

    def table(
        self, heads: Sequence[str], rows: Sequence[Sequence[str]], *, whole: str, spare: Sequence[str] = ()
    ) -> list[str]:
        """Writes aligned columns; nothing where there are no rows.

        Args:
            heads: What stands above each column.
            rows: The cells.
            whole: The head of the column that is never cut: what one has to type.
            spare: The heads of columns that are left out where a terminal has no room, the first one first.

        Returns:
            The heads of the columns that were left out.
        """
        if not rows:
            return []
        lines, left_out = drawing.table(heads, rows, self.width, whole, spare)
        for line in lines:
            self.say(line)
        return left_out


def pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output, for a program at the other end."""
    return sys.stdin.buffer, sys.stdout.buffer


def make_terminal(*, quiet: bool, no_color: bool, debug: bool) -> Terminal:
    """A terminal as the options and NO_COLOR say."""
    return Terminal(quiet=quiet, colour=not no_color and not os.environ.get("NO_COLOR"), debug=debug)


def moving(text: str) -> str:
    """What puts a line in place of the moving one; it is cut to fit, for one that wraps could not be taken away."""
    return ERASE + cut(text, room_to_move())


def show_moving(text: str) -> None:
    """Shows a moving line on standard error; an empty one takes it away."""
    click.echo(moving(text), nl=False, err=True, color=True)


def show_bar(doing: str, done: int, total: int, more: str = "") -> None:
    """Shows a moving line that says how much of a thing is done."""
    show_moving(drawing.bar(doing, done, total, more, room_to_move()))


def pace(done: int, total: int | None, seconds: float) -> str:
    """How many bytes are done, how fast it goes, and how long the rest takes if it goes on like that.

    Args:
        done: So many bytes.
        total: How many there are; None where nobody knows.
        seconds: So long it took.
    """
    rate = f"{size(int(done / max(seconds, _EARLY)))}/s"
    if total is None or total < done:
        return f"{size(done)}, {rate}"
    told = f"{size(done)} of {size(total)}, {rate}"
    if not 0 < done < total or seconds < _EARLY:
        return told
    left = (total - done) * seconds / done
    return f"{told}, {duration(left) if left < 1 else duration(round(left)).replace('.0', '')} left"


def room_to_move() -> int:
    """Columns that a moving line may take."""
    return _columns(sys.stderr) - 1


def _columns(stream: TextIO) -> int:
    """Columns of the terminal that a stream leads to; as COLUMNS says, if it does."""
    if not os.environ.get("COLUMNS"):
        with contextlib.suppress(OSError, ValueError):
            return os.get_terminal_size(stream.fileno()).columns or _USUAL
    return max(2, shutil.get_terminal_size((_USUAL, 0)).columns)


def short(oid: str | None) -> str:
    """An id as people read it: its first twelve digits."""
    return style((oid or "")[:12], fg="yellow")


def status(word: str) -> str:
    """A status in its colour."""
    colours = {"completed": "green", "cached": "cyan", "failed": "red", "interrupted": "red", "running": "yellow"}
    return style(word, fg=colours.get(word))


def of_many(ended: Counter[str]) -> tuple[str, str]:
    """How many uses of a step have ended: as the worst of them, and how many how, where they differ.

    Args:
        ended: Status → how many; of one at least.
    """
    worst = next(each for each in ("failed", "interrupted", "skipped", "completed", "cached") if ended[each])
    fewest_first = sorted(ended.items(), key=lambda each: (each[1], each[0]))
    return worst, ", ".join(f"{number:,} {each}" for each, number in fewest_first) if len(ended) > 1 else ""


def stages(found: Sequence[str]) -> str:
    """The stages that a version is in."""
    return ", ".join(style(f"@{stage}", fg="green") for stage in found)


def damaged(why: str) -> str:
    """What stands for a record that cannot be read."""
    return style(f"(damaged: {why})", fg="red")


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
    text = printable(one_line(found if isinstance(found, str) else spelt(found)))
    return brief(text, 80)


def brief(text: str, most: int) -> str:
    """Text of at most so many characters for a terminal; whoever reads a pipe gets all of it."""
    return text if len(text) <= most or not sys.stdout.isatty() else text[: most - 1] + "…"


def values(found: Mapping[str, Any]) -> str:
    """Parameters or metadata on one line, as `rate=0.1, label=x`."""
    return ", ".join(f"{name}={value(each)}" for name, each in found.items())


def one_line(text: str) -> str:
    """Text with its lines and gaps closed up."""
    return " ".join(text.split())


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


def _write(content: str | bytes, stream: TextIO | None = None, *, nl: bool = True) -> None:
    """Writes to a stream, by default standard output.

    Raises:
        BrokenPipeError: Whoever read has seen enough.
        StorageError: It cannot be written, as to a file on a full disk.
    """
    try:
        click.echo(content, file=stream, nl=nl, color=True)
    except BrokenPipeError:
        raise
    except OSError:
        with storage_errors("writing the output"):
            raise


def _takes_colours(stream: TextIO) -> bool:
    return stream.isatty()
