"""Saving, loading, registering and noting: in a step and anywhere else."""

from pathlib import Path
from typing import Annotated, Any

import pytest

from artvcs import (
    ArtifactConfig,
    Client,
    get_step_context,
    load_artifact,
    log_metadata,
    pipeline,
    register_artifact,
    save_artifact,
    step,
)
from artvcs.pipelines.errors import DefinitionError, ParameterError, PipelineError, RunFailed
from artvcs.vcs.errors import InvalidName, RepositoryNotFound, UnknownName

pytestmark = pytest.mark.usefixtures("project")


def test_versions_count_up_and_an_equal_value_makes_none() -> None:
    assert [save_artifact(value, "n").number for value in ("a", "b", "a", "c")] == [1, 2, 1, 3]
    assert [load_artifact("n", version) for version in (1, 2, "3", None)] == ["a", "b", "c", "c"]


def test_a_rerun_that_gives_the_same_value_makes_no_version() -> None:
    @step(enable_cache=False)
    def same() -> Annotated[int, "same"]:
        return 1

    @pipeline
    def flow() -> None:
        same()

    first, second = flow(), flow()
    assert second.steps["same"].status == "completed"
    assert second.steps["same"].outputs["same"].number == 1
    assert len(Client().list_artifact_versions("same")) == 1
    assert first.steps["same"].record.commit != second.steps["same"].record.commit


# Explicit versions


def test_an_explicit_version_is_had_by_it_and_by_its_number() -> None:
    save_artifact("old", "model", version="1.0")
    save_artifact("new", "model", version="2.0-rc")
    assert load_artifact("model", "1.0") == load_artifact("model", 1) == "old"
    assert Client().get_artifact_version("model").version == "2.0-rc"


def test_a_second_value_cannot_have_the_same_explicit_version() -> None:
    save_artifact("old", "model", version="1.0")
    assert save_artifact("old", "model", version="1.0").number == 1
    with pytest.raises(DefinitionError, match=r"'1\.0'"):
        save_artifact("new", "model", version="1.0")
    assert load_artifact("model") == "old"


def test_an_explicit_version_cannot_be_a_number_that_is_taken() -> None:
    save_artifact("a", "model")
    save_artifact("b", "model")
    with pytest.raises(DefinitionError):
        save_artifact("c", "model", version=2)


def test_an_explicit_version_comes_before_a_number() -> None:
    save_artifact("a", "model", version="2")
    save_artifact("b", "model")
    assert load_artifact("model", "2") == "a"
    assert Client().get_artifact_version("model", "2").number == 1


def test_a_value_that_has_a_number_can_be_given_a_version_and_tags_later() -> None:
    save_artifact("a", "model", tags=["raw"], metadata={"loss": 1, "kept": True})
    named = save_artifact("a", "model", version="1.0", tags=["good", "raw"], metadata={"loss": 0.5})
    assert (named.number, named.version, named.tags) == (1, "1.0", ("raw", "good"))
    found = Client().get_artifact_version("model", "1.0")
    assert (found.metadata["loss"], found.metadata["kept"]) == (0.5, True)
    with pytest.raises(DefinitionError, match="already"):
        save_artifact("a", "model", version="2.0")


def test_a_step_that_gives_a_taken_version_fails_before_it_costs_anything() -> None:
    @step
    def train(value: str) -> Annotated[str, ArtifactConfig(name="model", version="1.0", tags=["new"])]:
        Path(f"trained {value}").touch()
        return value

    @pipeline
    def flow(value: str) -> None:
        train(value)

    assert flow("a").steps["train"].outputs["model"].version == "1.0"
    assert flow("a").steps["train"].cached
    with pytest.raises(RunFailed, match=r"'1\.0'") as failed:
        flow("b")
    assert isinstance(failed.value.__cause__, DefinitionError)
    assert not Path("trained b").exists()
    assert Client().get_artifact_version("model").load() == "a"


def test_a_step_gives_its_version_to_a_value_that_had_none() -> None:
    save_artifact("a", "model")

    @step
    def train() -> Annotated[str, ArtifactConfig(name="model", version="1.0", run_metadata={"by": "step"})]:
        return "a"

    @pipeline
    def flow() -> None:
        train()

    flow()
    found = Client().get_artifact_version("model", "1.0")
    assert (found.number, found.metadata["by"]) == (1, "step")


# Names


@pytest.mark.parametrize("name", ["", "a/b", "a@1", "..", "\x00"])
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        save_artifact(1, name)


@pytest.mark.parametrize("name", ["données", "a b", "{x}", "模型", "..."])
def test_odd_names_work(name: str) -> None:
    save_artifact(1, name)
    assert load_artifact(name) == 1


def test_an_id_stands_for_its_artifact() -> None:
    version = save_artifact("value", "name")
    assert load_artifact(version.id) == load_artifact(version.id[:10]) == "value"
    with pytest.raises(UnknownName):
        load_artifact("ffffffff")


def test_without_a_repository_there_is_nothing_to_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARTVCS_DIR", str(tmp_path / "nowhere" / ".artifacts"))
    with pytest.raises(RepositoryNotFound):
        load_artifact("anything")


# In steps


def test_saving_loading_and_registering_in_a_step() -> None:
    Path("file.txt").write_text("content")

    @step
    def work() -> str:
        save_artifact({"a": 1}, "from_step")
        register_artifact("file.txt", "registered_in_step")
        loaded: Path = load_artifact("registered_in_step")
        return f"{load_artifact('from_step')} {loaded.read_text()}"

    @pipeline
    def flow() -> None:
        work()

    run = flow()
    assert run.steps["work"].output.load() == "{'a': 1} content"
    version = Client().get_artifact_version("from_step")
    assert version.run is not None
    assert version.run.id == run.id


def test_what_a_step_saved_stays_when_it_fails() -> None:
    @step
    def fails() -> int:
        save_artifact("checkpoint", "partial")
        raise OSError

    @pipeline
    def flow() -> None:
        fails()

    with pytest.raises(RunFailed):
        flow()
    assert load_artifact("partial") == "checkpoint"


# Registering


def test_a_registered_file_keeps_its_name_and_is_independent() -> None:
    source = Path("report.csv")
    source.write_text("a,b\n")
    version = register_artifact("report.csv", "report", version="v1", tags=["raw"], metadata={"rows": 0})
    source.write_text("changed")
    first, second = version.load(), version.load()
    assert first.name == "report.csv"
    assert first.read_text() == "a,b\n"
    first.write_text("edited")
    first.with_name("beside").touch()
    assert second.read_text() == version.load().read_text() == "a,b\n"
    assert (version.version, version.tags, version.metadata["rows"]) == ("v1", ("raw",), 0)


def test_a_registered_folder_is_a_folder() -> None:
    Path("folder/inner").mkdir(parents=True)
    Path("folder/inner/data.bin").write_bytes(b"\0" * 10)
    Path("folder/empty").mkdir()
    loaded = register_artifact(Path("folder"), "folder").load()
    assert loaded.name == "folder"
    assert (loaded / "inner/data.bin").read_bytes() == b"\0" * 10
    assert (loaded / "empty").is_dir()


def test_registering_nothing_is_refused() -> None:
    with pytest.raises(UnknownName, match="absent"):
        register_artifact("absent", "name")


# Metadata


def test_a_step_notes_facts_about_itself() -> None:
    @step
    def train() -> int:
        log_metadata({"loss": 0.5, "shape": (1, 2)})
        log_metadata({"loss": 0.25})
        return 1

    @pipeline
    def flow() -> None:
        train()

    flow()
    again = flow().steps["train"]
    assert again.cached
    assert again.metadata == {"loss": 0.25, "shape": (1, 2)}


@step
def trained(rate: float) -> tuple[Annotated[int, "model"], Annotated[float, "loss"]]:
    log_metadata({"rate": rate}, infer_artifact=True, artifact_name="model")
    log_metadata({"epochs": 3}, infer_artifact=True, artifact_name="model")
    return int(rate * 10), rate


def test_a_step_notes_facts_about_what_it_is_about_to_return() -> None:
    @step
    def counted() -> Annotated[int, "count"]:
        log_metadata({"by": "hand"}, infer_artifact=True)
        return 7

    @pipeline
    def flow() -> None:
        counted()
        trained(0.5)

    run: Any = flow()
    assert Client().get_artifact_version("count").metadata["by"] == "hand"
    assert run.steps["counted"].metadata == {}
    model = Client().get_artifact_version("model")
    assert (model.metadata["rate"], model.metadata["epochs"]) == (0.5, 3)
    assert "rate" not in Client().get_artifact_version("loss").metadata
    again: Any = flow()
    assert again.steps["trained"].status == "cached"
    assert again.steps["trained"].outputs["model"].metadata["rate"] == 0.5


@pytest.mark.parametrize(
    ("name", "said"),
    [(None, "has several outputs; name one of its outputs as artifact_name: one, two"), ("x", "has no output 'x'")],
)
def test_facts_about_an_output_need_to_know_which(name: str | None, said: str) -> None:
    @step
    def both() -> tuple[Annotated[int, "one"], Annotated[int, "two"]]:
        log_metadata({"a": 1}, infer_artifact=True, artifact_name=name)
        return 1, 2

    @pipeline
    def flow() -> None:
        both()

    with pytest.raises(RunFailed, match=said):
        flow()
    with pytest.raises(PipelineError, match="works only inside a running step"):
        log_metadata({"a": 1}, infer_artifact=True)


def test_facts_by_id_and_a_value_that_is_not_looked_at() -> None:
    saved = save_artifact([1, 2, 3], "numbers", extract_metadata=False)
    assert saved.metadata == {}
    log_metadata({"source": "web"}, artifact_version_id=saved.id)
    assert Client().get_artifact_version("numbers").metadata == {"source": "web"}


def test_facts_about_a_version() -> None:
    save_artifact(1, "model")
    save_artifact(2, "model")
    log_metadata({"good": True}, artifact_name="model")
    log_metadata({"good": False}, artifact_name="model", artifact_version=1)
    versions = Client().list_artifact_versions("model")
    assert [version.metadata["good"] for version in versions] == [False, True]


def test_facts_about_a_run_and_its_steps() -> None:
    @step
    def one() -> int:
        return 1

    @pipeline
    def flow() -> None:
        one()

    run = flow()
    log_metadata({"checked": True}, run_id_name_or_prefix=run.name)
    log_metadata({"slow": True}, run_id_name_or_prefix=run.id, step_name="one")
    found = Client().get_pipeline_run(run.id)
    assert (found.metadata, found.steps["one"].metadata) == ({"checked": True}, {"slow": True})
    assert Client().list_pipeline_runs()[0].metadata == {"checked": True}
    with pytest.raises(PipelineError, match="no step 'two'"):
        log_metadata({}, run_id_name_or_prefix=run.id, step_name="two")


def test_a_step_notes_facts_about_the_run_it_is_part_of() -> None:
    @step
    def one() -> int:
        return 1

    @step
    def two(x: int) -> int:
        run = get_step_context().run_id
        log_metadata({"total": x}, run_id_name_or_prefix=run)
        log_metadata({"used": True}, run_id_name_or_prefix=run, step_name="one")
        return x

    @pipeline
    def flow() -> None:
        two(one())

    run = flow()
    assert run.metadata == {"total": 1}
    assert run.steps["one"].metadata == {"used": True}
    assert Client().get_pipeline_run(run.id).metadata == {"total": 1}


def test_facts_have_to_be_about_something_and_plain() -> None:
    with pytest.raises(PipelineError, match="artifact_name"):
        log_metadata({"a": 1})
    save_artifact(1, "model")
    with pytest.raises(ParameterError):
        log_metadata({"a": object()}, artifact_name="model")


def test_the_context_is_known_only_in_a_step() -> None:
    @step
    def show(x: int) -> dict[str, Any]:
        here = get_step_context()
        return {"names": [here.pipeline_name, here.step_name, here.invocation_id], "parameters": here.parameters}

    @pipeline
    def flow() -> None:
        show(5, id="shown")  # type: ignore[call-arg]

    assert flow().steps["shown"].output.load() == {"names": ["flow", "show", "shown"], "parameters": {"x": 5}}
    with pytest.raises(PipelineError):
        get_step_context()


@pytest.mark.parametrize("metadata", [{"n" * 20_000: 1}, {"n": 10**5000}], ids=["name", "integer"])
def test_metadata_that_no_reader_would_take_is_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=r"too long|more than 4300 digits"):
        save_artifact(1, "x", metadata=metadata)
    with pytest.raises(InvalidName, match="shorten"):
        save_artifact(1, "x", tags=["t" * 20_000])
    assert Client().list_artifact_versions("x") == []
