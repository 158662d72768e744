"""Sparse columns and pandas' own arrays: what they cost, and what of them is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import by_name, find_for_value

from .equality import same
from .harness import files_of, round_trip, save

GAPS = pd.arrays.SparseArray([0.0, 5.0, 0.0, 7.0], fill_value=0.0)


def test_a_frame_of_many_sparse_columns_is_a_few_files(tmp_path: Path) -> None:
    words = pd.Series([f"word {number}" for number in range(300)])
    frame = pd.get_dummies(words, sparse=True)
    save(frame, tmp_path)
    assert len(files_of(tmp_path)) == 3  # the table, the places and the points
    assert same(frame, round_trip(frame))


def test_gaps_are_never_filled(tmp_path: Path) -> None:
    long = pd.Series(pd.arrays.SparseArray([1.0], fill_value=0.0)).reindex(range(10_000_000), fill_value=0.0)
    materializer = save(long, tmp_path)
    assert sum(map(len, files_of(tmp_path).values())) < 10_000
    assert materializer.extract_metadata(long) == {"length": 10_000_000, "dtype": "Sparse[float64, 0.0]", "missing": 0}
    loaded = round_trip(long)
    assert loaded.sparse.npoints == 1


def test_a_loaded_array_can_be_changed() -> None:
    loaded = round_trip(pd.period_range("2020", periods=2, freq="M").array)
    loaded[0] = loaded[1]
    assert loaded[0] == pd.Period("2020-02", "M")


@pytest.mark.parametrize(
    ("places", "points"),
    [
        ([1, 4], [5.0, 7.0]),
        ([-1, 3], [5.0, 7.0]),
        ([3, 1], [5.0, 7.0]),
        ([1, 1], [5.0, 7.0]),
        ([1], [5.0, 7.0]),
        ([1, 3], [5.0]),
        ([[1, 3]], [5.0, 7.0]),
        ([1, 3], [[5.0], [7.0]]),
    ],
    ids=str,
)
def test_false_places(places: list[Any], points: list[Any], tmp_path: Path) -> None:
    save(pd.Series(GAPS), tmp_path)
    np.save(tmp_path / "0" / "array.npy", np.array(places, dtype=np.int32))
    np.save(tmp_path / "1" / "array.npy", np.array(points))
    with pytest.raises(MaterializerError):
        by_name("artvcs.pandas.Series")(str(tmp_path)).load(object)


class Mine(pd.arrays.PeriodArray):
    """A user's array."""


@pytest.mark.parametrize(
    "value",
    [
        Mine(np.array([1]), dtype=pd.PeriodDtype("D")),
        pd.arrays.NumpyExtensionArray(np.array([1])),
        pd.date_range("2020", periods=2).array.reshape(1, 2),
    ],
    ids=["a user's", "of numpy's", "a table"],
)
def test_other_arrays_are_pickled(value: Any) -> None:
    assert find_for_value(value).NAME == "artvcs.pickle"
