"""Canonical JSON: one value, one encoding, and a reader that insists on it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects import canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
INTEGERS = st.integers(-canonical.MAX_INT, canonical.MAX_INT)
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
