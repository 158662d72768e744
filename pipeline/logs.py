"""What a step prints, kept: on its way to the terminal it also goes into the step's log."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

MAX_LOG = 16 << 20
"""A step's log is cut after this many characters."""

_log: ContextVar[io.StringIO | None] = ContextVar("artvcs_log", default=None)


class _Tee:
    """Stands in for sys.stdout or sys.stderr while steps run; a step's own writes are also kept."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        log = _log.get()
        if log is not None and log.tell() < MAX_LOG:
            log.write(text)
        return self.stream.write(text)

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
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def capture() -> Iterator[io.StringIO]:
    """Collects what is printed inside the block, in this thread or task."""
    log = io.StringIO()
    token = _log.set(log)
    try:
        yield log
    finally:
        _log.reset(token)
