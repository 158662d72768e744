"""What a worker prints, shown as it comes: whole lines, each with the step that says it."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
from typing import TextIO

from ...execution.logs import MAX_LOG, labelled

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
        self._begun = ""

    def take(self) -> str | None:
        """What has come since; None where no more will come."""
        try:
            data = os.read(self.handle, _MOST)
        except BlockingIOError:
            return ""
        return self._decoder.decode(data) if data else None

    def show(self, text: str, label: str) -> None:
        """Shows the lines that a text ends; of what was written over in a line, the last."""
        *lines, self._begun = (self._begun + text).split("\n")
        stream: TextIO = getattr(sys, self._name)
        if lines:
            stream.write("".join(labelled(label, line) for line in lines))
            stream.flush()

    def end_line(self, label: str) -> None:
        """Shows a line that was not ended."""
        if self._begun:
            self.show("\n", label)

    def close(self) -> None:
        """Gives up the pipe."""
        with contextlib.suppress(OSError):
            os.close(self.handle)


class Outputs:
    """What a worker prints to both streams.

    Attributes:
        both: Each of them.
        text: What it has printed at its task, as far as a log takes it.
    """

    def __init__(self, stdout: int, stderr: int) -> None:
        self.both = Printed(stdout, "stdout"), Printed(stderr, "stderr")
        self.text = ""
        self._label = ""

    def begin(self, label: str) -> None:
        """From now on it is said by somebody else."""
        self._label, self.text = label, ""

    def drain(self) -> None:
        """Shows what has come so far."""
        for each in self.both:
            while text := each.take():
                self._show(each, text)

    def take(self, each: Printed) -> bool:
        """Shows what has come through one of both; False where no more will come."""
        text = each.take()
        if text:
            self._show(each, text)
        return text is not None

    def _show(self, each: Printed, text: str) -> None:
        self.text += text[: max(0, MAX_LOG - len(self.text))]
        each.show(text, self._label)

    def end(self) -> None:
        """The task has ended: shows what remains."""
        self.drain()
        for each in self.both:
            each.end_line(self._label)

    def close(self) -> None:
        """Gives up the pipes."""
        for each in self.both:
            each.close()
