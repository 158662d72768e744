"""Columns of pandas data as Arrow arrays, and what has to be known to make the same column again.

Each kind of column has a spec: JSON that names the kind, its details, and the number of its array in
the sheet. What no kind fits is a part with files of its own, as in a list.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..numpy.arrays import fits_npy, without_padding
from ..protocols import Json
from . import extensions
from .sheets import SheetReader, SheetWriter

_MAX_INLINE = 100
_TIME_UNITS = ("ms", "us", "ns")


def encode_column(values: Any, name: str, sheet: SheetWriter) -> Json:
    """The spec of a column; its data go into the sheet."""
    if isinstance(values, np.ndarray):
        return _encode_objects(values, name, sheet) if values.dtype == object else _encode_numpy(values, name, sheet)
    if isinstance(values, pd.arrays.IntervalArray):
        sides = [encode_column(_values(side), name, sheet) for side in (values.left, values.right)]
        return {"kind": "interval", "sides": sides, "closed": values.closed}
    return extensions.encode(values, name, sheet) if extensions.fits(values) else _encode_part(values, sheet)


def decode_column(spec: Json, sheet: SheetReader) -> Any:
    """The column that has this spec: a numpy array or a pandas extension array."""
    match spec["kind"]:
        case "numpy":
            return sheet.chunked(spec["at"]).to_numpy().astype(_dtype(spec), copy=False)
        case "view":
            return _raw(sheet.array(spec["at"])).view(_dtype(spec))
        case "text" | "bytes":
            return _decode_text(spec, sheet)
        case "arrays":
            return _decode_arrays(spec, sheet)
        case "objects":
            return _object_array(sheet.decoder.decode(spec["items"]))
        case "interval":
            left, right = (decode_column(side, sheet) for side in spec["sides"])
            return pd.arrays.IntervalArray.from_arrays(left, right, closed=spec["closed"])
        case "part":
            return sheet.decoder.decode(spec["value"])
        case _:
            return extensions.decode(spec, sheet)


def _values(index: pd.Index) -> Any:
    return index.to_numpy() if isinstance(index.dtype, np.dtype) else index.array


def _dtype(spec: Json) -> np.dtype[Any]:
    dtype: np.dtype[Any] = np.dtype(str(spec["dtype"]))
    if dtype.hasobject:
        raise ValueError("a column of numbers that holds objects")
    return dtype


def _encode_numpy(values: np.ndarray[Any, Any], name: str, sheet: SheetWriter) -> Json:
    dtype = values.dtype
    if not fits_npy(dtype) or dtype.names is not None or dtype.itemsize == 0:
        return _encode_part(values, sheet)
    unit = np.datetime_data(dtype)[0] if dtype.kind == "M" else ""
    known = dtype.kind in "biu" or (dtype.kind == "f" and dtype.itemsize <= 8) or unit in _TIME_UNITS
    if known and dtype.isnative:
        return {"kind": "numpy", "dtype": dtype.str, "at": sheet.add(pa.array(values), name)}
    if dtype.kind in "mM" and dtype.isnative:
        return {"kind": "view", "dtype": dtype.str, "at": sheet.add(pa.array(values.view(np.int64)), name)}
    content = pa.py_buffer(without_padding(np.ascontiguousarray(values)).tobytes())
    array = pa.Array.from_buffers(pa.binary(dtype.itemsize), len(values), [None, content])
    return {"kind": "view", "dtype": dtype.str, "at": sheet.add(array, name)}


def _raw(array: Any) -> np.ndarray[Any, Any]:
    if pa.types.is_fixed_size_binary(array.type):
        width = array.type.byte_width
        content = np.frombuffer(array.buffers()[1], np.uint8)
        return content[array.offset * width : (array.offset + len(array)) * width]
    return np.asarray(array.to_numpy())


def _encode_objects(values: np.ndarray[Any, Any], name: str, sheet: SheetWriter) -> Json:
    kinds = set(map(type, values))
    spec = None
    if kinds and kinds <= {str, bytes, type(None), float}:
        spec = _encode_text(values, kinds, name, sheet)
    elif kinds == {np.ndarray}:
        spec = _encode_arrays(values, name, sheet)
    return _encode_part(values, sheet) if spec is None else spec


def _encode_text(values: np.ndarray[Any, Any], kinds: set[type], name: str, sheet: SheetWriter) -> Json | None:
    """Text or bytes, with one kind of gap: None or NaN."""
    [*contents] = kinds & {str, bytes}
    [*gaps] = kinds - {str, bytes}
    if len(contents) != 1 or len(gaps) > 1:
        return None
    try:
        kind = pa.string() if contents == [str] else pa.binary()
        array = pa.array(values, type=kind, from_pandas=True)
    except (UnicodeEncodeError, pa.ArrowException):
        return None
    if gaps == [float] and array.null_count != sum(type(value) is float for value in values):
        return None  # a number among the texts
    return {
        "kind": "text" if contents == [str] else "bytes",
        "gap": "nan" if gaps == [float] else "none",
        "at": sheet.add(array, name),
    }


def _decode_text(spec: Json, sheet: SheetReader) -> np.ndarray[Any, Any]:
    column = sheet.chunked(spec["at"])
    values = np.asarray(column.to_numpy(), dtype=object)
    if spec["gap"] == "nan" and column.null_count:
        values = values.copy()
        values[np.asarray(column.is_null())] = np.nan
    return values


def _encode_arrays(values: np.ndarray[Any, Any], name: str, sheet: SheetWriter) -> Json | None:
    """Numeric vectors of one dtype, such as embeddings."""
    dtype = values[0].dtype
    if dtype.kind not in "biuf" or not dtype.isnative or dtype.itemsize > 8 or dtype == np.float16:
        return None
    if any(value.dtype != dtype or value.ndim != 1 for value in values):
        return None
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum([len(value) for value in values], out=offsets[1:])
    array = pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate(list(values))))
    return {"kind": "arrays", "dtype": dtype.str, "at": sheet.add(array, name)}


def _decode_arrays(spec: Json, sheet: SheetReader) -> np.ndarray[Any, Any]:
    array = sheet.array(spec["at"])
    flat = array.flatten().to_numpy(zero_copy_only=False).astype(_dtype(spec))
    offsets = array.offsets.to_numpy()
    bounds = offsets - offsets[0]
    return _object_array([flat[start:end].copy() for start, end in pairwise(bounds)])


def _encode_part(values: Any, sheet: SheetWriter) -> Json:
    if not isinstance(values, np.ndarray) or values.dtype != object:
        return {"kind": "part", "value": sheet.encoder.leaf(values)}
    items = list(values)
    inline = len(items) <= _MAX_INLINE
    return {"kind": "objects", "items": sheet.encoder.encode(items) if inline else sheet.encoder.leaf(items)}


def _object_array(items: list[Any]) -> np.ndarray[Any, Any]:
    values = np.empty(len(items), dtype=object)
    for number, item in enumerate(items):  # assigning the list at once would unpack nested sequences
        values[number] = item
    return values
