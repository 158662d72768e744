"""`art log` and `art show` back to data that no step made."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import Art

FLOW = """
from typing import Annotated
from artvcs import Client, ExternalArtifact, pipeline, step

@step
def load(raw: object, factor: int) -> Annotated[list[int], "numbers"]:
    return [int(word) * factor for word in raw.read_text().split()]

@step
def total(values: list[int]) -> Annotated[int, "total"]:
    return sum(values)

@pipeline
def flow():
    total(load(Client().get_artifact_version("raw"), ExternalArtifact(2)))
"""


@pytest.fixture
def made(art: Art, project: Path) -> Art:
    (project / "flow.py").write_text(FLOW)
    (project / "raw.txt").write_text("1 2 3")
    assert art("add", "raw.txt", "--name", "raw").code == 0
    done = art("run", "flow.py")
    assert done.code == 0, done.err
    return art


def test_registered_and_external_data_are_the_roots(made: Art) -> None:
    entries = made("log", "total", "--json").json
    assert [entry["kind"] for entry in entries] == ["commit", "commit", "data", "data"]
    by_origin = {entry["origin"]: entry for entry in entries[2:]}
    assert by_origin["registered"]["made"] == ["raw@1"]
    assert by_origin["external"]["made"] == ["flow::load::factor@1"]
    assert set(entries[1]["parents"]) == {entry["id"] for entry in entries[2:]}


def test_the_graph_ends_in_them(made: Art) -> None:
    lines = made("log", "total", "--graph", "--oneline").out.splitlines()
    assert [line for line in lines if "registered by hand (raw@1)" in line]
    assert [line for line in lines if "given to the pipeline (flow::load::factor@1)" in line]
    assert lines[2] == "|\\"
    assert "Origin:  registered by hand" in made("log", "total", "--graph").out


def test_a_registered_artifact_has_a_log_of_its_versions(made: Art, project: Path) -> None:
    (project / "raw.txt").write_text("4 5")
    made("add", "raw.txt", "--name", "raw")
    assert [entry["made"] for entry in made("log", "raw", "--json").json] == [["raw@2"], ["raw@1"]]
    assert [entry["made"] for entry in made("log", "raw@1", "--json").json] == [["raw@1"]]


def test_the_graph_of_everything(made: Art) -> None:
    assert len(made("log", "--graph", "--json").json) == 4
    assert made("log", "--graph", "--oneline").out.count("* ") == 4


def test_an_object_that_has_no_history(made: Art) -> None:
    blob = made("show", "raw", "--json").json["files"]["raw.txt"]["id"]
    done = made("log", blob)
    assert done.code == 3
    assert "is a blob; `art log` follows artifacts, runs and commits" in done.err


def test_show_says_by_which_run(made: Art) -> None:
    run = made("log", "--json").json[0]
    assert f"Run:       {run['name']}" in made("show", "total").out
    shown = made("show", run["name"]).out
    assert "Pipeline:  flow in flow.py" in shown
    assert f"Id:        {run['id']}" in shown
    assert run["steps"]["load"]["inputs"] == {"raw": ["raw@1"], "factor": ["flow::load::factor@1"]}


def test_status_names_code_that_was_edited(made: Art, project: Path) -> None:
    assert "edited" not in made("status").out
    (project / "flow.py").write_text(FLOW.replace("sum(values)", "max(values)"))
    assert made("status").out.splitlines()[-1] == "total (flow): flow.py::total was edited"
    assert made("status", "--json").json["edited"] == [{"pipeline": "flow", "step": "total", "code": "flow.py::total"}]
    (project / "flow.py").write_text(FLOW.replace("sum(values)", "sum( values )  # all of them"))
    assert "edited" not in made("status").out


READING = """
import os, time
from pathlib import Path
from artvcs import pipeline, step

@step
def read() -> str:
    return f"{Path('data/rate.txt').read_text()} {os.environ.get('CURRENCY')} {time.time() > 0}"

@pipeline
def reading():
    read()
"""


def test_show_says_what_a_step_was_seen_to_use(art: Art, project: Path) -> None:
    (project / "data").mkdir()
    (project / "data" / "rate.txt").write_text("0.5")
    (project / "reading.py").write_text(READING)
    assert art("run", "reading.py").code == 0
    lines = art("show", "reading::read::output").out.splitlines()
    assert "Reads:     data/rate.txt" in lines
    assert any(line.startswith("Variables: ") and "CURRENCY" in line for line in lines)
    assert "Unverified: the clock, by time.time" in lines
    used = art("show", "reading::read::output", "--json").json["used"]
    assert used["reads"] == ["data/rate.txt"]
    assert used["unverified"] == ["the clock, by time.time"]
