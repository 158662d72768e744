"""Every name that ZenML's public projects import is found; what is not here is a sentence and not an ImportError."""

from __future__ import annotations

import enum
import importlib
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from artvcs.pipelines.errors import DefinitionError, IgnoredSetting
from artvcs.zenml._names.absent import NotHere

MEANT = """
ArtifactConfig ExternalArtifact Model Tag add_tags bulk_log_metadata get_pipeline_context get_step_context
link_artifact_to_model load_artifact log_artifact_metadata log_metadata log_model_metadata log_step_metadata pipeline
register_artifact remove_tags save_artifact step unmapped
artifacts.external_artifact:ExternalArtifact artifacts.utils:load_artifact artifacts.utils:log_artifact_metadata
client:Client config.docker_settings:DockerSettings config.retry_config:StepRetryConfig config:DockerSettings
config:ResourceSettings config.schedule:Schedule enums:ArtifactType enums:ExecutionStatus enums:ModelStages
enums:VisualizationType environment:Environment io:fileio logger:get_logger
materializers.base_materializer:BaseMaterializer materializers.materializer_registry:materializer_registry
materializers:BuiltInMaterializer materializers:PydanticMaterializer metadata.metadata_types:DType
metadata.metadata_types:MetadataType metadata.metadata_types:Uri model.model:Model pipelines:pipeline
post_execution:get_pipeline steps:BaseParameters steps:Output steps:StepContext steps:step
types:HTMLString types:MarkdownString utils.cuda_utils:cleanup_gpu_memory utils.metadata_utils:log_metadata
utils:io_utils integrations.registry:integration_registry
integrations.pytorch.materializers.pytorch_module_materializer:PyTorchModuleMaterializer
environment:get_environment environment:get_run_environment_dict metadata.metadata_types:MetadataTypeEnum
artifacts.utils:load_artifact_visualization artifacts.utils:load_artifact_from_response
post_execution.pipeline:get_pipeline core.repo:Repository client:Repository logging.step_logging:get_logger
model_registries.base_model_registry:ModelVersionStage enums:TaggableResourceTypes enums:LoggingLevels
utils.string_utils:random_str utils.uuid_utils:generate_uuid_from_string utils.dict_utils:recursive_update
utils.source_utils:load utils.io_utils:get_global_config_directory utils.yaml_utils:append_yaml
config.step_configurations:StepConfigurationUpdate ResourceSettings models:ArtifactVersionResponse
models.v2.core.pipeline_run:PipelineRunResponse
"""
"""What has its meaning."""

SAID_ONLY = """
integrations.kubernetes.flavors:KubernetesOrchestratorSettings
integrations.modal.flavors.modal_step_operator_flavor:ModalStepOperatorSettings
integrations.slack.alerters.slack_alerter:SlackAlerterParameters
integrations.vllm.services.vllm_deployment:VLLMServiceConfig
integrations.evidently.metrics:EvidentlyMetricConfig client:ClientConfiguration
model_registries.base_model_registry:ModelRegistryModelMetadata
"""
"""What says where something runs, and is passed over."""

ABSENT = """
show TriggerRequest EventSourceFilter client:ClientMetaClass environment:SomethingElse
metadata.metadata_types:SomethingElse utils.yaml_utils:Other io.fileio:Other types:Other logger:Other
integrations.mlflow.experiment_trackers:MLFlowExperimentTracker
integrations.huggingface.model_deployers:HuggingFaceModelDeployer integrations.evidently.steps:evidently_report_step
integrations.label_studio.annotators.label_studio_annotator:LabelStudioAnnotator
integrations.bentoml.steps:bento_builder_step models.v2.core.pipeline_run:PipelineRunResponseBody
integrations.slack.steps.slack_alerter_post_step:slack_alerter_post_step utils.dashboard_utils:get_run_url
"""
"""What raises a sentence when it is used."""

WITHOUT_ADVICE = {
    "PipelineRunResponseBody", "bento_builder_step", "EventSourceFilter", "ClientMetaClass", "SomethingElse", "Other",
}  # fmt: skip
"""Of those, what there is nothing to be said about."""


def named(spelt: str) -> Any:
    module, _, name = spelt.rpartition(":")
    found: dict[str, Any] = {}
    exec(f"from {f'artvcs.zenml.{module}'.rstrip('.')} import {name}", found)
    return found[name]


@pytest.mark.parametrize("spelt", MEANT.split())
def test_a_name_that_has_a_meaning_is_found(spelt: str) -> None:
    assert named(spelt) is not None
    assert "Absent" not in type(named(spelt)).__name__


@pytest.mark.parametrize("spelt", SAID_ONLY.split())
def test_what_only_says_where_something_runs_is_passed_over(spelt: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IgnoredSetting)
        assert named(spelt)(memory="2GB").memory == "2GB"


@pytest.mark.parametrize("spelt", ABSENT.split())
def test_what_is_not_here_says_so_when_it_is_used(spelt: str) -> None:
    found = named(spelt)

    class Inherits(found):  # type: ignore[misc, valid-type]
        pass

    assert list[found] == list[found]  # type: ignore[valid-type]
    assert found | None
    assert not isinstance(3, found)
    with pytest.raises(
        NotHere, match="belongs to ZenML's stacks or its server, of which there are none here; "
    ) as told:
        found()
    assert "leave it out, or do" not in str(told.value) or found.__name__ in WITHOUT_ADVICE
    with pytest.raises(NotHere):
        Inherits()


_OF_STACKS = re.compile(
    r"deploy|services|stack|orchestrators|step_operators|integrations|dashboard|docker_utils|Connector", re.I
)


def test_nearly_all_that_projects_import_has_a_meaning_and_the_rest_a_sentence() -> None:
    """`imports.txt` holds what 657 files of 53 public projects import of ZenML, each name with how many of them do."""
    meant, without = 0, 0
    for line in Path(__file__).with_name("imports.txt").read_text().splitlines():
        files, module, *name = line.split()
        found: dict[str, Any] = {}
        exec(f"from artvcs.{module} import {name[0]}" if name else f"import artvcs.{module}", found)
        if "Absent" not in type(found[name[0]] if name else None).__name__:
            meant += int(files)
        elif not _OF_STACKS.search(f"{module} {name[0]}"):
            without += int(files)
    assert meant > 1300
    assert meant / (meant + without) > 0.95


def test_a_misspelt_name_is_an_import_error_as_ever() -> None:
    with pytest.raises(ImportError):
        from artvcs.zenml import stepp  # type: ignore[attr-defined]  # noqa: F401
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("artvcs.zenml.clientt")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("artvcs.zenml.client.nothing")


def test_names_of_integrations_and_flavours_are_text() -> None:
    from artvcs.zenml.integrations.constants import (  # type: ignore[import-not-found]
        GREAT_EXPECTATIONS,
        HUGGINGFACE,
        MLFLOW,
        OPEN_AI,
        PYTORCH_L,
    )
    from artvcs.zenml.integrations.gcp import GCP_VERTEX_ORCHESTRATOR_FLAVOR  # type: ignore[import-not-found]
    from artvcs.zenml.integrations.mlflow import (  # type: ignore[import-not-found]
        MLFLOW_MODEL_DEPLOYER_FLAVOR,
        MLFLOW_MODEL_EXPERIMENT_TRACKER_FLAVOR,
    )

    assert (HUGGINGFACE, MLFLOW, GREAT_EXPECTATIONS) == ("huggingface", "mlflow", "great_expectations")
    assert (OPEN_AI, PYTORCH_L) == ("openai", "pytorch_lightning")
    assert MLFLOW_MODEL_DEPLOYER_FLAVOR == MLFLOW_MODEL_EXPERIMENT_TRACKER_FLAVOR == "mlflow"
    assert GCP_VERTEX_ORCHESTRATOR_FLAVOR == "vertex"


def test_constants_have_their_values() -> None:
    from artvcs.zenml.constants import (
        DEFAULT_LOCAL_SERVICE_IP_ADDRESS,
        DEFAULT_SERVICE_START_STOP_TIMEOUT,
        ENV_ZENML_DEBUG,
        ENV_ZENML_STORE_PREFIX,
        IS_DEBUG_ENV,
        handle_bool_env_var,
        handle_int_env_var,
    )

    assert (DEFAULT_SERVICE_START_STOP_TIMEOUT, DEFAULT_LOCAL_SERVICE_IP_ADDRESS) == (60, "127.0.0.1")
    assert (ENV_ZENML_DEBUG, ENV_ZENML_STORE_PREFIX) == ("ZENML_DEBUG", "ZENML_STORE_")
    assert IS_DEBUG_ENV is handle_bool_env_var("there is none") is False
    assert handle_int_env_var("there is none", 3) == 3


def test_a_constant_that_has_no_value_here_says_so_when_it_is_used() -> None:
    from artvcs.zenml.constants import SERVICE_CONNECTOR_VERIFY

    for use in (bool, str, len, lambda it: it + "/", lambda it: it == "/verify", lambda it: it.strip()):
        with pytest.raises(NotHere, match=r"SERVICE_CONNECTOR_VERIFY of zenml\.constants belongs to ZenML's stacks"):
            use(SERVICE_CONNECTOR_VERIFY)


def test_a_member_of_an_enum_that_is_not_here_goes_into_settings() -> None:
    from artvcs.zenml.config import DockerSettings, PythonPackageInstaller  # type: ignore[attr-defined]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IgnoredSetting)
        settings = DockerSettings(python_package_installer=PythonPackageInstaller.UV.value)
    with pytest.raises(NotHere, match=r"PythonPackageInstaller\.UV of zenml\.config belongs to ZenML's stacks"):
        str(settings.python_package_installer)


def test_exceptions_can_be_caught_and_enums_compared() -> None:
    from artvcs.zenml.enums import ExecutionStatus, ModelStages
    from artvcs.zenml.exceptions import DoesNotExistException, EntityExistsError  # type: ignore[attr-defined]

    assert issubclass(DoesNotExistException, Exception)
    assert issubclass(EntityExistsError, Exception)
    assert str(ModelStages.PRODUCTION) == "production"
    assert ModelStages.values() == ["none", "staging", "production", "archived", "latest"]
    assert issubclass(ExecutionStatus, enum.Enum)
    assert ExecutionStatus.COMPLETED.is_successful


def test_what_only_says_something_can_be_made_in_other_ways_and_asked(tmp_path: Path) -> None:
    from artvcs.zenml.config.global_config import GlobalConfiguration  # type: ignore[import-not-found]
    from artvcs.zenml.config.pipeline_run_configuration import (  # type: ignore[import-not-found]
        PipelineRunConfiguration,
    )
    from artvcs.zenml.config.schedule import Schedule  # type: ignore[import-not-found]
    from artvcs.zenml.integrations.evidently.metrics import EvidentlyMetricConfig  # type: ignore[import-not-found]

    from artvcs.zenml import Tag

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IgnoredSetting)
        assert isinstance(EvidentlyMetricConfig.metric("DataDriftPreset"), EvidentlyMetricConfig)
        (tmp_path / "x.yaml").write_text("parameters: {rate: 1}\n")
        assert PipelineRunConfiguration.from_yaml(str(tmp_path / "x.yaml")).parameters == {"rate": 1}
        assert (Schedule(cron_expression="* * * * *").name, Schedule(name="nightly").catchup) == (None, False)
        assert Tag(name="best", exclusive=True).exclusive
        with pytest.raises(NotHere, match=r"GlobalConfiguration\.zen_store belongs to ZenML's stacks or its server"):
            print(GlobalConfiguration().zen_store)


def test_helpers_do_what_they_do(tmp_path: Path) -> None:
    from artvcs.zenml.environment import Environment, get_environment, get_run_environment_dict
    from artvcs.zenml.utils import dict_utils, source_utils, string_utils, uuid_utils, yaml_utils

    assert len(string_utils.random_str(8)) == 8
    assert [string_utils.get_human_readable_time(each) for each in (1.5, 61, -3661)] == ["1.500s", "1m1s", "-1h1m1s"]
    assert string_utils.get_human_readable_filesize(1536) == "1.50 KiB"
    assert string_utils.b64_decode(string_utils.b64_encode("ü")) == "ü"
    assert dict_utils.recursive_update({"a": {"b": 1}, "c": 2}, {"a": {"d": 3}}) == {"a": {"b": 1, "d": 3}, "c": 2}
    assert dict_utils.remove_none_values({"a": {"b": None}, "c": None}, recursive=True) == {"a": {}}
    assert str(uuid_utils.generate_uuid_from_string("x")) == "9dd4e461-268c-4034-b5c8-564e155c67a6"
    assert (uuid_utils.is_valid_uuid("x"), uuid_utils.parse_name_or_uuid("x")) == (False, "x")
    assert source_utils.load("pathlib.Path") is Path
    with pytest.raises(DefinitionError, match=r"'pathlib\.Pathh' cannot be imported"):
        source_utils.load("pathlib.Pathh")
    path = str(tmp_path / "x.yaml")
    yaml_utils.write_yaml(path, {"a": 1})
    yaml_utils.append_yaml(path, {"b": 2})
    assert yaml_utils.read_yaml(path) == {"a": 1, "b": 2}
    assert (yaml_utils.is_json_serializable({}), yaml_utils.is_json_serializable({1: Path})) == (True, False)
    assert get_run_environment_dict()["python_version"] == Environment.python_version()
    assert get_environment()


@pytest.mark.long
@pytest.mark.parametrize("name", ["steps", "pipelines", "client", "integrations"])
def test_a_package_of_the_first_one_is_a_module(name: str) -> None:
    code = f"from artvcs.zenml import {name} as found; import types; print(isinstance(found, types.ModuleType))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"  # in a process of its own: here others have imported them
