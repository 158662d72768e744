"""What enters a pipeline from outside: values, files, and versions that exist already."""

from pathlib import Path
from typing import Any

import pytest

from artvcs import Client, ExternalArtifact, InputFile, pipeline, save_artifact, step
from artvcs.pipelines.errors import DefinitionError, MaterializerError, ParameterError
from artvcs.vcs.errors import InvalidName, UnknownName

pytestmark = pytest.mark.usefixtures("project")


def file(path: str) -> Any:
    """A type checker takes what is given to a step for what the step gets."""
    return InputFile(path)


@step
def length(file: Path) -> int:
    return len(file.read_text())


@step
def identity(x: Any) -> Any:
    return x


@step
def never() -> int:
    Path("it ran").touch()
    return 1


# Values


def test_an_external_value_is_stored_under_the_input_it_is_given_to() -> None:
    @pipeline
    def flow() -> None:
        identity(ExternalArtifact({1, 2}))

    run = flow()
    assert run.steps["identity"].inputs["x"].name == "flow::identity::x"
    assert Client().get_artifact_version("flow::identity::x").load() == {1, 2}


def test_an_external_value_may_have_a_name() -> None:
    @pipeline
    def flow(value: int) -> None:
        shared = ExternalArtifact(value, name="threshold")
        identity(shared)
        identity(shared)

    flow(1)
    flow(2)
    assert [each.load() for each in Client().list_artifact_versions("threshold")] == [1, 2]


def test_a_bad_name_is_refused_before_anything_runs() -> None:
    @pipeline
    def flow() -> None:
        identity(never())
        identity(ExternalArtifact(1, name="a/b"))

    with pytest.raises(InvalidName):
        flow()
    assert not Path("it ran").exists()


def test_a_value_that_cannot_be_stored_is_refused_before_anything_runs() -> None:
    @pipeline
    def flow() -> None:
        identity(never())
        identity(ExternalArtifact(i for i in range(3)))

    with pytest.raises(MaterializerError):
        flow()
    assert not Path("it ran").exists()


# Files


def test_a_changed_file_runs_again_and_an_unchanged_one_does_not() -> None:
    @pipeline
    def flow() -> None:
        length(file("data.txt"))

    data = Path("data.txt")
    data.write_text("one")
    assert [flow().steps["length"].cached, flow().steps["length"].cached] == [False, True]
    data.write_text("two")  # the same length: its size does not tell
    assert not flow().steps["length"].cached
    data.write_text("one")
    assert flow().steps["length"].cached


def test_a_step_gets_a_copy_with_the_files_name() -> None:
    @step
    def spoil(file: Path) -> str:
        file.write_text("spoilt")
        return file.name

    @pipeline
    def flow() -> None:
        spoil(file("data.txt"))

    Path("data.txt").write_text("original")
    run = flow()
    assert run.steps["spoil"].output.load() == "data.txt"
    assert Path("data.txt").read_text() == "original"
    assert run.steps["spoil"].inputs["file"].load().read_text() == "original"


def test_a_folder_counts_with_all_below() -> None:
    @step
    def count(folder: Path) -> int:
        return sum(1 for each in folder.rglob("*") if each.is_file())

    @pipeline
    def flow() -> None:
        count(file("data"))

    Path("data/inner").mkdir(parents=True)
    Path("data/inner/a").touch()
    assert flow().steps["count"].output.load() == 1
    Path("data/inner/b").touch()
    assert flow().steps["count"].output.load() == 2


def test_a_missing_file_is_refused_before_anything_runs() -> None:
    @pipeline
    def flow() -> None:
        identity(never())
        length(file("absent.txt"))

    with pytest.raises(ParameterError, match=r"absent\.txt"):
        flow()
    assert not Path("it ran").exists()


# Versions that exist


def test_an_artifact_is_looked_up_when_the_run_starts() -> None:
    @pipeline
    def flow(version: str | None = None) -> None:
        identity(Client().get_artifact_version("model", version))

    save_artifact("first", "model", version="1.0")
    assert flow().steps["identity"].output.load() == "first"
    save_artifact("second", "model")
    run = flow()
    assert run.steps["identity"].output.load() == "second"
    assert run.steps["identity"].inputs["x"].version == "2"
    assert flow(version="1.0").steps["identity"].cached


def test_a_version_made_during_the_run_is_not_the_one_that_was_asked_for() -> None:
    @step
    def renew() -> int:
        save_artifact("made meanwhile", "model")
        return 1

    @pipeline
    def flow() -> None:
        identity(Client().get_artifact_version("model"), after=renew())  # type: ignore[call-arg]

    save_artifact("there before", "model")
    assert flow().steps["identity"].output.load() == "there before"


def test_an_artifact_that_does_not_exist_is_refused_before_anything_runs() -> None:
    @pipeline
    def flow() -> None:
        identity(never())
        identity(Client().get_artifact_version("nothing"))

    with pytest.raises(UnknownName, match="nothing"):
        flow()
    assert not Path("it ran").exists()
    assert Client().list_pipeline_runs() == []


def test_a_lazy_artifact_has_no_value_while_the_pipeline_is_built() -> None:
    @pipeline
    def flow() -> None:
        identity(Client().get_artifact_version("model").load())

    save_artifact(1, "model")
    with pytest.raises(DefinitionError, match="'model'"):
        flow()


def test_a_version_got_outside_the_pipeline_is_an_input() -> None:
    version = save_artifact(7, "number")

    @pipeline
    def flow() -> None:
        identity(version)
        identity([version, version], id="several")  # type: ignore[call-arg]

    run = flow()
    assert run.steps["identity"].inputs["x"].name == "number"
    assert run.steps["several"].output.load() == [7, 7]
    assert [each.name for each in version.consumers] == ["identity", "several"]
