"""The graph that a pipeline function builds: invocation ids, order, and what can be an input."""

from typing import Any

import pytest

from artvcs import pipeline, step
from artvcs.pipelines.errors import DefinitionError, ParameterError
from artvcs.vcs.errors import ArtError

pytestmark = pytest.mark.usefixtures("project")


@step
def one() -> int:
    return 1


@step
def bump(x: int) -> int:
    return x + 1


loose: Any = bump  # for calls that a type checker would refuse


@step
def nothing() -> None:
    pass


@step
def total(numbers: list[int]) -> int:
    return sum(numbers)


@step
def anything(x: Any) -> int:
    return 0


def test_each_use_of_a_step_has_an_id_of_its_own() -> None:
    @pipeline
    def flow() -> None:
        bump(bump(bump(one())))

    assert list(flow().steps) == ["one", "bump", "bump_2", "bump_3"]


def test_id_overrides_the_invocation_id() -> None:
    @pipeline
    def flow() -> None:
        bump(one(id="start"), id="end")  # type: ignore[call-arg]

    run = flow()
    assert list(run.steps) == ["start", "end"]
    assert run.steps["end"].output.load() == 2


@pytest.mark.parametrize("bad", ["", "a/b", 5])
def test_an_id_is_a_name(bad: Any) -> None:
    @pipeline
    def flow() -> None:
        one(id=bad)  # type: ignore[call-arg]

    with pytest.raises(ArtError):
        flow()


def test_two_steps_cannot_have_one_id() -> None:
    @pipeline
    def flow() -> None:
        one(id="a")  # type: ignore[call-arg]
        bump(1, id="a")  # type: ignore[call-arg]

    with pytest.raises(DefinitionError, match="'a'"):
        flow()


def test_a_step_may_have_inputs_called_id_and_after() -> None:
    @step
    def takes(id: int, after: int) -> int:  # noqa: A002
        return id + after

    @pipeline
    def flow() -> None:
        takes(id=one(), after=2)

    assert flow().steps["takes"].output.load() == 3


def test_after_orders_steps_without_data() -> None:
    @pipeline
    def flow() -> None:
        bump(1, after="last")  # type: ignore[call-arg]
        first = nothing()
        one(id="last", after=[first, "total"])  # type: ignore[call-arg]
        total([1, 2])

    order = list(flow().steps)
    assert order.index("last") < order.index("bump")
    assert order.index("nothing") < order.index("last")
    assert order.index("total") < order.index("last")


def test_steps_that_wait_for_each_other_are_refused_before_anything_runs() -> None:
    @step
    def never() -> None:
        raise AssertionError

    @pipeline
    def flow() -> None:
        never()
        one(id="a", after="b")  # type: ignore[call-arg]
        one(id="b", after="a")  # type: ignore[call-arg]

    with pytest.raises(DefinitionError, match="circle"):
        flow()


def test_waiting_for_a_stranger_is_refused() -> None:
    @pipeline
    def flow() -> None:
        one(after="nobody")  # type: ignore[call-arg]

    with pytest.raises(DefinitionError, match="'nobody'"):
        flow()


def test_a_handle_of_another_pipeline_is_refused() -> None:
    leaked: list[Any] = []

    @pipeline
    def first() -> None:
        leaked.append(one())

    @pipeline
    def second() -> None:
        one()  # has the same invocation id as the leaked one
        bump(leaked[0])

    first()
    with pytest.raises(DefinitionError, match="another pipeline"):
        second()


def test_a_list_of_artifacts_is_an_input() -> None:
    @pipeline
    def flow() -> None:
        total([one(), bump(one())])

    step_run = flow().steps["total"]
    assert step_run.output.load() == 3
    assert [each.load() for each in step_run.inputs["numbers"]] == [1, 2]


def test_a_list_of_one_artifact_arrives_as_a_list() -> None:
    @pipeline
    def flow() -> None:
        total([one()])

    assert flow().steps["total"].output.load() == 1


def test_a_tuple_of_artifacts_arrives_as_a_tuple_where_one_is_declared() -> None:
    @step
    def swap(pair: tuple[int, int]) -> list[int]:
        return [pair[1], pair[0]]

    @pipeline
    def flow() -> None:
        swap((one(), bump(1)))

    assert flow().steps["swap"].output.load() == [2, 1]


def test_artifacts_and_plain_values_in_one_list_are_refused() -> None:
    @pipeline
    def flow() -> None:
        total([one(), 2])

    with pytest.raises(ParameterError, match="mixed"):
        flow()


@pytest.mark.parametrize("wrap", [lambda it: {"a": it}, lambda it: [[it]], lambda it: ({"a": [it]},)])
def test_an_artifact_hidden_in_a_container_is_refused(wrap: Any) -> None:
    @pipeline
    def flow() -> None:
        anything(wrap(one()))

    with pytest.raises(ParameterError, match="'one'"):
        flow()


def test_a_step_without_output_cannot_be_an_input() -> None:
    @pipeline
    def flow() -> None:
        anything(nothing())

    with pytest.raises(DefinitionError, match="returns nothing"):
        flow()


@pytest.mark.parametrize(
    "use",
    [
        *(lambda it: it.shape, lambda it: list(it), lambda it: 1 if it else 2, lambda it: it == 5, lambda it: it != 5),
        *(lambda it: it > 5, lambda it: 1 + it, lambda it: it / 2, lambda it: it[0], lambda it: len(it)),
        *(lambda it: 3 in it, lambda it: float(it), lambda it: -it),
    ],
    ids=["attribute", "unpack", "if", "==", "!=", ">", "+", "/", "[]", "len", "in", "float", "-"],
)
def test_a_handle_has_no_value_while_the_pipeline_is_built(use: Any) -> None:
    @pipeline
    def flow() -> None:
        use(one())

    with pytest.raises(DefinitionError, match="'one'"):
        flow()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: loose(), "needs the input 'x'"),
        (lambda: loose(1, 2), "takes 1 input but got 2"),
        (lambda: loose(y=1), "no input 'y'"),
        (lambda: loose(1, x=1), "twice"),
        (lambda: loose("1"), "'x'"),
        (lambda: anything(object()), "ExternalArtifact"),
    ],
)
def test_a_wrong_call_is_refused_when_the_pipeline_is_built(call: Any, said: str) -> None:
    @pipeline
    def flow() -> None:
        call()

    with pytest.raises(ParameterError, match=said):
        flow()
