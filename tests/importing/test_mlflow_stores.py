"""Stores of MLflow's are read and stay as they are; what is none is said to be none."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from .tracked import Tracked, track

pytestmark = pytest.mark.remotes

TRAIN = """
from mlflow.pyfunc import PythonModel
class Same(PythonModel):
    def predict(self, context, model_input): return model_input
with mlflow.start_run(run_name="one"):
    mlflow.log_metric("loss", 1)
    mlflow.log_text("first", "one.txt")
    mlflow.pyfunc.log_model(name="model", python_model=Same(), registered_model_name="prices", pip_requirements=[])
client.set_registered_model_alias("prices", "champion", "1")
"""


def state(folder: Path) -> dict[str, str]:
    """What lies in a folder, but for `art`'s own."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in folder.rglob("*")
        if not {".artifacts", ".git", ".gitignore"} & set(path.relative_to(folder).parts)
    }


@pytest.mark.parametrize("uri", ["sqlite:///mlflow.db", "mlruns"])
def test_a_store_is_as_it_was(tmp_path: Path, uri: str) -> None:
    tracked = track(tmp_path, TRAIN, uri)
    before = state(tmp_path)
    assert tracked.imported("--dry-run").stdout.startswith("Would bring 1 run, 1 version of models (")
    done = tracked.imported()
    assert done.stdout.startswith("Brought 1 run, 1 version of models ("), done.stderr
    assert done.stderr == ""
    assert tracked.told("cat", "Default-one.txt") == "first"
    assert state(tmp_path) == before


def test_a_store_with_a_log_of_its_own_is_as_it_was(tmp_path: Path) -> None:
    tracked = track(tmp_path, "with mlflow.start_run(run_name='one'): mlflow.log_text('first', 'one.txt')")
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        database.execute("PRAGMA journal_mode = WAL")
    database.close()
    before = state(tmp_path)
    assert tracked.imported().stdout.startswith("Brought 1 run")
    assert state(tmp_path) == before


def test_a_store_of_an_older_release_is_not_migrated(tmp_path: Path) -> None:
    tracked = track(tmp_path, TRAIN)
    tracked.python("from alembic import command; from mlflow.store.db.utils import _get_alembic_config as c\n"
                   "command.downgrade(c('sqlite:///mlflow.db'), '-1')")  # fmt: skip
    before = state(tmp_path)
    done = tracked.imported()
    assert done.stdout.startswith("Brought 1 run") or "mlflow db upgrade" in done.stderr
    assert state(tmp_path) == before


def make(folder: Path, what: str) -> str:
    """Makes what is no store of MLflow's; gives its address."""
    (folder / "data").mkdir()
    (folder / "data" / "meta.yaml").write_text("name: none\n")
    (folder / "empty.db").touch()
    (folder / "text.db").write_text("no database\n" * 100)
    with sqlite3.connect(folder / "app.db") as database:
        database.execute("CREATE TABLE users (name)")
    database.close()
    return what.format(folder=folder)


@pytest.mark.parametrize(
    "what",
    [
        "sqlite:///app.db", "sqlite:///empty.db", "sqlite:///text.db", "sqlite:///no/such/mlflow.db", "sqlite://",
        "data", "file://{folder}", "file:///{folder}/nowhere", "empty.db", "strange://x",
    ],
)  # fmt: skip
def test_what_is_no_store_of_mlflows_is_one_sentence_and_stays(tmp_path: Path, what: str) -> None:
    uri = make(tmp_path, what)
    before = state(tmp_path)
    done = Tracked(tmp_path, uri).imported("--dry-run")
    assert done.returncode != 0
    assert done.stderr.startswith("error: ")
    assert ("There is no store of MLflow's at " in done.stderr) == (what not in ("empty.db", "strange://x"))
    assert done.stderr.count("\n") == 1
    assert state(tmp_path) == before


def test_a_server_that_is_down_is_said_soon(tmp_path: Path) -> None:
    without = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    tracked, began = Tracked(tmp_path, "http://ada:secret@localhost:1"), time.monotonic()
    done = subprocess.run(
        [tracked.programs / "art", "import", "mlflow", tracked.uri], cwd=tmp_path, text=True, capture_output=True,
        check=False, env=without,
    )  # fmt: skip
    assert done.stderr == (
        "error: The store http://ada:…@localhost:1 cannot be read by MLflow (no server answers there); see that it "
        "can, and import again.\n"
    )
    assert time.monotonic() - began < 60  # of which most is how long MLflow takes to be imported


def test_a_store_of_another_release_is_one_sentence(tmp_path: Path) -> None:
    tracked = track(tmp_path, "")
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    done = tracked.imported()
    assert done.returncode != 0
    assert done.stderr.startswith("error: The store sqlite:///mlflow.db cannot be read by MLflow (")
    assert done.stderr.count("\n") == 1
