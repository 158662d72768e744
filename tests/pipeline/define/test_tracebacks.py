"""Errors in a plain Python process: the lines of the user's own code, and none of ours between."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = """
from artvcs import Client, load_artifact, pipeline, step

@step
def prep(n: int) -> int:
    return "one" if n else 1

@step
def fit(data: int, epochs: int) -> int:
    return load_artifact("nowhere") + data.nothing

@pipeline
def wrong_type():
    prep(1)

@pipeline
def an_input_too_few():
    fit(prep(0))

@pipeline
def no_such_artifact():
    prep(Client().get_artifact_version("rawdata"))

@pipeline
def asks_for_what_is_not_there():
    fit(1, 2)

@pipeline
def in_a_folder_that_cannot_be_written():
    import os
    open(".artifacts", "w").close()
    prep(0)

import sys
globals()[sys.argv[1]]()
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "lines", "sentence"),
    [
        ("wrong_type", [], "The output 'output' of step 'prep' is declared as int, but it is a str"),
        ("an_input_too_few", ["fit(prep(0))"], "The step 'fit' needs the input 'epochs'; give it a value."),
        ("no_such_artifact", [], "The input 'n' of step 'prep' is not there: There is no artifact named 'rawdata'"),
        (
            "asks_for_what_is_not_there",
            ['return load_artifact("nowhere") + data.nothing'],
            "no artifact named 'nowhere'",
        ),
        ("in_a_folder_that_cannot_be_written", [], "File exists while making a repository"),
    ],
)
def test_only_lines_of_ones_own_lead_to_the_sentence(
    tmp_path: Path, name: str, lines: list[str], sentence: str
) -> None:
    (tmp_path / "work.py").write_text(PROJECT)
    done = subprocess.run([sys.executable, "work.py", name], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    frames = re.findall(r'  File "(.*)", line \d+, in .*\n    (.*)', done.stderr)
    assert [line for file, line in frames if file.endswith("work.py")] == sorted(
        [*lines, "globals()[sys.argv[1]]()"], key=lambda line: done.stderr.index(line)
    )
    ours = [file for file, _ in frames if not file.endswith("work.py")]
    assert len(ours) == 1, "only the one that raises"
    assert sentence in done.stderr.splitlines()[-1]
