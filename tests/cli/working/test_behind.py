"""Data that stands in the project while somebody else has made a newer version: nothing of either is lost silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import Art

FLOW = """
from pathlib import Path
from artvcs import Client, pipeline, step

@step
def count(raw: Path) -> int:
    return len(list(raw.rglob("*.csv")))

@pipeline
def flow(version: int = 0):
    count(Client().get_artifact_version("raw", version or None))
"""


@pytest.fixture
def data(art: Art, project: Path) -> Path:
    """A folder at raw@1, while raw@2 is the newest, as a teammate made it."""
    for folder, january in (("data", "1\n"), ("theirs", "edited\n")):
        (project / folder).mkdir()
        (project / folder / "jan.csv").write_text(january)
        (project / folder / "feb.csv").write_text("2\n")
        assert art("add", folder, "--name", "raw").code == 0
    return project / "data"


def test_status_says_that_there_is_a_newer_version(art: Art, data: Path) -> None:
    assert art("status", "--json").json["behind"] == [{"path": "data", "version": "raw@1", "newest": "raw@2"}]
    said = "data stands at raw@1, and the newest is raw@2 (`art checkout raw@2 -o data` brings it)\n"
    assert said in art("status").out
    assert art("checkout", "raw@2", "-o", "data").code == 0
    assert "stands at" not in art("status").out


def test_who_has_chosen_an_older_version_is_told_of_what_was_made_since(art: Art, project: Path, data: Path) -> None:
    assert art("checkout", "raw@1", "-o", "old").code == 0
    assert [each["path"] for each in art("status", "--json").json["behind"]] == ["data"]
    (project / "old" / "jan.csv").write_text("mine\n")
    assert "The edits at old are of raw@1" in art("add", "-u").err
    (project / "theirs" / "jan.csv").write_text("newer\n")
    assert "stored as raw@3" in art("add", "-u", "theirs").err
    assert [each["path"] for each in art("status", "--json").json["behind"]] == ["data", "old"]


def test_edits_of_an_older_version_are_not_made_the_newest(art: Art, data: Path) -> None:
    (data / "feb.csv").write_text("mine\n")
    told = art("status").out
    assert "(`art checkout raw@2 -o OTHER_PATH` lays it beside, to put both together)" in told
    assert "art add -u" not in told, "it would refuse"
    refused = art("add", "-u")
    assert (refused.code, refused.err) == (
        1,
        "error: The edits at data are of raw@1, and what raw@2 has changed since would be gone from the newest "
        "version; `art checkout raw@2 -o OTHER_PATH` lays it beside, to put both together, and then "
        "`art add data --name raw` stores them.\n",
    )
    assert art("show", "raw", "--json").json["number"] == 2
    (data / "jan.csv").write_text((data.parent / "theirs" / "jan.csv").read_text())
    assert art("add", "data", "--name", "raw").code == 0
    assert (art("cat", "raw@3:jan.csv").out, art("cat", "raw@3:feb.csv").out) == ("edited\n", "mine\n")


def test_edits_of_an_older_version_hinder_no_others(art: Art, project: Path, data: Path) -> None:
    (project / "one.txt").write_text("first")
    art("add", "one.txt", "--name", "one")
    (project / "one.txt").write_text("second")
    (data / "feb.csv").write_text("mine\n")
    done = art("add", "-u")
    assert done.code == 1
    assert "stored as one@2" in done.err


def test_a_run_says_that_it_took_another_version_than_stands_there(art: Art, project: Path, data: Path) -> None:
    (project / "flow.py").write_text(FLOW)
    assert [line for line in art("run", "flow.py").err.splitlines() if line.startswith("warning: ")] == [
        "warning: data stands at raw@1, and this run took raw@2, the newest; `art checkout raw@2 -o data` brings it."
    ]
    assert "stands at" not in art("run", "flow.py", "-p", "version=1").err, "somebody has asked for that one"
    (data / "feb.csv").write_text("mine\n")
    assert (
        "data stands at raw@1 with edits, and this run took raw@2, the newest; `art checkout raw@2 -o OTHER_PATH` "
        "lays it beside, to put both together."
    ) in art("run", "flow.py").err
