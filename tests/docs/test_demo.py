"""What `make demo` shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.mark.remotes  # it takes long
def test_the_demo_and_what_the_readme_says_of_verbs(tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONIOENCODING": "utf-8"}
    environment.pop("ARTVCS_DIR", None)

    def run(*command: str | Path, cwd: Path = tmp_path) -> str:
        done = subprocess.run(command, cwd=cwd, env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    demo = tmp_path / "demo"
    shown = run("sh", PROJECT / "examples" / "demo.sh", demo)
    for line in (
        "  parameter max_depth: None → 4",
        "accuracy by max_depth",
        "digits-model@5 is production now",
        "| Params:  max_depth=16, trees=100",
    ):
        assert line in shown
    readme = (PROJECT / "README.md").read_text()
    conditions = re.findall(r"`art (ls|runs)[^`]*`.*`--where '([^']*)'`", readme)
    assert conditions
    for verb, condition in conditions:
        listed = run("art", verb, *(["digits-model"] if verb == "ls" else []), "--where", condition, cwd=demo)
        assert [line.split()[0] for line in listed.splitlines()[1:]], verb
    [best, *_] = run("art", "runs", "--sort", "-accuracy", "--csv", cwd=demo).splitlines()[1:]
    assert ",0.98" in best
