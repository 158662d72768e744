"""Single values as JSON data: numbers, text, dates and the like. They have no parts."""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath, PureWindowsPath
from types import EllipsisType, NoneType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from ..protocols import Json

# Other programs read JSON integers of 64 bits; Python's own are larger.
MAX_INT = 2**63 - 1
MAX_INLINE_BYTES = 64 * 1024
UNFIT = object()


def _encode_int(value: int) -> Json:
    # Hexadecimal, because Python refuses decimal text of more than 4300 digits.
    return value if -MAX_INT <= value <= MAX_INT else {"$int": hex(value)}


def _encode_float(value: float) -> Json:
    if math.isfinite(value):
        return value
    bits = struct.pack(">d", value).hex()
    usual = struct.pack(">d", math.nan).hex()
    return {"$float": bits if math.isnan(value) and bits != usual else repr(value)}


def _decode_float(text: str) -> float:
    if len(text) == 16:
        [value] = struct.unpack(">d", bytes.fromhex(text))
        return float(value)
    return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[text]


def is_unicode(text: str) -> bool:
    """Whether text can be UTF-8; it cannot if it holds lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encode_str(value: str) -> Json:
    if value.isascii() or is_unicode(value):
        return value
    return {"$text": base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()}


def _encode_bytes(value: bytes | bytearray) -> Json:
    if len(value) > MAX_INLINE_BYTES:
        return UNFIT
    return {f"${type(value).__name__}": base64.b64encode(value).decode()}


def _unbase64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _encode_zone(zone: tzinfo | None) -> Json:
    if zone is None:
        return None
    if type(zone) is timezone:
        return _encode_timezone(zone)
    return {"$zone": zone.key} if type(zone) is ZoneInfo and zone.key is not None else UNFIT


def _encode_timezone(value: timezone) -> Json:
    offset, name = value.utcoffset(None), value.tzname(None)
    named = timezone(offset).tzname(None) != name
    return {"$timezone": [_encode_timedelta(offset)["$timedelta"], name if named else None]}


def _decode_timezone(parts: Json) -> timezone:
    offset, name = parts
    return timezone(timedelta(*offset)) if name is None else timezone(timedelta(*offset), name)


def _decode_zone(data: Json) -> tzinfo | None:
    if data is None:
        return None
    [(tag, inner)] = data.items()
    return {"$timezone": _decode_timezone, "$zone": ZoneInfo}[tag](inner)


def _encode_timedelta(value: timedelta) -> Json:
    return {"$timedelta": [value.days, value.seconds, value.microseconds]}


def _encode_moment(value: datetime | time) -> Json:
    zone = _encode_zone(value.tzinfo)
    if zone is UNFIT:
        return UNFIT
    return {f"${type(value).__name__}": [value.replace(tzinfo=None).isoformat(), value.fold, zone]}


def _decode_datetime(parts: Json) -> datetime:
    text, fold, zone = parts
    return datetime.fromisoformat(text).replace(fold=fold, tzinfo=_decode_zone(zone))


def _decode_time(parts: Json) -> time:
    text, fold, zone = parts
    return time.fromisoformat(text).replace(fold=fold, tzinfo=_decode_zone(zone))


def _encode_complex(value: complex) -> Json:
    return {"$complex": [_encode_float(value.real), _encode_float(value.imag)]}


def _decode_complex(parts: Json) -> complex:
    real, imag = (_decode_float(part["$float"]) if isinstance(part, dict) else float(part) for part in parts)
    return complex(real, imag)


def _decode_int(data: Json) -> int:
    return int(data["$int"], 16) if isinstance(data, dict) else int(data)


def _tagged_ints(tag: str, *parts: int) -> Json:
    return {tag: [_encode_int(part) for part in parts]}


def _encode_pattern(value: re.Pattern[Any]) -> Json:
    # Making one with DEBUG prints what somebody else wrote.
    if value.flags & re.DEBUG or type(value.pattern) not in (str, bytes):
        return UNFIT
    content = ENCODERS[type(value.pattern)](value.pattern)
    return UNFIT if content is UNFIT else {"$pattern": [content, value.flags]}


def _decode_pattern(parts: Json) -> re.Pattern[Any]:
    content, flags = parts
    if flags & re.DEBUG:
        raise ValueError("a pattern that prints")
    if isinstance(content, dict):
        [(tag, inner)] = content.items()
        content = DECODERS[tag](inner)
    pattern = re.compile(content, flags)
    if pattern.flags != flags:
        raise ValueError(f"a pattern with the flags {flags}")
    return pattern


def _encode_uuid(value: UUID) -> Json:
    return {"$uuid": str(value)}


# By exact type: a subclass is another type, and would come back as its base.
ENCODERS: dict[type, Callable[[Any], Json]] = {
    NoneType: lambda value: value,
    bool: lambda value: value,
    int: _encode_int,
    float: _encode_float,
    complex: _encode_complex,
    str: _encode_str,
    bytes: _encode_bytes,
    bytearray: _encode_bytes,
    EllipsisType: lambda value: {"$ellipsis": None},
    range: lambda value: _tagged_ints("$range", value.start, value.stop, value.step),
    Fraction: lambda value: _tagged_ints("$fraction", value.numerator, value.denominator),
    Decimal: lambda value: {"$decimal": str(value)},
    UUID: _encode_uuid,
    re.Pattern: _encode_pattern,
    datetime: _encode_moment,
    time: _encode_moment,
    date: lambda value: {"$date": value.isoformat()},
    timedelta: _encode_timedelta,
    timezone: _encode_timezone,
    ZoneInfo: _encode_zone,
    PurePosixPath: lambda value: {"$posixpath": _encode_str(str(value))},
    PureWindowsPath: lambda value: {"$windowspath": _encode_str(str(value))},
}


def _decode_text(data: Json) -> str:
    return _unbase64(data["$text"]).decode("utf-8", "surrogatepass") if isinstance(data, dict) else data


DECODERS: dict[str, Callable[[Json], Any]] = {
    "$int": lambda text: int(text, 16),
    "$float": _decode_float,
    "$complex": _decode_complex,
    "$text": lambda text: _decode_text({"$text": text}),
    "$bytes": _unbase64,
    "$bytearray": lambda text: bytearray(_unbase64(text)),
    "$ellipsis": lambda _: ...,
    "$range": lambda parts: range(*map(_decode_int, parts)),
    "$fraction": lambda parts: Fraction(*map(_decode_int, parts)),
    "$decimal": Decimal,
    "$uuid": UUID,
    "$pattern": _decode_pattern,
    "$datetime": _decode_datetime,
    "$time": _decode_time,
    "$date": date.fromisoformat,
    "$timedelta": lambda parts: timedelta(*parts),
    "$timezone": _decode_timezone,
    "$zone": ZoneInfo,
    "$posixpath": lambda data: PurePosixPath(_decode_text(data)),
    "$windowspath": lambda data: PureWindowsPath(_decode_text(data)),
}
