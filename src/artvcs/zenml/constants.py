"""ZenML's constants that projects take values from; those of its server fail as they are used."""

from __future__ import annotations

import os
from typing import Any, Final

from ._names import finder


def is_true_string_value(value: Any) -> bool:
    """Whether a text says yes."""
    return value in ("1", "y", "yes", "True", "true")


def is_false_string_value(value: Any) -> bool:
    """Whether a text says no."""
    return value in ("0", "n", "no", "False", "false")


def handle_bool_env_var(var: str, default: bool = False) -> bool:
    """What an environment variable says, yes or no."""
    value = os.environ.get(var)
    return is_true_string_value(value) or (default and not is_false_string_value(value))


def handle_int_env_var(var: str, default: int = 0) -> int:
    """The whole number in an environment variable."""
    try:
        return int(os.environ.get(var, ""))
    except ValueError:
        return default


def handle_float_env_var(var: str, default: float = 0.0) -> float:
    """The number in an environment variable."""
    try:
        return float(os.environ.get(var, ""))
    except ValueError:
        return default


APP_NAME: Final = "zenml"
IS_DEBUG_ENV: Final = handle_bool_env_var("ZENML_DEBUG")
ZENML_LOGGING_VERBOSITY: Final = os.environ.get("ZENML_LOGGING_VERBOSITY", "INFO").upper()
INSIDE_ZENML_CONTAINER: Final = handle_bool_env_var("ZENML_CONTAINER")
ENABLE_RICH_TRACEBACK: Final = handle_bool_env_var("ZENML_ENABLE_RICH_TRACEBACK", True)
ENFORCE_TYPE_ANNOTATIONS: Final = handle_bool_env_var("ZENML_ENFORCE_TYPE_ANNOTATIONS")

DEFAULT_SERVICE_START_STOP_TIMEOUT: Final = 60
DEFAULT_LOCAL_SERVICE_IP_ADDRESS: Final = "127.0.0.1"
DEFAULT_HTTP_TIMEOUT: Final = 30

DEFAULT_USERNAME = DEFAULT_PROJECT_NAME = DEFAULT_STACK_AND_COMPONENT_NAME = "default"
DEFAULT_PASSWORD: Final = ""
REPOSITORY_DIRECTORY_NAME: Final = ".zen"
LOCAL_STORES_DIRECTORY_NAME: Final = "local_stores"
CONFIG_FILE_NAME: Final = "config.yaml"
VALID_OPERATING_SYSTEMS: Final = ["Windows", "Darwin", "Linux"]
REMOTE_FS_PREFIX: Final = ["gs://", "hdfs://", "s3://", "az://", "abfs://"]

PAGINATION_STARTING_PAGE: Final = 1
PAGE_SIZE_DEFAULT: Final = handle_int_env_var("ZENML_PAGINATION_DEFAULT_LIMIT", 20)
PAGE_SIZE_MAXIMUM: Final = handle_int_env_var("ZENML_PAGINATION_DEFAULT_LIMIT", 10000)
FILTERING_DATETIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
SORT_PIPELINES_BY_LATEST_RUN_KEY: Final = "latest_run"
SORT_BY_LATEST_VERSION_KEY: Final = "latest_version"
STR_FIELD_MAX_LENGTH: Final = 255
STR_ID_FIELD_MAX_LENGTH: Final = 50
TEXT_FIELD_MAX_LENGTH: Final = 65535
MEDIUMBLOB_MAX_LENGTH = MEDIUMTEXT_MAX_LENGTH = 2**24 - 1
BANNED_NAME_CHARACTERS: Final = "\t\n\r\v\f"

LATEST_MODEL_VERSION_PLACEHOLDER: Final = "__latest__"
MODEL_METADATA_YAML_FILE_NAME: Final = "model_metadata.yaml"
MLFLOW_MODEL_FORMAT: Final = "MLflow"
CODE_HASH_PARAMETER_NAME: Final = "step_source"
ORCHESTRATOR_DOCKER_IMAGE_KEY: Final = "orchestrator"
DEPLOYER_DOCKER_IMAGE_KEY: Final = "deployer"
SECRET_VALUES: Final = "values"
METADATA_ORCHESTRATOR_URL: Final = "orchestrator_url"
METADATA_ORCHESTRATOR_LOGS_URL: Final = "orchestrator_logs_url"
METADATA_ORCHESTRATOR_RUN_ID: Final = "orchestrator_run_id"
METADATA_EXPERIMENT_TRACKER_URL: Final = "experiment_tracker_url"
METADATA_DEPLOYED_MODEL_URL: Final = "deployed_model_url"

_VARIABLES = {
    "ENV_ZENML_DISABLE_DATABASE_MIGRATION": "DISABLE_DATABASE_MIGRATION",
    "ENV_ZENML_DISABLE_CREDENTIALS_DISK_CACHING": "DISABLE_CREDENTIALS_DISK_CACHING",
    "ENV_ZENML_PIPELINE_RUN_API_TOKEN_EXPIRATION": "ZENML_PIPELINE_API_TOKEN_EXPIRATION",
    "ENV_DAEMON_ZENML_SERVER_DEFAULT_TIMEOUT": "ZENML_DAEMON_SERVER_TIMEOUT",
}
"""The constants for environment variables that are not called like these."""


def __getattr__(name: str) -> Any:
    if name.startswith("ENV_"):
        variable = _VARIABLES.get(name, name.removeprefix("ENV_"))
        return variable.removesuffix("PREFIX") if variable.endswith("_PREFIX") else variable
    return finder.look_up(__name__, name)
