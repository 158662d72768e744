"""Which process was started by which, as Linux tells it. See proc(5)."""

from __future__ import annotations

import os
from collections.abc import Iterator

_ENDED = b"Z"


def parent(process: int) -> int:
    """Who has started a process, or has taken it over; 0 if it has ended."""
    try:
        with open(f"/proc/{process}/stat", "rb") as stat:
            state, above = stat.read().rpartition(b")")[2].split()[:2]  # the program's name may hold anything
    except (OSError, ValueError):  # it ends as it is looked at
        return 0
    return 0 if state == _ENDED else int(above)


def line(process: int) -> Iterator[int]:
    """A process that goes on, who has started it, and so on up to the first one."""
    while process > 1 and (above := parent(process)):
        yield process
        process = above
    if process == 1:
        yield 1


def children(process: int) -> set[int]:
    """The processes that one has started and that go on."""
    return {each for each in _all() if parent(each) == process}


def below(process: int) -> set[int]:
    """All that go on and come from a process."""
    return {each for each in _all() if each != process and process in line(each)}


def _all() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())
