"""DVC, which pushes to the same server: a program of its own, in a virtual environment of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.servers import processes

_PROJECT = """
git init -q .
dvc init -q
mkdir raw
for number in 0 1 2; do echo $number > raw/$number.csv; done
dvc add -q raw
echo 'rate: 0.5' > params.yaml
cat > dvc.yaml <<END
stages:
  train:
    cmd: cat raw/*.csv > model.txt
    deps: [raw]
    params: [rate]
    outs: [model.txt]
END
dvc repro -q
git add -A
git commit -qm first
echo 3 > raw/3.csv
dvc add -q raw
dvc repro -q
git add -A
git commit -qm second
"""


def install() -> str:
    """Installs it, unless it is there; returns the path of its command."""
    return str(processes.venv("dvc", "dvc==3.67.1", "dvc-s3==3.3.0") / "dvc")


def make_project(folder: Path, script: str = _PROJECT) -> None:
    """Makes a repository as a script does: by default with a folder of two revisions and a stage that takes it."""
    environment = {
        **os.environ, "PATH": f"{Path(install()).parent}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1",
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
    }  # fmt: skip
    subprocess.run(["bash", "-ec", script], cwd=folder, env=environment, check=True, capture_output=True)
