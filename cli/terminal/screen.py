"""The terminal while steps run: what they print scrolls by, and below it stands one line that moves.

Both go through one lock, and the moving line is taken away before anything else is written. It comes back only where
a line begins, so that neither a half-written line nor somebody's progress bar is ever written over.

rich draws what moves, but does not move it: its own display would hold back a line until it ends, break those that are
long, and hide the cursor until it is told to stop, which a killed process is not.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TextIO

from .output import ERASE, moving, pace, show_bar, show_moving

_EVERY = 0.1
"""Seconds between two looks of a line that moves."""


class Screen:
    """A moving line below what is printed.

    Args:
        text: Called about ten times a second for the moving line; an empty one is not shown.
    """

    def __init__(self, text: Callable[[], str]) -> None:
        self._text = text
        self._mutex = threading.RLock()
        self._process = os.getpid()
        self._shown = False
        self._line_begins = True
        self._over = threading.Event()

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """While the block runs the line moves, and what is written to standard output and error stays clear of it."""
        before = sys.stdout, sys.stderr
        terminal = sys.stderr
        sys.stdout, sys.stderr = self._guarded(sys.stdout), self._guarded(sys.stderr)
        thread = threading.Thread(target=self._move, args=(terminal,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
            self._erase(terminal)
            sys.stdout, sys.stderr = before

    def write(self, stream: TextIO, text: str) -> int:
        """Writes to a stream, the moving line out of the way."""
        if os.getpid() != self._process:  # a forked child: the line and its lock are the parent's
            return stream.write(text)
        with self._mutex:
            self._erase(stream)
            if text:
                self._line_begins = text.endswith("\n")
            written = stream.write(text)
            stream.flush()
            return written

    def begin_line(self) -> None:
        """Ends the line that somebody left half-written."""
        with self._mutex:
            if not self._line_begins:
                sys.stderr.write("\n")

    def _guarded(self, stream: TextIO) -> Any:
        return _Guarded(self, stream) if stream.isatty() else stream

    def _move(self, stream: TextIO) -> None:
        while not self._over.wait(_EVERY):
            with self._mutex:
                text = self._text() if self._line_begins else ""
                if text:
                    stream.write(moving(text))
                    stream.flush()
                    self._shown = True

    def _erase(self, stream: TextIO) -> None:
        with self._mutex:
            if self._shown:
                stream.write(ERASE)
                stream.flush()
                self._shown = False


class _Guarded:
    """Stands in for a stream; whoever writes to it writes above the moving line."""

    def __init__(self, screen: Screen, stream: TextIO) -> None:
        self._screen = screen
        self._stream = stream

    def write(self, text: str) -> int:
        return self._screen.write(self._stream, text)

    def writelines(self, lines: Iterable[str]) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Progress:
    """Shows how much of what takes long is done, and how fast it goes; call it as it goes on, in a `with` block.

    Args:
        live: Whether to show anything.
    """

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._began = time.monotonic()
        self._total: int | None = None
        self._shown = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def __call__(self, doing: str, done: int, total: int | None) -> None:
        """Shows how far it is, unless that is not all and it was shown a moment ago.

        Args:
            doing: What is being done, as in "writing".
            done: So many bytes.
            total: How many bytes there are; 1 for what is not counted, None where nobody has counted them.
        """
        now = time.monotonic()
        if total != self._total:
            self._began, self._total = now, total  # something else is done now
        if self._live and (now - self._shown >= _EVERY or done == total):
            self._shown = now
            said = pace(done, total, now - self._began)
            if total == 1:
                show_moving(doing)
            elif total is None or total < done:
                show_moving(f"{doing}: {said}")
            else:
                show_bar(doing, done, total, said)

    def end(self) -> None:
        """Takes the bar away, until it is called again."""
        if self._shown:
            self._shown = 0.0
            show_moving("")


class Counter:
    """Shows how many bytes are done, for what may take long; call it with each number of bytes, in a `with` block.

    Args:
        doing: What is being done, as in "writing".
        total: How many bytes there are; None where nobody has counted them.
        live: Whether to show anything.

    Attributes:
        total: As above; it can be set once it is known.
    """

    def __init__(self, doing: str, total: int | None, *, live: bool) -> None:
        self._doing = doing
        self.total = total
        self._progress = Progress(live=live)
        self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def __call__(self, count: int) -> None:
        """Counts bytes that were just done."""
        self._done += count
        if count:
            self._progress(self._doing, self._done, self.total)

    def end(self) -> None:
        """Takes the bar away."""
        self._progress.end()
