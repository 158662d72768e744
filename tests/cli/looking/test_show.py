"""`art show` begins with what people look for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import Art

MODEL = """
from typing import Annotated
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.ensemble import RandomForestClassifier
from artvcs import log_metadata, pipeline, step

@step
def train(trees: int) -> Annotated[RandomForestClassifier, "model"]:
    log_metadata({"rows": 20})
    return RandomForestClassifier(n_estimators=trees, random_state=0).fit(np.arange(20).reshape(10, 2), [0, 1] * 5)

@step
def judge(model: RandomForestClassifier, floor: float) -> None:
    log_metadata({"accuracy": 0.9 + floor})

@pipeline
def forest(trees: int = 3, floor: float = 0.0):
    judge(train(trees), floor)
"""


@pytest.fixture
def forest(art: Art, project: Path) -> Art:
    (project / "forest.py").write_text(MODEL)
    assert art("run", "forest.py").code == 0
    return art


def test_a_model_begins_with_its_kind_its_measures_and_what_was_changed(forest: Art) -> None:
    assert forest("run", "forest.py", "-p", "floor=0.05").code == 0
    assert forest("run", "forest.py", "-p", "floor=0.05").code == 0  # says nothing new
    assert forest("show", "model").out.splitlines()[:8] == [
        "artifact model@1",
        "Type:      sklearn.ensemble.RandomForestClassifier (artvcs.sklearn)",
        "Measures:  rows=20 (train)",
        "Measures:  accuracy=0.95 (judge)",
        "Measures:  accuracy=0.9 (judge)",
        "Metadata:",
        "  class: RandomForestClassifier",
        "  parameters: n_estimators=3, random_state=0, 17 as the class has them",
    ]


def test_many_files_are_counted_and_listed_where_asked(forest: Art) -> None:
    shown = forest("show", "model").out
    count = len(forest("show", "model", "--json").json["files"])
    assert count > 10
    assert shown.splitlines()[-1] == f"Files:     {count}; --files lists them"
    assert ".npy" not in shown
    assert forest("show", "model", "--files").out.count(".npy") == count - 1


def test_one_id_is_shown_for_a_version(forest: Art, project: Path) -> None:
    oid = forest("ls", "model", "--json").json[0]["id"]
    assert f"Artifact:  {oid}" in forest("show", "model").out
    assert forest("ls", "model").out.splitlines()[1].startswith(oid[:12])
    assert forest("show", oid[:12]).out == forest("show", "model").out


def test_a_run_that_failed_shows_what_it_had_measured(art: Art, project: Path) -> None:
    (project / "failing.py").write_text("""
from artvcs import log_metadata, pipeline, step

@step
def judge() -> None:
    log_metadata({"loss": 7})
    raise ValueError("too much")

@pipeline
def failing():
    judge()
""")
    assert art("run", "failing.py").code != 0
    assert "Measures:  loss=7 (judge)" in art("show", "failing").out.splitlines()


READING = """
from pathlib import Path
import pandas as pd
import pyarrow
from artvcs import pipeline, step

HERE = Path(__file__).parent

@step
def read() -> int:
    rows = len(pd.read_csv(HERE / "data" / "a.csv")) + len(pd.read_csv("data/a.csv"))
    return rows + len(list((HERE / "data").iterdir()))

@pipeline
def reading():
    read()
"""


def test_a_file_that_was_read_by_its_whole_path_and_otherwise_is_listed_once(art: Art, project: Path) -> None:
    (project / "reading.py").write_text(READING)
    (project / "data").mkdir()
    (project / "data" / "a.csv").write_text("x\n1\n")
    assert art("run", "reading.py").code == 0
    assert "Reads:     data, data/a.csv\n" in art("show", "reading::read::output").out
    (project / "data" / "a.csv").write_text("x\n1\n2\n")
    assert art("run", "reading.py").code == 0
    assert "a file changed" in art("why", "read").out
