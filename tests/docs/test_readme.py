"""The README's example is real: its code runs, and its commands print what it says they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, str]]:
    """Each `$ command` with the output below it."""
    parts = re.split(r"^\$ (.*)\n", blocks("console")[0], flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def without_what_varies(text: str) -> str:
    """Times, durations, ids and folders, which differ each time."""
    text = re.sub(r"\S+/\.artifacts\b", "FOLDER", text)
    text = re.sub(r"\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d_\d{6}", "TIME", text)
    text = re.sub(r"\b\d+(\.\d)? (ms|s)\b", "TOOK", text)
    return re.sub(r"\b[0-9a-f]{12}\b", "ID", text).strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pipeline.py").write_text(blocks("python")[0])
    return tmp_path


def run(folder: Path, *command: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_commands_print_what_the_readme_says(folder: Path) -> None:
    for command, printed in commands():
        assert without_what_varies(run(folder, *command.split())) == without_what_varies(printed), command


def test_the_python_examples_run(folder: Path) -> None:
    beside = folder / "beside.py"
    beside.write_text(blocks("python")[1])
    run(folder, sys.executable, beside.name)


def test_the_example_is_short() -> None:
    code = [line for line in blocks("python")[0].splitlines() if line.strip()]
    assert len(code) <= 20


def test_every_verb_stands_in_the_table() -> None:
    from artvcs.cli.main import VERBS

    for verb in VERBS:
        assert f"`art {verb}" in README or f", art {verb}`" in README, verb
