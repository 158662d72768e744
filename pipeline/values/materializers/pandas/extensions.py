"""Columns of pandas' own dtypes: time zones, categories, periods, those with missing values, and sparse ones."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas._libs.sparse import IntIndex

from ..arrow import parquet
from ..protocols import Json
from . import labels
from .sheets import SheetReader, SheetWriter

_MASKED: dict[str, Any] = {
    **{f"{sign}Int{bits}": pd.arrays.IntegerArray for sign in ("", "U") for bits in (8, 16, 32, 64)},
    **{f"Float{bits}": pd.arrays.FloatingArray for bits in (32, 64)},
    "boolean": pd.arrays.BooleanArray,
}


def fits(values: Any) -> bool:
    """Whether an extension array is of a kind that is known here."""
    dtype = values.dtype
    if isinstance(dtype, pd.PeriodDtype):
        return bool(pd.PeriodDtype(values.freqstr) == dtype)
    return _is_masked(values) or type(dtype) in _ENCODERS


def encode(values: Any, name: str, sheet: SheetWriter) -> Json:
    """The spec of an extension array that `fits`."""
    if _is_masked(values):
        return {"kind": "masked", "dtype": str(values.dtype), "at": sheet.add(pa.array(values), name)}
    return _ENCODERS[type(values.dtype)](values, name, sheet)


def decode(spec: Json, sheet: SheetReader) -> Any:
    """The extension array that has this spec."""
    return _DECODERS[spec["kind"]](spec, sheet)


def _is_masked(values: Any) -> bool:
    return type(values) is _MASKED.get(str(values.dtype))


def _encode_zoned(values: Any, name: str, sheet: SheetWriter) -> Json:
    moments = np.asarray(values.astype("int64"))
    array = pa.array(moments.view(f"M8[{values.dtype.unit}]") if values.dtype.unit != "s" else moments)
    zone = _encode_zone(values.dtype.tz, sheet)
    return {"kind": "zoned", "unit": values.dtype.unit, "zone": zone, "at": sheet.add(array, name)}


def _decode_zoned(spec: Json, sheet: SheetReader) -> Any:
    moments = sheet.chunked(spec["at"]).to_numpy().astype(f"M8[{spec['unit']}]")
    zone = _decode_zone(spec["zone"], sheet)
    return pd.DatetimeIndex(moments).tz_localize("UTC").tz_convert(zone).array


def _encode_zone(zone: tzinfo, sheet: SheetWriter) -> Json:
    # pandas 2 makes zones of pytz, which only pytz can make again.
    if type(zone).__module__.startswith("pytz") and getattr(zone, "zone", None):
        return {"pytz": zone.zone}  # type: ignore[attr-defined]
    return {"zone": sheet.encoder.encode(zone)}


def _decode_zone(spec: Json, sheet: SheetReader) -> Any:
    if "pytz" not in spec:
        return sheet.decoder.decode(spec["zone"])
    return importlib.import_module("pytz").timezone(spec["pytz"])


def _encode_categorical(values: Any, name: str, sheet: SheetWriter) -> Json:
    at = sheet.add(pa.array(np.asarray(values.codes)), name)
    categories = labels.encode(values.categories, sheet.encoder)
    return {"kind": "categorical", "categories": categories, "ordered": bool(values.ordered), "at": at}


def _decode_categorical(spec: Json, sheet: SheetReader) -> Any:
    categories = labels.decode(spec["categories"], sheet.decoder)
    dtype = pd.CategoricalDtype(categories, ordered=spec["ordered"])
    return pd.Categorical.from_codes(sheet.chunked(spec["at"]).to_numpy(), dtype=dtype)


def _encode_period(values: Any, name: str, sheet: SheetWriter) -> Json:
    # Of the offset itself the text would be "ME", which periods do not take.
    return {"kind": "period", "freq": values.freqstr, "at": sheet.add(pa.array(values.asi8), name)}


def _decode_period(spec: Json, sheet: SheetReader) -> Any:
    ordinals = sheet.chunked(spec["at"]).to_numpy()
    return pd.arrays.PeriodArray(ordinals.copy(), dtype=pd.PeriodDtype(spec["freq"]))


def _encode_string(values: Any, name: str, sheet: SheetWriter) -> Json:
    dtype = values.dtype
    missing = "NA" if getattr(dtype, "na_value", pd.NA) is pd.NA else "nan"
    try:
        array = pa.array(values)
    except UnicodeEncodeError:  # lone surrogates
        objects = sheet.encoder.leaf(np.asarray(values, dtype=object))
        return {"kind": "string", "storage": dtype.storage, "missing": missing, "value": objects}
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    array = array.cast(pa.string()) if array.nbytes < 1 << 30 else array
    needs = not pa.types.is_string(array.type)
    return {"kind": "string", "storage": dtype.storage, "missing": missing, "at": sheet.add(array, name, needs)}


def _decode_string(spec: Json, sheet: SheetReader) -> Any:
    # The storage "pyarrow_numpy" of pandas 2.2 has NaN by itself.
    details = {"na_value": np.nan} if spec["missing"] == "nan" and spec["storage"] != "pyarrow_numpy" else {}
    dtype = pd.StringDtype(spec["storage"], **details)
    if "value" in spec:
        return pd.array(sheet.decoder.decode(spec["value"]), dtype=dtype)
    return dtype.__from_arrow__(sheet.chunked(spec["at"]))


def _encode_sparse(values: Any, name: str, sheet: SheetWriter) -> Json:
    return {
        "kind": "sparse",
        "length": len(values),
        "fill": sheet.encoder.encode(values.fill_value),
        "blocks": values.kind == "block",
        "places": sheet.add_loose(values.sp_index.to_int_index().indices),
        "points": sheet.add_loose(values.sp_values),
    }


def _decode_sparse(spec: Json, sheet: SheetReader) -> Any:
    points, fill = sheet.loose(spec["points"]), sheet.decoder.decode(spec["fill"])
    index = IntIndex(spec["length"], sheet.loose(spec["places"]))  # checks that the places are in order and in it
    if index.npoints != len(points):
        raise ValueError("a sparse column with more or fewer places than points")
    index = index.to_block_index() if spec["blocks"] else index
    # The public ways look through the points, and change what objects are in them.
    return pd.arrays.SparseArray._simple_new(points, index, pd.SparseDtype(points.dtype, fill))


def _encode_arrow(values: Any, name: str, sheet: SheetWriter) -> Json:
    array = pa.chunked_array(values.__arrow_array__())
    if not parquet.is_exact(array.type):
        return {"kind": "arrow", "value": sheet.encoder.leaf(array)}
    return {"kind": "arrow", "at": sheet.add(array, name, needs_schema=True)}


def _decode_arrow(spec: Json, sheet: SheetReader) -> Any:
    column = sheet.chunked(spec["at"]) if "at" in spec else sheet.decoder.decode(spec["value"])
    return pd.arrays.ArrowExtensionArray(column)


def _decode_masked(spec: Json, sheet: SheetReader) -> Any:
    array = sheet.array(spec["at"])
    mask = np.array(array.is_null().to_numpy(zero_copy_only=False))
    values = array.fill_null(False if spec["dtype"] == "boolean" else 0).to_numpy(zero_copy_only=False)
    return _MASKED[spec["dtype"]](values.copy(), mask)


_ENCODERS: dict[type, Callable[[Any, str, SheetWriter], Json]] = {
    pd.DatetimeTZDtype: _encode_zoned,
    pd.CategoricalDtype: _encode_categorical,
    pd.PeriodDtype: _encode_period,
    pd.StringDtype: _encode_string,
    pd.ArrowDtype: _encode_arrow,
    pd.SparseDtype: _encode_sparse,
}
_DECODERS: dict[str, Callable[[Json, SheetReader], Any]] = {
    "zoned": _decode_zoned,
    "categorical": _decode_categorical,
    "period": _decode_period,
    "string": _decode_string,
    "arrow": _decode_arrow,
    "masked": _decode_masked,
    "sparse": _decode_sparse,
}
