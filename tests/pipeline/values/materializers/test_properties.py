"""Random values come back the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from . import strategies
from .equality import same
from .harness import round_trip

some = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@some
@given(strategies.values())
def test_nested_values(value: Any) -> None:
    assert same(value, round_trip(value))


@some
@given(strategies.homogeneous())
def test_lists_of_one_type(value: Any) -> None:
    assert same(value, round_trip(value))


@settings(some, max_examples=40)
@given(strategies.arrays())
def test_arrays(value: Any) -> None:
    loaded = round_trip(value)
    assert same(np.asarray(value), np.asarray(loaded))
    assert not isinstance(loaded, np.ndarray) or loaded.flags.writeable


@pytest.mark.long
@some
@given(strategies.frames())
def test_frames(value: pd.DataFrame) -> None:
    assert same(value, round_trip(value))


@pytest.mark.long
@some
@given(strategies.series())
def test_series(value: pd.Series) -> None:
    assert same(value, round_trip(value))
