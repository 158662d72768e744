"""What MLflow names is found here by the same name, and different things by different ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .tracked import Tracked, track

pytestmark = pytest.mark.remotes


def artifacts(tracked: Tracked) -> dict[str, str]:
    """Name → content of all artifacts that are one file."""
    return {each["name"]: tracked.told("cat", each["name"]) for each in json.loads(tracked.told("ls", "--json"))}


def test_different_things_never_share_a_name(tmp_path: Path) -> None:
    tracked = track(
        tmp_path,
        """
for name in ("x/y", "x-y", "houses"):
    mlflow.set_experiment(name)
    with mlflow.start_run(run_name=f"run of {name}") as run:
        mlflow.log_text(f"data of {name}", "data")
for name in ("houses-data", "a\\\\b", "a-b"):
    client.create_registered_model(name)
    with mlflow.start_run(run_id=run.info.run_id): mlflow.log_text(name, f"for {name.replace(chr(92), '_')}")
    client.create_model_version(name, f"{run.info.artifact_uri}/for {name.replace(chr(92), '_')}", run.info.run_id)
""",
    )
    tracked.told("add", ".git/HEAD", "--name", "houses-for a-b")
    assert tracked.imported("--dry-run").stdout.startswith("Would bring 3 runs, 3 versions of models (")
    done = tracked.imported()
    assert (done.stdout[:35], done.stderr) == ("Brought 3 runs, 3 versions of model", "")
    before = artifacts(tracked)
    assert len(before) == 3 + 3 + 2 * 3 + 1
    assert sorted(before.values()).count("a-b") == 2
    assert len({each["pipeline"] for each in json.loads(tracked.told("runs", "--all", "--json"))}) == 3
    tracked.python("""
import mlflow
for name in ("x-y", "x/y"):
    mlflow.set_experiment(name)
    with mlflow.start_run() as run: mlflow.log_text(f"data of {name}", "data")
""")
    assert tracked.imported().stdout.startswith("Brought 2 runs, 0 versions of models (")
    assert artifacts(tracked) == before
    assert tracked.imported().stdout.startswith("Brought 0 runs, 0 versions of models (")


def test_versions_have_the_numbers_that_mlflow_gives_them(tmp_path: Path) -> None:
    tracked = track(
        tmp_path,
        """
with mlflow.start_run() as run:
    for number in (1, 2, 3, 4): mlflow.log_text(f"version {number}", f"files-{number}")
client.create_registered_model("prices")
for number in (1, 2, 3):
    client.create_model_version("prices", f"{run.info.artifact_uri}/files-{number}", run.info.run_id)
client.delete_model_version("prices", "1")
""",
    )
    assert ", 2 versions of models (" in tracked.imported().stdout
    tracked.python("""
import mlflow
client = mlflow.MlflowClient()
[run] = client.search_runs(["0"])
client.create_model_version("prices", f"{run.info.artifact_uri}/files-4", run.info.run_id)
""")
    assert "Brought 0 runs, 1 version of models (" in tracked.imported().stdout
    for number in ("2", "3", "4"):
        assert tracked.told("cat", f"prices@{number}") == f"version {number}"
        shown = json.loads(tracked.told("show", f"models/prices@{number}", "--json"))
        assert shown["metadata"]["mlflow version"] == number


def test_an_alias_goes_where_it_went_in_mlflow(tmp_path: Path) -> None:
    tracked = track(
        tmp_path,
        """
with mlflow.start_run() as run: mlflow.log_text("first", "one.txt")
client.create_registered_model("prices")
client.create_model_version("prices", f"{run.info.artifact_uri}/one.txt", run.info.run_id)
for alias in ("champion", "archived", "mine"): client.set_registered_model_alias("prices", alias, "1")
client.set_registered_model_alias("prices", "7", "1")
""",
    )
    done = tracked.imported()
    assert done.stderr == (
        "warning: The alias 7 of prices is left out: it would be taken for a version here; give it another name.\n"
    )
    assert "archived" in tracked.told("show", "models/prices")
    tracked.told("tag", "artifacts/prices", "mine", "--delete")
    tracked.told("tag", "artifacts/prices@1", "mine")
    tracked.python("""
import mlflow
for alias in ("champion", "mine", "7"): mlflow.MlflowClient().delete_registered_model_alias("prices", alias)
""")
    assert tracked.imported().stderr == ""
    assert tracked.art("show", "models/prices@champion").returncode != 0
    assert tracked.art("show", "prices@champion").returncode != 0
    assert tracked.art("show", "prices@archived").returncode == 0
    assert tracked.art("show", "prices@mine").returncode == 0
