"""Whether two values are the same in everything a user could notice: stricter than `==`."""

from __future__ import annotations

import collections
import dataclasses
import math
import struct
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa


def same(a: Any, b: Any) -> bool:
    """Types, order, dtypes, NaN and the sign of zero included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, int):
        return bool(a == b)  # the text of a large one is refused
    if isinstance(a, float):
        return _same_float(a, b)
    if isinstance(a, Decimal):
        return str(a) == str(b)  # NaN is not equal to itself
    if isinstance(a, complex):
        return _same_float(a.real, b.real) and _same_float(a.imag, b.imag)
    if isinstance(a, dict):
        factories = [getattr(x, "default_factory", None) for x in (a, b)]
        return factories[0] is factories[1] and same(list(a), list(b)) and same(list(a.values()), list(b.values()))
    if isinstance(a, (list, tuple, collections.deque)):
        limits = [getattr(x, "maxlen", None) for x in (a, b)]
        return len(a) == len(b) and limits[0] == limits[1] and all(map(same, a, b))
    if isinstance(a, (set, frozenset)):
        return len(a) == len(b) and all(any(same(x, y) for y in b) for x in a)
    if isinstance(a, slice):
        return same([a.start, a.stop, a.step], [b.start, b.stop, b.step])
    if dataclasses.is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    return _same_library(a, b)


def _same_float(a: float, b: float) -> bool:
    return struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b))


def _same_library(a: Any, b: Any) -> bool:
    if isinstance(a, np.ma.MaskedArray):
        kept = a.hardmask == b.hardmask and same(a.fill_value, b.fill_value)
        return kept and same(np.asarray(a.mask), np.asarray(b.mask)) and same(a.data, b.data)
    if isinstance(a, np.ndarray):
        return _same_array(a, b)
    if isinstance(a, np.generic):
        return a.dtype == b.dtype and same(np.asarray(a), np.asarray(b))
    if isinstance(a, (pd.DataFrame, pd.Series, pd.Index)):
        return _same_pandas(a, b)
    if isinstance(a, pd.api.extensions.ExtensionArray):
        return same(getattr(a, "freq", None), getattr(b, "freq", None)) and _same_cells(a, b)
    if isinstance(a, np.polynomial._polybase.ABCPolyBase):
        parts = [[x.coef, x.domain, x.window, x.symbol] for x in (a, b)]
        return same(*parts)
    if isinstance(a, (pa.Table, pa.RecordBatch)):
        schema = a.schema.equals(b.schema, check_metadata=True) and str(a.schema) == str(b.schema)
        return bool(schema and a.to_pylist() == b.to_pylist())
    if isinstance(a, (pa.Array, pa.ChunkedArray)):
        return bool(str(a.type) == str(b.type) and a.equals(b))
    if isinstance(a, (pd.Interval, pd.Period, pd.CategoricalDtype, pd.tseries.offsets.BaseOffset)):
        return _same_pandas_single(a, b)
    if a is pd.NaT or a is pd.NA:
        return a is b
    if hasattr(a, "fold"):
        return bool(a == b and a.fold == b.fold and repr(a) == repr(b))
    return bool(a == b and repr(a) == repr(b))


def _same_array(a: Any, b: Any) -> bool:
    # The text of a dtype says what `==` passes over: alignment, and that items are of the type numpy.record.
    if a.shape != b.shape or a.dtype != b.dtype or a.dtype.str != b.dtype.str or repr(a.dtype) != repr(b.dtype):
        return False
    if a.flags.f_contiguous != b.flags.f_contiguous and a.flags.f_contiguous and not a.flags.c_contiguous:
        return False
    if a.dtype == object or a.dtype.kind == "T":
        return same(a.ravel().tolist(), b.ravel().tolist())
    if a.dtype.names is not None:
        return all(_same_array(a[name], b[name]) for name in a.dtype.names)
    if a.dtype.kind in "fc":
        return bool(np.array_equal(a, b, equal_nan=True) and np.array_equal(np.signbit(a.real), np.signbit(b.real)))
    return bool(a.tobytes() == b.tobytes())


def _same_pandas(a: Any, b: Any) -> bool:
    # Not pandas.testing: it cannot compare NaN inside a tuple, nor nested sequences.
    if isinstance(a, pd.MultiIndex):
        parts = zip((*a.levels, *a.codes), (*b.levels, *b.codes), strict=True)
        return same(list(a.names), list(b.names)) and all(same(x, y) for x, y in parts)
    if isinstance(a, pd.Index):
        freqs = [getattr(x, "freq", None) for x in (a, b)]
        return freqs[0] == freqs[1] and same(a.name, b.name) and _same_cells(a, b)
    noted = same(a.attrs, b.attrs) and a.flags == b.flags and same(a.index, b.index)
    if isinstance(a, pd.Series):
        return noted and same(a.name, b.name) and _same_cells(a, b)
    columns = same(a.columns, b.columns) and a.shape == b.shape
    return noted and columns and all(_same_cells(a.iloc[:, i], b.iloc[:, i]) for i in range(a.shape[1]))


def _same_pandas_single(a: Any, b: Any) -> bool:
    if isinstance(a, pd.Interval):
        return same([a.left, a.right, a.closed], [b.left, b.right, b.closed])
    if isinstance(a, pd.Period):
        return a.ordinal == b.ordinal and same(a.freq, b.freq)
    if isinstance(a, pd.CategoricalDtype):
        return _same_dtype(a, b)
    # numpy's calendar has no equality; it says the weekmask and the holidays once more.
    arguments = [{"n": x.n, "normalize": x.normalize, **dict(sorted(x.kwds.items())), "calendar": 0} for x in (a, b)]
    return same(*arguments) and bool(a == b)


def _same_cells(a: Any, b: Any) -> bool:
    if isinstance(a.dtype, pd.SparseDtype) and not _same_points(*(getattr(x, "array", x) for x in (a, b))):
        return False
    return _same_dtype(a.dtype, b.dtype) and same(list(a), list(b))


def _same_points(a: Any, b: Any) -> bool:
    return bool(
        same(a.fill_value, b.fill_value)
        and same(a.sp_values, b.sp_values)
        and a.kind == b.kind
        and a.sp_index.equals(b.sp_index)
    )


def _same_dtype(a: Any, b: Any) -> bool:
    if isinstance(a, pd.CategoricalDtype):
        return a.ordered is b.ordered and same(a.categories, b.categories)
    details = [(str(x), type(x), getattr(x, "storage", None), repr(getattr(x, "tz", None))) for x in (a, b)]
    return bool(a == b) and details[0] == details[1]
