"""ZenML's names, for code that was written for it: `sed s/zenml/artvcs.zenml/` of the imports is the whole move.

    from artvcs.zenml import pipeline, step
    from artvcs.zenml.client import Client

What has a meaning here means it. What only says where or with what ZenML would run something is passed over with a
warning. What belongs to its stacks or server raises a sentence, when it is used, with the way that exists here. New
code has no need of this package: see docs/coming-from-zenml.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from artvcs import __version__

from ._names import finder
from .logger import get_logger

if TYPE_CHECKING:
    from ._meaning.contexts import get_pipeline_context, get_step_context
    from ._meaning.definitions import ArtifactConfig, ExternalArtifact, Model, Tag
    from ._meaning.noting import (
        add_tags,
        bulk_log_metadata,
        link_artifact_to_model,
        load_artifact,
        log_artifact_metadata,
        log_metadata,
        log_model_metadata,
        log_step_metadata,
        register_artifact,
        remove_tags,
        save_artifact,
    )
    from ._meaning.steps import step, unmapped
    from .pipelines import pipeline

finder.install()
get_logger("artvcs")  # as ZenML does, runs say on the terminal how they go

_ABSENT = frozenset((
    "ArtifactVersion", "PipelineSnapshot", "Schedule", "delete_model", "get_pipeline", "show", "ManualTask",
    "Trigger", "Environment", "entrypoint", "Service", "Secret", "Client", "ResourceSettings", "TriggerRequest",
    "EventSourceFilter", "CachePolicy", "StepRetryConfig",
))  # fmt: skip
"""Other names that ZenML's first package has, or had."""

__all__ = [
    "ArtifactConfig",
    "ExternalArtifact",
    "Model",
    "Tag",
    "__version__",
    "add_tags",
    "bulk_log_metadata",
    "get_pipeline_context",
    "get_step_context",
    "link_artifact_to_model",
    "load_artifact",
    "log_artifact_metadata",
    "log_metadata",
    "log_model_metadata",
    "log_step_metadata",
    "pipeline",
    "register_artifact",
    "remove_tags",
    "save_artifact",
    "step",
    "unmapped",
]


def __getattr__(name: str) -> Any:
    if name in finder.PACKAGES:
        return import_module(f"{__name__}.{name}")
    if name in __all__ or name in _ABSENT:
        globals()[name] = value = finder.look_up(__name__, name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
