"""Loggers as ZenML's are: what is at least an INFO is seen on the terminal, and in the log of the step."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

from ._names import finder


class _ToErrors(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at that moment: in a step that is also its log."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record, unless somebody has set up logging since."""
        if not logging.getLogger().handlers:
            super().emit(record)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Standard error."""
        return sys.stderr


def get_logger(logger_name: str) -> logging.Logger:
    """A logger by its name; where nobody has set up logging, what is at least an INFO is written to standard error."""
    logger = logging.getLogger(logger_name)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        logger.addHandler(_ToErrors())
    return logger


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
