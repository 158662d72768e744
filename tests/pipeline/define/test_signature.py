"""What a step takes and returns. No `from __future__ import annotations` here: most steps have none."""

import functools
import pickle
import subprocess
import sys
import typing
from collections.abc import Callable
from contextlib import nullcontext
from typing import Annotated, Any, NamedTuple, Tuple  # noqa: UP035

import pytest

from artvcs.pipelines.define.artifact_config import ArtifactConfig
from artvcs.pipelines.define.signature import MISSING, Input, read_signature
from artvcs.pipelines.errors import DefinitionError


def outputs(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    return [(output.name, output.annotation) for output in read_signature(function).outputs]


def refusal(function: Callable[..., Any]) -> str:
    with pytest.raises(DefinitionError) as caught:
        read_signature(function)
    message = str(caught.value)
    assert repr(function.__name__) in message
    assert "\n" not in message
    return message


# Inputs


def test_inputs_keep_order_annotation_and_default() -> None:
    def train(data, rate: float = 0.1, *, tags: list[str]):  # type: ignore[no-untyped-def]
        return data

    assert read_signature(train).inputs == (
        Input("data", Any, MISSING),
        Input("rate", float, 0.1),
        Input("tags", list[str], MISSING),
    )


def test_a_default_of_none_is_a_default() -> None:
    def train(data: int | None = None) -> None: ...

    assert read_signature(train).inputs == (Input("data", int | None, None),)


def test_missing_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(MISSING)) is MISSING


def test_open_ended_parameters_are_refused() -> None:
    def stars(*items: int) -> None: ...
    def kwargs(**options: int) -> None: ...
    def positional(x: int, /) -> None: ...

    assert "takes *items" in refusal(stars)
    assert "takes **options" in refusal(kwargs)
    assert "positional-only input 'x'" in refusal(positional)


def test_wrapped_functions_are_looked_through() -> None:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    @decorate
    def split(n: int) -> tuple[int, int]:
        return n, n + 1

    signature = read_signature(split)
    assert [each.name for each in signature.inputs] == ["n"]
    assert len(signature.outputs) == 2


def test_only_plain_functions_are_steps() -> None:
    async def build() -> None: ...

    async def stream():  # type: ignore[no-untyped-def]
        yield 1

    def rows():  # type: ignore[no-untyped-def]
        yield 1

    with pytest.raises(DefinitionError, match="'build' is async, and only says which steps there are"):
        read_signature(build, what="pipeline")
    assert "generator" in refusal(stream)
    assert "generator" in refusal(rows)
    with pytest.raises(DefinitionError, match="not a Python function"):
        read_signature(len)
    with pytest.raises(DefinitionError, match="not a Python function"):
        read_signature(functools.partial(print, 1))


def test_the_message_says_what_the_function_was_to_be() -> None:
    def stars(*items: int) -> None: ...

    with pytest.raises(DefinitionError, match="The pipeline 'stars'"):
        read_signature(stars, what="pipeline")


# One output or none


def test_no_annotation_and_no_value_is_no_output() -> None:
    def nothing(flag):  # type: ignore[no-untyped-def]
        if flag:
            return
        print()
        return None

    signature = read_signature(nothing)
    assert signature.outputs == ()
    assert not signature.single


def test_no_annotation_and_a_value_is_one_output() -> None:
    def something(flag):  # type: ignore[no-untyped-def]
        if flag:
            return None
        return 3

    def pair():  # type: ignore[no-untyped-def]
        return 1, 2

    assert outputs(something) == [("output", Any)]
    assert outputs(pair) == [("output", Any)]
    assert read_signature(pair).single


def test_returns_of_nested_functions_do_not_count() -> None:
    def outer():  # type: ignore[no-untyped-def]
        def inner() -> int:
            return 1

        class Local:
            def method(self) -> int:
                return 2

        async def helper() -> int:
            return 3

        print(inner, Local, helper, lambda: 4, [each * 2 for each in "ab"])

    assert outputs(outer) == []


def test_annotated_with_none_is_no_output() -> None:
    def nothing() -> None:
        return print("x")

    def text() -> "None":
        pass

    def never() -> typing.NoReturn:
        raise ValueError

    assert outputs(nothing) == outputs(text) == outputs(never) == []


def test_one_output_is_called_output_unless_named() -> None:
    def plain() -> int:
        return 1

    def named() -> Annotated[int, "answer"]:
        return 1

    def configured() -> Annotated[int, ArtifactConfig(name="answer", version="1.0", tags=["a"])]:
        return 1

    def unnamed() -> Annotated[int, ArtifactConfig(tags=["a"])]:
        return 1

    assert outputs(plain) == outputs(unnamed) == [("output", int)]
    assert outputs(named) == outputs(configured) == [("answer", int)]
    assert [read_signature(each).outputs[0].named for each in (plain, named, configured, unnamed)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert read_signature(configured).outputs[0].config.version == "1.0"
    assert read_signature(named).outputs[0].config == ArtifactConfig(name="answer")


def test_name_and_configuration_may_stand_side_by_side() -> None:
    def both() -> Annotated[int, "answer", ArtifactConfig(tags=["a"]), 42]:
        return 1

    output = read_signature(both).outputs[0]
    assert (output.name, output.config.tags, output.annotation) == ("answer", ("a",), int)


def test_names_may_hold_placeholders() -> None:
    def extract() -> Annotated[int, "{kind}_data"]:
        return 1

    assert outputs(extract) == [("{kind}_data", int)]


def test_unusable_and_contradictory_names_are_refused() -> None:
    def slash() -> Annotated[int, "a/b"]:
        return 1

    def braces() -> Annotated[int, "{a"]:
        return 1

    def twice() -> Annotated[int, "a", ArtifactConfig(name="b")]:
        return 1

    assert "'/'" in refusal(slash)
    assert "malformed" in refusal(braces)
    assert "twice" in refusal(twice)


# Several outputs


def test_a_tuple_written_out_makes_several_outputs() -> None:
    def bare() -> tuple[int, str]:
        return 1, "a"

    def parenthesised() -> Tuple[int, str]:  # noqa: UP006
        return (1, "a")

    def variables(a: int, b: str) -> tuple[int, str]:
        if a:
            with nullcontext():
                return a, b
        try:
            return a, b
        finally:
            print()

    for function in (bare, parenthesised, variables):
        assert outputs(function) == [("output_0", int), ("output_1", str)]
        assert not read_signature(function).single


def test_a_tuple_held_by_a_variable_is_one_output() -> None:
    def pair() -> tuple[int, int]:
        result = 1, 2
        return result

    def numbers() -> tuple[int, ...]:
        return tuple(range(3))

    def starred(items: list[int]) -> tuple[int, int]:
        return (*items,)  # type: ignore[return-value]

    class Point(NamedTuple):
        x: int
        y: int

    def point() -> Point:
        return Point(1, 2)

    assert outputs(pair) == outputs(starred) == [("output", tuple[int, int])]
    assert outputs(numbers) == [("output", tuple[int, ...])]
    assert outputs(point) == [("output", Point)]
    assert read_signature(pair).single


def test_a_bare_tuple_annotation_is_one_output() -> None:
    def bare() -> tuple:  # type: ignore[type-arg]
        return 1, 2

    def old() -> Tuple:  # type: ignore[type-arg]  # noqa: UP006
        return 1, 2

    def one() -> tuple[int]:
        return (1,)

    assert outputs(bare) == [("output", tuple)]
    assert outputs(old) == [("output", Tuple)]  # noqa: UP006
    assert outputs(one) == [("output", tuple[int])]


def test_naming_the_whole_tuple_makes_it_one_output() -> None:
    def named() -> Annotated[tuple[int, int], "pair"]:
        return 1, 2

    def tagged() -> Annotated[tuple[int, int], ArtifactConfig(tags=["a"])]:
        return 1, 2

    assert outputs(named) == [("pair", tuple[int, int])]
    assert outputs(tagged) == [("output", tuple[int, int])]


def test_each_of_several_outputs_may_be_named() -> None:
    def split() -> tuple[Annotated[int, "train"], int, Annotated[str, ArtifactConfig(name="test")]]:
        return 1, 2, "x"

    assert outputs(split) == [("train", int), ("output_1", int), ("test", str)]
    assert [output.named for output in read_signature(split).outputs] == [True, False, True]


def test_a_function_that_only_raises_is_taken_at_its_annotation() -> None:
    def unfinished() -> tuple[int, str]:
        raise NotImplementedError

    assert outputs(unfinished) == [("output_0", int), ("output_1", str)]


def test_none_beside_a_tuple_is_left_to_validation() -> None:
    def maybe(flag: bool) -> tuple[int, int]:
        if flag:
            return None  # type: ignore[return-value]
        return 1, 2

    assert len(outputs(maybe)) == 2


def test_contradictions_between_annotation_and_returns_are_refused() -> None:
    def mixed(flag: bool) -> tuple[int, int]:
        result = (1, 2)
        if flag:
            return result
        return 1, 2

    def short() -> tuple[int, int, int]:
        return 1, 2  # type: ignore[return-value]

    def long() -> tuple[int]:
        return 1, 2  # type: ignore[return-value]

    def open_ended() -> tuple[int, ...]:
        return 1, 2

    def duplicate() -> tuple[Annotated[int, "a"], Annotated[int, "a"]]:
        return 1, 2

    def hidden_duplicate() -> tuple[Annotated[int, "output_1"], int]:
        return 1, 2

    assert "everywhere" in refusal(mixed)
    assert "tuple of 2" in refusal(short)
    assert "says 3" in refusal(short)
    assert "says 1" in refusal(long)
    assert "length open" in refusal(open_ended)
    assert "two outputs named 'a'" in refusal(duplicate)
    assert "'output_1'" in refusal(hidden_duplicate)


# Annotations given as text


def test_text_annotations_are_evaluated_with_globals_and_closure() -> None:
    class Local: ...

    def step(data: "Local", other: "dict[str, Local]") -> "tuple[Annotated[int, 'n'], Local]":
        return 1, Local()

    assert [each.annotation for each in read_signature(step).inputs] == [Local, dict[str, Local]]
    assert outputs(step) == [("n", int), ("output_1", Local)]


def test_an_unresolvable_annotation_is_named() -> None:
    def step(data: "pd.DataFrame") -> int:  # type: ignore[name-defined]  # noqa: F821
        return 1

    def broken() -> "list[":  # type: ignore  # noqa: F722
        return 1

    message = refusal(step)
    assert "input 'data'" in message
    assert "'pd.DataFrame'" in message
    assert "TYPE_CHECKING" in message
    assert "return annotation" in refusal(broken)


# Source


def test_text_at_the_left_margin_does_not_hide_the_source() -> None:
    def report(n: int) -> tuple[str, int]:
        text = """
left margin
    return nothing
"""
        return text, n

    assert len(outputs(report)) == 2


def run(source: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return namespace


def test_without_source_the_bytecode_tells() -> None:
    names = run("""
def several(a, b) -> tuple[int, int]: return a, b
def constant() -> tuple[int, int]: return 1, 2
def one(a) -> tuple[int, int]:
    result = (a, a)
    return result
def mixed(a) -> tuple[int, int]:
    if a: return a
    return a, a
def nothing(a):
    if a: return
def something(a): return a
""")
    found = {name: len(outputs(each)) for name, each in names.items() if not name.startswith("_")}
    assert found == {"several": 2, "constant": 2, "one": 1, "mixed": 1, "nothing": 0, "something": 1}


def test_a_lambda_is_a_function_without_source() -> None:
    assert outputs(lambda x: x) == [("output", Any)]
    assert outputs(lambda x: None) == []


def test_importing_it_is_cheap() -> None:
    code = (
        "import sys; import artvcs.pipelines.define.signature, artvcs.pipelines.define.naming\n"
        "print([m for m in ('numpy', 'pandas', 'pydantic', 'typeguard') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
