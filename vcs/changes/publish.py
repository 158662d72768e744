"""Making a change visible: its intents are replayed on the newest state until the log takes them.

Packs → op: nothing is visible before the op's file is created, nothing is lost after. Nobody is locked out: whoever
comes second replays on what the first has made. Processes of one machine queue for a moment, only to spare each other
vain attempts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ..catalog.database import Database
from ..errors import Collected, Conflict, DiskFull, RepositoryBusy, StorageError, storage_errors
from ..maps.refs import RefMap
from ..objects.kinds import Op, State
from ..objects.nodes import RefsNode
from ..objects.oid import Oid, hash_bytes
from ..objects.records import Record
from ..storage.disk.locks import Lock
from ..storage.disk.plain import is_something_else
from ..storage.files import nothing
from ..storage.layout import LAST_OP, Layout, PackName, op_name, segment_name
from ..storage.op_log import Outcome
from ..storage.packs import codec, segment
from ..storage.packs.op_file import Entry
from ..storage.packs.pack import Item
from ..storage.snapshot import Snapshot
from ..storage.store import ObjectStore
from .incoming import Incoming
from .intents import Intent
from .relied import bring_along
from .view import View

RECENT = 64
"""So many nonces of earlier ops each state keeps."""

MAX_LOOSE = 16
"""More packs than this are not left out of the index."""

_TURN = 0.5
"""Seconds to queue for before going ahead without: the queue spares work, and protects nothing."""

_SELDOM, _OFTEN = 0.003, 0.0001
"""Seconds between two looks at the queue; between two of the one who is next. Only he may look often: it takes time."""

_TRIES = 1000

_PAUSE = 3600.0
"""Seconds after which an attempt begins anew where nothing is leased. Files that no state names stay much longer."""


@dataclass(frozen=True)
class Change:
    """What is to be published.

    Attributes:
        why: What the op log says about it.
        nonce: Random; the op will carry it.
        intents: What is meant.
        view: The same, replayed on the state that the transaction saw.
        seen: The moment of that state: what it names is still there, for the transaction has a lease on it.
        incoming: The objects that go with it.
        tolerant: Whether intents that cannot be meant any more are left out, instead of publishing nothing.
        edit: Changes of the state besides the refs, as a collector makes them.
    """

    why: str
    nonce: str
    intents: Sequence[Intent]
    view: View
    seen: Snapshot
    incoming: Incoming
    tolerant: bool = False
    edit: Callable[[Snapshot, State], State] | None = None


class Publisher:
    """Publishes changes of one repository.

    Args:
        store: Where objects are read and the log is.
        layout: The paths on this machine.
        author: Says who makes changes here.
        cache: Where the catalog is kept.
        leased: Whether what a transaction saw, or sent, stays as long as it lasts. Elsewhere a collector knows nothing
            of it.
    """

    def __init__(
        self, store: ObjectStore, layout: Layout, author: Callable[[], str], cache: Database, *, leased: bool = True
    ) -> None:
        self._store = store
        self._layout = layout
        self._author = author
        self._cache = cache
        self._leased = leased

    def view(self, seen: Snapshot) -> View:
        """The refs of a moment, to be changed."""
        return View(RefMap(self._store, seen.state.refs), self._cache)

    def publish(self, change: Change) -> list[Conflict]:
        """Publishes a change, and returns what of it was left out.

        Raises:
            Conflict: Something that is meant cannot be any more; nothing was published.
            Collected: What it relies on was collected meanwhile, where there are no leases.
            RepositoryBusy: Others published all the time, and it never came to its turn.
            StorageError: The operating system refused; nothing was published.
        """
        items, seen = change.incoming.items(), change.seen
        turn = self._turn()
        try:
            unknown: int | None = None
            for _ in range(_TRIES):
                head = self._store.refresh()
                if was_published(head, change.nonce):
                    return []
                if unknown is not None and head.seq - unknown >= RECENT:
                    break  # so many have followed that the newest state could not tell any more
                view, conflicts = self._replayed(change, head)
                if head.state.epoch != seen.state.epoch:
                    # What is nowhere was lost before: this change takes nothing from it.
                    lost = bring_along(self._store, head, seen, change.incoming, view, view.targets())
                    if not self._leased:
                        self._check_not_collected(change, head, lost)
                    items, seen = change.incoming.items(), head
                if not items and not change.incoming.packs and _changes_nothing(change, view):
                    return conflicts
                outcome = self._attempt(change, head, view, items, turn.release if turn else nothing)
                if outcome is Outcome.COMMITTED:
                    return conflicts
                if outcome is Outcome.UNKNOWN and unknown is None:
                    unknown = head.seq + 1
        finally:
            if turn is not None:
                turn.release()
        raise RepositoryBusy("Other processes publish all the time and leave no gap; try again when they have ended.")

    def _turn(self) -> Lock | None:
        """Our turn, or None where it takes too long to come to it."""
        if any(map(is_something_else, (self._layout.queue, self._layout.turn))):
            return None  # something else is in the way, and the queue protects nothing
        give_up = time.monotonic() + _TURN
        first = Lock.queue(self._layout.queue, _TURN)
        try:
            return Lock.wait(self._layout.turn, give_up - time.monotonic(), _OFTEN)
        finally:
            if first is not None:
                first.release()

    def _attempt(
        self, change: Change, head: Snapshot, view: View, items: list[Item], visible: Callable[[], object]
    ) -> Outcome:
        """One attempt to follow `head`; as soon as others see it, they can go on."""
        made: dict[Oid, Item] = {item.oid: item for item in map(_item, view.brought())}
        nodes: dict[Oid, RefsNode] = {}

        def put(node: RefsNode) -> Oid:
            item = _item(node)
            made[item.oid], nodes[item.oid] = item, node
            return item.oid

        began, seq = boot_time(), head.seq + 1
        if seq > LAST_OP:
            raise StorageError("The repository's log has come to its last number; run `art fsck`, and begin a new one.")
        refs = view.below.update(view.edits, put)
        state = self._next_state(change, head, refs.root)
        attempt = nonces()[0]
        op = Op(seq, head.entry.oid, state, change.nonce, attempt, self._author(), now_ms(), change.why)
        entry = Entry.make(op, [*items, *made.values()])
        if not self._leased and boot_time() - began > _PAUSE:
            return Outcome.TAKEN  # the machine slept: the index that was put may have been swept
        outcome = self._store.log.commit(entry, visible)
        if outcome is not Outcome.COMMITTED:
            return outcome
        self._store.soundness.written(op_name(seq))
        if not self._leased:
            self._keep_index({*state.segments} - {*head.state.segments})
        self._store.adopt(entry)
        for oid, node in nodes.items():
            self._store.remember(oid, node, made[oid].size)  # the next change begins with them
        return outcome

    def _keep_index(self, made: Iterable[Oid]) -> None:
        """Puts index segments again that are gone though they are named now.

        A collector sweeps what no state names, and looks afterwards whether one does by then. So one of both sees it,
        whoever comes first.
        """
        files = self._store.files
        for name in map(segment_name, made):
            if not files.exists(name):
                with suppress(FileNotFoundError):  # the copy here is gone, too: repairing is another's work
                    files.put(name, files.read(name))

    def _check_not_collected(self, change: Change, head: Snapshot, lost: Iterable[Oid]) -> None:
        """Makes sure that all is there that a change has sent, and that it has found there. Raises Collected."""
        files = self._store.files
        sent = any(name in head.state.condemned or not files.exists(name) for name in change.incoming.names())
        if sent or any(True for oid in lost for _ in change.seen.find(oid)):
            raise Collected("What this change relies on was collected as garbage meanwhile; try again.")

    def _replayed(self, change: Change, head: Snapshot) -> tuple[View, list[Conflict]]:
        if head.state.refs == change.view.base.root:
            return change.view, []
        view, conflicts = self.view(head), []
        for intent in change.intents:
            try:
                intent.replay(view)
            except Conflict as error:
                if not change.tolerant:
                    raise
                conflicts.append(error)
                if (rest := intent.yielding()) is not None:
                    rest.replay(view)
        return view, conflicts

    def _next_state(self, change: Change, head: Snapshot, refs: Oid | None) -> State:
        old = head.state
        loose = [
            PackName(name)
            for name in dict.fromkeys((*old.loose, *change.incoming.names()))
            if name not in old.condemned
        ]
        segments = old.segments
        if len(loose) >= MAX_LOOSE:
            segments, loose = self._indexed(head, change.incoming, loose)
        own = op_name(head.seq + 1)
        recent = (head.entry.op.nonce, *old.recent)[:RECENT]
        state = State(refs, segments, (*loose, own), old.condemned, old.epoch, recent)
        return state if change.edit is None else change.edit(head, state)

    def _indexed(
        self, head: Snapshot, incoming: Incoming, loose: list[PackName]
    ) -> tuple[tuple[Oid, ...], list[PackName]]:
        """The index with the loose packs in it: one new segment, which takes in those that are not much larger."""
        packs = {pack.name: pack for pack in (*head.loose, *incoming.packs)}
        if any(name not in packs for name in loose) or len(head.segments) < len(head.state.segments):
            return head.state.segments, loose  # something is damaged: repairing is another's work
        if any(packs[name].table.last_number() for name in loose):
            return head.state.segments, loose  # a pack's own table names no other pack
        tables: list[tuple[Sequence[PackName], segment.Rows]] = [([name], packs[name].table.raw()) for name in loose]
        total = sum(packs[name].table.rows for name in loose)
        kept = list(head.segments)
        while kept and kept[-1].rows <= 2 * total:
            merged = kept.pop()
            if not merged.whole():
                return head.state.segments, loose  # what is damaged in it would pass for sound in the new one
            total += merged.rows
            tables.append((merged.packs, merged.raw()))
        data = segment.build(tables, frozenset(PackName(name) for name in head.state.condemned))
        name = hash_bytes(data, "index")
        try:
            with storage_errors("writing the index"):
                self._store.files.put(segment_name(name), data)
        except DiskFull:
            return head.state.segments, loose  # derived: a full disk must not be in the way of deleting something
        return (*(each.name for each in kept), name), []


def _changes_nothing(change: Change, view: View) -> bool:
    """Whether all is already as it is meant to be."""
    unchanged = change.edit is None and view.below.root == view.base.root
    return unchanged and all(view.base.get(ref) == oid for ref, oid in view.edits.items())


def was_published(snapshot: Snapshot, nonce: str) -> bool:
    """Whether the op with this nonce is the newest of a snapshot, or shortly before it."""
    return nonce == snapshot.entry.op.nonce or nonce in snapshot.state.recent


def nonces() -> tuple[str, str]:
    """Two random texts: one of a transaction, one of an attempt to publish it."""
    return os.urandom(8).hex(), os.urandom(8).hex()


def boot_time() -> float:
    """Seconds since some moment, in which a machine that sleeps grows older, too."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def _item(record: Record) -> Item:
    data = record.encode()
    return Item(hash_bytes(data, record.KIND), record.KIND, *codec.compress(data), len(data))
