"""Work on the pieces of a large file in several threads: hashing and compressing let others run meanwhile."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")

_FEW = 8
"""So many pieces are done before it is worth to start threads."""

_AHEAD = 16
"""So many pieces are in memory at once."""

_MOST = 4


def in_order(work: Callable[[T], R], pieces: Iterable[T], along: Callable[[T], object]) -> Iterator[R]:
    """What `work` makes of each piece, in their order.

    Args:
        work: Called in any thread.
        pieces: Taken in this thread.
        along: Called with each piece, one after the other, in some thread; it has been called with all at the end.
    """
    rest = iter(pieces)
    for piece in islice(rest, _FEW):
        along(piece)
        yield work(piece)
    if (piece_after := next(rest, None)) is None:
        return
    from concurrent.futures import ThreadPoolExecutor  # costs milliseconds

    with ThreadPoolExecutor(min(_MOST, os.cpu_count() or 1)) as pool, ThreadPoolExecutor(1) as one:
        waiting: deque[tuple[Future[R], Future[object]]] = deque()
        while piece_after is not None:
            waiting.append((pool.submit(work, piece_after), one.submit(along, piece_after)))
            if len(waiting) >= _AHEAD:
                yield _result(waiting)
            piece_after = next(rest, None)
        while waiting:
            yield _result(waiting)


def _result(waiting: deque[tuple[Future[R], Future[object]]]) -> R:
    worked, went_along = waiting.popleft()
    went_along.result()
    return worked.result()
