"""Where ZenML fails its own users, one test each. The rows marked ▲ in docs/parity.md point here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest

from artvcs import Client, ExternalArtifact, Retry, pipeline, register_artifact, save_artifact, step
from artvcs.pipelines.errors import DefinitionError, InUse, RunFailed, TypeMismatch
from artvcs.pipelines.history import delete
from artvcs.pipelines.history.views import PipelineRun


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_one(one: Any, *args: Any, **kwargs: Any) -> PipelineRun:
    """Runs a pipeline of a single step."""

    @pipeline(name="single")
    def single() -> None:
        one(*args, **kwargs)

    run: PipelineRun = single()
    return run


def test_the_contents_of_a_list_are_checked() -> None:
    @step
    def lies() -> list[int]:
        return [1, "two"]  # type: ignore[list-item]

    with pytest.raises(RunFailed) as failed:
        run_one(lies)
    assert isinstance(failed.value.__cause__, TypeMismatch)
    assert "item 1" in str(failed.value.__cause__)


def test_an_int_becomes_the_float_that_is_declared() -> None:
    @step
    def one() -> float:
        return 1

    value = run_one(one).steps["one"].output.load()
    assert (type(value), value) == (float, 1.0)


def test_success_hooks_run_after_validation() -> None:
    told: list[str] = []

    @step(on_success=lambda: told.append("success"), on_failure=lambda error: told.append(type(error).__name__))
    def lies() -> int:
        return "text"  # type: ignore[return-value]

    with pytest.raises(RunFailed):
        run_one(lies)
    assert told == ["TypeMismatch"]


def test_the_wait_between_tries_never_shrinks() -> None:
    retry = Retry(count=5, delay=2, backoff=1.5)
    waits = [retry.wait(tries) for tries in range(1, 6)]
    assert waits == sorted(waits)
    assert waits[0] == 2
    with pytest.raises(DefinitionError):
        Retry(backoff=0.5)


def test_parameters_that_differ_in_type_alone_have_different_keys() -> None:
    @step
    def show(x: Any) -> str:
        return repr(x)

    values = ([1, 2], (1, 2), {1, 2}, 1, 1.0, True)
    keys = {run_one(show, value).steps["show"].record.cache_key for value in values}
    assert len(keys) == len(values)


@pytest.mark.long
def test_a_key_does_not_depend_on_the_hash_seed(folder: Path) -> None:
    (folder / "sets.py").write_text(
        "from typing import Any\n"
        "from artvcs import pipeline, step\n"
        "@step\ndef show(x: Any) -> list[str]:\n    return sorted(x)\n"
        "@pipeline\ndef p():\n    show({'one', 'two', 'three', 'four'})\n"
        "print(p().steps['show'].status)\n"
    )

    def run(seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "sets.py"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    assert [run("1"), run("2"), run("3")] == ["completed", "cached", "cached"]


@step
def numbers(count: int) -> Annotated[list[int], "numbers"]:
    return list(range(count))


@step
def total(values: list[int]) -> Annotated[int, "total"]:
    return sum(values)


@pipeline
def adding(count: int = 3) -> None:
    total(numbers(count))


def test_a_hit_whose_data_is_gone_is_no_hit() -> None:
    adding()
    repository = Client().repository
    save_artifact("unrelated", name="other")
    Client().delete_pipeline_run(Client().list_pipeline_runs()[0].id)
    delete.prune(repository, only_artifact=True)
    from artvcs.vcs.upkeep import gc

    gc.collect(repository)
    again = adding()
    assert [each.status for each in again.steps.values()] == ["completed", "completed"]
    assert again.steps["total"].output.load() == 3


def test_a_run_that_hits_records_its_own_inputs() -> None:
    @pipeline
    def from_saved() -> None:
        total(Client().get_artifact_version("three"))

    adding()
    save_artifact([0, 1, 2], name="three")
    run = from_saved()
    assert run.steps["total"].cached, "the same value, whoever made it"
    assert run.steps["total"].inputs["values"].name == "three"


def test_a_number_is_never_given_twice() -> None:
    save_artifact(1, name="x")
    save_artifact(2, name="x")
    Client().delete_artifact_version("x", 2)
    assert save_artifact(3, name="x").version == "3"


def test_outputs_of_a_run_are_had_as_the_page_writes_it() -> None:
    run = Client().get_pipeline_run(adding().id)
    assert run.steps["numbers"].outputs["numbers"].load() == [0, 1, 2]


def test_any_file_can_be_registered_and_keeps_its_name(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "model.onnx"
    elsewhere.write_bytes(b"weights")
    register_artifact(elsewhere, name="model")
    shutil.rmtree(elsewhere.parent)
    loaded = Client().get_artifact_version("model").load()
    assert (loaded.name, loaded.read_bytes()) == ("model.onnx", b"weights")


def test_a_used_version_is_not_deleted_and_neither_is_its_data() -> None:
    adding()
    with pytest.raises(InUse):
        Client().delete_artifact_version("total")
    assert Client().get_artifact_version("total").load() == 3


def test_what_was_saved_by_hand_is_not_pruned_as_unused() -> None:
    save_artifact("mine", name="note")
    assert delete.prune(Client().repository) == []


@pytest.mark.long
def test_a_changed_helper_runs_again_and_a_changed_comment_does_not(folder: Path) -> None:
    (folder / "helpers.py").write_text("RATE = 2\ndef scaled(x):\n    return x * RATE\n")
    (folder / "work.py").write_text(
        "import helpers\n"
        "from artvcs import pipeline, step\n"
        "@step\ndef scale(x: int) -> int:\n    return helpers.scaled(x)\n"
        "@pipeline\ndef p():\n    scale(3)\n"
        "print(p().steps['scale'].status)\n"
    )

    def run() -> str:
        done = subprocess.run([sys.executable, "work.py"], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def edit(old: str, new: str) -> None:
        file = folder / "helpers.py"
        file.write_text(file.read_text().replace(old, new))

    assert [run(), run()] == ["completed", "cached"]
    edit("def scaled(x):", "# scales\ndef scaled(x):\n    '''Scales.'''")
    assert run() == "cached"
    edit("RATE = 2", "RATE = 3")
    assert run() == "completed"


def test_early_cut_off() -> None:
    @step
    def parity(count: int) -> int:
        return count % 2

    @step
    def named(odd: int) -> str:
        return "odd" if odd else "even"

    @pipeline
    def judging(count: int) -> None:
        named(parity(count))

    assert [each.status for each in judging(3).steps.values()] == ["completed", "completed"]
    assert [each.status for each in judging(5).steps.values()] == ["completed", "cached"]


def test_a_step_that_changes_its_input_changes_nothing_stored() -> None:
    @step
    def spoils(values: list[int]) -> int:
        values.clear()
        return 0

    @pipeline
    def spoiling() -> None:
        made = numbers(3)
        spoils(made)
        total(made)

    run = spoiling()
    assert run.steps["total"].output.load() == 3
    assert run.steps["numbers"].output.load() == [0, 1, 2]


def test_an_external_value_is_in_the_lineage() -> None:
    run = run_one(total, ExternalArtifact([5, 6]))
    assert run.steps["total"].inputs["values"].load() == [5, 6]


def test_a_file_of_a_cache_policy_that_is_not_there_is_an_error() -> None:
    from artvcs import CachePolicy

    @step(cache=CachePolicy(files=["misspelt.txt"]))
    def reads() -> int:
        return 1

    with pytest.raises((DefinitionError, RunFailed), match=r"misspelt\.txt"):
        run_one(reads)


def test_sys_exit_in_a_step_is_that_steps_failure() -> None:
    @step
    def leaves() -> int:
        sys.exit(3)

    with pytest.raises(RunFailed, match=r"called sys\.exit"):
        run_one(leaves)


def test_a_repository_above_the_git_working_tree_is_another_projects(folder: Path) -> None:
    save_artifact(1, name="outer")
    inner = folder / "inner"
    (inner / ".git").mkdir(parents=True)
    os.chdir(inner)
    save_artifact(2, name="inner")
    assert (inner / ".artifacts").is_dir()
    assert [version.name for version in Client().list_artifact_versions()] == ["inner"]


def test_the_newest_version_is_what_was_made_last_also_when_made_again() -> None:
    for value in (1.5, 2.5, 1.5):
        save_artifact(value, name="x")
    assert Client().get_artifact_version("x").version == "1"
    assert [each.version for each in Client().list_artifact_versions("x")] == ["1", "2"]
    for count in (3, 4, 3):
        adding(count)
    assert Client().get_artifact_version("total").load() == 3, "the last run's, though it was a hit"
    Client().delete_artifact_version("x", 1)
    assert Client().get_artifact_version("x").load() == 2.5


def test_running_all_runs_also_the_steps_that_say_they_may_be_cached() -> None:
    eager = numbers.with_options(enable_cache=True)

    @pipeline
    def counting() -> None:
        eager(3)

    assert [counting().steps["numbers"].cached for _ in range(2)] == [False, True]
    assert counting.with_options(enable_cache=False)().steps["numbers"].cached, "the step's word wins"
    assert not counting.with_options(run_all=True)().steps["numbers"].cached
