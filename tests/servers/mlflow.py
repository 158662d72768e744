"""MLflow, with `art` beside it as users have them: one virtual environment for both."""

from __future__ import annotations

import functools
from pathlib import Path

from tests.servers import processes

_PROJECT = Path(__file__).parents[2]


@functools.cache
def install() -> Path:
    """Installs both; returns the folder of their commands."""
    return processes.venv("mlflow", "mlflow==3.17.0", _PROJECT)
