"""ZenML's Client: lists with its conditions and pages, what a notebook shows of them, and a Client that steps reach."""

from __future__ import annotations

import html
import importlib
import re
from pathlib import Path
from typing import Annotated

import pytest

from artvcs.zenml import ArtifactConfig, Model, pipeline, save_artifact, step
from artvcs.zenml._names.absent import NotHere
from artvcs.zenml.client import Client
from artvcs.zenml.enums import ExecutionStatus

pytestmark = pytest.mark.usefixtures("project")


@step
def count(start: int) -> Annotated[int, ArtifactConfig(name="counted", tags=["small"])]:
    return start


@pipeline(model=Model("numbers", tags=["first"]))
def counting(start: int = 1) -> None:
    count(start)


@pytest.fixture
def three(project: Path) -> None:
    """Three runs, of which the second's model is in production; and a value saved by hand."""
    for start in (1, 2, 3):
        counting(start)
    Client().update_model_version("numbers", 2, stage="production")
    save_artifact("text", "by hand", tags=["large"])


def names(found: list[object]) -> list[str]:
    return [str(getattr(each, "name", each)) for each in found]


@pytest.mark.usefixtures("three")
def test_artifacts_are_listed_by_condition_and_no_models_among_them() -> None:
    client = Client()
    assert names(client.list_artifacts()) == ["by hand", "counted"]
    assert names(client.list_artifacts(name="counted")) == ["counted"]
    assert names(client.list_artifacts(name="startswith:by")) == ["by hand"]
    assert names(client.list_artifacts(tag="small")) == ["counted"]
    assert client.list_artifacts(name="zzz") == []
    assert list(client.get_artifact("counted").versions) == ["1", "2", "3"]
    save_artifact(1, "flow::step::output")
    assert names(client.list_artifacts(has_custom_name=False)) == ["flow::step::output"]
    with pytest.raises(NotHere, match=r"Client\(\)\.list_artifacts\(colour=…\) belongs"):
        client.list_artifacts(colour="red")


@pytest.mark.usefixtures("three")
def test_versions_are_listed_by_condition() -> None:
    client = Client()
    assert [each.version for each in client.list_artifact_versions(artifact="counted")] == ["1", "2", "3"]
    assert [each.version for each in client.list_artifact_versions("counted", version="oneof:['1','3']")] == ["1", "3"]
    assert names(client.list_artifact_versions(data_type="str")) == ["by hand"]
    assert names(client.list_artifact_versions(tags=["large"])) == ["by hand"]
    newest = client.list_artifact_versions("counted", sort_by="desc:created", size=1)
    assert [each.load() for each in newest] == [3]
    assert (newest.total, newest.total_pages) == (3, 3)


@pytest.mark.usefixtures("three")
def test_runs_come_in_pages() -> None:
    client = Client()
    every = [run.id for run in client.list_pipeline_runs()]
    assert len(every) == 3
    assert [client.list_pipeline_runs(size=1, page=page)[0].id for page in (1, 2, 3)] == every
    assert client.list_pipeline_runs(size=2, page=2).items[0].id == every[2]
    assert client.list_pipeline_runs(size=2, page=3) == []
    assert len(client.list_pipeline_runs(status=ExecutionStatus.COMPLETED, pipeline_name="counting")) == 3
    assert client.list_pipeline_runs(status="failed") == []
    assert len(client.list_pipeline_runs(start_time="gte:2020-01-01")) == 3
    with pytest.raises(NotHere, match=r"list_pipeline_runs\(model_version_id=…\) belongs"):
        client.list_pipeline_runs(model_version_id="x")


@pytest.mark.usefixtures("three")
def test_models_are_listed_by_condition() -> None:
    client = Client()
    assert [each.number for each in client.list_model_versions("numbers")] == [1, 2, 3]
    assert [each.number for each in client.list_model_versions("numbers", stage="production")] == [2]
    assert [each.number for each in client.list_model_versions(model="numbers", number="gt:1", size=1)] == [2]
    assert names(client.list_models()) == ["numbers"]
    assert client.list_models(name="zzz") == []
    assert [each.number for each in client.get_model("numbers").versions] == [1, 2, 3]


@pytest.mark.usefixtures("three")
def test_a_notebook_shows_all_of_them() -> None:
    client = Client()

    def said(thing: object) -> str:
        shown = html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", thing._repr_html_(), flags=re.DOTALL))  # type: ignore[attr-defined]
        return " ".join(shown.split())

    [run, *_] = client.list_pipeline_runs()
    assert run.name in said(client)
    assert "Not to be shown" not in said(client)
    assert run.name in said(client.list_pipeline_runs())
    assert run.name in said(client.get_pipeline("counting"))
    for found in (client.list_artifact_versions("counted"), client.get_artifact("counted")):
        assert "counted@3 int" in said(found)
    assert "counted@3 int" in said(client.list_artifacts(name="counted"))
    for model in (client.list_model_versions("numbers"), client.get_model("numbers"), client.list_models()):
        assert "numbers@3" in said(model)
    assert "numbers@3" in said(client.get_model_version("numbers"))
    for plain in (client.active_stack, client.active_stack.alerter, client.get_pipeline("counting")):
        assert " at 0x" not in repr(plain)


MODULE = """
from artvcs.zenml import pipeline, step
from artvcs.zenml.client import Client

client = Client()
stack = Client().active_stack
tracker = Client().active_stack.experiment_tracker
try:
    model = client.get_model_version("prices")
except KeyError:
    model = None

@step(experiment_tracker=tracker.name if tracker else None)
def look() -> int:
    return len(client.list_pipeline_runs()) + len(str(stack)) * 0 + (model is None) * 0 + bool(tracker)

@pipeline
def looking():
    look()
"""


def test_a_client_and_its_stack_at_the_top_of_a_module_can_be_reached_by_steps(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "reaching.py").write_text(MODULE)
    monkeypatch.syspath_prepend(project)
    run = importlib.import_module("reaching").looking()
    assert run.steps["look"].output.load() == 1  # the run itself


def test_who_asks_whether_the_client_has_something_is_told_no() -> None:
    assert not hasattr(Client(), "create_trigger")
    assert getattr(Client().active_stack.alerter, "post", None) is None
    with pytest.raises(AttributeError, match="belongs to ZenML's stacks or its server"):
        Client().create_trigger()


def test_an_artifact_has_no_uri_and_says_what_it_has() -> None:
    version = save_artifact(1, "n")
    with pytest.raises(NotHere) as told:
        _ = version.uri
    assert str(told.value) == (
        "An artifact version has no uri here; its files are packed: .load() gives its value, .open() its bytes."
    )


def test_a_file_lies_in_the_project_or_not(project: Path) -> None:
    assert Client.is_inside_repository("flow.py")
    assert not Client.is_inside_repository(str(project.parent / "flow.py"))
