"""Random values of every kind that is kept exactly; reused by the benchmark with many more of them."""

from __future__ import annotations

import collections
import re
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from .samples import Box, Color, Frozen, Level, Mode, Permission, Point, Settings

_TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
# A signaling NaN cannot be a key.
_DECIMALS = st.decimals().filter(lambda number: not number.is_snan())
_ZONES = st.one_of(st.none(), st.timezones())
_NUMBERS = st.one_of(st.integers(), st.floats(allow_subnormal=True), st.complex_numbers(), st.fractions())
_TIMES = st.one_of(
    st.datetimes(timezones=_ZONES), st.dates(), st.times(timezones=_ZONES), st.timedeltas(), st.timezones()
)
_PERIODS = st.builds(
    lambda ordinal, freq: pd.Period(ordinal=ordinal, freq=freq), st.integers(-(2**40), 2**40), st.sampled_from("DMYhs")
)
_INTERVALS = st.builds(
    lambda ends, closed: pd.Interval(*sorted(ends), closed=closed),
    st.tuples(*[st.one_of(st.integers(), st.floats(allow_nan=False))] * 2),
    st.sampled_from(["left", "right", "both", "neither"]),
)
_ENUMS = st.one_of(st.sampled_from([*Color, *Level, *Mode]), st.sampled_from(Permission), st.just(~Permission.READ))


def hashables() -> st.SearchStrategy[Any]:
    """Values that can be keys."""
    single = st.one_of(
        *(st.none(), st.booleans(), _NUMBERS, _TEXT, st.binary(max_size=8), _DECIMALS, st.uuids(), _TIMES, _ENUMS),
        *(_PERIODS, _INTERVALS, _TEXT.map(re.escape).map(re.compile)),
    )
    return st.recursive(
        single,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(tuple),
            st.frozensets(inner, max_size=3),
            st.builds(Point, st.integers(), inner),
            st.builds(Frozen, st.integers(), inner),
        ),
        max_leaves=4,
    )


def values() -> st.SearchStrategy[Any]:
    """Values nested in containers of every kind."""
    return st.recursive(
        st.one_of(hashables(), st.binary(max_size=4).map(bytearray), arrays(1)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.lists(inner, max_size=4).map(tuple),
            st.dictionaries(st.one_of(_TEXT, hashables()), inner, max_size=3),
            st.dictionaries(hashables(), inner, max_size=3).map(collections.OrderedDict),
            st.dictionaries(hashables(), inner, max_size=3).map(lambda d: collections.defaultdict(int, d)),
            st.dictionaries(hashables(), st.integers(), max_size=3).map(collections.Counter),
            st.builds(collections.deque, st.lists(inner, max_size=3), st.one_of(st.none(), st.just(5))),
            st.sets(hashables(), max_size=3),
            st.builds(Settings, _TEXT, st.lists(inner, max_size=2)),
            st.builds(Box, inner),
        ),
        max_leaves=8,
    )


def homogeneous() -> st.SearchStrategy[Any]:
    """Lists that may take the fast way through JSON, and those that only look as if they could."""
    items = [st.integers(), st.floats(), _TEXT, st.booleans(), st.one_of(st.integers(), st.none(), st.floats())]
    return st.one_of(*(st.lists(item) for item in items))


def arrays(dimensions: int = 3) -> st.SearchStrategy[Any]:
    """numpy arrays of any dtype, in either memory order, with and without gaps between the items."""
    dtypes = st.one_of(
        npst.scalar_dtypes(),
        npst.unicode_string_dtypes(max_len=4),
        npst.byte_string_dtypes(max_len=4),
        npst.nested_dtypes(max_itemsize=64),
        npst.nested_dtypes(max_itemsize=64).map(_aligned),
    )
    shapes = npst.array_shapes(min_dims=0, max_dims=dimensions, min_side=0, max_side=4)
    made = dtypes.filter(lambda dtype: not dtype.hasobject).flatmap(lambda dtype: npst.arrays(dtype, shapes))
    changes = [lambda a: a, np.asfortranarray, lambda a: a[::2] if a.ndim else a, lambda a: a.T]
    return st.builds(lambda array, change: change(np.asarray(array)), made, st.sampled_from(changes))


def _aligned(dtype: Any) -> Any:
    return (
        dtype if dtype.names is None else np.dtype([(name, _aligned(dtype[name])) for name in dtype.names], align=True)
    )


def columns(size: int) -> st.SearchStrategy[Any]:
    """Columns of pandas data of many dtypes."""

    def cells(items: st.SearchStrategy[Any], dtype: Any) -> st.SearchStrategy[Any]:
        rows = st.lists(items, min_size=size, max_size=size)
        return rows.map(lambda row: pd.Series(_column(row), dtype=dtype).array)

    maybe = st.one_of(st.none(), st.integers(-100, 100))
    words = st.text(max_size=4)
    moments = st.integers(-(2**53), 2**53)
    return st.one_of(
        *(cells(st.integers(0, 100), dtype) for dtype in ("int8", "uint16", "int64", "float32", "complex128")),
        cells(st.floats(), "float64"),
        cells(st.booleans(), "bool"),
        *(cells(maybe, dtype) for dtype in ("Int8", "Int64", "Float64")),
        cells(st.one_of(st.none(), st.booleans()), "boolean"),
        *(cells(st.one_of(st.none(), words), dtype) for dtype in ("string[python]", "string[pyarrow]", "category")),
        cells(st.one_of(st.none(), _TEXT, st.just(float("nan"))), object),
        cells(hashables(), object),
        *(cells(moments, f"datetime64[{unit}]") for unit in ("s", "us", "ns")),
        *(cells(moments, f"datetime64[us, {zone}]") for zone in ("UTC", "Europe/Berlin")),
        cells(moments, "timedelta64[ns]"),
        cells(_PERIODS.map(lambda period: pd.Period(ordinal=period.ordinal, freq="s")), "period[s]"),
        cells(st.integers(0, 2), "Sparse[int64]"),
        cells(st.one_of(st.just(0.5), st.floats()), pd.SparseDtype("float64", 0.5)),
    )


def indexes(size: int) -> st.SearchStrategy[Any]:
    """Indexes of many kinds."""
    names = st.one_of(st.none(), st.integers(), st.text(max_size=3), st.tuples(st.integers(), st.text(max_size=2)))
    plain = st.one_of(
        st.integers(-5, 5).map(lambda start: pd.RangeIndex(start, start + size)),
        columns(size).map(lambda column: pd.Index(column, dtype=column.dtype, tupleize_cols=False)),
        st.sampled_from(["D", "h", "B", "MS"]).map(lambda freq: pd.date_range("2020", periods=size, freq=freq)),
        st.sampled_from(["D", "M", "Q"]).map(lambda freq: pd.period_range("2020", periods=size, freq=freq)),
        st.lists(st.tuples(st.integers(0, 2), st.text(max_size=1)), min_size=size, max_size=size).map(
            lambda rows: pd.MultiIndex.from_arrays([[a for a, _ in rows], [b for _, b in rows]])
        ),
    )
    return st.builds(_named, plain, names)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """DataFrames of a few columns, whose labels may repeat or be no text."""
    size = draw(st.integers(0, 5))
    cells = draw(st.lists(columns(size), max_size=4))
    try:
        frame = pd.DataFrame({number: pd.Series(values) for number, values in enumerate(cells)})
    except UnicodeEncodeError:  # pandas itself cannot hold a column of half a surrogate pair and nothing else
        reject()
    frame.index = draw(indexes(size)) if cells else frame.index
    frame.columns = draw(indexes(len(cells)))
    if draw(st.booleans()):
        frame.attrs = draw(st.dictionaries(st.text(max_size=3), hashables(), max_size=2))
    return frame


@st.composite
def series(draw: st.DrawFn) -> pd.Series:
    """Series with any index and name."""
    size = draw(st.integers(0, 5))
    values = pd.Series(draw(columns(size)), index=draw(indexes(size)), copy=False)
    values.name = draw(hashables())
    return values


def _column(items: list[Any]) -> Any:
    column = np.empty(len(items), dtype=object)
    for number, item in enumerate(items):
        column[number] = item
    return column


def _named(index: pd.Index, name: Any) -> pd.Index:
    return index.set_names([name] * index.nlevels) if isinstance(index, pd.MultiIndex) else index.rename(name)
