"""Pipelines: calling one runs its steps and returns the run."""

from pathlib import Path
from typing import Any

import pytest

from artvcs import Client, ExternalArtifact, pipeline, step
from artvcs.pipelines.errors import DefinitionError, ParameterError, RunFailed

pytestmark = pytest.mark.usefixtures("project")


@step
def add(x: int, y: int = 1) -> int:
    return x + y


def test_calling_a_pipeline_returns_its_run() -> None:
    @pipeline
    def flow(x: int) -> None:
        add(add(x), y=10)

    run = flow(1)
    assert run.status == "completed"
    assert run.pipeline == "flow"
    assert run.steps["add_2"].output.load() == 12
    assert Client().get_pipeline_run(run.id).name == run.name


def test_parameters_are_coerced_to_their_annotation_and_recorded() -> None:
    @pipeline
    def flow(rate: float, folder: Path = Path("data"), sizes: tuple[int, ...] = (1,)) -> None:
        assert type(rate) is float
        add(len(sizes))

    run = flow(1, sizes=[1, 2, 3])  # type: ignore[arg-type]
    assert run.parameters["rate"] == 1.0
    assert run.parameters["sizes"] == (1, 2, 3)
    assert run.steps["add"].parameters == {"x": 3, "y": 1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({}, "missing"), ({"n": 1, "m": 2}, "'m'"), ({"n": "one"}, "'n'"), ({"n": object()}, "'n'")],
)
def test_wrong_parameters_are_refused(arguments: dict[str, Any], said: str) -> None:
    @pipeline
    def flow(n: int) -> None:
        add(n)

    with pytest.raises(ParameterError, match=said):
        flow(**arguments)


def test_an_artifact_can_be_given_to_a_pipeline() -> None:
    @pipeline
    def flow(x: Any) -> None:
        add(x)

    run = flow(ExternalArtifact(5))
    assert run.steps["add"].output.load() == 6
    assert run.steps["add"].inputs["x"].load() == 5
    again = flow(run.steps["add"].output)
    assert again.steps["add"].output.load() == 7
    assert again.parameters == {}


def test_a_pipeline_that_changes_its_own_parameters_records_them_as_given() -> None:
    @pipeline
    def flow(numbers: list[int] = [1]) -> None:  # noqa: B006
        numbers.append(2)
        add(len(numbers))

    assert flow().parameters == {"numbers": [1]}
    assert flow().parameters == {"numbers": [1]}


def test_a_pipeline_without_steps_is_refused() -> None:
    @pipeline
    def flow() -> None:
        pass

    with pytest.raises(DefinitionError, match="no step"):
        flow()


def test_a_pipeline_with_open_ended_parameters_is_refused() -> None:
    @pipeline
    def flow(**options: int) -> None:
        add(1)

    with pytest.raises(DefinitionError, match="options"):
        flow()


@pytest.mark.parametrize(
    "options", [{"execution_mode": "never"}, {"surprise": True}, {"tags": "new"}, {"substitutions": 3}]
)
def test_an_impossible_option_is_refused_where_it_is_written(options: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError):

        @pipeline(**options)
        def flow() -> None:
            add(1)


def test_a_pipeline_called_in_another_adds_its_steps_to_that_one() -> None:
    @pipeline
    def inner(x: int) -> Any:
        return add(x)

    @pipeline
    def outer() -> None:
        add(inner(inner(1)))

    run = outer()
    assert list(run.steps) == ["add", "add_2", "add_3"]
    assert run.steps["add_3"].output.load() == 4
    assert [each.pipeline for each in Client().list_pipeline_runs()] == ["outer"]


def test_a_pipeline_run_inside_a_step_is_a_run_of_its_own() -> None:
    @pipeline
    def inner() -> None:
        add(20)

    @step
    def start() -> int:
        run = inner()
        result: int = run.steps["add"].output.load()
        return result

    @pipeline
    def outer() -> None:
        start()

    assert outer().steps["start"].output.load() == 21
    assert {each.pipeline for each in Client().list_pipeline_runs()} == {"outer", "inner"}


def test_run_failed_carries_the_run_and_the_cause() -> None:
    @step
    def fail() -> int:
        raise ValueError("no such luck")

    @pipeline
    def flow() -> None:
        fail()

    with pytest.raises(RunFailed, match="Step 'fail' failed: ValueError: no such luck") as caught:
        flow()
    run: Any = caught.value.run
    assert run.status == "failed"
    assert isinstance(caught.value.__cause__, ValueError)


def test_names_and_tags_of_runs() -> None:
    @pipeline(name="training", tags=["nightly"])
    def flow() -> None:
        add(1)

    run = flow()
    assert run.name.startswith("training-20")
    assert run.tags == ("nightly",)
    assert flow.with_options(run_name="{pipeline} of {who}", substitutions={"who": "me"})().name == "training of me"
