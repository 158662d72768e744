"""One pandas object of every kind that has its own way into a file."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa


def frames() -> dict[str, Any]:
    """DataFrames."""
    noted = pd.DataFrame({"a": [1]})
    noted.attrs = {"source": ("x", 1)}
    days = pd.date_range("2020-01-01", periods=4, freq="D", tz="Europe/Berlin", name="day")
    multi = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", None])
    return {
        "plain": pd.DataFrame({"i": [1, 2], "f": [0.5, np.nan], "b": [True, False], "s": ["x", None]}),
        "objects": pd.DataFrame({"s": pd.Series(["x", None], dtype=object), "t": pd.Series(["x", 1], dtype=object)}),
        "attrs": noted,
        "times": pd.DataFrame({"t": days, "u": days.tz_convert("UTC").as_unit("s"), "d": days - days[0]}, index=days),
        "categories": pd.DataFrame(
            {
                "c": pd.Categorical(["a", None], categories=["b", "a", "z"], ordered=True),
                "t": pd.Categorical(pd.to_datetime(["2020", "2021"])),
                "i": pd.Categorical([3, 1]),
            }
        ),
        "nullable": pd.DataFrame(
            {
                **{name: pd.array([1, None], dtype=name) for name in ("Int8", "UInt64", "Float32", "boolean")},
                **{name: pd.array(["a", None], dtype=name) for name in ("string[python]", "string[pyarrow]")},
            }
        ),
        "arrow": pd.DataFrame(
            {
                "i": pd.array([1, None], dtype=pd.ArrowDtype(pa.int32())),
                "l": pd.array([[1], None], dtype=pd.ArrowDtype(pa.list_(pa.int8()))),
                "d": pd.array(["a", "b"], dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))),
            }
        ),
        "period": pd.DataFrame({"p": pd.period_range("2020", periods=2, freq="M")}),
        "interval": pd.DataFrame({"i": pd.interval_range(0, 2), "t": pd.IntervalIndex.from_breaks(days[:3], "both")}),
        "multi": pd.DataFrame(np.eye(4), index=multi, columns=multi.set_names(["p", ("q", 1)])),
        "duplicates": pd.DataFrame([[1, "x", 2.0]], columns=pd.Index(["a", "a", 3], dtype=object)),
        "tuples as labels": pd.DataFrame([[1, 2]], columns=pd.Index([(1, 2), "x"], tupleize_cols=False)),
        "empty": pd.DataFrame(),
        "no columns": pd.DataFrame(index=pd.RangeIndex(2, 8, 3)),
        "no rows": pd.DataFrame({"a": np.array([], dtype="i2"), "b": pd.array([], dtype="Int8")}),
    }


def series() -> dict[str, Any]:
    """Series and indexes."""
    mixed = ["a", np.nan, None, Decimal("1.0"), (1, 2), {"k": [1]}, pd.NaT, pd.NA, pd.Timestamp("2020", tz="UTC")]
    return {
        "named": pd.Series([1, 2], name=("a", 1)),
        "mixed": pd.Series(mixed, dtype=object),
        "text and nan": pd.Series(["a", np.nan], dtype=object),
        "bytes": pd.Series([b"a", None], dtype=object),
        "surrogate": pd.Series(["\ud800"], dtype=object),
        "vectors": pd.Series([np.arange(3.0), np.arange(0.0)], index=["a", "b"]),
        "matrices": pd.Series([np.eye(2), np.eye(3)]),
        "complex": pd.Series([1 + 2j, -0.0]),
        "float16": pd.Series([1.5, np.nan], dtype="float16"),
        "big endian": pd.Series(np.array([1, 2], dtype=">i4")),
        "range": pd.RangeIndex(3, 9, 2, name="r"),
        "floats": pd.Index([1.5, np.nan], name=0),
        "objects": pd.Index([1, "a", None, (1, 2)], dtype=object, tupleize_cols=False),
        "categorical": pd.CategoricalIndex(["a", "b", "a"], ordered=True),
        "timedelta": pd.timedelta_range("1h", periods=3, name="d"),
        "business": pd.date_range("2020-01-01", periods=5, freq="B"),
        "periods": pd.period_range("2020-01-01", periods=2, freq="2D"),
        "intervals": pd.interval_range(0.0, 2.0, name="i"),
    }
