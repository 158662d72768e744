"""Work on the pieces of a large file in several threads: hashing and compressing let others run meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future
    from queue import Queue

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
        pieces: Taken one after the other, in some thread: who uses what is made need not wait for the next.
        along: Called with each piece there; it has been called with all at the end.
    """
    rest = iter(pieces)
    for piece in islice(rest, _FEW):
        along(piece)
        yield work(piece)
    if (after := next(rest, None)) is None:
        return
    from concurrent.futures import ThreadPoolExecutor  # costs milliseconds
    from queue import Queue

    made: Queue[Future[R] | None] = Queue(_AHEAD)
    with ThreadPoolExecutor(min(_MOST, os.cpu_count() or 1)) as pool, ThreadPoolExecutor(1) as one:

        def take() -> None:
            try:
                for piece in chain((after,), rest):
                    made.put(pool.submit(work, piece))
                    along(piece)
            finally:
                made.put(None)

        taking = one.submit(take)
        try:
            while (future := made.get()) is not None:
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # then no more can be submitted, and the taking ends
            while made.get() is not None:
                pass
            raise
        taking.result()
