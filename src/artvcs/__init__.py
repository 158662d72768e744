"""Git for what pipelines make.

    from artvcs import step, pipeline, Client

The names below are imported when they are first used: `import artvcs` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from artvcs.pipelines.artifact_config import ArtifactConfig
    from artvcs.pipelines.cache import CachePolicy
    from artvcs.pipelines.client import Client
    from artvcs.pipelines.context import get_step_context
    from artvcs.pipelines.inputs import ExternalArtifact, InputFile
    from artvcs.pipelines.materializers import Materializer
    from artvcs.pipelines.options import Retry
    from artvcs.pipelines.pipelines import pipeline
    from artvcs.pipelines.saving import load_artifact, log_metadata, register_artifact, save_artifact
    from artvcs.pipelines.steps import step

_HOMES = {
    "ArtifactConfig": "artifact_config",
    "CachePolicy": "cache",
    "Client": "client",
    "ExternalArtifact": "inputs",
    "InputFile": "inputs",
    "Materializer": "materializers",
    "Retry": "options",
    "get_step_context": "context",
    "load_artifact": "saving",
    "log_metadata": "saving",
    "pipeline": "pipelines",
    "register_artifact": "saving",
    "save_artifact": "saving",
    "step": "steps",
}

__all__ = [
    "ArtifactConfig",
    "CachePolicy",
    "Client",
    "ExternalArtifact",
    "InputFile",
    "Materializer",
    "Retry",
    "__version__",
    "get_step_context",
    "load_artifact",
    "log_metadata",
    "pipeline",
    "register_artifact",
    "save_artifact",
    "step",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'artvcs' has no attribute {name!r}")
    return getattr(import_module(f"artvcs.pipelines.{_HOMES[name]}"), name)
