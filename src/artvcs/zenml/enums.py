"""ZenML's enums that mean something here."""

from __future__ import annotations

import enum
import logging
from typing import Any

from ._names import finder


class StrEnum(enum.StrEnum):
    """Texts that have a name."""

    @classmethod
    def names(cls) -> list[str]:
        """The names."""
        return [each.name for each in cls]

    @classmethod
    def values(cls) -> list[str]:
        """The texts."""
        return [each.value for each in cls]


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


class ModelStages(StrEnum):
    """The stages of a version of a model."""

    NONE = "none"
    STAGING = "staging"
    PRODUCTION = "production"
    ARCHIVED = "archived"
    LATEST = "latest"


ModelVersionStage = ModelStages
"""What ZenML's registries of models call the same."""


class TaggableResourceTypes(StrEnum):
    """What can have tags."""

    ARTIFACT = "artifact"
    ARTIFACT_VERSION = "artifact_version"
    MODEL = "model"
    MODEL_VERSION = "model_version"
    PIPELINE = "pipeline"
    PIPELINE_RUN = "pipeline_run"
    RUN_TEMPLATE = "run_template"
    PIPELINE_SNAPSHOT = "pipeline_snapshot"
    DEPLOYMENT = "deployment"


class MetadataResourceTypes(StrEnum):
    """What facts can be noted of."""

    PIPELINE_RUN = "pipeline_run"
    STEP_RUN = "step_run"
    ARTIFACT_VERSION = "artifact_version"
    MODEL_VERSION = "model_version"
    SCHEDULE = "schedule"


class ArtifactSaveType(StrEnum):
    """How an artifact came to be there."""

    STEP_OUTPUT = "step_output"
    MANUAL = "manual"
    PREEXISTING = "preexisting"
    EXTERNAL = "external"


class ExecutionMode(StrEnum):
    """What happens after a step failed."""

    FAIL_FAST = "fail_fast"
    STOP_ON_FAILURE = "stop_on_failure"
    CONTINUE_ON_FAILURE = "continue_on_failure"


class SorterOps(StrEnum):
    """The orders of a list."""

    ASCENDING = "asc"
    DESCENDING = "desc"


class LogicalOperators(StrEnum):
    """How several conditions of a list are one."""

    OR = "or"
    AND = "and"


class LoggingLevels(enum.Enum):
    """How much is told."""

    NOTSET = logging.NOTSET
    ERROR = logging.ERROR
    WARN = logging.WARN
    WARNING = logging.WARNING
    INFO = logging.INFO
    DEBUG = logging.DEBUG
    CRITICAL = logging.CRITICAL


class ColorVariants(StrEnum):
    """The colours of tags, which have none here."""

    GREY = "grey"
    PURPLE = "purple"
    RED = "red"
    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"
    LIME = "lime"
    TEAL = "teal"
    TURQUOISE = "turquoise"
    MAGENTA = "magenta"
    BLUE = "blue"


class StackComponentType(StrEnum):
    """The components of a stack, of which only the store of artifacts is here."""

    ALERTER = "alerter"
    ANNOTATOR = "annotator"
    ARTIFACT_STORE = "artifact_store"
    CONTAINER_REGISTRY = "container_registry"
    DATA_VALIDATOR = "data_validator"
    DEPLOYER = "deployer"
    EXPERIMENT_TRACKER = "experiment_tracker"
    FEATURE_STORE = "feature_store"
    IMAGE_BUILDER = "image_builder"
    LOG_STORE = "log_store"
    MODEL_DEPLOYER = "model_deployer"
    MODEL_REGISTRY = "model_registry"
    ORCHESTRATOR = "orchestrator"
    SANDBOX = "sandbox"
    STEP_OPERATOR = "step_operator"


__all__ = [
    "ArtifactSaveType",
    "ArtifactType",
    "ColorVariants",
    "ExecutionMode",
    "ExecutionStatus",
    "LoggingLevels",
    "LogicalOperators",
    "MetadataResourceTypes",
    "ModelStages",
    "ModelVersionStage",
    "SorterOps",
    "StackComponentType",
    "StrEnum",
    "TaggableResourceTypes",
    "VisualizationType",
]


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
