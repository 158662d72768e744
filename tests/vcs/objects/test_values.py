"""Typed values: what JSON confuses is told apart, on every machine in the same way."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects import canonical, values

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
HASHABLE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT | st.binary(),
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.frozensets(inner, max_size=4),
    max_leaves=8,
)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.sets(HASHABLE, max_size=4)
        | st.dictionaries(TEXT | HASHABLE, inner, max_size=4)
    ),
    max_leaves=12,
)


def encoded(value: Any) -> bytes:
    return canonical.dumps(values.encode(value))


@given(VALUES)
def test_a_value_comes_back_with_its_types(value: Any) -> None:
    back = values.decode(canonical.loads(encoded(value)))
    assert back == value
    assert type(back) is type(value)
    assert encoded(back) == encoded(value)


def test_what_python_calls_equal_is_told_apart() -> None:
    alike: list[Any] = [1, 1.0, True, "1", b"1", [1], (1,), {1}, frozenset({1}), {1: 1}, {"1": 1}, {"$int": "1"}]
    assert len({encoded(value) for value in alike}) == len(alike)


@pytest.mark.parametrize("number", [math.inf, -math.inf, 1e-320, 0.1, -0.0])
def test_floats_come_back_exactly(number: float) -> None:
    back = values.decode(values.encode(number))
    assert back == number
    assert math.copysign(1, back) == math.copysign(1, number)


def test_not_a_number_comes_back() -> None:
    assert math.isnan(values.decode(values.encode(math.nan)))


def test_the_encoding_does_not_depend_on_the_hash_seed() -> None:
    script = (
        "from artvcs.vcs.objects import canonical, values;"
        "print(canonical.dumps(values.encode({'s': set('abcdefgh'), 'd': {(i, 'x'): i for i in range(9)},"
        " 'f': frozenset([1, 'a', b'b', None])})))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize(
    "data",
    [
        {"$int": "5"},  # small enough to be written as a number
        {"$int": "1_000_000_000_000_000_000"},
        {"$int": 5},
        {"$float": "1"},
        {"$float": "one"},
        {"$tuple": "ab"},
        {"$set": [1, 1]},
        {"$set": [2, 1]},
        {"$set": [[1]]},
        {"$dict": [["a", 1]]},  # its keys are all strings
        {"$dict": [[1, 2, 3]]},
        {"$bytes": "*"},
        {"$unknown": 1},
        {"$a": 1, "b": 2},
    ],
    ids=str,
)
def test_a_second_encoding_of_a_value_is_refused(data: Any) -> None:
    with pytest.raises(DamagedError):
        values.decode(data)


def test_what_is_no_plain_value_is_refused_by_name() -> None:
    class Odd:
        pass

    with pytest.raises(TypeError, match="Odd is not a plain value"):
        values.encode({"a": [Odd()]})


def test_a_value_that_holds_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="too deeply"):
        values.encode(loop)
