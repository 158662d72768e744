"""Files of code, each parsed once in a process for as long as its stat stays the same."""

from __future__ import annotations

import io
import linecache
import os
import time
import tokenize
from dataclasses import dataclass

from .module import Module, parse

Stamp = tuple[int, int, int]

_TICK = 100_000_000  # nanoseconds


@dataclass(frozen=True, slots=True)
class _File:
    stamp: Stamp
    settled: bool
    data: bytes
    content: Module | str


_parsed: dict[str, _File] = {}
_cells: dict[str, tuple[str, Module | str]] = {}


def stamp(path: str) -> Stamp | None:
    """What changes when a file does, None when there is no such file."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def is_settled(stamp: Stamp | None) -> bool:
    """Whether a file is old enough for an edit from now on to change its stamp.

    File systems tick slowly: two writes within a tick leave the same time, as Git's index knows too.
    """
    return stamp is None or time.time_ns() - stamp[0] > _TICK


def load(path: str) -> Module | str:
    """The parsed file, or in words why it cannot be read."""
    now = stamp(path)
    if now is None:
        return "the file is gone"
    known = _parsed.get(path)
    if known is None or known.stamp != now or not known.settled:
        known = _parsed[path] = _read(path, now, known)
    return known.content


def load_cell(name: str) -> Module | str | None:
    """The parsed text that a notebook or console has left in `linecache`; None when it left none."""
    entry = linecache.cache.get(name)
    if entry is None or len(entry) < 4:
        return None
    text = "".join(entry[2])
    known = _cells.get(name)
    if known is None or known[0] != text:
        known = _cells[name] = (text, _parse(name, text))
    return known[1]


def _read(path: str, now: Stamp, known: _File | None) -> _File:
    settled = is_settled(now)
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        return _File(now, settled, b"", f"the file cannot be read ({error.strerror or error})")
    if known is not None and known.data == data:
        return _File(now, settled, data, known.content)
    return _File(now, settled, data, _decode(path, data))


def _decode(path: str, data: bytes) -> Module | str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return _parse(path, data.decode(encoding))
    except SyntaxError as error:
        return f"the file's encoding is not known ({error.msg})"
    except UnicodeDecodeError as error:
        return f"the file is not {error.encoding} text"


def _parse(path: str, text: str) -> Module | str:
    try:
        return parse(path, text)
    except SyntaxError as error:
        return f"the file has a syntax error in line {error.lineno or 0}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"the file cannot be parsed ({error})"
