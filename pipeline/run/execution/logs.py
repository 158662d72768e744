"""What a step prints, kept: on its way to the terminal it also goes into the step's log."""

from __future__ import annotations

import io
import logging
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

from .lines import Lines

MAX_LOG = 16 << 20
"""A step's log is cut after this many characters."""

_log: ContextVar[io.StringIO | None] = ContextVar("artvcs_log", default=None)
_lines: ContextVar[Mapping[_Tee, Lines] | None] = ContextVar("artvcs_lines", default=None)


class _Tee:
    """Stands in for sys.stdout or sys.stderr while steps run; a step's own writes are also kept."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        log = _log.get()
        if log is not None and log.tell() < MAX_LOG:
            log.write(text)
        if (lines := _lines.get()) is not None:
            self.stream.write(lines[self].add(text))
            return len(text)
        return self.stream.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def installed() -> Iterator[None]:
    """While the block runs, `capture` works."""
    if isinstance(sys.stdout, _Tee):
        yield
        return
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Tee(sys.stdout), _Tee(sys.stderr)
    handlers = _point_handlers(dict(zip(before, (sys.stdout, sys.stderr), strict=True)))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for handler, stream in handlers:
            handler.setStream(stream)


def _point_handlers(tees: dict[TextIO, _Tee]) -> list[tuple[logging.StreamHandler[Any], TextIO]]:
    """Makes log handlers that hold a stream of the terminal write to its stand-in; returns what they had."""
    loggers = (logging.getLogger(), *logging.root.manager.loggerDict.values())
    found = []
    for handler in {handler for logger in loggers for handler in getattr(logger, "handlers", ())}:
        if isinstance(handler, logging.StreamHandler) and (tee := tees.get(handler.stream)) is not None:
            found.append((handler, handler.stream))
            handler.setStream(tee)
    return found


@contextmanager
def capture(label: str | None = None) -> Iterator[io.StringIO]:
    """Collects what is printed inside the block, in this thread or task.

    Args:
        label: Shows it in whole lines, each with this name, since others print at the same time.
    """
    log, lines = io.StringIO(), None if label is None else defaultdict[_Tee, Lines](lambda: Lines(label))
    token, told = _log.set(log), _lines.set(lines)
    try:
        yield log
    finally:
        _log.reset(token)
        _lines.reset(told)
        for tee, begun in (lines or {}).items():
            tee.stream.write(begun.rest())
