"""The pages for who comes from another tool: their projects are moved, and their commands print what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ..servers import dvc, mlflow

DOCS = Path(__file__).parents[2] / "docs"

VARYING = [
    (r"\S+/\.artifacts\b", "FOLDER"),
    (r"\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d_\d{6}", "TIME"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME"),
    (r"\b\d+ (second|minute)s? ago", "AGO"),
    (r"\b\d+(\.\d)? (ms|s)\b", "TOOK"),
    (r"\b\d+(\.\d)? (B|KiB)", "SIZE"),
    (r"\b[0-9a-f]{12}\b", "ID"),
    (r"AGO, by .*", "AGO, by AUTHOR"),
    (r" +$", ""),
    (r" +", " "),
]


def without_what_varies(text: str) -> str:
    for pattern, name in VARYING:
        text = re.sub(pattern, name, text, flags=re.MULTILINE)
    return text.strip()


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


def follow(page: str, folder: Path, programs: str = "") -> None:
    """Goes through the commands of a page."""
    path = os.pathsep.join(filter(None, [programs, str(Path(sys.executable).parent), os.environ["PATH"]]))
    environment = {**os.environ, "PATH": path, "PYTHONIOENCODING": "utf-8"}
    environment.pop("ARTVCS_DIR", None)
    for block in blocks(page, "console"):
        parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
        for command, printed in zip(parts[::2], parts[1::2], strict=True):
            done = subprocess.run(
                command, shell=True, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout
            assert without_what_varies(done.stdout) == without_what_varies(printed), command


def test_from_zenml(tmp_path: Path) -> None:
    [code] = blocks("coming-from-zenml.md", "python training.py")
    (tmp_path / "training.py").write_text(code)
    follow("coming-from-zenml.md", tmp_path)


@pytest.mark.remotes
def test_from_dvc(tmp_path: Path) -> None:
    dvc.make_project(tmp_path)
    follow("coming-from-dvc.md", tmp_path)


@pytest.mark.remotes
def test_from_mlflow(tmp_path: Path) -> None:
    programs = mlflow.install()
    [code] = blocks("coming-from-mlflow.md", "python train.py")
    (tmp_path / "train.py").write_text(code)
    environment = {**os.environ, "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run([programs / "python", "train.py"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    follow("coming-from-mlflow.md", tmp_path, str(programs))
