"""All that MLflow has comes along, and what cannot is said."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .tracked import track

pytestmark = pytest.mark.remotes


def test_a_store_with_more_than_a_page_of_everything(tmp_path: Path) -> None:
    tracked = track(
        tmp_path,
        """
import sqlite3
mlflow.set_experiment("oldest")
with mlflow.start_run(run_name="one") as run:
    mlflow.log_text("first", "one.txt")
client.create_registered_model("oldest")
client.create_model_version("oldest", f"{run.info.artifact_uri}", run.info.run_id)
with sqlite3.connect("mlflow.db") as database:
    for table, key in (("experiments", "name"), ("registered_models", "name")):
        rows = database.execute(f"SELECT * FROM {table} WHERE {key} = 'oldest'")
        heads, row = [each[0] for each in rows.description], rows.fetchone()
        for number in range(1100):
            new = {**dict(zip(heads, row)), key: f"a{number}"}
            if "experiment_id" in new:
                new["experiment_id"] = 1000 + number
            for when in ("creation_time", "last_update_time", "last_updated_time"):
                if when in new:
                    new[when] += 1 + number
            database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(new))})", list(new.values()))
""",
    )
    assert tracked.imported().stdout.startswith("Brought 1 run, 1 version of models (")


def test_every_model_of_a_run_comes_along(tmp_path: Path) -> None:
    tracked = track(
        tmp_path,
        """
from mlflow.pyfunc import PythonModel
class Same(PythonModel):
    def __init__(self, step): self.step = step
    def predict(self, context, model_input): return model_input
mlflow.set_experiment("e")
with mlflow.start_run(run_name="one"):
    for step in (100, 200, 300):
        mlflow.pyfunc.log_model(name="checkpoint", python_model=Same(step), step=step, pip_requirements=[])
    mlflow.pyfunc.log_model(name="notes", python_model=Same(0), pip_requirements=[])
    mlflow.log_text("first", "notes/one.txt")
""",
    )
    done = tracked.imported()
    assert done.stderr == ""
    names = {each["name"] for each in json.loads(tracked.told("ls", "--json"))}
    assert names == {"e-checkpoint-100", "e-checkpoint-200", "e-checkpoint", "e-notes", "e-notes-2"}
    steps = {name: json.loads(tracked.told("show", name, "--json"))["id"] for name in names}
    assert len(set(steps.values())) == 5


def test_a_folder_of_artifacts_that_is_not_there_is_said_and_comes_when_it_is(tmp_path: Path) -> None:
    tracked = track(
        tmp_path,
        """
mlflow.set_experiment("e")
with mlflow.start_run(run_name="one"):
    mlflow.log_text("first", "one.txt")
""",
    )
    away = (tmp_path / "mlruns").rename(tmp_path / "away")
    for _ in range(2):
        done = tracked.imported()
        assert done.stderr == (
            f"warning: What runs have logged in {tmp_path / 'mlruns'} is left out: there is no such folder, or it is "
            "empty; if they logged anything, bring it back and import again.\n"
        )
    away.rename(tmp_path / "mlruns")
    assert tracked.imported("--dry-run").stdout == "Would bring 1 run, 0 versions of models (5 B).\n"
    assert tracked.imported().stdout == "Brought 1 run, 0 versions of models (5 B).\n"
    assert tracked.told("cat", "e-one.txt") == "first"
    assert tracked.imported().stdout == "Brought 0 runs, 0 versions of models (0 B); 1 were here already.\n"


def test_a_run_that_logged_nothing_misses_nothing(tmp_path: Path) -> None:
    tracked = track(
        tmp_path,
        """
mlflow.set_experiment("e")
with mlflow.start_run(): mlflow.log_text("first", "one.txt")
with mlflow.start_run(): mlflow.log_metric("loss", 1)
mlflow.set_experiment("f")
with mlflow.start_run(): mlflow.log_metric("loss", 1)
""",
    )
    assert tracked.imported().stderr == ""
    assert tracked.imported().stdout.endswith("; 3 were here already.\n")


def test_a_dry_run_says_what_an_import_does(tmp_path: Path) -> None:
    tracked = track(
        tmp_path,
        """
with mlflow.start_run() as run:
    mlflow.log_text("first", "one.txt")
    mlflow.log_text("x" * 1000, "notes/two.txt")
client.create_registered_model("prices")
client.create_model_version("prices", f"{run.info.artifact_uri}/notes", run.info.run_id)
client.create_model_version("prices", f"{run.info.artifact_uri}/notes", run.info.run_id)
client.create_model_version("prices", f"{run.info.artifact_uri}/lost", run.info.run_id)
""",
    )
    planned, done = tracked.imported("--dry-run"), tracked.imported()
    assert planned.stdout.removeprefix("Would bring") == done.stdout.removeprefix("Brought")
    assert planned.stdout == "Would bring 1 run, 2 versions of models (2.9 KiB).\n"
    assert planned.stderr == done.stderr
    assert planned.stderr.startswith("warning: prices 3 is left out: There is no ")


def test_one_run_that_cannot_be_brought_keeps_none_from_coming(tmp_path: Path) -> None:
    tracked = track(
        tmp_path,
        """
import sqlite3
mlflow.set_experiment("e")
with mlflow.start_run(run_name="huge"): mlflow.log_params({"n": 1 << 1100, "longer": "9" * 5000})
with mlflow.start_run(run_name="strange"): mlflow.log_param("n", 1)
with mlflow.start_run(run_name="last"):
    mlflow.log_param("n", 2)
    mlflow.log_text("first", "one.txt")
with sqlite3.connect("mlflow.db") as database:
    database.execute("UPDATE runs SET run_uuid = 'strange' WHERE name = 'strange'")
""",
    )
    done = tracked.imported()
    assert done.stdout.startswith("Brought 2 runs")
    assert done.stderr.startswith("warning: The run strange is left out: A run of MLflow has the id 'strange'")
    huge, last = (json.loads(tracked.told("show", run, "--json"))["parameters"] for run in ("huge", "last"))
    assert (huge, last) == ({"n": 1 << 1100, "longer": "9" * 5000}, {"n": 2})


def test_what_is_said_about_runs_and_models_comes_along(tmp_path: Path) -> None:
    tracked = track(
        tmp_path,
        """
import pandas
mlflow.set_experiment("e")
with mlflow.start_run(run_name="parent") as parent:
    mlflow.log_metric("loss", 1)
    mlflow.set_tag("mlflow.note.content", "a good one")
    mlflow.log_input(mlflow.data.from_pandas(pandas.DataFrame({"x": [1]}), name="houses"), context="training")
    mlflow.log_text("first", "notes/one.txt")
    with mlflow.start_run(run_name="child", nested=True): mlflow.log_metric("loss", 2)
with mlflow.start_run(run_name="gone") as gone: pass
client.delete_run(gone.info.run_id)
client.create_registered_model("prices", tags={"owner": "ada"}, description="what houses cost")
client.create_model_version("prices", f"{parent.info.artifact_uri}/notes", parent.info.run_id, tags={"size": "small"})
try:
    with mlflow.start_run(run_name="failed"):
        mlflow.log_metric("loss", 7)
        raise ValueError
except ValueError: pass
""",
    )
    done = tracked.imported()
    assert done.stderr == (
        "warning: What belongs to 1 run that was deleted in MLflow is left out: `mlflow runs restore --run-id ID` "
        "brings a run back there.\n"
    )
    parent = json.loads(tracked.told("show", "parent", "--json"))
    assert parent["metadata"]["description"] == "a good one"
    assert re.fullmatch(r"houses \w+ \(training\)", parent["metadata"]["datasets"][0])
    assert json.loads(tracked.told("show", "child", "--json"))["metadata"] == {
        "parent run": f"parent ({parent['id'][:8]})"
    }
    model = json.loads(tracked.told("show", "models/prices", "--json"))["metadata"]
    assert (model["owner"], model["size"], model["model description"]) == ("ada", "small", "what houses cost")
    failed = tracked.told("show", "failed")
    assert "MLflow: the run ended as FAILED" in failed
    assert "Measures:  loss=7.0 (run)" in failed
