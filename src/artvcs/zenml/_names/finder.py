"""Makes modules of ZenML's importable that are not files here: they hold what is ours, else what stands for theirs.

So `sed s/zenml/artvcs.zenml/` of the imports is the whole move. Only what ZenML has is found: a name that is misspelt
in the first part of a path is an ImportError as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from .absent import PACKAGE, stand_in

PACKAGES = frozenset((
    "actions", "alerter", "analytics", "annotators", "api", "artifact_stores", "artifacts", "client_lazy_loader",
    "code_repositories", "config", "console", "constants", "container_engines", "core", "container_registries",
    "data_validators", "deployers", "dispatcher", "entrypoints", "environment", "event_hub", "event_sources",
    "exceptions", "execution", "experiment_trackers", "feature_stores", "hooks", "image_builders", "integrations", "io",
    "lineage_graph", "log_stores", "logging", "login", "materializers", "metadata", "model", "model_deployers",
    "model_registries", "models", "new", "orchestrators", "pipelines", "plugins", "post_execution", "repository",
    "sandboxes", "secret", "secrets_managers", "service_connectors", "services", "stack", "stack_deployments",
    "step_operators", "steps", "streaming", "triggers", "utils", "webhooks", "zen_server", "zen_stores",
))  # fmt: skip
"""The modules and packages of ZenML, from 0.20 to 0.98."""

_HOMES = {
    "_meaning.contexts": "get_pipeline_context get_step_context",
    "_meaning.definitions": "ArtifactConfig ExternalArtifact Model Tag",
    "_names.installed": "get_tracking_uri integration_registry",
    "_meaning.noting": (
        "add_tags bulk_log_metadata link_artifact_to_model load_artifact log_artifact_metadata log_metadata"
        " log_model_metadata log_step_metadata register_artifact remove_tags save_artifact"
        " ArtifactVersionIdentifier ModelVersionIdentifier PipelineRunIdentifier StepRunIdentifier"
    ),
    "_meaning.responses": (
        "ArtifactResponse ArtifactVersionResponse ModelResponse ModelVersionResponse PipelineResponse"
        " PipelineRunResponse StepRunResponse"
    ),
    "_meaning.pages": "Page",
    "_meaning.stacks": "MLFlowExperimentTracker",
    "_meaning.steps": "step unmapped",
    "client": "Client",
    "config": (
        "CachePolicy DockerSettings PipelineRunConfiguration ResourceSettings Schedule StepConfigurationUpdate"
        " StepRetryConfig"
    ),
    "enums": (
        "ArtifactSaveType ArtifactType ColorVariants ExecutionMode ExecutionStatus LoggingLevels LogicalOperators"
        " MetadataResourceTypes ModelStages ModelVersionStage SorterOps StackComponentType TaggableResourceTypes"
        " VisualizationType"
    ),
    "environment": "Environment get_environment get_run_environment_dict",
    "exceptions": "EntityExistsError StepInterfaceError ValidationError",
    "logger": "get_logger",
    "materializers": "BaseMaterializer BuiltInMaterializer PydanticMaterializer materializer_registry",
    "metadata.metadata_types": "DType MetadataType MetadataTypeEnum Path StorageSize Uri",
    "steps": "BaseParameters BaseStep Output STEP_ENVIRONMENT_NAME StepContext StepEnvironment",
    "post_execution": "get_pipeline get_pipelines get_run",
    "repository": "Repository",
    "pipelines": "BasePipeline pipeline",
    "types": "CSVString HTMLString JSONString MarkdownString",
    "utils.cuda_utils": "cleanup_gpu_memory",
    "utils.dashboard_utils": "get_run_url",
}
"""Module here → the names of ZenML's that it holds, wherever ZenML has them."""

HOMES = {name: f"{PACKAGE}.{home}" for home, names in _HOMES.items() for name in names.split()}


def look_up(module: str, name: str) -> Any:
    """What a module of ZenML's has under a name.

    Raises:
        AttributeError: No public name is spelt so.
    """
    if _is_file(module, name):
        return import_module(f"{module}.{name}")
    if HOMES.get(name, module) != module:
        return getattr(import_module(HOMES[name]), name)
    if name.endswith("Materializer"):
        base = import_module(f"{PACKAGE}.materializers").OfTheType
        return type(name, (base,), {"__module__": module})
    return stand_in(module, name)


def _is_file(module: str, name: str) -> bool:
    """Whether a package has a module of a name here."""
    places = vars(sys.modules[module]).get("__path__", ())
    return any(Path(each, f"{name}.py").is_file() or Path(each, name).is_dir() for each in places)


class _Finder(MetaPathFinder, Loader):
    """Finds the modules of ZenML that are not here."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        parts = fullname.split(".")
        if parts[:2] != PACKAGE.split(".") or len(parts) < 3 or parts[2] not in PACKAGES:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        name, found = module.__name__, {}

        def get(attribute: str) -> Any:
            if attribute not in found:
                if attribute == "__path__" or attribute.startswith("__"):
                    raise AttributeError(attribute)
                found[attribute] = look_up(name, attribute)
            return found[attribute]

        module.__getattr__ = get  # type: ignore[method-assign]


def install() -> None:
    """Makes the modules importable; they come last, after all that are files."""
    if not any(isinstance(each, _Finder) for each in sys.meta_path):
        sys.meta_path.append(_Finder())
