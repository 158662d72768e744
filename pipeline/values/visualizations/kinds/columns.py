"""One column of a table in a few words and a small picture, whatever its dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .. import wording
from ..summary import Cell, Shares
from . import distribution

_TOP = 3


def describe(column: pd.Series) -> tuple[Cell, str]:
    """A picture of a column's distribution, and the figures that go with it.

    Args:
        column: The values, or a sample of them.
    """
    try:
        return _describe(column.dropna())
    except Exception:  # extension types are other libraries' code, and objects may not even be comparable
        return "", ""


def text_of(value: Any) -> str:
    """One cell of a table, on one line."""
    if isinstance(value, float) and value != value:
        return ""
    if isinstance(value, np.generic) and value.dtype.kind in "iufb":
        value = value.item()
    if isinstance(value, (pd.Timestamp, pd.Timedelta)):
        return str(value).removesuffix(" 00:00:00")
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if type(value) is bool:
        return str(value)
    if type(value) is int:
        return wording.cut(str(value), 40)  # without commas: it may be a year, or an identity
    return f"{value:.6g}" if type(value) is float else wording.value(value, 60)


def _describe(column: pd.Series) -> tuple[Cell, str]:
    dtype = column.dtype
    if not len(column):
        return "", "no values"
    if pd.api.types.is_bool_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
        return _shares(column)
    if pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return _times(column)
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        return _numbers(column)
    return _shares(column)


def _numbers(column: pd.Series) -> tuple[Cell, str]:
    values = np.asarray(column)
    if values.dtype.kind not in "iuf":
        values = column.to_numpy(dtype=np.float64)
    figures = distribution.statistics(values)
    infinite = int(np.count_nonzero(np.isinf(values))) if values.dtype.kind == "f" else 0
    words = [f"{name} {figure}" for name, figure in figures.items()] + [f"±inf {infinite}"] * bool(infinite)
    return distribution.histogram(values) or "", " · ".join(words)


def _times(column: pd.Series) -> tuple[Cell, str]:
    first, last = text_of(column.min()), text_of(column.max())
    bare = column.dt.tz_localize(None) if getattr(column.dt, "tz", None) is not None else column
    moments = bare.to_numpy().view(np.int64)
    found = distribution.histogram(moments, lambda _: "")
    return found or "", first if first == last else f"{first} … {last}"


def _shares(column: pd.Series) -> tuple[Cell, str]:
    try:
        counts = column.value_counts(sort=True)
    except TypeError:  # lists and the like cannot be counted; their types can
        counts = column.map(lambda value: f"({type(value).__name__})").value_counts(sort=True)
    counts = counts[counts > 0]
    # The order of equally frequent values is not to depend on anything but the values.
    frequent = sorted(zip(map(text_of, counts.index), counts, strict=True), key=lambda item: (-item[1], item[0]))
    items = tuple((label, float(count) / len(column)) for label, count in frequent[:_TOP])
    if len(counts) == len(column) > _TOP:
        examples = ", ".join(wording.cut(text_of(value), 16) for value in column.iloc[:_TOP])
        return f"{examples}, …", "all distinct"
    return Shares(items), f"{wording.number(len(counts))} distinct"
