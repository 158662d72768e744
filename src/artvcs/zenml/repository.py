"""ZenML's first Client."""

from __future__ import annotations

from typing import Any

from ._names import finder
from .client import Client


class Repository(Client):
    """Looks into a repository, as ZenML's first API did it."""

    def get_pipeline(
        self, name_id_or_prefix: Any = None, pipeline_name: str | None = None, pipeline: Any = None, **_: Any
    ) -> Any:
        """A pipeline with its runs. Raises KeyError where it has none."""
        return super().get_pipeline(name_id_or_prefix or pipeline_name or pipeline)

    def get_pipelines(self, **_: Any) -> list[Any]:
        """The pipelines that have runs, by name."""
        return [self.get_pipeline(name) for name in sorted({run.pipeline for run in self.list_pipeline_runs()})]


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
