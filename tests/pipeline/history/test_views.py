"""Looking back: runs, the steps in them, and where an artifact came from."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest

from artvcs import Client, log_metadata, pipeline, save_artifact, step
from artvcs.pipelines.errors import RunFailed
from artvcs.vcs import Repository
from artvcs.vcs.errors import AmbiguousName, DamagedError, UnknownName
from artvcs.vcs.upkeep import gc

pytestmark = pytest.mark.usefixtures("project")

FACTOR = 3


@step
def make(n: int) -> tuple[Annotated[int, "small"], Annotated[int, "{size}"]]:
    print("making", n)
    return n, n * FACTOR


@step
def use(x: int) -> int:
    return x + 1


@pipeline(substitutions={"size": "big"})
def flow(n: int = 1) -> None:
    small, big = make(n)
    use(small)
    use(big)


def test_a_run_tells_what_happened() -> None:
    before = datetime.now(UTC)
    run = flow(2)
    assert (run.pipeline, run.status, run.parameters) == ("flow", "completed", {"n": 2})
    assert before - timedelta(seconds=1) < run.started < datetime.now(UTC)
    assert timedelta(0) <= run.duration < timedelta(minutes=1)
    assert list(run.steps) == ["make", "use", "use_2"]


def test_a_step_tells_what_it_took_and_made() -> None:
    run = flow(2)
    made = run.steps["make"]
    assert {name: output.load() for name, output in made.outputs.items()} == {"small": 2, "big": 6}
    assert (made.inputs, made.parameters, made.logs) == ({}, {"n": 2}, "making 2\n")
    assert run.steps["use_2"].inputs["x"].name == "big"
    assert run.steps["use_2"].output.load() == 7
    with pytest.raises(UnknownName, match="2 outputs"):
        _ = made.output
    assert timedelta(0) <= made.duration < timedelta(minutes=1)


def test_what_a_run_or_a_step_does_not_have_is_said_with_what_there_is() -> None:
    run = flow()
    with pytest.raises(KeyError) as caught:
        _ = run.steps["mkae"]
    assert str(caught.value) == "There is no step 'mkae' (did you mean 'make'?); there is make, use, use_2."
    with pytest.raises(UnknownName, match="There is no input or output 'smal' "):
        _ = run.steps["make"].outputs["smal"]
    with pytest.raises(UnknownName, match="There is no curve 'loss'; there is none"):
        _ = run.steps["make"].curves["loss"]
    assert (run.steps.get("nope"), "nope" in run.steps) == (None, False)


def test_a_step_tells_its_code_with_what_it_reaches() -> None:
    code = flow().steps["make"].code
    assert "def make(n: int)" in code
    assert "FACTOR = 3" in code


def test_a_cached_step_shows_the_log_and_outputs_of_its_execution() -> None:
    flow(2)
    step_run = flow(2).steps["make"]
    assert (step_run.cached, step_run.logs) == (True, "making 2\n")
    assert step_run.outputs["small"].load() == 2


def test_an_artifact_tells_its_producer_and_consumers() -> None:
    run = flow(2)
    big = Client().get_artifact_version("big")
    assert (big.type, big.version, big.run.id, big.producer.name) == ("builtins.int", "1", run.id, "make")
    assert [step_run.name for step_run in big.consumers] == ["use_2"]
    flow(2)
    assert [(each.name, each.cached) for each in big.consumers] == [("use_2", True), ("use_2", False)]


def test_an_equal_value_of_another_name_is_another_artifact() -> None:
    @pipeline(substitutions={"size": "other"})
    def second() -> None:
        small, _ = make(0)  # both are 0
        use(small)

    second()
    client = Client()
    assert [each.name for each in client.get_artifact_version("small").consumers] == ["use"]
    assert client.get_artifact_version("other").consumers == []
    assert client.get_artifact_version("other").producer.name == "make"


def test_what_was_read_in_a_step_has_been_consumed() -> None:
    best = save_artifact(9, "best")

    @step
    def compare() -> int:
        value: int = Client().get_artifact_version("best").data
        return value

    @pipeline
    def reading() -> None:
        compare()

    reading()
    assert [each.name for each in best.consumers] == ["compare"]
    assert reading().steps["compare"].cached
    assert len(best.consumers) == 2


def test_data_is_loaded_once_and_load_gives_a_new_value_each_time() -> None:
    version = save_artifact([1], "list")
    assert version.data is version.data
    assert version.load() is not version.load()
    assert (version.producer, version.run, version.consumers) == (None, None, [])


def test_a_run_is_found_by_id_name_and_the_start_of_either() -> None:
    named = flow.with_options(run_name="first {pipeline}")()
    second = flow()
    client = Client()
    for text in (named.id, named.id[:8], "first flow", "first"):
        assert client.get_pipeline_run(text).id == named.id
    assert [run.id for run in client.list_pipeline_runs("flow")] == [second.id, named.id]
    for text in ("nothing", ""):
        with pytest.raises(UnknownName):
            client.get_pipeline_run(text)
    flow()
    with pytest.raises(AmbiguousName):
        client.get_pipeline_run("flow-20")


def test_a_run_knows_the_one_before() -> None:
    first, second = flow(), flow()
    assert (first.record.previous, second.record.previous) == (None, first.id)


def test_a_failed_step_shows_its_inputs() -> None:
    @step
    def fail(x: int) -> int:
        raise OSError

    @pipeline(substitutions={"size": "big"})
    def failing() -> None:
        small, _ = make(4)
        fail(small)

    with pytest.raises(RunFailed) as failed:
        failing()
    run: Any = failed.value.run
    assert run.steps["fail"].inputs["x"].load() == 4


@pytest.mark.long
def test_a_run_that_somebody_holds_can_be_read_when_it_was_written_anew_and_what_it_was_is_collected(
    project: Path,
) -> None:
    @step
    def item(number: int) -> int:
        return number

    @pipeline
    def wide() -> None:
        item.map(range(150))

    made = wide()
    held = [Client().get_pipeline_run(name) for name in (made.id, made.name, "HEAD")]
    held.append(Client().list_pipeline_runs()[0])
    log_metadata({"good": True}, run_id_name_or_prefix=made.id, step_name="item_7")
    gc.collect(Repository(project / ".artifacts"), max_unused=0)
    assert [len(run.steps) for run in held] == [150] * 4
    assert [run.steps["item_7"].metadata for run in held] == [{"good": True}] * 4
    again = Client().get_pipeline_run(made.id)
    Client().delete_pipeline_run(made.id)
    gc.collect(Repository(project / ".artifacts"), max_unused=0)
    with pytest.raises(DamagedError, match="run `art fsck --repair`"):
        again.steps["item_7"].status  # noqa: B018
