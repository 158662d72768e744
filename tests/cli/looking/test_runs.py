"""`art runs`: runs side by side, what they were given and what came of it in columns."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import pytest

from artvcs import Client, log_metadata
from artvcs.cli.terminal.output import Terminal
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.store import ObjectStore

from ...histories import write_runs
from ..conftest import Art, Once

TRIALS = """
from typing import Annotated
from artvcs import log_metadata, pipeline, step

@step
def train(depth: int, seed: int = 0) -> Annotated[str, "model"]:
    log_metadata({"loss": 10 / depth, "layers": {"first": depth}})
    return f"of depth {depth}"

@step
def judge(model: str, depth: int, kind: str) -> Annotated[float, "score"]:
    log_metadata({"accuracy": float("nan") if kind == "broken" else kind if kind == "text" else depth / 10})
    return depth / 10

@pipeline
def trials(depth: int = 5, kind: str = "plain"):
    judge(train(depth), depth, kind)
"""


@pytest.fixture
def trials(art: Art, project: Path, once: Once) -> Art:
    """Four runs: of depth 5, 9 and 7, and one whose accuracy is not a number."""

    def make() -> None:
        (project / "trials.py").write_text(TRIALS)
        for depth, kind in ((5, "plain"), (9, "plain"), (7, "plain"), (1, "broken")):
            assert art("run", "trials.py", "-p", f"depth={depth}", "-p", f"kind={kind}").code == 0

    once("trials", make)
    return art


def depths(art: Art, *arguments: str) -> list[int]:
    return [row["parameters"]["depth"] for row in art("runs", *arguments, "--json").json]


def test_each_run_has_its_parameters_and_measures(trials: Art) -> None:
    log_metadata({"rating": "good"}, artifact_name="model", artifact_version=2)
    log_metadata({"cost": 3}, run_id_name_or_prefix="trials~2")
    rows = trials("runs", "trials", "--json").json
    assert [row["parameters"]["depth"] for row in rows] == [1, 7, 9, 5]  # newest first
    assert rows[2]["parameters"] == {"depth": 9, "kind": "plain", "seed": 0}
    assert rows[2]["measures"] == {
        "rating": "good", "loss": 10 / 9, "layers.first": 9, "accuracy": 0.9, "cost": 3,
    }  # fmt: skip


def test_the_best_first(trials: Art) -> None:
    assert depths(trials, "--sort", "-accuracy") == [9, 7, 5, 1]
    assert depths(trials, "--sort", "accuracy") == [5, 7, 9, 1]  # what is no number is last either way
    assert depths(trials, "--sort", "depth", "-n", "2") == [1, 5]
    assert depths(trials, "--sort", "judge.accuracy", "--where", "kind = plain") == [5, 7, 9]


def test_text_in_one_run_and_a_number_in_another(trials: Art) -> None:
    assert trials("run", "trials.py", "-p", "kind=text").code == 0
    assert depths(trials, "--sort", "accuracy") == [5, 7, 9, 5, 1]
    assert depths(trials, "--where", "accuracy > 0.6") == [7, 9]
    assert depths(trials, "--where", "accuracy = text") == [5]


def test_conditions(trials: Art) -> None:
    assert depths(trials, "--where", "accuracy > 0.6", "--where", "depth < 8") == [7]
    assert depths(trials, "--where", "status = completed", "--where", "layers.first >= 7") == [7, 9]
    done = trials("runs", "--where", "acuracy > 0.6")
    assert (done.code, done.out) == (0, "")
    assert done.err == (
        "warning: No run has 'acuracy' (did you mean 'accuracy'?); `art runs` shows what they have.\n"
        "No run is like that.\n"
    )


def test_a_condition_that_is_mistyped_is_said(trials: Art) -> None:
    done = trials("runs", "--where", "accuracy >> 0.5")
    assert (done.code, done.out) == (1, "")
    assert "The condition 'accuracy >> 0.5' cannot be understood; write it as in 'accuracy > 0.9'" in done.err
    assert "cannot be understood" in trials("ls", "score", "--where", "value => 0.5").err
    told = trials("runs", "--where", "accuracy > 0,5").err
    assert told.startswith("warning: 'accuracy' is a number wherever it is known, and '0,5' is none.\n")
    assert depths(trials, "--where", "accuracy > .8") == [9]


def test_columns_that_no_run_has_are_refused(trials: Art) -> None:
    for option in ("--sort", "--columns"):
        done = trials("runs", option, "acuracy")
        assert (done.code, done.out) == (3, "")
        assert "No run has a column 'acuracy' (did you mean 'accuracy'?)" in done.err
    assert "No run is of a pipeline 'nothing'" in trials("runs", "nothing").err


def heads(text: str) -> list[str]:
    return text.splitlines()[0].split()


def test_columns_go_where_there_is_no_room(trials: Art, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = ["run", "depth", "kind", "seed", "layers.first", "loss", "accuracy"]
    assert heads(trials("runs").out) == [*everything, "pipeline", "status", "took", "began"]
    monkeypatch.setattr(Terminal, "width", 80)
    out = trials("runs").out
    assert heads(out) == ["run", "depth", "layers.first", "loss", "accuracy"]
    assert out.splitlines()[-1].startswith("No room for kind, seed, ")
    monkeypatch.setattr(Terminal, "width", 20)
    assert heads(trials("runs").out) == ["run"]
    assert [line.split()[0] for line in trials("runs").out.splitlines()[1:5]] == [
        run.name for run in Client().list_pipeline_runs()
    ]
    assert trials("run", "trials.py", "-p", "depth=0").code != 0  # and has no measures
    monkeypatch.setattr(Terminal, "width", 80)
    assert "status" in heads(trials("runs").out)
    monkeypatch.setattr(Terminal, "width", 500)
    assert heads(trials("runs", "--columns", "accuracy,depth").out) == ["run", "accuracy", "depth"]


def test_the_columns_of_every_run_are_chosen_as_the_table_calls_them(trials: Art) -> None:
    done = trials("runs", "--columns", "run,took,began,status,took", "--sort", "-took")
    assert (done.code, heads(done.out)) == (0, ["run", "took", "began", "status"])
    assert all("completed" in line and " ago" in line for line in done.out.splitlines()[1:])
    took = [row["seconds"] for row in trials("runs", "--sort", "-took", "--json").json]
    assert took == sorted(took, reverse=True)
    assert depths(trials, "--where", "took >= 0") == depths(trials)


def test_what_a_step_was_given_beside_the_run_has_a_column(trials: Art, project: Path) -> None:
    """A configuration file may give one step another value than the pipeline passes on."""
    (project / "conf.yaml").write_text("steps: {judge: {parameters: {depth: 8}}}")
    assert trials("run", "trials.py", "-c", "conf.yaml").code == 0
    newest = trials("runs", "--json").json[0]
    assert newest["parameters"] == {"depth": 5, "kind": "plain", "seed": 0, "judge.depth": 8}
    assert trials("runs", "--columns", "depth,judge.depth", "-n", "2").out.splitlines()[1].split()[1:] == ["5", "8"]
    assert "judge.depth" in heads(trials("runs", "--csv").out.replace(",", "  "))


def test_csv_has_all(trials: Art) -> None:
    rows = list(csv.DictReader(io.StringIO(trials("runs", "--csv", "--sort", "depth").out)))
    assert [row["depth"] for row in rows] == ["1", "5", "7", "9"]
    assert [row["accuracy"] for row in rows] == ["nan", "0.5", "0.7", "0.9"]
    assert list(rows[0])[:6] == ["run", "id", "pipeline", "status", "started", "seconds"]


def test_as_a_frame(trials: Art) -> None:
    frame = Client().runs_frame("trials", where="accuracy > 0.1", sort="-accuracy")
    assert list(frame.depth) == [9, 7, 5]
    assert list(frame.accuracy) == [0.9, 0.7, 0.5]
    assert str(frame.started.dt.tz) == "UTC"
    assert math.isnan(Client().runs_frame().accuracy[0])


def test_a_measure_with_the_name_of_a_parameter(art: Art, project: Path) -> None:
    (project / "same.py").write_text(
        "from artvcs import log_metadata, pipeline, step\n"
        "@step\ndef tune(depth: int) -> None:\n    log_metadata({'depth': depth + 1, 'status': 'fine'})\n"
        "@pipeline\ndef same(depth: int = 1):\n    tune(depth)\n"
    )
    assert art("run", "same.py").code == 0
    [row] = Client().runs_frame().to_dict("records")
    assert (row["parameter.depth"], row["depth"], row["status"]) == (1, 2, "completed")
    assert art("runs", "--columns", "tune.status,parameter.depth").out.splitlines()[1].split()[1:] == ["fine", "1"]


def test_many_runs_are_answered_from_the_catalog(art: Art, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand of them, or a hundred thousand, are no more records to read than a few."""
    write_runs(Repository.init(project / ".artifacts"), 500)
    assert art("runs", "-n", "1").code == 0  # the catalog is made
    record, read = ObjectStore.record, list[str]()

    def counted(store: ObjectStore, oid: Any, cls: Any, **how: Any) -> Any:
        read.append(cls.__name__)
        return record(store, oid, cls, **how)

    monkeypatch.setattr(ObjectStore, "record", counted)
    rows = art("runs", "--sort", "-accuracy", "--where", "rate >= 0", "--json").json
    assert len(rows) == 500
    accuracies = [row["measures"]["accuracy"] for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert "Run" not in read
    assert "Commit" not in read
    assert len(art("runs").out.splitlines()) == 52


FITTING = """
from typing import Annotated
from artvcs import Model, log_metadata, pipeline, step

@step
def fit(rate: float) -> Annotated[float, "weights"]:
    log_metadata({"accuracy": 1 - rate}, infer_model=True)
    return rate

@pipeline(model=Model("prices"))
def fitting(rate: float = 0.5):
    fit(rate)
"""


def test_what_is_noted_of_a_model_is_a_measure_of_its_runs(art: Art, project: Path) -> None:
    (project / "fitting.py").write_text(FITTING)
    for rate in (0.5, 0.25, 0.5):
        assert art("run", "fitting.py", "-p", f"rate={rate}").code == 0
    rows = art("runs", "--sort", "-accuracy", "--json").json
    assert [row["measures"] for row in rows] == [{"accuracy": 0.75}, {"accuracy": 0.5}, {"accuracy": 0.5}]
    assert list(Client().runs_frame("fitting").accuracy) == [0.5, 0.75, 0.5]  # the last run has reused what it says
    assert art("plot", "accuracy", "--by", "rate", "--json").json["series"][0]["y"] == [0.5, 0.75, 0.5]
    assert [row["version"] for row in art("ls", "weights", "--where", "accuracy > 0.6", "--json").json] == ["2"]
    assert "accuracy=0.75 (fit)" in art("show", "weights@2").out
    assert art("show", "prices@2").out.count("accuracy") == 1


def test_what_somebody_notes_of_a_model_is_a_measure_of_the_run_that_made_it(art: Art, project: Path) -> None:
    (project / "fitting.py").write_text(FITTING)
    for rate in (0.5, 0.25):
        assert art("run", "fitting.py", "-p", f"rate={rate}").code == 0
    log_metadata({"rating": 5}, model_name="prices", model_version=1)
    assert [row["measures"].get("rating") for row in art("runs", "fitting", "--json").json] == [None, 5]


KINDS = """
from artvcs import log_metadata, pipeline, step

@step
def fit(rounds: int, depth: int, kind: str) -> int:
    log_metadata({"accuracy": len(kind) / 10})
    return 1

@pipeline
def kinds(rounds: int = 100, depth: int = 3, kind: str = "forest"):
    fit(rounds, depth, kind)
"""


def test_columns_that_differ_stay_where_there_is_no_room(
    art: Art, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "kinds.py").write_text(KINDS)
    for kind, depth in (("forest", 4), ("boosting", 3), ("logistic", 3), ("voting", 3)):
        assert art("run", "kinds.py", "-p", f"kind={kind}", "-p", f"depth={depth}").code == 0
    for width, shown in ((60, ["run", "depth", "kind", "accuracy"]), (53, ["run", "kind", "accuracy"])):
        monkeypatch.setattr(Terminal, "width", width)
        assert heads(art("runs").out) == shown
    monkeypatch.setattr(Terminal, "width", 80)
    assert not {"pipeline", "status", "rounds", "depth"} & {*heads(art("runs", "-n", "3").out)}
