"""Steps: functions whose returned values become artifacts."""

from pathlib import Path
from typing import Annotated, Any

import pytest

from artvcs import CachePolicy, pipeline, step
from artvcs.pipelines.errors import DefinitionError
from artvcs.pipelines.values.materializers import Materializer

pytestmark = pytest.mark.usefixtures("project")


@step
def double(x: int) -> int:
    """Doubles a number."""
    return 2 * x


def test_outside_a_pipeline_a_step_is_a_plain_function() -> None:
    assert double(4) == 8
    assert double(x=4) == 8
    assert (double.__name__, double.__doc__) == ("double", "Doubles a number.")


def test_a_step_called_inside_a_step_is_a_plain_function() -> None:
    @step
    def quadruple(x: int) -> int:
        return double(double(x))

    @pipeline
    def flow() -> None:
        quadruple(3)

    run = flow()
    assert list(run.steps) == ["quadruple"]
    assert run.steps["quadruple"].output.load() == 12


def test_a_step_whose_returns_are_all_none_has_no_output() -> None:
    @step
    def say(x: int) -> None:
        print(x)

    @step
    def silent(x: int):  # type: ignore[no-untyped-def]
        if x:
            return None
        return

    @pipeline
    def flow() -> None:
        say(1)
        silent(1)

    run = flow()
    assert run.steps["say"].outputs == {}
    assert run.steps["silent"].outputs == {}


def test_a_step_without_annotations_has_one_output_and_takes_anything() -> None:
    @step
    def pair(x):  # type: ignore[no-untyped-def]
        return x, x

    @pipeline
    def flow() -> None:
        pair("a")

    assert flow().steps["pair"].output.load() == ("a", "a")


def test_a_written_out_tuple_makes_several_outputs_and_a_variable_makes_one() -> None:
    @step
    def several() -> tuple[int, Annotated[str, "text"]]:
        return 1, "a"

    @step
    def single() -> tuple[int, str]:
        both = 1, "a"
        return both

    @pipeline
    def flow() -> None:
        several()
        single()

    run = flow()
    assert {name: each.load() for name, each in run.steps["several"].outputs.items()} == {"output_0": 1, "text": "a"}
    assert {name: each.load() for name, each in run.steps["single"].outputs.items()} == {"output": (1, "a")}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"surprise": 1}, "surprise"),
        ({"retry": -1}, "count"),
        ({"retry": {"attempts": 3}}, "attempts"),
        ({"output_materializers": {"other": Materializer}}, "no output 'other'"),
        ({"output_materializers": 3}, "output_materializers"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": -1.0}, "timeout"),
        ({"cache": CachePolicy(ignore_inputs=["y"])}, "no input 'y'"),
    ],
)
def test_an_impossible_option_is_refused_where_it_is_written(options: dict[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):

        @step(**options)
        def identity(x: int) -> int:
            return x


def test_a_class_is_no_step() -> None:
    with pytest.raises(DefinitionError):
        step(int)


def test_with_options_gives_another_step_and_leaves_the_first_as_it_was() -> None:
    renamed = double.with_options(name="twice", substitutions={"a": "1"})
    again = renamed.with_options(substitutions={"b": "2"})
    assert (double.name, renamed.name, again.name) == ("double", "twice", "twice")
    assert again.options.substitutions == {"a": "1", "b": "2"}
    assert double.options.substitutions == {}


def test_one_materializer_class_stands_for_all_outputs() -> None:
    class Reversed(Materializer):
        def save(self, data: str) -> None:
            (self.path / "text").write_text(data[::-1])

        def load(self, data_type: type[Any]) -> str:
            return (self.path / "text").read_text()

        @property
        def path(self) -> Path:
            return Path(self.uri)

    @step(output_materializers=Reversed)
    def word() -> str:
        return "abc"

    @pipeline
    def flow() -> None:
        word()

    assert flow().steps["word"].output.load() == "cba"
