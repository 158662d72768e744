"""What ZenML's integrations would have installed and set up."""

from __future__ import annotations

from typing import Any


class IntegrationRegistry:
    """Says what an integration needs: here nothing is installed for a step, and nothing is said."""

    def select_integration_requirements(self, *_: Any, **__: Any) -> list[str]:
        """No packages."""
        return []

    select_uv_system_requirements = select_integration_requirements


def get_tracking_uri() -> str:
    """Where MLflow tracks: as MLflow itself says; empty where it is not installed."""
    try:
        import mlflow
    except ImportError:
        return ""
    return str(mlflow.get_tracking_uri())


integration_registry = IntegrationRegistry()
