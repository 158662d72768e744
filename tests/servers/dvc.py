"""DVC, which pushes to the same server: a program of its own, in a virtual environment of its own."""

from __future__ import annotations

import subprocess
import sys

from tests.servers.processes import TOOLS

_PACKAGES = ("dvc==3.67.1", "dvc-s3==3.3.0")


def install() -> str:
    """Installs it, unless it is there; returns the path of its command."""
    folder = TOOLS / "dvc"
    command = folder / "bin" / "dvc"
    if not command.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *_PACKAGES], check=True)
    return str(command)
