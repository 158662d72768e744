"""`art show` begins with what people look for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from artvcs import log_metadata
from artvcs.vcs import Repository

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


@pytest.mark.long
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


MEASURING = """
from typing import Annotated
from artvcs import Model, log_metadata, pipeline, step

@step
def fit(rate: float) -> Annotated[float, "weights"]:
    log_metadata({"accuracy": 1 - rate}, infer_model=True)
    log_metadata({"layers": {"first": 3}})
    return rate

@pipeline(model=Model("prices"))
def measuring(rate: float = 0.5):
    fit(rate)
"""


def test_a_run_shows_its_measures(art: Art, project: Path) -> None:
    (project / "measuring.py").write_text(MEASURING)
    assert art("run", "measuring.py").code == 0
    log_metadata({"ticket": 12}, run_id_name_or_prefix="measuring")
    log_metadata({"rating": 5}, artifact_name="weights")
    assert art("run", "measuring.py").code == 0  # reuses all
    for run in ("measuring~1", "measuring"):
        shown = art("show", run).out.splitlines()
        assert "Measures:  accuracy=0.5, layers.first=3 (fit)" in shown
    before = art("show", "measuring~1").out.splitlines()
    assert "  ticket: 12" in before
    assert "Measures:  rating=5 (what it made)" in before
    document, row = art("show", "measuring~1", "--json").json, art("runs", "--json").json[1]
    assert document["measures"] == row["measures"]
    assert document["measures"] == {"accuracy": 0.5, "layers.first": 3, "rating": 5, "ticket": 12}


BELONGING = """
from typing import Annotated
from artvcs import Model, pipeline, step

@step
def load() -> Annotated[int, "data"]:
    return 1

@step
def fit(data: int, rate: float) -> Annotated[float, "weights"]:
    return data * rate

@pipeline(model=Model("prices"))
def belonging(rate: float = 0.5):
    fit(load(), rate)
"""


def test_of_many_models_that_an_artifact_belongs_to_the_newest_are_shown(art: Art, project: Path) -> None:
    (project / "belonging.py").write_text(BELONGING)
    for rate in range(7):
        assert art("run", "belonging.py", "-p", f"rate={rate}").code == 0
    [line] = [line for line in art("show", "data").out.splitlines() if line.startswith("Model:")]
    assert line == "Model:     " + ", ".join(f"models/prices@{number}" for number in (7, 6, 5, 4, 3)) + ", …"


def test_a_step_of_a_run_shows_what_it_printed(art: Art, project: Path) -> None:
    assert art("run", "adding.py").code == 0
    assert art("run", "adding.py").code == 0
    [run] = {row["run"] for row in art("runs", "-n", "1", "--json").json}
    for target in ("adding/numbers", "adding~1/numbers", f"{run}/numbers"):
        assert art("show", target).out.endswith("\nIt printed:\ncounting\n")
    shown = art("show", "adding/total").out
    assert "Output:    total = total@1" in shown
    assert "Measures:  values=3" in shown
    assert "printed" not in shown
    document = art("show", "adding/numbers", "--json").json
    assert (document["name"], document["status"], document["printed"]) == ("numbers", "cached", "counting\n")
    done = art("show", "adding/number")
    assert done.code == art("show", "nothing").code
    assert "There is no step 'number' (did you mean 'numbers'?); there is numbers, total, unnamed." in done.err


def test_what_somebody_stored_shows_who_and_at_which_git_commit(art: Art, project: Path) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.invalid"]
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run(["git", *identity, "commit", "--quiet", "--allow-empty", "-m", "one"], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert art("add", "adding.py", "--name", "raw").code == 0
    author = Repository.discover().author()
    lines = art("show", "raw").out.splitlines()
    assert (f"Author:    {author}" in lines, f"Git:       {head[:12]}" in lines) == (True, True)
    lines = art("log", "raw").out.splitlines()
    assert (f"Author:  {author}" in lines, f"Git:     {head[:12]}" in lines) == (True, True)
    document = art("show", "raw", "--json").json
    assert (document["author"], document["git"]["commit"]) == (author, head)
    assert art("show", "raw@HEAD").out == art("show", "raw").out


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
