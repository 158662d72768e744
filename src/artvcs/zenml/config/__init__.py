"""What ZenML's pipelines and steps say of where they run, which is passed over, and of retries, which is not."""

from __future__ import annotations

from typing import Any

from artvcs.pipelines.define.options.options import Retry

from .._names import finder
from .._names.absent import Said
from ..utils.yaml_utils import read_yaml


class DockerSettings(Said):
    """What is in the image that a step would run in."""


class ResourceSettings(Said):
    """The processors and memory that a step would be given."""


class Schedule(Said):
    """When a pipeline would be run."""

    name = cron_expression = start_time = end_time = interval_second = run_once_start_time = None
    catchup = False


class PipelineRunConfiguration(Said):
    """What is said of a pipeline in an object; `with_options(config_path=…)` takes the file itself."""

    parameters: Any = None

    @classmethod
    def from_yaml(cls, path: str) -> PipelineRunConfiguration:
        """What a file says."""
        return cls(**(read_yaml(path) or {}))


class StepConfigurationUpdate(dict[str, Any]):
    """What `with_options(steps={…})` says of a step."""


class CachePolicy(Said):
    """What decides whether ZenML would reuse a result; here the code, the inputs and what a step is seen to use do."""

    @staticmethod
    def default() -> CachePolicy:
        """What decides by default."""
        return CachePolicy()


class StepRetryConfig(Retry):
    """How often a step that failed is tried again."""

    def __init__(self, max_retries: int = 1, delay: float = 0, backoff: float = 1) -> None:
        super().__init__(max_retries, delay, max(backoff, 1))


__all__ = [
    "CachePolicy",
    "DockerSettings",
    "PipelineRunConfiguration",
    "ResourceSettings",
    "Schedule",
    "StepConfigurationUpdate",
    "StepRetryConfig",
]


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
