"""`art ls --where`: what is noted of a version, of the step that made it, or that was a parameter of it."""

from __future__ import annotations

import pytest

from artvcs import Client, log_metadata

from .conftest import Art


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
