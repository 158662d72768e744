"""Tracebacks as people read them: the frames of their own code with the lines, those of libraries folded.

What is folded is the text that Python writes, so that a failure that was recorded, maybe on another machine, is shown
as one that has just happened. Source of its form: Python's `traceback` module.
"""

from __future__ import annotations

import inspect
import itertools
import os
import re
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from .counting import count

_HEAD = "Traceback (most recent call last):"
_JOINTS = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
_FRAME = re.compile(r'  File "(?P<file>.+)", line (?P<line>\d+)')
_REPEATED = "  [Previous line repeated "
_INSIDE = "    "

_LIBRARY = re.compile(
    r"[/\\](?:site|dist)-packages[/\\](?P<package>[^/\\.]+)"
    r"|[/\\]lib(?:64)?[/\\]python3[.\d]*[/\\](?!(?:site|dist)-packages)(?P<standard>[^/\\.]+)"
    r"|^<(?!stdin>|ipython-input)(?:frozen )?(?P<made>[^>]*)"
    r"|^(?P<compiled>[^/\\.]+)[^:]*\.(?:pyx|pxi|pxd)$"
)
"""Where the code of a file comes from that is nobody's own."""

OURS = "artvcs"
"""The library that this is."""

_OUR_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class _Frame(NamedTuple):
    lines: list[str]
    file: str


def library_of(file: str) -> str | None:
    """The library that a file of code belongs to; None for a file of somebody's own."""
    if file.startswith(_OUR_FOLDER):
        return OURS
    found = _LIBRARY.search(file)
    return None if found is None else next((name for name in found.groups() if name), "Python")


def folded(text: str, folder: Path | None = None) -> str:
    """A traceback in which frames of libraries that follow each other are one line.

    An error within a library that led to one which says the same is left out.

    Args:
        text: As Python writes it, with all errors that led to the last one.
        folder: Files in this folder are named as seen from it.
    """
    return "\n".join(_folded(text.splitlines(), folder))


def warn(message: str, category: type[Warning]) -> None:
    """Warns of something at the line of somebody's own code that led to it."""
    level, frame = 2, inspect.currentframe()
    frame = frame and frame.f_back
    while frame is not None and library_of(frame.f_code.co_filename) is not None:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=2 if frame is None else level)


def without_ours(frames: TracebackType | None) -> TracebackType | None:
    """The frames from the first on that is not ours; all where there is none."""
    found = frames
    while found is not None and _library(found) == OURS:
        found = found.tb_next
    return found or frames


def without_libraries(frames: TracebackType | None) -> TracebackType | None:
    """The frames of somebody's own code: enough where an error is raised on purpose, and says what happened."""
    every, kept = list[TracebackType](), None
    while frames is not None:
        every.append(frames)
        frames = frames.tb_next
    for each in reversed(every):
        if _library(each) is None:
            kept = TracebackType(kept, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return kept


def _library(frame: TracebackType) -> str | None:
    return library_of(frame.tb_frame.f_code.co_filename)


def _folded(lines: list[str], folder: Path | None) -> Iterator[str]:
    rest = lines
    while _HEAD in rest:
        head = rest.index(_HEAD) + 1
        frames, after = _frames(rest[head:])
        if frames and all(map(_is_of_library, frames)) and (again := _said_again(after)) is not None:
            rest = [*rest[: head - 1], *again]
            continue
        yield from rest[:head]
        rest = after
        for is_library, group in itertools.groupby(frames, key=_is_of_library):
            some = list(group)
            yield from [_summed(some)] if is_library else _shown(some, folder)
    yield from rest


def _said_again(lines: list[str]) -> list[str] | None:
    """What follows an error that led to one which says the same: a library raised it anew. None where none does."""
    message, after = _message(lines)
    if after[:1] != [_HEAD] or _message(_frames(after[1:])[1])[0] != message:
        return None
    return after


def _message(lines: list[str]) -> tuple[list[str], list[str]]:
    """What an error says, and the traceback of the one that it led to."""
    joint = next((number for number, line in enumerate(lines) if line in _JOINTS), len(lines) + 1)
    return lines[: max(joint - 1, 0)], lines[joint + 2 :]


def _is_of_library(frame: _Frame) -> bool:
    return library_of(frame.file) is not None


def _frames(lines: list[str]) -> tuple[list[_Frame], list[str]]:
    """The frames that some lines begin with, and the lines after these."""
    frames = list[_Frame]()
    for number, line in enumerate(lines):
        if found := _FRAME.match(line):
            frames.append(_Frame([line], found["file"]))
        elif frames and line.startswith((_INSIDE, _REPEATED)):
            frames[-1].lines.append(line)
        else:
            return frames, lines[number:]
    return frames, []


def _summed(frames: list[_Frame]) -> str:
    """One line for several frames: how many, and of which libraries."""
    libraries = dict.fromkeys(library_of(frame.file) for frame in frames)
    return f"  … {count(len(frames), 'frame')} of {', '.join(map(str, libraries))}"


def _shown(frames: Iterable[_Frame], folder: Path | None) -> Iterator[str]:
    start = "" if folder is None else f'  File "{folder}{os.sep}'
    for frame in frames:
        first, *others = frame.lines
        yield f'  File "{first.removeprefix(start)}' if start and first.startswith(start) else first
        yield from others
