"""Text of a stranger shows itself and does nothing else; what people write stays as it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.pipelines.escaping import printable, printable_json

ANY = st.text(st.characters())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b]0;title\x07b\x9b2J\u202eevil", "a\\x1b]0;title\\x07b\\x9b2J\\u202eevil"),
        ("back\rspace\x08", "back\\rspace\\x08"),
        ("two\nlines\u2028", "two\\nlines\\u2028"),
        ("in\u200bvisible\U000e0041\ufeff", "in\\u200bvisible\\U000e0041\\ufeff"),
        ("no Unicode \ud800", "no Unicode \\ud800"),
    ],
)
def test_what_steers_or_deceives_is_spelt_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["tab\tand ünïcode ✓", "東京\u3000駅", "1\u00a0000 €", "👩\u200d🔬", "עברית", "\\x1b"])
def test_what_people_write_stays(text: str) -> None:
    assert printable(text) == text


def test_lines_are_kept_where_they_are_meant() -> None:
    assert printable("one\ntwo\r", lines=True) == "one\ntwo\\r"


@given(ANY)
def test_printable_text_stays_as_it_is(text: str) -> None:
    once = printable(text)
    assert printable(once) == once


@given(st.recursive(ANY, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY, inner, max_size=3)))
def test_json_means_the_same(value: object) -> None:
    written = printable_json(json.dumps(value, ensure_ascii=False, indent=1))
    assert json.loads(written) == value
    assert printable(written, lines=True) == written
