"""What a worker prints, shown as it comes: whole lines, each with the step that says it."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from typing import TextIO

from ...execution.lines import Lines
from ...execution.logs import MAX_LOG

_MOST = 1 << 16


class Printed:
    """What comes through one pipe.

    Args:
        handle: The end to read from; it never waits.
        name: Which of our streams shows it: `stdout` or `stderr`.
    """

    def __init__(self, handle: int, name: str) -> None:
        os.set_blocking(handle, False)
        self.handle = handle
        self._name = name
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lines = Lines("")

    def begin(self, label: str) -> None:
        """From now on it is said by somebody else."""
        self._lines = Lines(label)

    def take(self) -> str | None:
        """What has come since, which is shown; None where no more will come."""
        try:
            data = os.read(self.handle, _MOST)
        except BlockingIOError:
            return ""
        if not data:
            return None
        text = self._decoder.decode(data)
        self._show(self._lines.add(text))
        return text

    def end_line(self) -> None:
        """Shows a line that was not ended."""
        self._show(self._lines.rest())

    def _show(self, lines: str) -> None:
        if lines:
            stream: TextIO = getattr(sys, self._name)
            stream.write(lines)
            stream.flush()

    def close(self) -> None:
        """Gives up the pipe."""
        with contextlib.suppress(OSError):
            os.close(self.handle)


class Outputs:
    """What a worker prints to both streams.

    Attributes:
        both: Each of them.
    """

    def __init__(self, stdout: int, stderr: int) -> None:
        self.both = Printed(stdout, "stdout"), Printed(stderr, "stderr")
        self._text = io.StringIO()

    @property
    def text(self) -> str:
        """What was printed at the task, as far as a log takes it."""
        return self._text.getvalue()

    def begin(self, label: str) -> None:
        """From now on it is said by somebody else."""
        self._text = io.StringIO()
        for each in self.both:
            each.begin(label)

    def drain(self) -> None:
        """Shows what has come so far."""
        for each in self.both:
            while self._take(each):
                pass

    def take(self, each: Printed) -> bool:
        """Shows what has come through one of both; False where no more will come."""
        return self._take(each) is not None

    def _take(self, each: Printed) -> str | None:
        text = each.take()
        if text and self._text.tell() < MAX_LOG:
            self._text.write(text)
        return text

    def end(self) -> None:
        """The task has ended: shows what remains."""
        self.drain()
        for each in self.both:
            each.end_line()

    def close(self) -> None:
        """Gives up the pipes."""
        for each in self.both:
            each.close()
