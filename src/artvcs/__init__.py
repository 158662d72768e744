"""Git for what pipelines make.

    from artvcs import step, pipeline, Client

The names below are imported when they are first used: `import artvcs` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from artvcs.pipelines.client import Client
    from artvcs.pipelines.define.artifact_config import ArtifactConfig
    from artvcs.pipelines.define.handles import ExternalArtifact, InputFile
    from artvcs.pipelines.define.mapping import unmapped
    from artvcs.pipelines.define.model import Model, ModelStages
    from artvcs.pipelines.define.options.options import Retry
    from artvcs.pipelines.define.options.policy import CachePolicy
    from artvcs.pipelines.define.step import step
    from artvcs.pipelines.functions import load_artifact, log_metadata, register_artifact, save_artifact
    from artvcs.pipelines.pipelines import pipeline
    from artvcs.pipelines.run.execution.context import get_step_context
    from artvcs.pipelines.values.materializers import CSVString, HTMLString, JSONString, MarkdownString, Materializer

_HOMES = {
    "ArtifactConfig": "define.artifact_config",
    "CSVString": "values.materializers",
    "CachePolicy": "define.options.policy",
    "Client": "client",
    "ExternalArtifact": "define.handles",
    "HTMLString": "values.materializers",
    "InputFile": "define.handles",
    "JSONString": "values.materializers",
    "MarkdownString": "values.materializers",
    "Materializer": "values.materializers",
    "Model": "define.model",
    "ModelStages": "define.model",
    "Retry": "define.options.options",
    "get_step_context": "run.execution.context",
    "load_artifact": "functions",
    "log_metadata": "functions",
    "pipeline": "pipelines",
    "register_artifact": "functions",
    "save_artifact": "functions",
    "step": "define.step",
    "unmapped": "define.mapping",
}

__all__ = [
    "ArtifactConfig",
    "CSVString",
    "CachePolicy",
    "Client",
    "ExternalArtifact",
    "HTMLString",
    "InputFile",
    "JSONString",
    "MarkdownString",
    "Materializer",
    "Model",
    "ModelStages",
    "Retry",
    "__version__",
    "get_step_context",
    "load_artifact",
    "log_metadata",
    "pipeline",
    "register_artifact",
    "save_artifact",
    "step",
    "unmapped",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'artvcs' has no attribute {name!r}")
    return getattr(import_module(f"artvcs.pipelines.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
