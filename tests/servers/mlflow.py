"""MLflow, with `art` beside it as users have them: one virtual environment for both."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path

from tests.servers.processes import TOOLS

_PACKAGES = ("mlflow==3.17.0",)
_PROJECT = Path(__file__).parents[2]


@functools.cache
def install() -> Path:
    """Installs both; returns the folder of their commands."""
    folder = TOOLS / "mlflow"
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if not (folder / "bin" / "mlflow").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([*pip, *_PACKAGES], check=True)
    subprocess.run([*pip, "--editable", _PROJECT], check=True)
    return folder / "bin"
