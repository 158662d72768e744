"""Where code runs."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

from artvcs import __version__

from ._meaning.contexts import StepContext, get_step_context
from ._names import finder
from .steps import STEP_ENVIRONMENT_NAME


class Environment:
    """What is known of where code runs."""

    @property
    def step_is_running(self) -> bool:
        """Whether a step runs."""
        try:
            get_step_context()
        except RuntimeError:
            return False
        return True

    def __getitem__(self, name: str) -> StepContext:
        """Where the running step stands, as ZenML's first API asks for it. Raises KeyError where none runs."""
        if name != STEP_ENVIRONMENT_NAME or not self.step_is_running:
            raise KeyError(f"There is no environment {name!r} here, which a step has while it runs.")
        return get_step_context()

    @staticmethod
    def python_version() -> str:
        """Of Python, as `3.11.7`."""
        return platform.python_version()

    @staticmethod
    def get_system_info() -> dict[str, str]:
        """The operating system."""
        return {"os": {"Darwin": "mac"}.get(platform.system(), platform.system().lower())}

    @staticmethod
    def get_python_packages() -> list[str]:
        """The packages that are installed, as `name==version`."""
        from importlib import metadata

        return sorted({f"{each.name}=={each.version}" for each in metadata.distributions()})

    @staticmethod
    def in_notebook() -> bool:
        """Whether this is a notebook."""
        shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
        return type(shell).__name__ == "ZMQInteractiveShell"

    @staticmethod
    def in_docker() -> bool:
        """Whether this is a container."""
        return os.path.exists("/.dockerenv")

    in_container = in_docker

    @staticmethod
    def in_google_colab() -> bool:
        """Whether this is Google's notebook."""
        return "google.colab" in sys.modules

    @staticmethod
    def in_kubernetes() -> bool:
        """Whether this is a pod."""
        return "KUBERNETES_SERVICE_HOST" in os.environ

    @staticmethod
    def in_github_actions() -> bool:
        """Whether this is a job of GitHub's."""
        return "GITHUB_ACTIONS" in os.environ

    @staticmethod
    def in_gitlab_ci() -> bool:
        """Whether this is a job of GitLab's."""
        return "GITLAB_CI" in os.environ

    @staticmethod
    def in_ci() -> bool:
        """Whether this is a job of some server."""
        return "CI" in os.environ


def get_environment() -> str:
    """Where code runs, in a word."""
    known = (
        ("kubernetes", Environment.in_kubernetes), ("github_action", Environment.in_github_actions),
        ("gitlab_ci", Environment.in_gitlab_ci), ("generic_ci", Environment.in_ci), ("docker", Environment.in_docker),
        ("colab", Environment.in_google_colab), ("notebook", Environment.in_notebook),
    )  # fmt: skip
    return next((name for name, is_there in known if is_there()), "native")


def get_run_environment_dict() -> dict[str, Any]:
    """Where code runs, with what."""
    return {
        "environment": get_environment(),
        **Environment.get_system_info(),
        "python_version": Environment.python_version(),
        "zenml_version": __version__,
        "python_packages": "\n".join(Environment.get_python_packages()),
    }


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
