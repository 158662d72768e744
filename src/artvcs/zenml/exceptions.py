"""ZenML's exceptions that mean something here; any other is there to be caught, and never raised."""

from __future__ import annotations

from typing import Any

from artvcs.pipelines.errors import DefinitionError, Missing, ParameterError, PipelineError
from artvcs.vcs import UnknownName


class NotFound(Missing):
    """What was asked for is not there; ZenML raises a KeyError, which this is too."""


class NoRun(NotFound, RuntimeError):
    """A pipeline has no such run; what is asked of a pipeline that never ran, ZenML answers with a RuntimeError."""


class NotOne(UnknownName, ValueError):
    """There is not exactly one where the only one is asked for; ZenML raises a ValueError."""


class NoFile(UnknownName, FileNotFoundError):
    """There is no such file, for which ZenML raises what Python does."""

    def __str__(self) -> str:
        return str(self.args[0])


class ZenMLBaseException(PipelineError):
    """The base of ZenML's exceptions."""


class EntityExistsError(ZenMLBaseException, DefinitionError):
    """Something is there already."""


class ValidationError(ZenMLBaseException):
    """Something is not as it has to be."""


StepInterfaceError = ParameterError
"""A step is given what it does not take, or is no parameter."""

__all__ = [
    "EntityExistsError",
    "NoFile",
    "NoRun",
    "NotFound",
    "NotOne",
    "StepInterfaceError",
    "ValidationError",
    "ZenMLBaseException",
]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return type(name, (ZenMLBaseException,), {"__module__": __name__})
