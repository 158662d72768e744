"""Options of steps and pipelines, and which of them wins."""

from typing import Annotated, Any

import pytest

from artvcs import pipeline, step
from artvcs.pipelines.errors import DefinitionError

pytestmark = pytest.mark.usefixtures("project")


@pytest.mark.parametrize(
    ("said", "wins"),
    [
        (("step.with_options", "step", "pipeline.with_options", "pipeline"), "step.with_options"),
        (("step", "pipeline.with_options", "pipeline"), "step"),
        (("pipeline.with_options", "pipeline"), "pipeline.with_options"),
        (("pipeline",), "pipeline"),
    ],
)
def test_which_placeholder_wins(said: tuple[str, ...], wins: str) -> None:
    def substitutions(place: str) -> dict[str, str]:
        return {"kind": place} if place in said else {}

    @step(substitutions=substitutions("step"))
    def make() -> Annotated[int, "{kind}_data"]:
        return 1

    @pipeline(substitutions=substitutions("pipeline"))
    def flow() -> None:
        make.with_options(substitutions=substitutions("step.with_options"))()

    run = flow.with_options(substitutions=substitutions("pipeline.with_options"))()
    assert list(run.steps["make"].outputs) == [f"{wins}_data"]


def test_date_and_time_are_those_of_the_runs_start_in_all_its_steps() -> None:
    @step
    def make(i: int) -> Annotated[int, "{date}-{time}"]:
        return i

    @pipeline
    def flow() -> None:
        make(1)
        make(2)

    run = flow()
    [first], [second] = (each.outputs for each in run.steps.values())
    assert first == second == f"{run.started:%Y_%m_%d}-{first.partition('-')[2]}"
    assert run.name == f"flow-{first}"


@pytest.mark.parametrize(
    ("names", "said"),
    [(("{missing}", "b"), "missing"), (("{a}", "{b}"), "one name"), (("{slash}", "b"), "'/'")],
    ids=["no value", "the same name twice", "no name"],
)
def test_a_name_that_cannot_be_filled_is_refused_before_anything_runs(names: tuple[str, str], said: str) -> None:
    ran: list[Any] = []
    one, two = (Annotated[int, name] for name in names)

    @step
    def first() -> None:
        ran.append(None)

    @step
    def make() -> tuple[one, two]:  # type: ignore[valid-type]
        return 1, 2

    @pipeline(substitutions={"a": "same", "b": "same", "slash": "x/y"})
    def flow() -> None:
        first()
        make()

    with pytest.raises(Exception, match=said):
        flow()
    assert ran == []


def test_a_placeholder_has_to_be_text() -> None:
    @step
    def make() -> Annotated[int, "{n}"]:
        return 1

    @pipeline
    def flow() -> None:
        make.with_options(substitutions={"n": 3})()  # type: ignore[dict-item]

    with pytest.raises(DefinitionError, match="text"):
        flow()


def test_a_cached_step_is_stored_under_the_name_of_this_run() -> None:
    @step
    def make() -> Annotated[int, "{kind}"]:
        return 1

    @pipeline
    def flow() -> None:
        make()

    flow.with_options(substitutions={"kind": "train"})()
    again = flow.with_options(substitutions={"kind": "test"})().steps["make"]
    assert again.cached
    assert list(again.outputs) == ["test"]
