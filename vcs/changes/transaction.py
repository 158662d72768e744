"""Changing a repository: objects and intents that become visible together.

A transaction collects objects and what is meant with them. `checkpoint` lands what is finished: it survives this
process. `publish` makes it durable and visible. What a process killed in between had landed, `recovery` publishes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from ..errors import Conflict, DamagedError, UnknownName, Unstorable, storage_errors
from ..maps import graph
from ..objects.kinds import State
from ..objects.oid import Oid
from ..storage.layout import Layout, PackName
from ..storage.snapshot import Snapshot
from ..storage.store import ObjectStore
from .draft import Draft
from .gathering import INLINE
from .incoming import Incoming
from .intents import Intent, decode
from .lending import Lent, lend
from .outgoing import Brought
from .publish import Change, Publisher
from .relied import bring_along


class Transaction(Draft[Incoming]):
    """Objects and intents that become visible together.

    Use it as a context manager: leaving the block publishes, an exception keeps only what was landed by
    `checkpoint`. Objects put are readable at once through the store, in this process. Thread-safe.

    It can be read like a `RefMap`: the state that it began with, with its own changes on top. Numbers of its own
    versions are provisional until it has published.

    Args:
        store: Where objects are read.
        layout: The paths on this machine.
        publisher: Who publishes.
        why: What the op log says about it.

    Attributes:
        standing: What lands again after each publishing, so that `recovery` knows what was going on when this process
            died.
        conflicts: What `publish(tolerant=True)` left out so far.
    """

    def __init__(self, store: ObjectStore, layout: Layout, publisher: Publisher, why: str) -> None:
        super().__init__(store, layout, lambda: Incoming(store, layout), publisher.view)
        self.why = why
        self._publisher = publisher
        self._landed = 0  # so many of the intents
        self.standing: tuple[Intent, ...] = ()
        self.conflicts: list[Conflict] = []
        self._unsure = self._given_up = False
        self._edit: Callable[[Snapshot, State], State] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.publish()
        finally:
            self.close()

    # Meaning

    def edit_state(self, edit: Callable[[Snapshot, State], State]) -> None:
        """Means a change of the state besides the refs, as a collector makes them.

        Args:
            edit: Called at each attempt with the newest moment and the state that is to follow it.
        """
        self._edit = edit

    # Whole packs

    def packs(self) -> tuple[PackName, ...]:
        """The full packs so far, which are at their places and which no state names yet."""
        return self._incoming.names()

    def seal(self) -> None:
        """Puts all objects so far at their place as a pack, durably; no state names it yet."""
        with self._adding():
            if self._incoming.writer.entries:
                self._incoming.seal()

    def divide(self, *, lineage: bool, few: int = INLINE) -> None:
        """What comes from now on goes into packs of its own, of lineage or not; as `seal` for what came so far.

        Args:
            lineage: Whether it is lineage.
            few: So many bytes of what came so far may go into the op's own file instead.
        """
        with self._adding():
            self._incoming.seal_if_large(few)
            self._incoming.lineage = lineage

    def take(self, name: PackName, path: Path) -> None:
        """Takes over a whole pack that was made elsewhere, every object of it verified; its file is moved."""
        with self._adding():
            self._incoming.place(name, path)

    def name(self, packs: Iterable[PackName]) -> None:
        """Names whole packs that are at their places; they stay there, be this published or not."""
        with self._adding():
            for name in packs:
                self._incoming.place_found(name)

    def take_in(self, brought: Brought) -> None:
        """Takes in what another process has made for this change, and means what it means.

        Raises:
            Conflict: Something of it cannot be meant, as things are now.
            DamagedError: It is not what was made.
        """
        with self._adding():
            for name in brought.packs:
                self._incoming.place(name)
            self.bring(*brought.items)
            seen = self._moment(brought.seq)
            for intent in map(decode, brought.intents):
                if seen is not None and seen.state.epoch != self._seen.state.epoch:
                    # What it relied on, and did not bring, may have been condemned since.
                    bring_along(self._store, self._seen, seen, self._incoming, self._view, intent.targets())
                self.add(intent)

    def lend(self, roots: Iterable[Oid]) -> Lent:
        """What another process needs to read some objects, and all that they lead to, before this is published."""
        with self._adding():
            return lend(self._store, self._incoming, roots)

    def _moment(self, seq: int) -> Snapshot | None:
        """The moment at which an op was the newest, if that can still be read."""
        if seq == self._seen.seq:
            return self._seen
        entry = self._store.log.entry(seq)
        return None if entry is None else Snapshot(self._store.files, entry)

    # Landing and publishing

    def resume(self, intents: Sequence[Intent], incoming: Incoming, seen: Snapshot | None) -> list[Intent]:
        """Takes over what a dead process left, as far as it can still be meant.

        Args:
            intents: What was meant.
            incoming: What came with it.
            seen: The moment that the dead process had looked at, if that can still be read.

        Returns:
            What was taken over.
        """
        self._incoming.drop()
        self._incoming = incoming
        for intent in intents:
            lost = bring_along(self._store, self._seen, seen, incoming, self._view, intent.targets())
            # What is nowhere was never durable, or was collected since: nothing must lead to it.
            if lost and not lost <= self._lost_before():
                continue
            with suppress(Conflict, UnknownName, DamagedError, Unstorable):  # or it would be in the way of all others
                self.add(intent)
        self._landed = len(self._intents)
        return list(self._intents)

    def _lost_before(self) -> set[Oid]:
        """What the refs lead to and is nowhere."""
        root, lost = self._view.base.root, set[Oid]()
        for _ in graph.reachable(self._store, [root] if root else [], lambda oid, _: lost.add(oid)):
            pass
        return lost

    def refresh(self, *, tolerant: bool = False) -> None:
        """Publishes as `publish` does, and in any case sees then what others have published."""
        with self._mutex:
            self.publish(tolerant=tolerant)
            self._look_again()

    def checkpoint(self, also: Sequence[Intent] = ()) -> None:
        """Lands all that was put and meant so far: it survives the death of this process.

        Args:
            also: What is meant if this process dies; if it lives, it says so in another way when it publishes.
        """
        with self._mutex, storage_errors(f"writing to {self._layout.folder}"):
            if self._landed < len(self._intents) or also:
                self._check_usable()
                self._incoming.land(self.why, [*self._intents[self._landed :], *also], None, self._seen.seq)
                self._landed = len(self._intents)

    def publish(self, *, tolerant: bool = False) -> None:
        """Makes everything durable and visible. The transaction may go on afterwards, and sees what others published.

        Args:
            tolerant: Leave out what cannot be meant any more, and note it under `conflicts`, instead of publishing
                nothing.

        Raises:
            Conflict: Something that was meant cannot be any more; nothing was published, and the transaction has ended.
            StorageError: The operating system refused; it can be tried again, and what has landed stays.
        """
        with self._mutex, storage_errors(f"writing to {self._layout.folder}"):
            if not self._intents and self._edit is None:
                self._tell()
                return
            self._check_usable()
            nonce = os.urandom(8).hex()
            try:
                if self._incoming.landed:
                    # Should we die now, recovery can tell whether this was published.
                    self._incoming.land(self.why, self._intents[self._landed :], nonce, self._seen.seq)
                    self._landed = len(self._intents)
                change = Change(
                    self.why, nonce, tuple(self._intents), self._view, self._seen, self._incoming, tolerant, self._edit
                )
                self.conflicts += self._publisher.publish(change)
            except Conflict:
                self._given_up = True
                self.close()
                raise
            except BaseException:
                self._unsure = True  # the op may stand though we were told otherwise
                raise
            self._intents, self._landed, self._edit = [], 0, None
            self._incoming.published(self.why, self.standing, self._seen.seq)
            self._look_again()
            self._tell()

    def close(self) -> None:
        """Ends the transaction. What was landed but not published is published by `recovery`."""
        with self._mutex, storage_errors(f"writing to {self._layout.folder}"), self._ending() as begun:
            if begun:
                self._end_incoming()

    def _end_incoming(self) -> None:
        if self._process != os.getpid():
            self._incoming.abandon()  # in a forked process the files are the parent's
        elif self._incoming.landed and (self.standing or not self._given_up):
            self._incoming.leave()
        else:
            if self._unsure:
                self._incoming.forget_packs()  # gc knows whether a state names them
            self._incoming.drop()
