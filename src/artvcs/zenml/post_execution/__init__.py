"""ZenML's first way to look at runs."""

from __future__ import annotations

from typing import Any

from .._names import finder
from ..client import Client
from ..repository import Repository


def get_pipeline(pipeline: Any, **_: Any) -> Any:
    """A pipeline with its runs."""
    return Repository().get_pipeline(pipeline)


def get_pipelines(**_: Any) -> list[Any]:
    """The pipelines that have runs."""
    return Repository().get_pipelines()


def get_run(name: str) -> Any:
    """A run."""
    return Client().get_pipeline_run(name)


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
