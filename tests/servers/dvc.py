"""DVC, which pushes to the same server: a program of its own, in a virtual environment of its own."""

from __future__ import annotations

from tests.servers import processes


def install() -> str:
    """Installs it, unless it is there; returns the path of its command."""
    return str(processes.venv("dvc", "dvc==3.67.1", "dvc-s3==3.3.0") / "dvc")
