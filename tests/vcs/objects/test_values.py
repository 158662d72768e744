"""Typed values: what JSON confuses is told apart, on every machine in the same way."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects import canonical, values
from artvcs.vcs.objects.limits import MAX_ALIKE, MAX_DIGITS, MAX_VALUE_DEPTH

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


def test_an_integer_of_any_use_is_kept_and_a_longer_one_refused_in_words() -> None:
    longest = 10**MAX_DIGITS - 1
    assert values.decode(values.encode(-longest)) == -longest
    with pytest.raises(ValueError, match="more than 4300 digits"):
        values.encode(longest + 1)


def test_a_value_as_deep_as_allowed_comes_back() -> None:
    value: Any = 1.5
    for _ in range(MAX_VALUE_DEPTH // 2):
        value = (value,)
    assert values.decode(values.encode(value)) == value
    with pytest.raises(ValueError, match="too deeply"):
        values.encode((value,))


def test_nested_dictionaries_are_sorted_by_their_keys_alone() -> None:
    value: Any = 0
    for at in range(MAX_VALUE_DEPTH // 3):
        value = {at: value, "x": "y" * 10_000}
    began = time.perf_counter()
    assert values.decode(values.encode(value)) == value
    assert time.perf_counter() - began < 1


def nested(tag: str, depth: int, inner: Any) -> Any:
    for _ in range(depth):
        inner = {tag: [inner]}
    return inner


PRIME = 2**61 - 1  # Python's hash of an integer is its remainder by this

HOSTILE = {
    "a long integer": {"$int": "9" * 5_000_000},
    "a long float": {"$float": "1" * 5_000_000},
    "a float that is another": {"$float": "1e400"},
    "bytes of something else": {"$bytes": "=" * 5_000_000},
    "a text as bytes": {"$bytes": ["a"]},
    "a list in a set": {"$set": [[]]},
    "a dictionary in a set": {"$frozenset": [{}]},
    "a list as a key": {"$dict": [[[], 1]]},
    "a text of two letters as a pair": {"$dict": ["ab"]},
    "an object as a tuple": {"$tuple": {"a": 1}},
    "a boolean as an integer": {"$int": True},
    "tuples in tuples": nested("$tuple", 100_000, 1),
    "sets in sets": nested("$frozenset", 30, 1),
    "keys with one hash": {"$dict": [[{"$int": str(at * PRIME)}, 1] for at in range(10_000, 50_000)]},
    "a set with one hash": {"$set": [{"$int": str(at * PRIME)} for at in range(10_000, 50_000)]},
    "an unknown type": {"$" + "x" * 1_000_000: 1},
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_values_are_refused_at_once(data: Any) -> None:
    began = time.perf_counter()
    with pytest.raises(DamagedError) as refused:
        values.decode(data)
    assert time.perf_counter() - began < 1
    assert len(str(refused.value)) < 300


def test_lists_in_lists_without_end_are_refused() -> None:
    data: Any = []
    for _ in range(100_000):
        data = [data]
    with pytest.raises(DamagedError, match="too deeply"):
        values.decode(data)


def test_a_few_elements_may_have_the_same_hash() -> None:
    found = {at * PRIME for at in range(MAX_ALIKE)}
    assert values.decode(values.encode(found)) == found
    with pytest.raises(ValueError, match="same hash"):
        values.encode(found | {MAX_ALIKE * PRIME})
