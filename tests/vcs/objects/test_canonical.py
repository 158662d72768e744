"""Canonical JSON: one value, one encoding, and a reader that insists on it."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects import canonical
from artvcs.vcs.objects.limits import MAX_DEPTH, MAX_INT, MAX_ITEMS, MAX_RECORD

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
INTEGERS = st.integers(-MAX_INT, MAX_INT)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@given(JSON)
def test_what_is_encoded_comes_back(value: Any) -> None:
    assert canonical.loads(canonical.dumps(value)) == value


@given(st.dictionaries(TEXT, INTEGERS))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    backwards = dict(reversed(value.items()))
    assert canonical.dumps(value) == canonical.dumps(backwards)


@given(st.lists(TEXT, unique=True))
def test_keys_are_sorted_as_their_utf8_bytes_are(keys: list[str]) -> None:
    written = list(json.loads(canonical.dumps(dict.fromkeys(keys))))
    assert written == sorted(keys, key=lambda key: key.encode())


@given(JSON, st.data())
def test_a_changed_byte_is_refused_or_means_something_else(value: Any, data: st.DataObject) -> None:
    encoded = bytearray(canonical.dumps(value))
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] ^= data.draw(st.integers(1, 255))
    try:
        changed = canonical.loads(bytes(encoded))
    except DamagedError:
        return
    assert canonical.dumps(changed) == bytes(encoded) != canonical.dumps(value)


@pytest.mark.parametrize(
    "text",
    [
        '{"b":1,"a":2}',
        '{"a":1,"a":1}',
        '{"a": 1}',
        "[1 ]",
        "1.0",
        "1e3",
        "-0",
        "NaN",
        "Infinity",
        '"\\u0041"',
        '"\\ud800"',
        "9007199254740992",
        "[",
        "",
        "[1]\n",
        "\ufeff[1]",
        "[" * 100_000,
        "[" * 500 + "]" * 500,
        "9" * 5000,
    ],
    ids=lambda text: text[:20],
)
def test_a_reader_refuses_what_is_not_canonical(text: str) -> None:
    with pytest.raises(DamagedError):
        canonical.loads(text.encode())


def test_a_reader_refuses_bytes_that_are_not_utf8() -> None:
    with pytest.raises(DamagedError):
        canonical.loads(b'"\xff"')


@pytest.mark.parametrize("value", [1.5, {1: "a"}, b"bytes", {1, 2}, object()])
def test_a_writer_refuses_what_json_has_not(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical.dumps(value)


@pytest.mark.parametrize("value", [2**53, -(2**53), "\ud800"])
def test_a_writer_refuses_what_no_reader_would_take(value: Any) -> None:
    with pytest.raises(ValueError, match=r"2\*\*53|surrogates"):
        canonical.dumps(value)


@pytest.mark.parametrize("value", [[[1.5]], {"a": {1: "a"}}, {"a": [float("nan")]}, {None: 1}, {True: 1}, [{1.5: 1}]])
def test_a_writer_looks_inside(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical.dumps(value)


def test_numbers_in_texts_and_texts_as_keys_are_no_numbers() -> None:
    value = {"1": "[1.5,9007199254740992", "true": ",1e9", 'a"[': "\\", "b": "]]]]", "c": "\\[", "null": '"{'}
    assert canonical.loads(canonical.dumps(value)) == value


# Hostile sizes: what is refused is refused before it costs anything.

HOSTILE = {
    "brackets without end": b"[" * 1_000_000,
    "lists in lists": b"[" * 1_000_000 + b"]" * 1_000_000,
    "objects in objects": b'{"a":' * 1_000_000 + b"1" + b"}" * 1_000_000,
    "lists beside texts": b'["]",' * 400_000 + b"1" + b"]" * 400_000,
    "lists beside quotes": b'["\\"]",' * 300_000 + b"1" + b"]" * 300_000,
    "other brackets": b"[}" * 500_000,
    "quotes without end": b'"' + b'\\"' * 5_000_000,
    "digits": b"9" * 5_000_000,
    "digits in a list": b"[-" + b"9" * 5_000_000 + b"]",
    "decimals": b"1." + b"1" * 5_000_000,
    "an exponent": b"1e" + b"9" * 5_000_000,
    "items": b"[" + b"0," * MAX_ITEMS + b"0]",
    "bytes": b'"' + b"a" * MAX_RECORD + b'"',
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("recursion_limit", [sys.getrecursionlimit(), 10_000_000])
def test_hostile_sizes_are_refused_at_once(data: bytes, recursion_limit: int) -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(recursion_limit)  # as some libraries do; then only the stack's end would stop a parser
    began = time.perf_counter()
    try:
        with pytest.raises(DamagedError) as refused:
            canonical.loads(data)
    finally:
        sys.setrecursionlimit(before)
    assert time.perf_counter() - began < 1
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("text", ["", "]", '"]"', '\\"', "\\"])
def test_the_greatest_depth_is_the_same_for_readers_and_writers(text: str) -> None:
    value: Any = text
    for _ in range(MAX_DEPTH):
        value = [value]
    assert canonical.loads(canonical.dumps(value)) == value
    deeper = b"[" + canonical.dumps(value) + b"]"
    with pytest.raises(DamagedError, match="nested too deeply"):
        canonical.loads(deeper)
    with pytest.raises(ValueError, match="nested too deeply"):
        canonical.dumps([value])


@pytest.mark.parametrize("value", [[0] * (MAX_ITEMS + 1), "a" * MAX_RECORD], ids=["items", "bytes"])
def test_a_writer_refuses_more_than_a_reader_takes(value: Any) -> None:
    with pytest.raises(ValueError, match="more than"):
        canonical.dumps(value)


def test_a_writer_refuses_what_holds_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="Circular"):
        canonical.dumps(loop)
