"""The index of a frame or series: its kind, names and frequency; its data are columns of the sheet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..protocols import Json
from . import labels
from .columns import decode_column, encode_column
from .sheets import SheetReader, SheetWriter

_NAME = "__index__"
_KINDS = (pd.Index, pd.DatetimeIndex, pd.TimedeltaIndex, pd.PeriodIndex, pd.IntervalIndex, pd.CategoricalIndex)


def encode_index(index: pd.Index, sheet: SheetWriter) -> Json:
    """The spec of an index; its data go into the sheet."""
    if type(index) is pd.RangeIndex:
        return labels.encode_range(index, sheet.encoder)
    if type(index) is pd.MultiIndex:
        return _encode_multi(index, sheet)
    if type(index) not in _KINDS:
        return {"kind": "part", "value": sheet.encoder.leaf(index)}
    values = index.to_numpy() if isinstance(index.dtype, np.dtype) else index.array
    spec = {"kind": "column", "column": encode_column(values, _NAME, sheet), "name": sheet.encoder.encode(index.name)}
    if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) and index.freq is not None:
        spec["freq"] = _encode_freq(index.freq, sheet)
    return spec


def decode_index(spec: Json, sheet: SheetReader) -> Any:
    """The index that has this spec."""
    match spec["kind"]:
        case "range":
            return labels.decode_range(spec, sheet.decoder)
        case "multi":
            return _decode_multi(spec, sheet)
        case "part":
            return sheet.decoder.decode(spec["value"])
    values = decode_column(spec["column"], sheet)
    name = sheet.decoder.decode(spec["name"])
    if "freq" in spec:
        cls = pd.TimedeltaIndex if values.dtype.kind == "m" else pd.DatetimeIndex
        return cls(values, freq=sheet.decoder.decode(spec["freq"]), name=name)
    dtype = object if values.dtype == object else None
    return pd.Index(values, dtype=dtype, name=name, tupleize_cols=False, copy=False)


def _encode_freq(freq: Any, sheet: SheetWriter) -> Json:
    # The text of a frequency leaves out what a custom calendar holds.
    plain = pd.tseries.frequencies.to_offset(freq.freqstr) == freq
    return freq.freqstr if plain else sheet.encoder.encode(freq)


def _encode_multi(index: pd.MultiIndex, sheet: SheetWriter) -> Json:
    codes = [sheet.add(pa.array(np.asarray(part)), f"{_NAME}{number}") for number, part in enumerate(index.codes)]
    return {
        "kind": "multi",
        "levels": [labels.encode(level, sheet.encoder) for level in index.levels],
        "codes": codes,
        "names": sheet.encoder.encode(list(index.names)),
        "sortorder": index.sortorder,
    }


def _decode_multi(spec: Json, sheet: SheetReader) -> Any:
    return pd.MultiIndex(
        levels=[labels.decode(level, sheet.decoder) for level in spec["levels"]],
        codes=[sheet.chunked(number).to_numpy() for number in spec["codes"]],
        names=sheet.decoder.decode(spec["names"]),
        sortorder=spec["sortorder"],
    )
