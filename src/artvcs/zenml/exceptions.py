"""ZenML's exceptions that mean something here; any other is there to be caught, and never raised."""

from __future__ import annotations

from typing import Any

from artvcs.pipelines.errors import PipelineError
from artvcs.vcs import UnknownName


class NotFound(UnknownName, KeyError):
    """What was asked for is not there; ZenML raises a KeyError, which this is too."""

    def __str__(self) -> str:
        return str(self.args[0])  # a KeyError would put it in quotes


class ZenMLBaseException(PipelineError):
    """The base of ZenML's exceptions."""


class EntityExistsError(ZenMLBaseException):
    """Something is there already."""


class ValidationError(ZenMLBaseException):
    """Something is not as it has to be."""


__all__ = ["EntityExistsError", "NotFound", "ValidationError", "ZenMLBaseException"]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return type(name, (ZenMLBaseException,), {"__module__": __name__})
