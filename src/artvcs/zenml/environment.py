"""Where code runs."""

from __future__ import annotations

import os
import sys


class Environment:
    """What is known of where code runs."""

    @staticmethod
    def in_notebook() -> bool:
        """Whether this is a notebook."""
        shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
        return type(shell).__name__ == "ZMQInteractiveShell"

    @staticmethod
    def in_docker() -> bool:
        """Whether this is a container."""
        return os.path.exists("/.dockerenv")

    @staticmethod
    def in_google_colab() -> bool:
        """Whether this is Google's notebook."""
        return "google.colab" in sys.modules
