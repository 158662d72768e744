"""A part of a change that another process makes: it decides and publishes nothing, and hands over what it made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self

from ..errors import storage_errors
from ..storage.layout import Layout, PackName
from ..storage.snapshot import Snapshot
from ..storage.store import ObjectStore
from .draft import Draft
from .journal import as_lines
from .lending import Borrowed, Lent
from .outgoing import Brought, Outgoing
from .view import View


class Link(Protocol):
    """The way to who makes the change as a whole."""

    def catch_up(self) -> None:
        """Has published what the change holds so far."""

    def deliver(self, brought: Brought) -> None:
        """Has something taken in, and published."""

    def sealed(self, name: PackName) -> None:
        """A whole pack is at its place, which will be handed over with what follows."""


class Contribution(Draft[Outgoing]):
    """Objects and intents for a change of another process, which takes them in with `Transaction.take_in`.

    Use it as a context manager. What was not handed over when the block ends is garbage. Refs are read as the change
    as a whole has made them when they are first asked for.

    Args:
        store: Where objects are read.
        layout: The paths on this machine.
        view: The refs of a moment, to be changed.
        folder: For what is not a whole pack yet; it belongs to the process that takes in what is made.
        link: The way to that process.
    """

    def __init__(
        self, store: ObjectStore, layout: Layout, view: Callable[[Snapshot], View], folder: Path, link: Link
    ) -> None:
        super().__init__(store, layout, lambda: Outgoing(store, folder, link.sealed), view)
        self._borrowed = Borrowed(store, folder)
        self._link = link
        self._is_current = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin_anew(self, lent: Lent) -> None:
        """What was handed over has been taken in, and something new begins.

        Args:
            lent: What can be read now though it is not published.
        """
        with self._mutex, storage_errors(f"reading {self._layout.folder}"):
            self._check_usable()
            self._borrowed.take(lent)
            self._look_again()
            self._is_current = False

    def borrow(self, lent: Lent) -> None:
        """More can be read now, until something new begins."""
        with self._mutex, storage_errors(f"reading {self._layout.folder}"):
            self._borrowed.add_lent(lent)

    def catch_up(self) -> None:
        """Sees the refs as the change as a whole has made them by now."""
        with self._mutex:
            self._link.catch_up()
            self._look_again()
            for intent in self._intents:
                intent.replay(self._view)
            self._is_current = True

    def _viewed(self) -> View:
        if not self._is_current:
            self.catch_up()
        return self._view

    def publish(self, *, tolerant: bool = False) -> None:
        """See `Draft.publish`. How tolerant it is, who makes the change as a whole decides."""
        with self._mutex:
            self._link.deliver(self.hand_over())
            self._look_again()
            self._is_current = True
            self._tell()

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
                self._borrowed.close()
