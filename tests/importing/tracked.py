"""A project whose runs the real MLflow has tracked, and the `art` that is installed beside it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ..servers import mlflow


class Tracked:
    """A project with a store of MLflow's, and the commands beside it."""

    def __init__(self, folder: Path, uri: str) -> None:
        self.folder, self.uri, self.programs = folder, uri, mlflow.install()

    def python(self, code: str) -> None:
        done = subprocess.run(
            [self.programs / "python", "-c", code], cwd=self.folder, check=False, capture_output=True, text=True,
            env={**os.environ, "MLFLOW_TRACKING_URI": self.uri, "MLFLOW_ALLOW_FILE_STORE": "true"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def art(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if key != "ARTVCS_DIR"}
        return subprocess.run(
            [self.programs / "art", *arguments], cwd=self.folder, text=True, capture_output=True, check=False,
            env=environment,
        )  # fmt: skip

    def imported(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.art("import", "mlflow", self.uri, *options)

    def told(self, *arguments: str) -> str:
        done = self.art(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout


def track(folder: Path, code: str, uri: str = "sqlite:///mlflow.db") -> Tracked:
    """A Git repository in a folder, where code has tracked what it does."""
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    tracked = Tracked(folder, uri)
    assert tracked.art("init").returncode == 0
    tracked.python(f"import mlflow\nclient = mlflow.MlflowClient()\n{code}")
    return tracked
