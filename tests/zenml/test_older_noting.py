"""ZenML's older functions that note facts, each by its own name: exactly what is named has them afterwards."""

from __future__ import annotations

import sys
import types
import warnings
from typing import Annotated, Any

import pytest

from artvcs.pipelines.errors import IgnoredSetting
from artvcs.zenml import ArtifactConfig, Model, Tag, bulk_log_metadata, pipeline, save_artifact, step
from artvcs.zenml._names import absent
from artvcs.zenml.client import Client
from artvcs.zenml.enums import ArtifactType
from artvcs.zenml.utils.cuda_utils import cleanup_gpu_memory

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from artvcs.zenml import log_artifact_metadata, log_model_metadata, log_step_metadata

pytestmark = pytest.mark.usefixtures("project")


@step
def split() -> tuple[Annotated[int, "train"], Annotated[int, "test"]]:
    log_artifact_metadata({"rows": 80}, artifact_name="train")
    log_step_metadata({"seconds": 3})
    log_model_metadata({"kind": "forest"})
    return 80, 20


@step
def alone() -> Annotated[int, "single"]:
    bulk_log_metadata({"checked": True}, infer_artifacts=True, infer_models=True)
    return 1


@pipeline(model=Model("numbers"))
def splitting() -> None:
    split()
    alone()


def noted(name: str, version: int | None = None) -> dict[str, Any]:
    return dict(Client().get_artifact_version(name, version).run_metadata)


def test_in_a_step_the_output_that_is_named_is_meant() -> None:
    run = splitting()
    assert noted("train")["rows"] == 80
    assert "rows" not in noted("test")
    assert run.steps["split"].run_metadata["seconds"] == 3
    assert "seconds" not in run.steps["alone"].run_metadata
    model = Client().get_model_version("numbers")
    assert (model.run_metadata["kind"], model.run_metadata["checked"]) == ("forest", True)
    assert noted("single")["checked"] is True
    assert "checked" not in noted("train")


def test_outside_of_steps_exactly_what_is_named_is_meant() -> None:
    for value in (1, 2):
        save_artifact(value, "saved")
        save_artifact(value, "other")
    log_artifact_metadata({"by": "name"}, artifact_name="saved", artifact_version=1)
    assert noted("saved", 1)["by"] == "name"
    for name, version in (("saved", 2), ("other", 1), ("other", 2)):
        assert "by" not in noted(name, version), (name, version)
    splitting()
    splitting.with_options(model=Model("others"))()
    log_model_metadata({"by": "name"}, model_name="numbers", model_version=1)
    assert Client().get_model_version("numbers", 1).run_metadata["by"] == "name"
    assert "by" not in Client().get_model_version("others", 1).run_metadata


def test_outside_of_steps_the_step_of_the_run_that_is_named_is_meant() -> None:
    first, second = splitting(), splitting.with_options(enable_cache=False)()
    log_step_metadata({"by": "run"}, step_name="alone", run_id=first.id)
    log_step_metadata({"also": "name"}, step_name="split", pipeline_name_id_or_prefix="splitting")

    def of(run: Any, name: str) -> dict[str, Any]:
        return dict(Client().get_pipeline_run(run.id).steps[name].run_metadata)

    assert of(first, "alone")["by"] == "run"
    assert "by" not in {**of(first, "split"), **of(second, "alone")}
    assert of(second, "split")["also"] == "name"
    assert "also" not in {**of(first, "split"), **of(second, "alone")}


def test_memory_of_gpus_is_freed_where_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    called = list[str]()
    cuda = types.SimpleNamespace(is_available=lambda: True, empty_cache=lambda: called.append("empty"))
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda))
    cleanup_gpu_memory(force=True)
    assert called == ["empty"]


def test_that_a_tag_cannot_be_exclusive_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absent, "_told", set())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        Tag("plain")
        Tag("red", exclusive=True)
        Tag("blue", cascade=True)
    assert [each.category for each in told] == [IgnoredSetting]


def test_what_is_deployed_is_a_service_and_what_is_a_model_a_model() -> None:
    @step
    def make() -> tuple[
        Annotated[int, ArtifactConfig(name="served", is_deployment_artifact=True)],
        Annotated[int, ArtifactConfig(name="trained", is_model_artifact=True)],
        Annotated[int, "neither"],
    ]:
        return 1, 2, 3

    @pipeline
    def making() -> None:
        make()

    making()
    types_ = {name: Client().get_artifact_version(name).type for name in ("served", "trained", "neither")}
    assert types_ == {
        "served": ArtifactType.SERVICE, "trained": ArtifactType.MODEL, "neither": ArtifactType.DATA,
    }  # fmt: skip
