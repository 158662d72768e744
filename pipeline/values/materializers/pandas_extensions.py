"""Columns of pandas' own dtypes: time zones, categories, periods, and those with missing values."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from . import pandas_labels, parquet
from .protocols import Json
from .sheets import SheetReader, SheetWriter

_MASKED: dict[str, Any] = {
    **{f"{sign}Int{bits}": pd.arrays.IntegerArray for sign in ("", "U") for bits in (8, 16, 32, 64)},
    **{f"Float{bits}": pd.arrays.FloatingArray for bits in (32, 64)},
    "boolean": pd.arrays.BooleanArray,
}


def encode(values: Any, name: str, sheet: SheetWriter) -> Json | None:
    """The spec of an extension array, or None if it is of no kind that is known here."""
    dtype = values.dtype
    if str(dtype) in _MASKED and type(values) is _MASKED[str(dtype)]:
        return {"kind": "masked", "dtype": str(dtype), "at": sheet.add(pa.array(values), name)}
    encoder = _ENCODERS.get(type(dtype))
    return encoder(values, name, sheet) if encoder else None


def decode(spec: Json, sheet: SheetReader) -> Any:
    """The extension array that has this spec."""
    return _DECODERS[spec["kind"]](spec, sheet)


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
    categories = pandas_labels.encode(values.categories, sheet.encoder)
    return {"kind": "categorical", "categories": categories, "ordered": bool(values.ordered), "at": at}


def _decode_categorical(spec: Json, sheet: SheetReader) -> Any:
    categories = pandas_labels.decode(spec["categories"], sheet.decoder)
    dtype = pd.CategoricalDtype(categories, ordered=spec["ordered"])
    return pd.Categorical.from_codes(sheet.chunked(spec["at"]).to_numpy(), dtype=dtype)


def _encode_period(values: Any, name: str, sheet: SheetWriter) -> Json | None:
    freq = values.freqstr  # of the offset itself it would be "ME", which periods do not take
    if pd.PeriodDtype(freq) != values.dtype:
        return None
    return {"kind": "period", "freq": freq, "at": sheet.add(pa.array(values.asi8), name)}


def _decode_period(spec: Json, sheet: SheetReader) -> Any:
    ordinals = sheet.chunked(spec["at"]).to_numpy()
    return pd.arrays.PeriodArray(ordinals.copy(), dtype=pd.PeriodDtype(spec["freq"]))


def _encode_string(values: Any, name: str, sheet: SheetWriter) -> Json | None:
    dtype = values.dtype
    try:
        array = pa.array(values)
    except UnicodeEncodeError:
        return None
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    array = array.cast(pa.string()) if array.nbytes < 1 << 30 else array
    missing = "NA" if getattr(dtype, "na_value", pd.NA) is pd.NA else "nan"
    needs = not pa.types.is_string(array.type)
    return {"kind": "string", "storage": dtype.storage, "missing": missing, "at": sheet.add(array, name, needs)}


def _decode_string(spec: Json, sheet: SheetReader) -> Any:
    # The storage "pyarrow_numpy" of pandas 2.2 has NaN by itself.
    details = {"na_value": np.nan} if spec["missing"] == "nan" and spec["storage"] != "pyarrow_numpy" else {}
    return pd.StringDtype(spec["storage"], **details).__from_arrow__(sheet.chunked(spec["at"]))


def _encode_arrow(values: Any, name: str, sheet: SheetWriter) -> Json | None:
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


_ENCODERS: dict[type, Callable[[Any, str, SheetWriter], Json | None]] = {
    pd.DatetimeTZDtype: _encode_zoned,
    pd.CategoricalDtype: _encode_categorical,
    pd.PeriodDtype: _encode_period,
    pd.StringDtype: _encode_string,
    pd.ArrowDtype: _encode_arrow,
}
_DECODERS: dict[str, Callable[[Json, SheetReader], Any]] = {
    "zoned": _decode_zoned,
    "categorical": _decode_categorical,
    "period": _decode_period,
    "string": _decode_string,
    "arrow": _decode_arrow,
    "masked": _decode_masked,
}
