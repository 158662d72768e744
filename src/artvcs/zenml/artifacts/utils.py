"""Saving, loading and noting."""

from __future__ import annotations

from typing import Any

from .._meaning.noting import load_artifact, log_artifact_metadata, register_artifact, save_artifact
from .._names import finder


def load_artifact_from_response(artifact: Any) -> Any:
    """The value of an artifact version."""
    return artifact.load()


def load_artifact_visualization(artifact: Any, index: int = 0, **_: Any) -> Any:
    """A picture of an artifact version. Raises IndexError where there are not as many."""
    return artifact.visualizations()[index]


__all__ = [
    "load_artifact",
    "load_artifact_from_response",
    "load_artifact_visualization",
    "log_artifact_metadata",
    "register_artifact",
    "save_artifact",
]


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
