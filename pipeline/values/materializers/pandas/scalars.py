"""pandas' own single values, as they occur in lists and columns of objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pandas as pd

from ..documents.materializer import DocumentMaterializer
from ..protocols import Decoding, Encoding, Json

_SINGLE = {"NaT": pd.NaT, "NA": pd.NA}


class PandasScalarMaterializer(DocumentMaterializer):
    """Timestamp, Timedelta, Period, Interval, NaT and NA."""

    NAME = "artvcs.pandas.scalar"
    INLINE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (
        *(pd.Timestamp, pd.Timedelta, pd.Period, pd.Interval),
        *(type(pd.NaT), type(pd.NA)),
    )

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for periods of frequencies that text does not say in full."""
        if not isinstance(data, pd.Period):
            return True
        return bool(pd.Period(ordinal=data.ordinal, freq=data.freqstr).freq == data.freq)

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The kind, and what makes the same one: for a time its number, unit and zone."""
        for name, single in _SINGLE.items():
            if data is single:
                return {"$pandas": [name]}
        if isinstance(data, pd.Interval):
            return {"$pandas": ["Interval", encoder.encode(data.left), encoder.encode(data.right), data.closed]}
        if isinstance(data, pd.Period):
            return {"$pandas": ["Period", encoder.encode(data.ordinal), data.freqstr]}
        if isinstance(data, pd.Timedelta):
            return {"$pandas": ["Timedelta", encoder.encode(_count(data)), data.unit]}
        zone = encoder.encode(data.tzinfo)
        return {"$pandas": ["Timestamp", encoder.encode(_count(data)), data.unit, zone]}


def decode_scalar(parts: Json, decoder: Decoding) -> Any:
    """The value of its JSON."""
    kind, *details = parts
    return _SINGLE[kind] if kind in _SINGLE else _DECODERS[kind](*details, decoder)


def _decode_timestamp(count: Json, unit: str, zone: Json, decoder: Decoding) -> Any:
    moment = pd.Timestamp(decoder.decode(count), unit=unit).as_unit(unit)
    zone = decoder.decode(zone)
    return moment if zone is None else moment.tz_localize("UTC").tz_convert(zone)


def _decode_timedelta(count: Json, unit: str, decoder: Decoding) -> Any:
    return pd.Timedelta(decoder.decode(count), unit=unit).as_unit(unit)


def _decode_period(ordinal: Json, freq: str, decoder: Decoding) -> Any:
    return pd.Period(ordinal=decoder.decode(ordinal), freq=freq)


def _decode_interval(left: Json, right: Json, closed: str, decoder: Decoding) -> Any:
    return pd.Interval(decoder.decode(left), decoder.decode(right), closed)


def _count(data: Any) -> int:
    number: int = data.asm8.astype("int64").item()
    return number


_DECODERS: dict[str, Callable[..., Any]] = {
    "Timestamp": _decode_timestamp,
    "Timedelta": _decode_timedelta,
    "Period": _decode_period,
    "Interval": _decode_interval,
}
