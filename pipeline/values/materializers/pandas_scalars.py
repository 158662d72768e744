"""pandas' own single values, as they occur in lists and columns of objects."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd

from .documents import DocumentMaterializer
from .protocols import Decoding, Encoding, Json

_SINGLE = {"NaT": pd.NaT, "NA": pd.NA}


class PandasScalarMaterializer(DocumentMaterializer):
    """Timestamp, Timedelta, NaT and NA."""

    NAME = "artvcs.pandas.scalar"
    INLINE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pd.Timestamp, pd.Timedelta, type(pd.NaT), type(pd.NA))

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The kind, and for a time its number, unit and zone."""
        for name, single in _SINGLE.items():
            if data is single:
                return {"$pandas": [name]}
        if isinstance(data, pd.Timedelta):
            return {"$pandas": ["Timedelta", encoder.encode(_count(data)), data.unit]}
        zone = encoder.encode(data.tzinfo)
        return {"$pandas": ["Timestamp", encoder.encode(_count(data)), data.unit, zone]}


def decode_scalar(parts: Json, decoder: Decoding) -> Any:
    """The value of its JSON."""
    kind, *details = parts
    if kind in _SINGLE:
        return _SINGLE[kind]
    if kind == "Timedelta":
        count, unit = details
        return pd.Timedelta(count, unit=unit).as_unit(unit)
    count, unit, zone = details
    moment = pd.Timestamp(decoder.decode(count), unit=unit).as_unit(unit)
    zone = decoder.decode(zone)
    return moment if zone is None else moment.tz_localize("UTC").tz_convert(zone)


def _count(data: Any) -> int:
    number: int = data.asm8.astype("int64").item()
    return number
