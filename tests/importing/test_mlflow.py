"""What the real MLflow has tracked, brought in by the `art` that is installed beside it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .tracked import Tracked

pytestmark = pytest.mark.remotes

TRAIN = """
import os
import mlflow

client = mlflow.MlflowClient()
mlflow.set_experiment("a/b@c")
with mlflow.start_run(run_name="one") as run:
    mlflow.log_params({"alpha": 0.5, "flag": True, "name": "ridge", "nothing": "nan", "code": "007", "release": "1.10"})
    for step, loss in enumerate([3.0, float("nan"), 1.0]):
        mlflow.log_metric("loss", loss, step=step)
    mlflow.log_metric("last", float("inf"))
    mlflow.set_tag("team", "blue")
    mlflow.log_text("first", "notes/one.txt")
    mlflow.log_text("second", "more/two.txt")
    mlflow.log_text("x" * 1000, "plain.txt")
client.create_registered_model("prices", tags={"owner": "ada"})
client.create_model_version("prices", f"{run.info.artifact_uri}/notes", run.info.run_id, description="the first")
client.create_model_version("prices", f"{run.info.artifact_uri}/more", run.info.run_id)
client.set_registered_model_alias("prices", "champion", "1")
client.transition_model_version_stage("prices", "2", "Staging")
client.transition_model_version_stage("prices", "1", "Archived")
try:
    with mlflow.start_run(run_name="two"):
        mlflow.log_metric("loss", 7)
        mlflow.log_text("lost", "lost.txt")
        raise ValueError
except ValueError:
    pass
mlflow.start_run(run_name="three")
os._exit(0)  # this one never ends
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Tracked:
    """A store that was made once; each test works on a copy."""
    tracked = Tracked(tmp_path_factory.mktemp("mlflow"), "sqlite:///mlflow.db")
    tracked.python(TRAIN)
    return tracked


@pytest.fixture
def tracked(made: Tracked, tmp_path: Path) -> Tracked:
    """The artifacts stay where they are: MLflow notes absolute places."""
    shutil.copy(made.folder / "mlflow.db", tmp_path)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    tracked = Tracked(tmp_path, made.uri)
    tracked.told("init")
    return tracked


def test_runs_measures_and_artifacts_come_along(tracked: Tracked) -> None:
    done = tracked.art("import", "mlflow", tracked.uri)
    assert done.returncode == 0
    assert done.stdout.startswith("Brought 2 runs, 2 versions of models (")
    assert done.stderr.startswith("warning: The run three is left out: it still goes on; if not, `MlflowClient(")
    assert done.stderr.count("\n") == 1
    two, one = json.loads(tracked.told("runs", "a-b-c", "--json"))
    assert one["parameters"] == {
        "alpha": 0.5,
        "flag": True,
        "name": "ridge",
        "nothing": "nan",
        "code": "007",
        "release": "1.10",
    }
    assert one["measures"] == {"loss": 1, "last": sys.float_info.max, "team": "blue"}  # so MLflow keeps infinity
    assert (one["status"], two["status"]) == ("completed", "failed")
    assert tracked.told("cat", "a-b-c-plain.txt") == "x" * 1000
    assert "loss" in tracked.told("plot", "loss", "one")
    assert tracked.art("fsck").returncode == 0


def test_registered_models_keep_their_stages(tracked: Tracked) -> None:
    tracked.art("import", "mlflow", tracked.uri)
    shown = tracked.told("show", "models/prices@champion")
    assert "model models/prices@1" in shown
    assert "description: the first" in shown
    assert "Run:       one" in shown
    assert "archived" in json.loads(tracked.told("show", "models/prices@1", "--json"))["tags"]
    assert "model models/prices@2" in tracked.told("show", "models/prices@staging")
    tracked.told("checkout", "prices@champion", "-o", "champion")
    assert (tracked.folder / "champion" / "one.txt").read_text() == "first"


def test_a_second_import_brings_nothing_twice(tracked: Tracked) -> None:
    tracked.art("import", "mlflow", tracked.uri)
    before = tracked.told("ls", "--json"), tracked.told("runs", "--json")
    assert tracked.told("import", "mlflow", tracked.uri) == (
        "Brought 0 runs, 0 versions of models (0 B); 4 were here already.\n"
    )
    assert (tracked.told("ls", "--json"), tracked.told("runs", "--json")) == before


def test_a_dry_run_stores_nothing(tracked: Tracked) -> None:
    shutil.rmtree(tracked.folder / ".artifacts")
    told = tracked.told("import", "mlflow", tracked.uri, "--dry-run")
    assert told.startswith("Would bring 2 runs, 2 versions of")  # the third still goes on
    assert not (tracked.folder / ".artifacts").exists()


def test_what_mlflow_lost_is_left_out_and_comes_when_it_is_back(tracked: Tracked, made: Tracked) -> None:
    [lost] = made.folder.rglob("lost.txt")
    away = lost.rename(made.folder / "away")
    lost.symlink_to("nowhere")
    try:
        done = tracked.art("import", "mlflow", tracked.uri)
        assert done.returncode == 0
        assert "warning: All that the run two has logged is left out: " in done.stderr
        assert tracked.told("import", "mlflow", tracked.uri).startswith("Brought 0 runs")
    finally:
        lost.unlink()
        away.rename(lost)
    assert tracked.told("import", "mlflow", tracked.uri).startswith("Brought 1 run, 0 versions of models (4 B)")
    assert tracked.told("cat", "a-b-c-lost.txt") == "lost"


def test_a_stage_that_was_moved_here_since_stays(tracked: Tracked) -> None:
    tracked.art("import", "mlflow", tracked.uri)
    tracked.told("tag", "models/prices@2", "champion")
    tracked.told("import", "mlflow", tracked.uri)
    assert "model models/prices@2" in tracked.told("show", "models/prices@champion")


def test_without_mlflow_it_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "art", "import", "mlflow", "sqlite:///x.db"], cwd=tmp_path, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.stderr == "error: Reading its stores needs MLflow; `pip install mlflow` in this environment.\n"
