from __future__ import annotations

import enum
import math
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict, Union
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.pipelines.errors import ParameterError
from artvcs.pipelines.typing.coerce import coerce, parse_text, to_plain
from artvcs.vcs.objects import canonical, values

WHAT = "parameter 'rate' of step 'train'"


class Color(enum.Enum):
    RED = "red"
    BLUE = 2


class Level(enum.IntEnum):
    LOW = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass
class Model:
    depth: int
    rate: float = 0.1
    color: Color = Color.RED
    folder: Path | None = None
    tags: list[str] = field(default_factory=list)


@dataclass
class Even:
    n: int

    def __post_init__(self) -> None:
        if self.n % 2:
            raise ValueError("odd")


class Row(TypedDict):
    size: float
    path: NotRequired[Path]


class Pair(NamedTuple):
    a: int
    b: int


def coerced(value: Any, annotation: Any) -> Any:
    return coerce(value, annotation, WHAT)


def refusal(value: Any, annotation: Any) -> str:
    with pytest.raises(ParameterError) as caught:
        coerced(value, annotation)
    return str(caught.value)


def plain(value: Any) -> Any:
    return to_plain(value, WHAT)


def key(value: Any) -> bytes:
    """What a cache key is made of."""
    return canonical.dumps(values.encode(plain(value)))


# coerce


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        (1, float, 1.0),
        (1, complex, 1 + 0j),
        ([1, 2], tuple, (1, 2)),
        ([1, 2], tuple[float, ...], (1.0, 2.0)),
        ([1, "a"], tuple[int, str], (1, "a")),
        ([], tuple[()], ()),
        ([1, 1], set[int], {1}),
        ([1], frozenset[int], frozenset({1})),
        ((1, 2), list[float], [1.0, 2.0]),
        (["a"], Sequence[Path], [Path("a")]),
        (["a"], Iterable[Path], [Path("a")]),
        ({"a": 1}, Mapping[str, float], {"a": 1.0}),
        ({"1": 2}, dict[int, float], {1: 2.0}),
        ({"red": 1}, dict[Color, int], {Color.RED: 1}),
        ("red", Color, Color.RED),
        ("RED", Color, Color.RED),
        (2, Color, Color.BLUE),
        (1, Level, Level.LOW),
        (3, Access, Access.READ | Access.WRITE),
        ("a/b", Path, Path("a/b")),
        ("2024-02-03T04:05:06", datetime, datetime(2024, 2, 3, 4, 5, 6)),
        ("2024-02-03", date, date(2024, 2, 3)),
        ("04:05", time, time(4, 5)),
        (90, timedelta, timedelta(minutes=1, seconds=30)),
        ("1.10", Decimal, Decimal("1.10")),
        ("00000000-0000-0000-0000-000000000005", UUID, UUID(int=5)),
        ({"size": 1, "path": "x"}, Row, {"size": 1.0, "path": Path("x")}),
        (None, float | None, None),
        (1, float | None, 1.0),
        ("a", Union[Path, int], Path("a")),  # noqa: UP007
        ("x", Literal["x", 1], "x"),
        (1, Annotated[float, "rate"], 1.0),
        ({"depth": 1}, Model | None, Model(1)),
        ([{"depth": 1, "color": "BLUE"}], list[Model], [Model(1, color=Color.BLUE)]),
        (np.int64(3), int, 3),
        (np.float64(0.5), float, 0.5),
        ([np.float64(0.5)], list[float], [0.5]),
    ],
)
def test_json_becomes_what_is_declared(value: Any, annotation: Any, expected: Any) -> None:
    result = coerced(value, annotation)
    assert repr(result) == repr(expected)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (Color.RED, Color),
        (Level.LOW, int),
        (Model(1), Model),
        ((1, 2), tuple[int, int]),
        ({1}, set[int]),
        ([1], list[int]),
        (Path("a"), Path),
        (datetime(2024, 1, 1), datetime),
        (datetime(2024, 1, 1), date),
        (b"x", bytes),
        ("a", Union[Path, str]),  # noqa: UP007
        (1, Union[float, int]),  # noqa: UP007
        ({"size": 1.0}, Row),
        (object(), Any),
    ],
)
def test_what_has_its_type_passes_unchanged(value: Any, annotation: Any) -> None:
    assert coerced(value, annotation) is value


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (1, str),
        ("1", int),
        ("1", float),
        (1.0, int),
        (1, bool),
        ("true", bool),
        (True, int),
        (True, float),
        (np.bool_(True), int),
        ([True], list[float]),
        (True, Level),
        (2**53 + 1, float),
        (1.1, Decimal),
        ("nope", date),
        ("nope", Decimal),
        ("green", Color),
        (8, Access),
        (1, Path),
        ("abc", list[str]),
        ("abc", Sequence[str]),
        ("abc", Iterable[str]),
        ({1, 2}, list[int]),
        ([[1]], set),
        ([1], tuple[int, str]),
        ([1], dict[str, int]),
        ({"1": 2, 1: 3}, dict[int, int]),
        ({"x": 2}, dict[int, int]),
        ("y", Literal["x"]),
        (None, int),
        ({"n": 3}, Even),
        ({}, Row),
        ([], Row),
        (object(), int),
    ],
)
def test_nothing_is_guessed(value: Any, annotation: Any) -> None:
    message = refusal(value, annotation)
    assert message.startswith("Parameter 'rate' of step 'train' must be ")
    assert "\n" not in message


def test_the_message_says_what_was_expected_what_came_and_where() -> None:
    assert refusal("x", int) == (
        "Parameter 'rate' of step 'train' must be int, but it is a str ('x'); give a value of the declared type."
    )
    assert "item 1 is a str ('x') instead of int" in refusal([1, "x"], list[int])
    assert "item 1 is a str" in refusal([1, "x"], list[int] | None)
    assert "none of RED, BLUE" in refusal("green", Color)
    assert "odd" in refusal({"n": 3}, Even)


def test_dataclasses_are_filled_field_by_field() -> None:
    value = {"depth": 3, "rate": 1, "color": "red", "folder": "out", "tags": ["a"]}
    assert coerced(value, Model) == Model(3, 1.0, Color.RED, Path("out"), ["a"])
    assert "without the key 'depth'" in refusal({"rate": 1}, Model)
    assert "unknown key 'dept'" in refusal({"depth": 1, "dept": 2}, Model)
    assert "the value of key 'depth' is a str" in refusal({"depth": "x"}, Model)


def test_pydantic_models_are_validated() -> None:
    pydantic = pytest.importorskip("pydantic")
    Settings = pydantic.create_model("Settings", depth=(int, ...), folder=(Path, Path("out")))
    settings = coerced({"depth": 3}, Settings)
    assert settings.depth == 3
    assert coerced(settings, Settings) is settings
    assert plain(settings) == {"$model": ["Settings", {"depth": 3, "folder": "out"}]}
    assert "depth" in refusal({"depth": "x"}, Settings)


# parse_text


@pytest.mark.parametrize(
    ("text", "annotation", "expected"),
    [
        ("1", str, "1"),
        ("null", Annotated[str, "x"], "null"),
        ("1", int, 1),
        ("1", float, 1.0),
        (".5", float, 0.5),
        ("true", bool, True),
        ("True", bool, True),
        ("null", int | None, None),
        ("5", str | None, "5"),
        ("2024", Path, Path("2024")),
        ("2024-02-03", date, date(2024, 2, 3)),
        ("1.10", Decimal, Decimal("1.10")),
        ("00000000000000000000000000000005", UUID, UUID(int=5)),
        ("RED", Color, Color.RED),
        ("2", Color, Color.BLUE),
        ('["a", "b"]', list[str], ["a", "b"]),
        ("[1, 2]", tuple[int, float], (1, 2.0)),
        ('{"1": 2}', dict[int, float], {1: 2.0}),
        ('{"depth": 3}', Model, Model(3)),
        ("abc", Any, "abc"),
        ('{"a": [1]}', Any, {"a": [1]}),
        ("", Any, ""),
    ],
)
def test_command_line_text_is_read_as_the_annotation_says(text: str, annotation: Any, expected: Any) -> None:
    assert repr(parse_text(text, annotation)) == repr(expected)


def test_command_line_text_that_does_not_fit_is_refused() -> None:
    for text, annotation in [("yes", bool), ("a,b", list[str]), ("", int), ("1.5", int), ("green", Color)]:
        with pytest.raises(ParameterError, match="The value"):
            parse_text(text, annotation)
    with pytest.raises(ParameterError, match="item 1 is a str"):
        parse_text('[1, "x"]', list[int])


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    parse_text(text, Any)
    assert parse_text(text, str) == text


# to_plain


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Color.RED, {"$enum": ["Color", "red"]}),
        (Level.LOW, {"$enum": ["Level", 1]}),
        (Path("a/b"), {"$path": "a/b"}),
        (date(2024, 2, 3), {"$date": "2024-02-03"}),
        (datetime(2024, 2, 3), {"$datetime": "2024-02-03T00:00:00"}),
        (timedelta(1), {"$timedelta": "1 day, 0:00:00"}),
        (Decimal("1.10"), {"$decimal": "1.10"}),
        (UUID(int=5), {"$uuid": "00000000-0000-0000-0000-000000000005"}),
        (1 + 2j, {"$complex": [1.0, 2.0]}),
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        ({np.int64(1): 2}, {1: 2}),
        ([Path("a"), (Color.BLUE,)], [{"$path": "a"}, ({"$enum": ["Color", 2]},)]),
        (Even(2), {"$dataclass": ["Even", {"n": 2}]}),
        (Pair(1, 2), {"$namedtuple": ["Pair", [1, 2]]}),
        ({"$path": "a"}, {"$dict": {"$path": "a"}}),
        ({Path("b"), Path("a")}, {"$set": [{"$path": "a"}, {"$path": "b"}]}),
    ],
)
def test_plain_data_says_what_it_was(value: Any, expected: Any) -> None:
    result = plain(value)
    assert repr(result) == repr(expected)
    key(value)


@pytest.mark.parametrize("value", [None, True, 1, 2**80, 1.5, "a", b"a", [1], (1,), {1}, frozenset({1}), {"a": 1}])
def test_plain_data_stays_as_it_is(value: Any) -> None:
    assert repr(plain(value)) == repr(value)


def test_nan_is_fine() -> None:
    assert math.isnan(plain(math.nan))
    key(math.nan)


def test_what_differs_has_different_keys() -> None:
    alike = [
        1, 1.0, True, "1", b"1", Level.LOW, Decimal(1), 1 + 0j, [1], (1,), {1}, frozenset({1}), {"1": 1}, {1: 1},
        "red", Color.RED, "a", Path("a"), {"$path": "a"}, {"$dict": {"$path": "a"}},
        "2024-02-03", date(2024, 2, 3), datetime(2024, 2, 3), pd.Timestamp(2024, 2, 3), {"n": 2}, Even(2),
        Pair(1, 2), (1, 2), np.timedelta64(5, "ns"), np.timedelta64(5, "s"), 5, pd.Timedelta(5), timedelta(0),
    ]  # fmt: skip
    assert len({key(value) for value in alike}) == len(alike)


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame(),
        np.zeros(2),
        object(),
        len,
        lambda: 1,
        Color,
        Even,
        [1, pd.DataFrame()],
        {"a": {"b": object()}},
        {(1, 2): 3},
        "\ud800",
        np.longdouble(1),
    ],
)
def test_what_is_no_data_has_to_be_an_artifact(value: Any) -> None:
    with pytest.raises(ParameterError) as caught:
        plain(value)
    assert "pass it as an artifact: return it from a step or wrap it in ExternalArtifact(...)" in str(caught.value)


def test_the_message_says_where_it_is() -> None:
    with pytest.raises(ParameterError, match="item 1 of the value of key 'a' is a DataFrame"):
        plain({"a": [1, pd.DataFrame()]})


def test_endless_data_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ParameterError):
        plain(endless)


data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.dates() | st.decimals(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2) | st.just("$enum"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(data)
def test_plain_data_survives_the_store(value: Any) -> None:
    encoded = values.encode(plain(value))
    assert canonical.dumps(values.encode(values.decode(encoded))) == canonical.dumps(encoded)


@given(st.dictionaries(st.text(max_size=3), st.integers(), max_size=5))
def test_the_order_of_a_dict_changes_its_key_for_a_step_sees_it(value: dict[str, int]) -> None:
    turned = dict(reversed(value.items()))
    assert (key(value) == key(turned)) == (len(value) < 2)
    assert list(values.decode(values.encode(turned))) == list(turned)


def test_the_order_of_a_set_does_not_change_its_key() -> None:
    code = (
        "from pathlib import Path; from artvcs.pipelines.typing.coerce import to_plain\n"
        "print(to_plain({Path(c) for c in 'abcdef'}, 'x'))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_importing_it_is_cheap() -> None:
    code = (
        "import sys; from artvcs.pipelines.typing.coerce import coerce, to_plain\n"
        "to_plain(coerce([1], list[float], 'x'), 'x')\n"
        "print([m for m in ('numpy', 'pandas', 'pydantic', 'typeguard') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
