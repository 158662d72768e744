"""What belongs to a stack: passed over with a warning, or what it means without one."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from artvcs.pipelines.errors import IgnoredSetting
from artvcs.zenml import (
    pipeline,
    step,
)
from artvcs.zenml._names import absent
from artvcs.zenml._names.absent import NotHere
from artvcs.zenml.client import Client
from artvcs.zenml.config import DockerSettings

pytestmark = pytest.mark.usefixtures("project")


def one() -> int:
    return 1


def test_what_says_where_a_step_runs_is_passed_over_with_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absent, "_told", set())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        settings = {"docker": DockerSettings(requirements=["pandas"], parent_image="x")}
        anywhere = step(settings=settings, step_operator="vertex", enable_step_logs=False)(one)

        @pipeline(settings=settings)
        def running() -> None:
            anywhere()

    assert running().steps["one"].output.load() == 1
    assert settings["docker"].parent_image == "x"
    assert [str(each.message) for each in told] == [
        "DockerSettings says where or with what steps run, which ZenML's stacks decide; there are none here, and it is "
        "passed over."
    ]


def test_secrets_are_environment_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPEN_AI_API_KEY", "k")
    values = Client().get_secret("open-ai").secret_values
    assert (values["api_key"], dict(values)) == ("k", {"api_key": "k"})
    with pytest.raises(KeyError, match="no value 'url' here; set the environment variable OPEN_AI_URL"):
        values["url"]


def test_a_stack_has_a_place_for_files_and_nothing_else() -> None:
    stack = Client().active_stack
    path = os.path.join(stack.artifact_store.path, "x")
    with stack.artifact_store.open(path, "w") as file:
        file.write("y")
    assert stack.artifact_store.exists(path)
    assert stack.artifact_store.listdir(stack.artifact_store.path) == ["x"]
    assert stack.components == {"artifact_store": stack.artifact_store, "orchestrator": stack.orchestrator}
    assert not stack.alerter
    assert stack.alerter.name is None
    assert stack.orchestrator.config.is_local
    with pytest.raises(NotHere, match=r"active_stack\.alerter\.post belongs .*; call the chat's own client in a step"):
        stack.alerter.post("hello")


GUARD = """
from artvcs.zenml import pipeline, step
from artvcs.zenml.client import Client
from artvcs.zenml.integrations.mlflow.experiment_trackers import MLFlowExperimentTracker

experiment_tracker = Client().active_stack.experiment_tracker
if not experiment_tracker or not isinstance(experiment_tracker, MLFlowExperimentTracker):
    raise RuntimeError("Your active stack needs to contain an MLFlow experiment tracker.")

@step(experiment_tracker=experiment_tracker.name)
def track() -> str:
    return experiment_tracker.get_tracking_uri()

@pipeline
def tracking():
    track()

print(tracking().steps["track"].output.load())
"""


def test_mlflow_is_an_experiment_tracker_where_it_is_installed(project: Path) -> None:
    (project / "guarded.py").write_text(GUARD)
    without = subprocess.run([sys.executable, "guarded.py"], cwd=project, capture_output=True, text=True)
    assert "There is no experiment tracker, since MLflow is not installed; install mlflow, or" in without.stderr
    assert "RuntimeError: Your active stack needs" in without.stderr
    (project / "mlflow.py").write_text("def get_tracking_uri():\n    return 'sqlite:///runs.db'\n")
    done = subprocess.run([sys.executable, "guarded.py"], cwd=project, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("sqlite:///runs.db\n", 0), done.stderr


def test_stacks_and_projects_that_are_asked_for() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IgnoredSetting)
        Client().activate_stack("production")
    assert Client().active_project.name == Path.cwd().name
    assert isinstance(Client().active_stack.experiment_tracker.get_tracking_uri(), str)
