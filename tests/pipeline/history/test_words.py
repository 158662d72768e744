"""What people call a version or a run: names with numbers, labels, `latest` and steps back."""

from __future__ import annotations

from pathlib import Path

import pytest

from artvcs import Client, log_metadata, save_artifact
from artvcs.pipelines.functions import add_tags
from artvcs.pipelines.history.finding import lookup
from artvcs.vcs.errors import AmbiguousName, UnknownName
from artvcs.vcs.repository import Repository

from ...histories import write_runs

pytestmark = pytest.mark.usefixtures("project")


@pytest.fixture
def raw(project: Path) -> Repository:
    """Versions 1, 3, 4 and 5 of `raw`, the third with the label `good`."""
    for value in range(5):
        save_artifact(value, "raw", version="good" if value == 2 else None)
    Client().delete_artifact_version("raw", 2)
    return Client().repository


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("raw", 5), ("raw@latest", 5), ("raw~0", 5), ("raw~", 4), ("raw~1", 4), ("raw~~", 3), ("raw~1~1", 3),
        ("raw~3", 1), ("raw@4~1", 3), ("raw@good", 3), ("raw@good~1", 1), ("raw@latest~2", 3),
    ],
)  # fmt: skip
def test_a_version(raw: Repository, text: str, number: int) -> None:
    assert lookup.find_spec(raw.refs(), text, raw.project).number == number
    name, _, version = text.partition("@")
    assert Client().get_artifact_version(name, version or None).number == number


def test_there_are_not_so_many_versions(raw: Repository) -> None:
    with pytest.raises(UnknownName, match="'raw' has no 4 versions before 5; `art ls raw` lists them"):
        lookup.find_spec(raw.refs(), "raw~4", raw.project)
    with pytest.raises(UnknownName, match="'raw' has no version before 1; `art ls raw` lists them"):
        lookup.find_spec(raw.refs(), "raw@1~1", raw.project)
    with pytest.raises(UnknownName, match="There is no artifact named 'nothing~1'"):
        lookup.find_spec(raw.refs(), "nothing~1", raw.project)


def test_what_is_called_so_comes_first(raw: Repository) -> None:
    save_artifact("old", "model", version="latest")
    save_artifact("new", "model")
    save_artifact("its own", "raw~1")
    assert Client().get_artifact_version("model", "latest").load() == "old"
    assert Client().get_artifact_version("raw~1").load() == "its own"


def test_a_run(project: Path) -> None:
    repository = Repository.init(project / ".artifacts")
    write_runs(repository, 4)
    runs = [run.name for run in Client().list_pipeline_runs()]
    pipelines = {run.pipeline for run in Client().list_pipeline_runs()}
    assert len(pipelines) == 1
    (pipeline,) = pipelines
    words = ["HEAD", "HEAD~1", "HEAD~~", f"{runs[0]}~3", f"{runs[1]}~1", pipeline, f"{pipeline}~2"]
    found = [Client().get_pipeline_run(word).name for word in words]
    assert found == [runs[0], runs[1], runs[2], runs[3], runs[2], runs[0], runs[2]]
    with pytest.raises(UnknownName, match="There are not so many runs that 'HEAD~4' is one"):
        Client().get_pipeline_run("HEAD~4")
    with pytest.raises(UnknownName, match="There is no run 'nothing'"):
        Client().get_pipeline_run("nothing~1")


def test_nothing_is_deleted_by_the_name_of_a_pipeline(project: Path) -> None:
    repository = Repository.init(project / ".artifacts")
    write_runs(repository, 2)
    pipeline = Client().list_pipeline_runs()[0].pipeline
    for word in (f"{pipeline}~1", "HEAD"):
        with pytest.raises(UnknownName, match="There is no run"):
            Client().delete_pipeline_run(word)


def test_an_id_that_is_of_several_names_is_ambiguous() -> None:
    first, second = (save_artifact(33, name).id for name in ("first", "second"))
    assert first == second  # an id is that of the value
    ways = (
        lambda: Client().get_artifact_version(first[:12]),
        lambda: log_metadata({"k": 1}, artifact_version_id=first),
        lambda: add_tags("best", artifact=first),
    )
    for ask in ways:
        with pytest.raises(AmbiguousName, match="could be first@1, second@1; give the one that is meant"):
            ask()
    assert Client().get_artifact_version(save_artifact(34, "third").id).name == "third"
