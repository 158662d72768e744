"""ZenML's ways to save, note and tag, argument by argument, and its small helpers."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import numpy
import pytest

from artvcs.pipelines.errors import IgnoredSetting
from artvcs.zenml import (
    ArtifactConfig,
    Model,
    Tag,
    add_tags,
    bulk_log_metadata,
    log_metadata,
    pipeline,
    save_artifact,
    step,
)
from artvcs.zenml._names import absent
from artvcs.zenml._names.absent import NotHere
from artvcs.zenml.client import Client
from artvcs.zenml.enums import ArtifactType
from artvcs.zenml.io import fileio
from artvcs.zenml.logger import get_logger
from artvcs.zenml.types import HTMLString
from artvcs.zenml.utils import io_utils
from artvcs.zenml.utils.cuda_utils import cleanup_gpu_memory

pytestmark = pytest.mark.usefixtures("project")


@step
def make() -> Annotated[dict[str, int], ArtifactConfig(name="made", is_deployment_artifact=True)]:
    log_metadata({"rows": 3}, infer_artifact=True)
    return {"a": 1}


@pipeline(model=Model("numbers"))
def making() -> None:
    make()


def test_facts_are_noted_of_what_is_named() -> None:
    run = making()
    made = Client().get_artifact_version("made")
    assert made.run_metadata["rows"] == 3
    log_metadata({"by": "id"}, artifact_version_id=made.id)
    assert Client().get_artifact_version("made").run_metadata["by"] == "id"
    log_metadata({"by": "step's id"}, step_id=run.steps["make"].id)
    assert Client().get_pipeline_run(run.id).steps["make"].run_metadata["by"] == "step's id"


def test_facts_are_noted_of_many_things_at_once() -> None:
    from artvcs.zenml.models import (  # type: ignore[import-not-found]
        ArtifactVersionIdentifier,
        ModelVersionIdentifier,
        PipelineRunIdentifier,
        StepRunIdentifier,
    )

    run = making()
    making.with_options(enable_cache=False)()
    newest, model = Client().get_artifact_version("made"), Client().get_model_version("numbers", 1)
    bulk_log_metadata(
        {"audit": "passed"}, pipeline_runs=[run], step_runs=[run.steps["make"]], artifact_versions=[newest],
        model_versions=[model],
    )  # fmt: skip
    again = Client().get_pipeline_run(run.id)
    for noted in (
        again.run_metadata, again.steps["make"].run_metadata, Client().get_artifact_version("made").run_metadata,
        Client().get_model_version("numbers", 1).run_metadata,
    ):  # fmt: skip
        assert noted["audit"] == "passed"
    by_name = PipelineRunIdentifier(name=run.name)
    bulk_log_metadata(
        {"second": True}, pipeline_runs=[by_name], step_runs=[StepRunIdentifier(name="make", run=by_name)],
        artifact_versions=[ArtifactVersionIdentifier(name="made")],
        model_versions=[ModelVersionIdentifier(name="numbers", version=1)],
    )  # fmt: skip
    again = Client().get_pipeline_run(run.id)
    assert again.run_metadata["second"]
    assert again.steps["make"].run_metadata["second"]
    assert Client().get_artifact_version("made").run_metadata["second"]
    assert Client().get_model_version("numbers", 1).run_metadata["second"]
    with pytest.raises(TypeError, match="everything"):
        bulk_log_metadata({"x": 1}, everything=True)  # type: ignore[call-arg]


def test_a_value_is_saved_with_all_that_is_said_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absent, "_told", set())
    with pytest.warns(IgnoredSetting, match=r"save_artifact\(uri=…\) says where an artifact lies"):
        version = save_artifact(
            numpy.arange(2), "pair", artifact_type=ArtifactType.DATA, extract_metadata=False,
            include_visualizations=False, user_metadata={"n": 2}, tags=[Tag("two"), "small"], uri="s3://bucket/pair",
        )  # fmt: skip
    assert dict(version.metadata) == {"n": 2}
    assert set(version.tags) == {"two", "small"}
    assert save_artifact(numpy.arange(2), "other").metadata["shape"]


def test_tags_are_changed_and_unused_versions_pruned() -> None:
    save_artifact(1, "loose")
    Client().update_artifact("loose", add_tags=["kept", "new"], remove_tags=["nothing"])
    Client().update_artifact_version("loose", 1, remove_tags=["new"])
    assert Client().get_artifact_version("loose").tags == ("kept",)
    add_tags([Tag("red")], artifact="loose")
    assert set(Client().get_artifact_version("loose").tags) == {"kept", "red"}

    @pipeline
    def plain() -> None:
        make()

    run = plain()
    Client().prune_artifacts()
    assert [each.name for each in Client().list_artifacts()] == ["loose", "made"]
    Client().delete_pipeline_run(run.id)
    Client().prune_artifacts()
    assert [each.name for each in Client().list_artifacts()] == ["loose"]  # what was saved by hand stays


def test_everything_that_says_where_steps_run_is_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absent, "_told", set())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        step(settings={"docker": {}}, step_operator="vertex", experiment_tracker="mlflow")(lambda: None)
        pipeline(settings={"orchestrator": {"x": 1}})(lambda: None)
        step(settings={"resources": {"cpu_count": 8}})(lambda: None)
    assert len([each for each in told if issubclass(each.category, IgnoredSetting)]) == 1


def test_a_logger_writes_to_the_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # as nobody has set up logging
    logger = get_logger("somebody's project")
    logger.info("seen")
    logger.debug("not seen")
    get_logger("somebody's project").info("once")  # asked for again, it has no second handler
    assert capsys.readouterr().err == "seen\nonce\n"


def test_files(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    fileio.makedirs(str(folder / "deep"))
    with fileio.open(folder / "a.txt", "w") as file:
        file.write("text")
    fileio.copy(folder / "a.txt", folder / "deep" / "b.txt")
    with pytest.raises(FileExistsError, match="is there already; pass overwrite=True"):
        fileio.copy(folder / "a.txt", folder / "deep" / "b.txt")
    fileio.rename(folder / "a.txt", folder / "c.txt")
    assert sorted(fileio.listdir(folder)) == ["c.txt", "deep"]
    assert sorted(fileio.listdir(folder, only_file_names=False)) == [str(folder / "c.txt"), str(folder / "deep")]
    assert fileio.glob(str(folder / "*.txt")) == [str(folder / "c.txt")]
    assert [*fileio.find_files(folder, "*.txt")] == [str(folder / "c.txt"), str(folder / "deep" / "b.txt")]
    assert (fileio.isdir(folder), fileio.exists(folder / "no"), fileio.size(folder)) == (True, False, 8)
    assert [top for top, _, _ in fileio.walk(folder)] == [str(folder), str(folder / "deep")]
    fileio.remove(folder / "c.txt")
    fileio.rmtree(str(folder))
    assert not folder.exists()
    with pytest.raises(NotHere, match="the path 's3://bucket/x' of fileio belongs to ZenML's stacks"):
        fileio.exists("s3://bucket/x")


def test_helpers_for_files(tmp_path: Path) -> None:
    path = str(tmp_path / "new" / "file.json")
    io_utils.create_file_if_not_exists(path)
    assert io_utils.read_file_contents_as_string(path) == "{}"
    io_utils.write_file_contents_as_string(path, "[1]")
    io_utils.create_file_if_not_exists(path)
    io_utils.copy_dir(str(tmp_path / "new"), str(tmp_path / "copy"))
    assert io_utils.read_file_contents_as_string(str(tmp_path / "copy" / "file.json")) == "[1]"
    io_utils.move(str(tmp_path / "copy"), str(tmp_path / "moved"))
    assert (tmp_path / "moved" / "file.json").exists()
    assert io_utils.is_remote("gs://bucket")
    assert not io_utils.is_remote(path)
    assert io_utils.get_parent(path) == "new"


def test_freeing_memory_of_gpus_does_no_harm_where_there_are_none() -> None:
    cleanup_gpu_memory(force=True)


def test_a_page_is_text_that_is_shown_as_a_page() -> None:
    @step
    def write() -> Annotated[HTMLString, "page"]:
        return HTMLString("<b>bold</b>")

    @pipeline
    def writing() -> None:
        write()

    found: Any = writing().steps["write"].output
    assert type(found.load()) is HTMLString
    assert [each.kind for each in found.visualizations()] == ["html"]


@pytest.mark.long
def test_runs_say_on_the_terminal_how_they_go_as_zenml_s_do(tmp_path: Path) -> None:
    code = (
        "from artvcs.zenml import pipeline, step\n"
        "@step\ndef one() -> int:\n    print('in one')\n    return 1\n"
        "@pipeline\ndef flow():\n    one()\n"
        "flow()\nflow()\n"
    )
    (tmp_path / "flow.py").write_text(code)
    done = subprocess.run([sys.executable, "flow.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    said = [re.sub(r"flow-\S+?(?=:)|\d+(\.\d+)? m?s\b", "#", line) for line in done.stderr.splitlines()]
    assert said == [
        "#: 1 step", "one begins", "one completed after #", "#: completed, #", "#: 1 step", "one cached",
        "#: completed, #",
    ]  # fmt: skip
    (tmp_path / "quiet.py").write_text(code.replace("artvcs.zenml", "artvcs"))
    done = subprocess.run([sys.executable, "quiet.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    (tmp_path / "told.py").write_text("import logging\nlogging.basicConfig(level=logging.INFO)\n" + code)
    done = subprocess.run([sys.executable, "told.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "INFO:artvcs:one cached\n" in done.stderr
