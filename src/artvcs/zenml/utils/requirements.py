"""What ZenML's integrations would have installed."""

from __future__ import annotations

from typing import Any


class IntegrationRegistry:
    """Says what an integration needs: here nothing is installed for a step, and nothing is said."""

    def select_integration_requirements(self, *_: Any, **__: Any) -> list[str]:
        """No packages."""
        return []

    select_uv_system_requirements = select_integration_requirements


integration_registry = IntegrationRegistry()
