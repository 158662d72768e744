"""One pandas object of every kind that has its own way into a file."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from dateutil.relativedelta import MO
from pandas.tseries import offsets


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
        "sparse": pd.DataFrame(_sparse(4)).set_axis(list("wxyz")),
        "sparse and not": pd.get_dummies(pd.Series(["a", "b", "a"]), sparse=True).assign(n=[1.5, 2.5, 3.5]),
        "multi": pd.DataFrame(np.eye(4), index=multi, columns=multi.set_names(["p", ("q", 1)])),
        "duplicates": pd.DataFrame([[1, "x", 2.0]], columns=pd.Index(["a", "a", 3], dtype=object)),
        "tuples as labels": pd.DataFrame([[1, 2]], columns=pd.Index([(1, 2), "x"], tupleize_cols=False)),
        "empty": pd.DataFrame(),
        "no columns": pd.DataFrame(index=pd.RangeIndex(2, 8, 3)),
        "no rows": pd.DataFrame({"a": np.array([], dtype="i2"), "b": pd.array([], dtype="Int8")}),
    }


def _sparse(length: int) -> dict[str, Any]:
    """Sparse arrays of many kinds."""
    make, gaps = pd.arrays.SparseArray, np.arange(length) % 3
    return {
        "numbers": make(gaps),
        "nan": make(np.where(gaps, np.nan, -0.0)),
        "filled": make(np.where(gaps, 0.0, np.nan), fill_value=0.0),
        "blocks": make(gaps, kind="block", fill_value=1),
        "stored zeros": _with_stored_zeros(length),
        "bytes": make(gaps.astype("u1"), fill_value=7),
        "truths": make(gaps == 1),
        "complex": make(gaps * 1j, fill_value=0j),
        "small": make(gaps.astype("f2")),
        "big endian": make(gaps.astype(">i4")),
        "times": make(np.where(gaps, np.datetime64("NaT"), np.datetime64("2020-01-01", "ns"))),
        "objects": make(np.array(["a", (1, 2), *[None] * (length - 2)], dtype=object), fill_value=None),
        "nothing": make(np.zeros(length), fill_value=0.0),
    }


def _with_stored_zeros(length: int) -> Any:
    values = pd.arrays.SparseArray(np.arange(float(length)), fill_value=0.0)
    values.sp_values[0] = 0.0
    return values


def series() -> dict[str, Any]:
    """Series and indexes."""
    mixed = ["a", np.nan, None, Decimal("1.0"), (1, 2), {"k": [1]}, pd.NaT, pd.NA, pd.Timestamp("2020", tz="UTC")]
    return {
        "named": pd.Series([1, 2], name=("a", 1)),
        "mixed": pd.Series(mixed, dtype=object),
        "text and nan": pd.Series(["a", np.nan], dtype=object),
        "bytes": pd.Series([b"a", None], dtype=object),
        "surrogate": pd.Series(["\ud800"], dtype=object),
        "surrogates": pd.Series(["\ud800", None], dtype="string[python]"),
        **{f"sparse {name}": pd.Series(values, name="s") for name, values in _sparse(3).items()},
        "sparse index": pd.Index(pd.arrays.SparseArray([0, 0, 5]), name="i"),
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


def extension_arrays() -> dict[str, Any]:
    """pandas' arrays by themselves."""
    days = pd.date_range("2020-01-01", periods=3, freq="D")
    return {
        "period array": pd.period_range("2020", periods=2, freq="Q-FEB").array,
        "interval array": pd.interval_range(0, 2, closed="both").array,
        "intervals of time": pd.IntervalIndex.from_breaks(days.tz_localize("UTC"), "neither").array,
        "date array": days.array,
        "zoned array": days.tz_localize("Europe/Berlin").array,
        "timedelta array": (days - days[0]).array,
        "categorical": pd.Categorical(["a", None], categories=pd.Index(["b", "a"], name="n"), ordered=True),
        "categorical periods": pd.Categorical(pd.period_range("2020", periods=2, freq="M")),
        "nullable array": pd.array([1, None], dtype="Int16"),
        "text array": pd.array(["a", None], dtype="string[python]"),
        "surrogate array": pd.array(["\udc00", None], dtype="string[python]"),
        "arrow array": pd.array([[1], None], dtype=pd.ArrowDtype(pa.list_(pa.int8()))),
        "sparse array": _sparse(5)["blocks"],
        "no periods": pd.array([], dtype="period[D]"),
        "arrays in a dict": {"a": [pd.array([True, None]), pd.period_range("2020", periods=1, freq="D").array]},
    }


def singles() -> dict[str, Any]:
    """Single values, offsets and dtypes."""
    moments = [pd.Timestamp(f"202{n}-06-01", tz="UTC").as_unit("s") for n in (0, 1)]
    periods = [pd.Period("2020-02-29", freq) for freq in ("M", "Q-FEB", "Y-MAR", "W-TUE", "2D", "h", "3us")]
    custom = offsets.CustomBusinessDay(2, holidays=["2020-01-01", "2020-12-25"], weekmask="Sun Mon Tue")
    return {
        "periods": periods,
        "period": periods[0],
        "set of periods": {*periods},
        "early period": pd.Period("0001-01-01", "s"),
        "interval": pd.Interval(0, 1, "both"),
        "intervals": [
            pd.Interval(np.float32(0), np.int64(1), "left"),
            pd.Interval(-(2**70), float("inf"), "neither"),
            pd.Interval(-0.0, 0.0),
            pd.Interval(*moments, closed="right"),
            pd.Interval(pd.Timedelta(1), pd.Timedelta(2).as_unit("ns")),
        ],
        "set of intervals": {pd.Interval(0, n) for n in range(1, 9)},
        "categories": pd.CategoricalDtype(["b", "a"], ordered=True),
        "no categories yet": [pd.CategoricalDtype(), pd.CategoricalDtype(ordered=True)],
        "named categories": {"kinds": pd.CategoricalDtype(pd.Index([1.5, 2.5], name="size"), ordered=None)},
        "categories of days": pd.CategoricalDtype(pd.date_range("2020-01-01", periods=3, freq="D", tz="UTC")),
        "categories of intervals": pd.CategoricalDtype(pd.interval_range(0, 3)),
        "offset": pd.DateOffset(2, months=1, hour=3, normalize=True),
        "offsets": [
            *(offsets.Day(3), offsets.Nano(5), offsets.MonthEnd(-1), offsets.Week(weekday=2), offsets.Week()),
            *(offsets.BusinessDay(offset=pd.Timedelta(hours=1)), offsets.SemiMonthBegin(day_of_month=10)),
            *(offsets.BusinessHour(start=["09:00", "13:00"], end=["12:00", "17:30"]), offsets.Easter()),
            *(offsets.FY5253Quarter(weekday=1, startingMonth=2, qtr_with_extra_week=1, variation="nearest"),),
            *(offsets.LastWeekOfMonth(weekday=1), offsets.WeekOfMonth(week=2, weekday=3), offsets.YearEnd(month=3)),
            *(custom, offsets.CustomBusinessHour(holidays=["2020-01-01"]), offsets.CustomBusinessMonthEnd()),
            *(pd.DateOffset(weekday=MO(2)), pd.DateOffset(weekday=1), pd.DateOffset(days=1, nanoseconds=5)),
        ],
        "set of offsets": {offsets.Day(n) for n in range(1, 9)},
        "index of a calendar": pd.date_range("2020-01-01", periods=4, freq=custom),
        "objects": pd.Series([periods[0], pd.Interval(0, 1), offsets.Day(), pd.NaT, custom], dtype=object),
    }
