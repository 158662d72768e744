from __future__ import annotations

import math
import subprocess
import sys
import typing
import warnings
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NewType, NotRequired, Protocol, TypedDict, TypeVar, Union

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.pipelines.errors import TypeMismatch
from artvcs.pipelines.typing.fit import check

WHAT = "output 'rows' of step 'load'"


def passes(value: Any, annotation: Any) -> bool:
    """Whether `value` is accepted as the very object it is."""
    return check(value, annotation, WHAT) is value


def mismatch(value: Any, annotation: Any) -> str:
    with pytest.raises(TypeMismatch) as caught:
        check(value, annotation, WHAT)
    return str(caught.value)


class Celsius(float): ...


class Greeter(Protocol):
    def greet(self) -> str: ...


class Friend:
    def greet(self) -> str:
        return "hello"


class Row(TypedDict):
    name: str
    size: NotRequired[int]


@dataclass
class Point:
    x: int


UserId = NewType("UserId", int)
T = TypeVar("T")


def test_a_mismatch_says_what_was_declared_what_is_there_and_what_to_do() -> None:
    message = mismatch("x", int)
    assert message == (
        "Output 'rows' of step 'load' is declared as int, but it is a str ('x'); "
        "make the value fit, or change the annotation."
    )


@pytest.mark.parametrize(
    ("value", "annotation", "where"),
    [
        ([1, 2, 3, "x"], list[int], "item 3 is a str ('x') instead of int"),
        ({"a": [1, "x"]}, dict[str, list[int]], "item 1 of the value of key 'a' is a str"),
        ({1: 1}, dict[str, int], "the key 1 is an int (1) instead of str"),
        ((1, "a", 2), tuple[int, str, str], "item 2 is an int"),
        ((1, 2), tuple[int, int, int], "a tuple of 2"),
        ([1, None], list[int], "item 1 is None"),
        ([[1], [2, "x"]], list[list[int]], "item 1 of item 1 is a str"),
        (deque([1, "x"]), deque[int], "item 1"),
        (defaultdict(str, a="x"), defaultdict[str, int], "the value of key 'a'"),
        ([1, "x"], list[int] | None, "item 1"),
        ([1, "x"], Sequence[int], "item 1"),
        ([1, "x"], Iterable[int], "item 1"),
        ([{"name": 1}], list[Row], "item 0"),
        ({"a": Point(1), "b": 3}, Mapping[str, Point], "the value of key 'b'"),
    ],
)
def test_contents_count_and_the_message_says_where(value: Any, annotation: Any, where: str) -> None:
    assert where in mismatch(value, annotation)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        ([1, 2], list[int]),
        ([], list[int]),
        ((), tuple[()]),
        ((1, "a"), tuple[int, str]),
        ((1, 2, 3), tuple[int, ...]),
        ({"a": {1, 2}}, dict[str, set[int]]),
        (True, bool),
        (True, int | bool),
        (None, None),
        (None, int | None),
        ("a", Union[int, str]),  # noqa: UP007
        ("x", Literal["x", "y"]),
        ({"name": "a"}, Row),
        (Point(1), Point),
        (Friend(), Greeter),
        (len, Callable[..., int]),
        (int, type[int]),
        (3, UserId),
        (3, Annotated[int, "whatever"]),
        (Celsius(3), float),
        ("abc", Sequence[str]),
        (iter([1]), typing.Iterator[int]),
        ([1], list),
        ((1,), typing.Tuple),  # noqa: UP006
        (np.zeros(2), np.ndarray),
        (np.zeros(2), npt.NDArray[np.float64]),
        (pd.DataFrame(), pd.DataFrame),
        (pd.Series([1.0]), pd.DataFrame | pd.Series),
    ],
)
def test_values_that_fit_pass_as_they_are(value: Any, annotation: Any) -> None:
    assert passes(value, annotation)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (1, bool),
        (1.0, int),
        ("1", int),
        (3, None),
        ([1], tuple[int, ...]),
        ({1}, frozenset[int]),
        ((1,), tuple[()]),
        (1.5, Union[int, str]),  # noqa: UP007
        ("z", Literal["x", "y"]),
        (True, Literal[1]),
        ({"name": 1}, Row),
        ({}, Row),
        ({"x": 1}, Point),
        (3, Greeter),
        (3, Callable[..., int]),
        (str, type[int]),
        ("x", UserId),
        ([1.0], np.ndarray),
        ([1.0], npt.NDArray[np.float64]),
        (pd.Series([1]), pd.DataFrame),
    ],
)
def test_values_that_do_not_fit_are_refused(value: Any, annotation: Any) -> None:
    mismatch(value, annotation)


@pytest.mark.parametrize(
    "annotation", [Any, object, T, "NoSuchType", typing.ForwardRef("NoSuchType"), 3, Annotated[Any, "x"]]
)
def test_an_annotation_that_says_nothing_accepts_everything(annotation: Any) -> None:
    assert passes(Point(1), annotation)


def test_forward_references_cause_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert passes({"a": [1]}, dict[str, "list[NoSuchType]"])  # type: ignore[name-defined]  # noqa: F821
        assert passes(iter([1]), "typing.Iterator[NoSuchType]")
        assert passes(len, Callable[["NoSuchType"], int])  # noqa: F821
        assert passes([1], list[T])  # type: ignore[valid-type]


# Widening


@pytest.mark.parametrize(
    ("value", "annotation", "wide"),
    [
        (1, float, 1.0),
        (1, complex, 1 + 0j),
        (1.5, complex, 1.5 + 0j),
        (1, float | None, 1.0),
        (1, Union[str, float], 1.0),  # noqa: UP007
        ([1, 2.5], list[float], [1.0, 2.5]),
        ((1, "a"), tuple[float, str], (1.0, "a")),
        ((1, 2), tuple[float, ...], (1.0, 2.0)),
        ({1}, set[float], {1.0}),
        ({"a": [1]}, dict[str, list[float]], {"a": [1.0]}),
        ([1], Sequence[float], [1.0]),
        (1, Annotated[float, "x"], 1.0),
    ],
)
def test_ints_become_the_float_that_is_declared(value: Any, annotation: Any, wide: Any) -> None:
    assert repr(check(value, annotation, WHAT)) == repr(wide)


def test_a_member_that_needs_no_change_comes_first() -> None:
    assert repr(check(1, Union[float, int], WHAT)) == "1"  # noqa: UP007
    assert check(True, Union[float, bool], WHAT) is True  # noqa: UP007


def test_widening_leaves_the_value_it_was_given_alone() -> None:
    given_list = [1, 2]
    assert check(given_list, list[float], WHAT) is not given_list
    assert repr(given_list) == "[1, 2]"


def test_widening_keeps_the_kind_of_the_container() -> None:
    counts = check(defaultdict(list, a=1), defaultdict[str, float], WHAT)
    assert counts["new"] == []
    assert repr(check(OrderedDict(b=1, a=2), dict[str, float], WHAT)) == repr(OrderedDict(b=1.0, a=2.0))
    assert repr(check(deque([1], 5), deque[float], WHAT)) == "deque([1.0], maxlen=5)"


@pytest.mark.parametrize("number", [2**53 + 1, 10**30, -(10**400)])
def test_an_int_that_no_float_equals_is_refused(number: int) -> None:
    mismatch(number, float)
    mismatch(number, complex)


@pytest.mark.parametrize("number", [int, float, complex])
@pytest.mark.parametrize("value", [True, np.bool_(True)])
def test_a_bool_is_no_number(value: Any, number: Any) -> None:
    for inside, annotation in [
        (value, number),
        (value, number | None),
        ([1, value], list[number]),
        ({"a": value}, dict[str, number]),
        ((value,), tuple[number, ...]),
    ]:
        mismatch(inside, annotation)


@pytest.mark.parametrize(
    ("value", "annotation", "plain"),
    [
        (np.int64(3), int, 3),
        (np.uint8(3), int, 3),
        (np.int64(3), float, 3.0),
        (np.float32(0.5), float, 0.5),
        (np.float64(0.5), float, 0.5),
        (np.longdouble(0.5), float, 0.5),
        (np.complex128(1j), complex, 1j),
        (np.clongdouble(1j), complex, 1j),
        (np.bool_(True), bool, True),
        (np.complex64(1j), complex, 1j),
        ([np.int64(3)], list[int], [3]),
        ({"a": np.float32(0.5)}, dict[str, float], {"a": 0.5}),
        ([1.0, np.float64(0.5)], list[float], [1.0, 0.5]),
        ((np.float64(0.5),), tuple[float | None, ...], (0.5,)),
        (np.float64(0.5), complex | float, 0.5),
        (np.int64(3), float | int, 3),
        (np.bool_(True), int | bool, True),
    ],
)
def test_scalars_of_numpy_become_numbers_of_python(value: Any, annotation: Any, plain: Any) -> None:
    assert repr(check(value, annotation, WHAT)) == repr(plain)


def test_scalars_of_numpy_keep_to_the_same_limits() -> None:
    assert math.isnan(check(np.float32("nan"), float, WHAT))
    for value, annotation in [
        (np.float64(3), int),
        (np.int64(2**53 + 1), float),
        (np.longdouble(1) / 3, float),
        (np.longdouble("1e4000"), float),
        (np.array(3), int),
        (np.timedelta64(5, "ns"), int),
    ]:
        mismatch(value, annotation)


def test_who_declares_a_scalar_of_numpy_gets_it() -> None:
    assert passes(np.float64(0.5), np.float64)
    assert passes(np.float32(0.5), np.floating)
    assert passes(np.float64(0.5), float | np.float64)
    assert passes([np.float64(0.5)], list[np.float64])


nested = st.recursive(
    st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(nested)
def test_what_is_accepted_is_equal_to_what_was_given(value: Any) -> None:
    annotation = list[float] | dict[str, list[float]] | float | str
    try:
        checked = check(value, annotation, WHAT)
    except TypeMismatch:
        return
    assert checked == value
    assert check(checked, annotation, WHAT) is checked


@given(st.lists(st.integers() | st.text()))
def test_a_list_of_ints_holds_only_ints(items: list[Any]) -> None:
    if all(isinstance(item, int) for item in items):
        assert passes(items, list[int])
    else:
        mismatch(items, list[int])


def test_plain_annotations_need_no_typeguard() -> None:
    code = (
        "import sys; from artvcs.pipelines.typing.fit import check\n"
        "check([1, {'a': (1.0, None)}], list[int | dict[str, tuple[float, str | None]]], 'x')\n"
        "print([m for m in ('numpy', 'pandas', 'pydantic', 'typeguard') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
