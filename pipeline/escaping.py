"""The one way in which text is made fit to be stored, and a stranger's text, as a repository may hold, safe to show.

A name, a message or a log may hold what steers a terminal (escape sequences, carriage returns) or makes one text look
like another (overrides of its direction, invisible characters). Here it is spelt out, as Python's `repr` does.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

_SPELT_OUT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_KEPT = "\t\u200c\u200d"
"""The last two join letters and emoji."""


def printable(text: str, *, lines: bool = False) -> str:
    """Text that does nothing but show itself; what has been made so once is not changed again.

    Args:
        text: From anywhere.
        lines: Whether line feeds are kept.
    """
    return _spelt(text, _KEPT + "\n" * lines, lambda char: ascii(char)[1:-1])


def printable_json(text: str) -> str:
    """JSON that means the same, without a character that `printable` would spell out.

    Args:
        text: JSON as written by `json.dumps`, in which such characters stand in strings alone.
    """
    return _spelt(text, _KEPT + "\n", _as_json_does)


def _spelt(text: str, kept: str, spell: Callable[[str], str]) -> str:
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in kept or unicodedata.category(char) not in _SPELT_OUT else spell(char)
        for char in text
    )


def _as_json_does(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def storable(text: str) -> str:
    """Text with a question mark for each character that UTF-8 cannot say."""
    return text.encode("utf-8", "replace").decode("utf-8")
