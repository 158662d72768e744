"""A noun agrees with its number."""

from __future__ import annotations

import pytest

from artvcs.vcs import count


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 steps"), (1, "1 step"), (2, "2 steps"), (1200, "1,200 steps")]
)  # fmt: skip
def test_so_many_of_a_thing(number: int, said: str) -> None:
    assert count(number, "step") == said
