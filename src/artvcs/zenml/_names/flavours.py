"""What ZenML calls its integrations and their flavours, as text."""

from __future__ import annotations

_INTEGRATIONS = frozenset((
    "airflow", "argilla", "aws", "azure", "azureml", "b2", "baseten", "bentoml", "bitbucket", "comet", "dash",
    "databricks", "deepchecks", "digitalocean", "discord", "evidently", "facets", "feast", "gcp", "github", "gitlab",
    "graphviz", "great_expectations", "huggingface", "hyperai", "jax", "kaniko", "kserve", "kubeflow", "kubernetes",
    "label_studio", "langchain", "lightgbm", "lightning", "llama_index", "mlflow", "mlx", "modal", "neptune",
    "neural_prophet", "numpy", "pandas", "pigeon", "pillow", "plotly", "polars", "prodigy", "pycaret", "pytorch",
    "runai", "s3", "sagemaker", "scipy", "seldon", "sklearn", "skypilot_aws", "skypilot_azure", "skypilot_gcp",
    "skypilot_kubernetes", "skypilot_lambda", "slack", "spark", "ssh", "tekton", "tensorboard", "tensorflow", "trackio",
    "typesafe", "vault", "vertex", "vllm", "wandb", "whylogs", "xgboost",
))  # fmt: skip

_CALLED_OTHERWISE = {
    "OPEN_AI": "openai",
    "PYTORCH_L": "pytorch_lightning",
    "AWS_SAGEMAKER_ORCHESTRATOR": "sagemaker",
    "AWS_SAGEMAKER_STEP_OPERATOR": "sagemaker",
    "GCP_VERTEX_EXPERIMENT_TRACKER": "vertex",
    "GCP_VERTEX_ORCHESTRATOR": "vertex",
    "GCP_VERTEX_STEP_OPERATOR": "vertex",
    "SKYPILOT_AWS_ORCHESTRATOR": "vm_aws",
    "SKYPILOT_AZURE_ORCHESTRATOR": "vm_azure",
    "SKYPILOT_GCP_ORCHESTRATOR": "vm_gcp",
    "SKYPILOT_KUBERNETES_ORCHESTRATOR": "vm_kubernetes",
    "SKYPILOT_LAMBDA_ORCHESTRATOR": "vm_lambda",
}

_COMPONENTS = (
    "ALERTER", "ANNOTATOR", "ARTIFACT_STORE", "CONTAINER_REGISTRY", "DATA_VALIDATOR", "DEPLOYER", "EVENT",
    "EXPERIMENT_TRACKER", "FEATURE_STORE", "IMAGE_BUILDER", "MODEL_DEPLOYER", "MODEL_EXPERIMENT_TRACKER",
    "MODEL_REGISTRY", "ORCHESTRATOR", "SANDBOX", "SECRET_MANAGER", "SPACES_ARTIFACT_STORE", "STEP_OPERATOR",
)  # fmt: skip
"""What an integration may have a flavour of, as its constants name it."""


def text_of(name: str) -> str | None:
    """The text that a constant stands for: an integration, or a flavour, which is called like its integration.

    Args:
        name: The constant's name, as `MLFLOW` or `MLFLOW_MODEL_DEPLOYER_FLAVOR`.

    Returns:
        Its text; None where it is neither.
    """
    said = name.removesuffix("_FLAVOR")
    if said in _CALLED_OTHERWISE:
        return _CALLED_OTHERWISE[said]
    if said != name:
        of = [said.removesuffix(f"_{each}") for each in _COMPONENTS if said.endswith(f"_{each}")]
        said = min(of, key=len, default=said)  # MLFLOW, and not MLFLOW_MODEL
    return said.lower() if said.lower() in _INTEGRATIONS else None
