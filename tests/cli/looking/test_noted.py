"""`art ls --where`: what is noted of a version, of the step that made it, or that was a parameter of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from artvcs import Client, log_metadata

from ..conftest import Art


@pytest.fixture
def twice(art: Art) -> Art:
    """`total` notes how many values it had: 3 in the first version, 4 in the second."""
    assert art("run", "adding.py").code == 0
    assert art("run", "adding.py", "-p", "count=4").code == 0
    return art


def listed(art: Art, *arguments: str) -> list[str]:
    return [f"{each['name']}@{each['version']}" for each in art("ls", *arguments, "--json").json]


def test_what_the_step_noted_is_asked_too(twice: Art) -> None:
    assert listed(twice, "total", "--where", "values > 3") == ["total@2"]
    assert listed(twice, "total", "--where", "values >= 3") == ["total@1", "total@2"]
    assert listed(twice, "numbers", "--where", "count = 3") == ["numbers@1"]  # a parameter
    assert [each.version for each in Client().list_artifact_versions("total", metadata={"values": 4})] == ["2"]


def test_what_is_noted_of_the_version_itself_comes_first(twice: Art) -> None:
    log_metadata({"values": 10}, artifact_name="total", artifact_version=1)
    assert listed(twice, "total", "--where", "values > 3") == ["total@1", "total@2"]
    assert Client().get_artifact_version("total", 1).facts["values"] == 10


def test_a_name_that_nothing_has_is_said(twice: Art) -> None:
    done = twice("ls", "total", "--where", "vlaues > 3")
    assert done.code == 0
    assert done.out == ""
    assert done.err == (
        "warning: Nothing is noted as 'vlaues' of any version of total (did you mean 'values'?); "
        "`art show` lists what is.\nNo version of total is like that.\n"
    )
    assert twice("ls", "--where", "values > 99").err == "No version is like that.\n"
    assert twice("-q", "ls", "--where", "values > 99").err == ""


JUDGED = """
from typing import Annotated
from artvcs import log_metadata, pipeline, step

@step
def train(depth: int) -> Annotated[str, "model"]:
    return f"of depth {depth}"

@step
def judge(model: str, depth: int) -> None:
    log_metadata({"accuracy": depth / 10})

@pipeline
def judged(depth: int = 5):
    judge(train(depth), depth)
"""


def test_what_a_step_noted_that_took_a_version_is_asked_last(art: Art, project: Path) -> None:
    """As the accuracy of a model, which the step that evaluates it finds."""
    (project / "judged.py").write_text(JUDGED)
    for depth in (5, 7, 9):
        assert art("run", "judged.py", "-p", f"depth={depth}").code == 0
    assert listed(art, "model", "--where", "accuracy > 0.6") == ["model@2", "model@3"]
    log_metadata({"accuracy": 0.1}, artifact_name="model", artifact_version=3)  # what is said of itself comes first
    assert listed(art, "model", "--where", "accuracy > 0.6") == ["model@2"]
    assert "did you mean 'accuracy'" in art("ls", "model", "--where", "acuracy > 0.6").err


def test_what_is_too_much_to_be_listed_is_asked_all_the_same(art: Art, project: Path) -> None:
    noted = '{f"k{number}": number for number in range(1200)} | {"text": "x" * 300}'
    (project / "judged.py").write_text(JUDGED.replace('{"accuracy": depth / 10}', noted))
    assert art("run", "judged.py").code == 0
    assert listed(art, "model", "--where", "k7 = 7", "--where", f"text = {'x' * 300}") == ["model@1"]
    assert listed(art, "model", "--where", "k7 > 7") == []
    assert art("runs", "--json").json[0]["parameters"] == {"depth": 5}


def test_a_client_of_no_repository_costs_no_cell(project: Path) -> None:
    assert "Not to be shown: RepositoryNotFound" in Client()._repr_html_()
