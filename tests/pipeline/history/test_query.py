"""Choosing versions and runs by what is known of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from artvcs.pipelines.errors import ParameterError
from artvcs.pipelines.history.finding import filters

FACTS = {"accuracy": 0.93, "name": "forest", "shape": [3, 4], "by": {"team": "vision"}, "final": True}


@pytest.mark.parametrize(
    "condition",
    ["accuracy > 0.9", "accuracy>=0.93", "accuracy < 1", "name = forest", 'name == "forest"', "name != oak",
     "shape = [3, 4]", "by.team = vision", "final = true", "final == True", "name != None", "name != oak and elm"],
)  # fmt: skip
def test_a_condition_that_holds(condition: str) -> None:
    assert filters.metadata_matches(FACTS, condition)


@pytest.mark.parametrize(
    "condition",
    ["accuracy > 0.93", "accuracy = forest", "name > 3", "missing != 1", "missing = 1", "by.team = audio"],
)
def test_a_condition_that_does_not_hold(condition: str) -> None:
    assert not filters.metadata_matches(FACTS, condition)


def test_several_conditions_must_all_hold() -> None:
    assert filters.metadata_matches(FACTS, ["accuracy > 0.9", "name = forest"])
    assert not filters.metadata_matches(FACTS, ["accuracy > 0.9", "name = oak"])
    assert filters.metadata_matches(FACTS, {"name": "forest", "by.team": "vision"})
    assert not filters.metadata_matches(FACTS, {"name": "oak"})


@pytest.mark.parametrize(
    "text", ["accuracy", "> 3", "accuracy >", "", "accuracy >> 1", "accuracy => 1", "accuracy =< 1", "accuracy === 1"]
)
def test_what_is_not_a_comparison_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="cannot be understood"):
        filters.metadata_matches(FACTS, text)
    assert filters.metadata_matches({"note": "> 1"}, "note = '> 1'")


@pytest.mark.parametrize("text", ["accuracy > .5", "accuracy < 1.", "accuracy > -.5e-3"])
def test_a_number_is_written_as_in_python_too(text: str) -> None:
    assert filters.metadata_matches({"accuracy": 0.9}, text)


@pytest.mark.parametrize("text", ["accuracy > 0 and final = true", "name != oak or name != elm", "a > 1 && b < 2"])
def test_two_conditions_in_one_are_refused_and_not_taken_for_text(text: str) -> None:
    with pytest.raises(ParameterError, match="holds several; give each by itself"):
        filters.metadata_matches(FACTS, text)
    assert filters.metadata_matches({"note": "a and b > 1"}, "note = 'a and b > 1'")


def test_a_moment_can_be_written_in_several_ways() -> None:
    assert filters.moment(None) is None
    assert filters.moment("2026-01-31T12:00:00+00:00") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    ago = filters.moment("2d")
    assert ago is not None
    assert abs(datetime.now(UTC) - ago - timedelta(days=2)) < timedelta(minutes=1)
    assert filters.moment(timedelta(days=2)) is not None
    with pytest.raises(ParameterError, match="2026-01-31 or 30d"):
        filters.moment("yesterday")


def test_sorting_downwards_and_taking_the_first() -> None:
    keys = {"size": len}
    assert filters.ordered(["a", "ccc", "bb"], "-size", keys, 2) == ["ccc", "bb"]
    assert filters.ordered(["a", "ccc", "bb"], None, keys, None) == ["a", "ccc", "bb"]
    with pytest.raises(ParameterError, match="choose one of size"):
        filters.ordered(["a"], "colour", keys, None)
