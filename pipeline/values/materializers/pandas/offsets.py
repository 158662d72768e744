"""pandas' offsets, such as `pd.DateOffset(months=1)`: the name, and the arguments that make the same again."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

from dateutil.relativedelta import weekday, weekdays
from pandas.tseries import offsets

from ..documents.materializer import DocumentMaterializer
from ..protocols import Decoding, Encoding, Json

_OFFSETS: dict[str, Any] = {
    cls.__name__: cls
    for cls in (getattr(offsets, name) for name in offsets.__all__)
    if cls not in (offsets.BaseOffset, offsets.Tick)
}
_CALENDAR = "calendar"
"""An argument that only says the weekmask and the holidays in another way."""


class OffsetMaterializer(DocumentMaterializer):
    """Offsets of all kinds, calendars of holidays included."""

    NAME = "artvcs.pandas.offset"
    INLINE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (offsets.BaseOffset,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for classes of users, and for arguments that do not make an equal one."""
        if type(data) not in _OFFSETS.values():
            return False
        with suppress(Exception):  # an argument may be an array, which neither is equal nor is not
            return bool(_make(type(data).__name__, _arguments(data)) == data)
        return False

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The name and the arguments."""
        return {"$offset": [type(data).__name__, encoder.encode(_arguments(data))]}

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The offset as text."""
        return {"value": str(data)[:200]}


def decode_offset(parts: Json, decoder: Decoding) -> Any:
    """The offset of its JSON."""
    name, arguments = parts
    return _make(name, decoder.decode(arguments))


def _arguments(data: Any) -> dict[str, Any]:
    arguments = {"n": data.n, "normalize": data.normalize, **data.kwds}
    arguments.pop(_CALENDAR, None)
    day = arguments.get("weekday")
    if isinstance(day, weekday):
        arguments["weekday"] = (day.weekday, day.n)
    return dict(sorted(arguments.items()))  # pandas keeps those of a DateOffset in a set


def _make(name: str, arguments: dict[str, Any]) -> Any:
    if _CALENDAR in arguments:  # pandas would call what is given for one
        raise ValueError("an offset with a calendar")
    day = arguments.get("weekday")
    if isinstance(day, tuple):
        number, nth = day
        arguments = {**arguments, "weekday": weekdays[number](nth)}
    return _OFFSETS[name](**arguments)
