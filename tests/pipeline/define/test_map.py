"""One step over many inputs: which items there are, and that each is executed, reused and fails by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest

from artvcs import ExternalArtifact, InputFile, pipeline, step, unmapped
from artvcs.pipelines.errors import DefinitionError, ParameterError, RunFailed

from ..helpers import statuses

pytestmark = pytest.mark.usefixtures("project")


@step
def scale(value: int, by: int = 10) -> int:
    if value < 0:
        raise ValueError(f"{value} is below zero")
    return value * by


@step
def both(value: int) -> tuple[Annotated[int, "half"], Annotated[str, "name"]]:
    return value // 2, f"n{value}"


@step
def gather(values: list[int]) -> list[int]:
    return values


@step
def names(values: list[str]) -> list[str]:
    return values


@step
def power(base: int, exponent: int, labels: list[str]) -> str:
    return f"{labels[0]}{base}^{exponent}"


def made(flow: Any, step_name: str = "gather") -> Any:
    return flow().steps[step_name].output.load()


def test_each_item_is_a_use_of_the_step() -> None:
    @pipeline
    def flow() -> None:
        gather(scale.map([1, 2, 3]))

    run = flow()
    assert list(run.steps) == ["scale", "scale_2", "scale_3", "gather"]
    assert run.steps["gather"].output.load() == [10, 20, 30]


def test_lists_go_in_step_with_each_other_and_all_else_is_the_same() -> None:
    @pipeline
    def zipped() -> None:
        gather(scale.map(range(3), by=(1, 10, 100)))

    @pipeline
    def fixed() -> None:
        gather(scale.map([1, 2], by=scale(7)))

    assert made(zipped) == [0, 10, 200]
    assert made(fixed) == [70, 140]


def test_a_product_has_an_item_for_each_combination() -> None:
    @pipeline
    def flow() -> None:
        names(power.map(labels=unmapped(["x", "y"]), product={"base": [2, 3], "exponent": range(2)}))

    assert made(flow, "names") == ["x2^0", "x2^1", "x3^0", "x3^1"]


def test_a_product_goes_over_each_item_of_a_list() -> None:
    @pipeline
    def flow() -> None:
        gather(scale.map([1, 2], product={"by": [1, 10]}))

    assert made(flow) == [1, 10, 2, 20]


def test_what_one_map_returns_another_takes() -> None:
    @pipeline
    def flow() -> None:
        halves, labels = both.map(scale.map([1, 2], by=2))
        gather(scale.map(halves, by=1))
        names(labels)

    run = flow()
    assert run.steps["gather"].output.load() == [1, 2]
    assert run.steps["names"].output.load() == ["n2", "n4"]


def test_items_can_be_artifacts() -> None:
    @step
    def size(file: Path) -> int:
        return file.stat().st_size

    Path("a.txt").write_text("a")
    Path("b.txt").write_text("bb")

    @pipeline
    def flow() -> None:
        gather([*size.map([InputFile("a.txt"), InputFile("b.txt")]), *scale.map([ExternalArtifact(3)])])

    assert made(flow) == [1, 2, 30]


def test_each_item_is_reused_by_itself() -> None:
    @pipeline
    def flow(most: int) -> None:
        gather(scale.map(range(most)))

    flow(3)
    run = flow(5)
    assert list(statuses(run).values()) == ["cached", "cached", "cached", "completed", "completed", "completed"]


def test_one_item_that_fails_keeps_the_others() -> None:
    @pipeline
    def flow(mended: bool) -> None:
        gather(scale.map([1, -1 if not mended else 5, 2]))

    with pytest.raises(RunFailed, match="'scale_2' failed: ValueError: -1 is below zero") as failed:
        flow(mended=False)
    assert list(statuses(failed.value.run).values()) == ["completed", "failed", "completed", "skipped"]
    assert list(statuses(flow(mended=True)).values()) == ["cached", "completed", "cached", "completed"]


def test_the_items_have_the_id_that_is_given_with_a_number_and_wait_for_what_is_said() -> None:
    @pipeline
    def flow() -> None:
        first = scale(1)
        scale.map([1, 2], id="many", after=first)

    run = flow()
    assert list(run.steps) == ["scale", "many", "many_2"]


def test_nothing_is_made_of_no_items() -> None:
    @pipeline
    def flow() -> None:
        gather(scale.map([]))

    assert made(flow) == []


def test_outside_of_a_pipeline_it_maps_as_a_function_would() -> None:
    assert scale.map([1, 2], by=3) == [3, 6]
    assert both.map([2, 4]) == ([1, 2], ["n2", "n4"])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: scale.map(1), "scale.map takes a list for at least one input"),
        (lambda: scale.map(scale(1)), "a list that is there before the run, .* and 'value' is what a step will return"),
        (lambda: scale.map([1, 2], by=[1]), "value has 2, by has 1; wrap one in unmapped"),
        (lambda: scale.map([1], bye=2), "has no input 'bye' \\(did you mean 'by'\\?\\)"),
        (lambda: scale.map([1], value=[2]), "got the input 'value' twice"),
        (lambda: scale.map([1], [2], [3]), "takes 2 inputs but .map got 3"),
        (lambda: scale.map(product={"value": "12"}), "give the values to combine, in a list"),
        (lambda: scale.map([1], product={"value": [2]}), "got the input 'value' twice"),
    ],
)
def test_what_cannot_be_mapped_is_said(wrong: Any, told: str) -> None:
    @pipeline
    def flow() -> None:
        wrong()

    with pytest.raises(DefinitionError, match=told):
        flow()


def test_an_item_that_is_no_parameter_is_said_as_in_a_call() -> None:
    @pipeline
    def flow() -> None:
        scale.map(["one", "two"])

    with pytest.raises(ParameterError, match="The input 'value' of step 'scale' must be int"):
        flow()
