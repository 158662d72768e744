"""Short indexes inside JSON: the names of columns, categories, the levels of a MultiIndex.

They are of another length than the rows, so that they cannot be columns of the same sheet. The usual
ones, a few names or numbers, are a list; others are a part with files of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..protocols import Decoding, Encoding, Json

_MAX_INLINE = 1000
_NUMBERS = ("int64", "float64", "bool")


def encode(index: pd.Index, encoder: Encoding) -> Json:
    """The JSON for an index."""
    if type(index) is pd.RangeIndex:
        return encode_range(index, encoder)
    if type(index) is pd.Index and len(index) <= _MAX_INLINE:
        dtype = _inline_dtype(index)
        if dtype is not None:
            items = encoder.encode(list(index) if dtype == "object" else index.tolist())
            return {"kind": "labels", "dtype": dtype, "items": items, "name": encoder.encode(index.name)}
    return {"kind": "part", "value": encoder.leaf(index)}


def decode(spec: Json, decoder: Decoding) -> Any:
    """The index of its JSON."""
    if spec["kind"] == "range":
        return decode_range(spec, decoder)
    if spec["kind"] == "part":
        index = decoder.decode(spec["value"])
        if not isinstance(index, pd.Index):
            raise ValueError("labels that are no index")
        return index
    items, name = decoder.decode(spec["items"]), decoder.decode(spec["name"])
    dtype = object if spec["dtype"] == "object" else None  # otherwise pandas would guess it
    return pd.Index(_typed(items, spec["dtype"]), dtype=dtype, name=name, tupleize_cols=False, copy=False)


def encode_range(index: pd.RangeIndex, encoder: Encoding) -> Json:
    """The JSON for a RangeIndex."""
    ends = [int(index.start), int(index.stop), int(index.step)]
    return {"kind": "range", "range": ends, "name": encoder.encode(index.name)}


def decode_range(spec: Json, decoder: Decoding) -> Any:
    """The RangeIndex of its JSON."""
    return pd.RangeIndex(*spec["range"], name=decoder.decode(spec["name"]))


def _inline_dtype(index: pd.Index) -> Json | None:
    dtype = index.dtype
    if isinstance(dtype, np.dtype):
        return dtype.name if dtype.name in (*_NUMBERS, "object") else None
    if type(dtype) is pd.StringDtype and set(map(type, index)) <= {str}:
        return [dtype.storage, "NA" if getattr(dtype, "na_value", pd.NA) is pd.NA else "nan"]
    return None


def _typed(items: list[Any], dtype: Json) -> Any:
    if isinstance(dtype, list):
        storage, missing = dtype
        return pd.array(items, dtype=pd.StringDtype(storage, **({"na_value": np.nan} if missing == "nan" else {})))
    if dtype in _NUMBERS:
        return np.array(items, dtype=dtype)
    values = np.empty(len(items), dtype=object)
    for number, item in enumerate(items):  # assigning the list at once would unpack tuples
        values[number] = item
    return values
