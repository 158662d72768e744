"""Numbers, sizes, times and values as people read them, the same at each call."""

from __future__ import annotations

import math
import re
import reprlib
from typing import Any

from ...units import count as count
from ...units import duration as duration
from ...units import size as size

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_MAX_DIGITS = 40


class _Repr(reprlib.Repr):
    """`repr` of the beginning of containers, so that a list of millions is quick."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = 20
        self.maxstring = self.maxother = self.maxlong = 2000


_repr = _Repr().repr


def number(value: float) -> str:
    """A number with the digits that matter; whole ones in full."""
    if isinstance(value, int) or (math.isfinite(value) and value == int(value) and abs(value) < 1e15):
        whole = int(value)
        return f"{whole:,}" if abs(whole) < 10**_MAX_DIGITS else f"about 10^{math.floor(math.log10(abs(whole)))}"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"


def percent(share: float) -> str:
    """A share of 1 in percent; what is not quite nothing or all does not look so."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{share:.1%}".replace(".0%", "%").replace("%", " %")


def value(found: Any, limit: int = 80) -> str:
    """Any value on one line, cut to `limit` characters."""
    if type(found) in (int, float):
        return number(found)
    return cut(" ".join(shown(found).split()), limit)


def shown(found: Any) -> str:
    """Any value as text: text itself, else its `repr` without memory addresses, which differ at each run."""
    if isinstance(found, str):
        return str(found[:10_000])
    try:
        return _ADDRESS.sub("", _repr(found))
    except Exception as error:  # a user's own code
        return f"<{type(found).__name__}, whose repr fails with {type(error).__name__}>"


def cut(text: str, limit: int) -> str:
    """Text of at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
