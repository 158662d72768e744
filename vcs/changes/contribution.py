"""A part of a change that another process makes: it decides and publishes nothing, and hands over what it made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Self

from ..errors import storage_errors
from ..storage.layout import Layout
from ..storage.snapshot import Snapshot
from ..storage.store import ObjectStore
from .draft import Draft
from .journal import as_lines
from .outgoing import Brought, Outgoing
from .view import View


class Contribution(Draft[Outgoing]):
    """Objects and intents for a change of another process, which takes them in with `Transaction.take_in`.

    Use it as a context manager. What was not handed over when the block ends is garbage.

    Args:
        store: Where objects are read.
        layout: The paths on this machine.
        view: The refs of a moment, to be changed.
        folder: For what is not a whole pack yet; it belongs to the process that takes in what is made.
    """

    def __init__(self, store: ObjectStore, layout: Layout, view: Callable[[Snapshot], View], folder: Path) -> None:
        super().__init__(store, layout, lambda: Outgoing(store, folder), view)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def publish(self, *, tolerant: bool = False) -> None:
        """See `Draft.publish`: that is for who takes it in to decide."""

    def hand_over(self) -> Brought:
        """All that was put and meant so far, durable where it is much. It goes on with nothing.

        Until it has been taken in, this must not be closed: what it relies on might be collected.
        """
        with self._mutex, storage_errors(f"writing to {self._layout.folder}"):
            self._check_usable()
            brought = self._incoming.hand_over(as_lines(self._intents), self._seen.seq)
            self._intents = []
            return brought

    def close(self) -> None:
        """Ends it."""
        with self._mutex, storage_errors(f"writing to {self._layout.folder}"), self._ending() as begun:
            if begun:
                self._incoming.close()
