"""Files of code, each parsed once in a process for as long as its stat stays the same."""

from __future__ import annotations

import gc
import io
import linecache
import os
import tokenize

from .module import Module, parse

Stamp = tuple[int, int, int]

_parsed: dict[str, tuple[Stamp, Module | str]] = {}
_cells: dict[str, tuple[str, Module | str]] = {}


def stamp(path: str) -> Stamp | None:
    """What changes when a file does, None when there is no such file."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def load(path: str) -> Module | str:
    """The parsed file, or in words why it cannot be read."""
    now = stamp(path)
    if now is None:
        return "the file is gone"
    known = _parsed.get(path)
    if known is None or known[0] != now:
        known = _parsed[path] = (now, _read(path))
    return known[1]


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


def _read(path: str) -> Module | str:
    try:
        with open(path, "rb") as file:
            data = file.read()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return _parse(path, data.decode(encoding))
    except OSError as error:
        return f"the file cannot be read ({error.strerror or error})"
    except SyntaxError as error:
        return f"the file's encoding is not known ({error.msg})"
    except UnicodeDecodeError as error:
        return f"the file is not {error.encoding} text"


def _parse(path: str, text: str) -> Module | str:
    # A syntax tree is a million small objects that all stay: collecting meanwhile only costs time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return parse(path, text)
    except SyntaxError as error:
        return f"the file has a syntax error in line {error.lineno or 0}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"the file cannot be parsed ({error})"
    finally:
        if collecting:
            gc.enable()
