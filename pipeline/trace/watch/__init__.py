"""Recording what a block of code uses: the recording is open, and what Python tells is listened to."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator

from artvcs.vcs import Repository

from ..owners import belongs_to, closed, opened
from ..recording import Recording
from . import hooks, readers
from .noticing import quietly

_mutex = threading.RLock()
"""Steps in several threads begin and end to be recorded at the same time."""


@contextlib.contextmanager
def recording(repository: Repository) -> Iterator[Recording]:
    """Records what the block uses.

    Args:
        repository: Where the execution's result goes; paths in its project are known by where they are in it.
    """
    made = Recording(repository)
    with _mutex:
        hooks.install(made, first=opened(made) == 1)
    try:
        with belongs_to(made):
            if readers.is_any_loaded(sys.modules):
                quietly(made.listen)
            yield made
    finally:
        made.come_back()
        made.hear()
        with _mutex:
            hooks.uninstall(last=closed(made) == 0)
        made.gather()
