"""ZenML's enums that mean something here."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from artvcs.pipelines.define.model import ModelStages

from ._names import finder


class ArtifactType(StrEnum):
    """What an artifact is; here its type says that, and this is noted at most."""

    DATA_ANALYSIS = "DataAnalysisArtifact"
    DATA = "DataArtifact"
    MODEL = "ModelArtifact"
    SCHEMA = "SchemaArtifact"
    SERVICE = "ServiceArtifact"
    STATISTICS = "StatisticsArtifact"
    BASE = "BaseArtifact"


class VisualizationType(StrEnum):
    """The kinds of pictures that a materializer can make."""

    CSV = "csv"
    HTML = "html"
    IMAGE = "image"
    MARKDOWN = "markdown"
    JSON = "json"


class ExecutionStatus(StrEnum):
    """How a run or a step stands."""

    INITIALIZING = "initializing"
    RUNNING = "running"
    COMPLETED = "completed"
    CACHED = "cached"
    FAILED = "failed"
    SKIPPED = "skipped"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"

    @property
    def is_finished(self) -> bool:
        """Whether it has ended."""
        return self not in (ExecutionStatus.INITIALIZING, ExecutionStatus.RUNNING)

    @property
    def is_successful(self) -> bool:
        """Whether its outputs can be had."""
        return self in (ExecutionStatus.COMPLETED, ExecutionStatus.CACHED)


class StackComponentType(StrEnum):
    """The components of a stack, of which only the store of artifacts is here."""

    ALERTER = "alerter"
    ANNOTATOR = "annotator"
    ARTIFACT_STORE = "artifact_store"
    CONTAINER_REGISTRY = "container_registry"
    DATA_VALIDATOR = "data_validator"
    EXPERIMENT_TRACKER = "experiment_tracker"
    FEATURE_STORE = "feature_store"
    IMAGE_BUILDER = "image_builder"
    MODEL_DEPLOYER = "model_deployer"
    MODEL_REGISTRY = "model_registry"
    ORCHESTRATOR = "orchestrator"
    STEP_OPERATOR = "step_operator"


__all__ = ["ArtifactType", "ExecutionStatus", "ModelStages", "StackComponentType", "VisualizationType"]


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
