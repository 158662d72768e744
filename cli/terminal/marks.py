"""Colour within text: marks that nothing stored can hold, which become colours where they may, and else nothing.

A name or a message may come from a stranger's repository. `safe` spells out whatever in it steers a terminal, and
leaves only what `style` made here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from artvcs.pipelines.escaping import printable

# An escape sequence is ours if it knows this word: nothing that is stored can.
_START = f"\x1b{os.urandom(8).hex()}["
_MARK = re.compile(re.escape(_START) + "([0-9;]*)m")
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_WORDS = {code: word for word, code in _CODES.items()}


def style(text: str, *, fg: str | None = None, bold: bool = False, dim: bool = False) -> str:
    """Text in a colour: `red`, `green`, `yellow` or `cyan`."""
    codes = [_CODES[word] for word, wanted in ((fg, fg), ("bold", bold), ("dim", dim)) if word and wanted]
    return f"{_START}{';'.join(codes)}m{text}{_START}0m" if codes else text


def safe(text: str) -> str:
    """Text on one line that does nothing to the terminal but show itself, in the colours that `style` gave it."""
    pieces = _MARK.split(text)  # every second one is a colour
    pieces[::2] = map(printable, pieces[::2])
    pieces[1::2] = (f"{_START}{codes}m" for codes in pieces[1::2])
    return "".join(pieces)


def bare(text: str) -> str:
    """Text without its marks."""
    return _MARK.sub("", text)


def coloured(text: str) -> str:
    """Text whose marks are the sequences that terminals know."""
    return _MARK.sub("\x1b[\\1m", text)


def marked(text: str) -> str:
    """The reverse of `coloured`, for text in which no sequence is a stranger's."""
    return text.replace("\x1b[", _START)


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """Each piece of text of one colour, and that colour in words, as in `yellow` or `bold`; empty where it has none."""
    words = ""
    for at, piece in enumerate(_MARK.split(text)):
        if at % 2:
            words = " ".join(_WORDS[code] for code in piece.split(";") if code in _WORDS)
        elif piece:
            yield piece, words
