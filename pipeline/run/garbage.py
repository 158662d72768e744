"""Python's collector of what refers to itself, while a run makes very many records."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 50_000
"""So many objects more than before are looked at together, where Python's own number is 700."""


class _Seldom:
    """How often it is usual to look, while somebody is inside a block."""

    def __init__(self) -> None:
        self.mutex = threading.Lock()
        self.inside = 0
        self.usual = gc.get_threshold()


_seldom = _Seldom()


@contextmanager
def collected_seldom() -> Iterator[None]:
    """Inside the block it looks less often, which else takes a tenth of a run of which all is reused.

    For where nothing of the user's is executed in this process: what his code leaves in circles may be large.
    """
    with _seldom.mutex:
        if not _seldom.inside:
            _seldom.usual = youngest, *others = gc.get_threshold()
            if youngest:  # else somebody has switched it off
                gc.set_threshold(max(youngest, _YOUNG), *others)
        _seldom.inside += 1
    try:
        yield
    finally:
        with _seldom.mutex:
            _seldom.inside -= 1
            if not _seldom.inside:
                gc.set_threshold(*_seldom.usual)
