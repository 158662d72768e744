"""Garbage collection that stops nobody.

    mark → plan → condemn what is dead → delete it → write anew what is mostly dead, condemn, delete

Condemned packs are listed in the state and count as absent for whoever reads it. A transaction that had looked before
sees, when it publishes, that something was condemned, and brings along what it relied on. A condemned pack is deleted
once nobody who is known to be there uses a state from before. What is wholly dead goes first and needs no space; only
then is anything written. Who is there says the ground: see `ground`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...changes.transaction import Transaction
from ...errors import DamagedError, DiskFull, RepositoryError, storage_errors
from ...objects.kinds import State
from ...objects.oid import Oid, hash_bytes
from ...repository import Repository, is_shared
from ...storage.layout import OPS, PACKS, PackName, op_name, op_seq, segment_name
from ...storage.packs.op_file import MAX_CONDEMNED
from ...storage.packs.pack import Pack
from ...storage.packs.segment import build as build_segment
from ...storage.snapshot import Snapshot
from . import copying
from . import verdicts as planning
from .ground import Ground, Here
from .mark import Mark
from .verdicts import MAX_UNUSED, Plan, Verdict

_TRIES = 5


@dataclass(frozen=True)
class Done:
    """What a collection did.

    Attributes:
        plan: What it had set out to do, with what was left over in the end.
        deleted: Packs and old ops that are gone.
        waiting: Packs that will go when those who use them have ended.
        held_by: The processes that use them.
        full: Whether the disk was too full to write anything anew.
        kept_edits: Where edits are now that a killed checkout had moved away.
    """

    plan: Plan
    deleted: tuple[str, ...]
    waiting: tuple[str, ...]
    held_by: tuple[int, ...]
    full: bool
    kept_edits: tuple[Path, ...]


Progress = Callable[[str, int, int], None]
"""Told what is being done, how many bytes are done, and how many there are in all; 0 of 1 for what is not counted."""


def unseen(doing: str, done: int, total: int) -> None:
    """Nobody watches."""


def plan(repository: Repository, max_unused: float = MAX_UNUSED) -> Plan:
    """Finds what nothing refers to, and says what a collection would do with each pack. Changes nothing.

    Raises:
        DamagedError: The refs are damaged: run `fsck --repair` first.
    """
    with storage_errors(f"reading {repository.layout.folder}"):
        return plan_on(Here(repository), max_unused)


def plan_on(ground: Ground, max_unused: float = MAX_UNUSED) -> Plan:
    """As `plan`, anywhere."""
    head = ground.store.refresh().without_damage()
    mark = Mark(ground.store, ground.promised(), ground.ahead)
    mark.catch_up(head)
    made = planning.make(ground.store, head, mark, max_unused)
    return dataclasses.replace(made, leftovers=ground.leftovers())


def collect(repository: Repository, max_unused: float = MAX_UNUSED, progress: Progress = unseen) -> Done:
    """Makes a plan and carries it out.

    Args:
        repository: Where.
        max_unused: Write packs anew until at most this share of what they hold is garbage, 0 to 1.
        progress: Told what is being done.

    Raises:
        DamagedError: As `plan`.
        RepositoryError: Others push to it, and whoever does so right now relies on what would go.
    """
    if is_shared(repository.layout):
        where = repository.layout.folder
        raise RepositoryError(
            f"{where} is shared: others push there and have no leases; run `art gc --remote` in a clone of it."
        )
    with storage_errors(f"collecting garbage in {repository.layout.folder}"), repository.freeing():
        return collect_on(Here(repository), max_unused, progress)


def collect_on(ground: Ground, max_unused: float = MAX_UNUSED, progress: Progress = unseen) -> Done:
    """As `collect`, anywhere."""
    ground.settle()
    return _Collection(ground, progress).run(max_unused)


class _Collection:
    def __init__(self, ground: Ground, progress: Progress) -> None:
        self._ground = ground
        self._store = ground.store
        self._progress = progress
        self._mark = Mark(self._store, ground.promised(), ground.ahead)
        self._deleted: list[str] = []
        self._fresh: set[bytes] = set()  # raw ids of what has come to life since the plan was made
        self._epoch = -1  # what it was when the plan was made
        self._unnamed: set[PackName] = set()  # packs that no state named then
        self._written, self._to_write = 0, 0  # bytes of what is alive in packs that are written anew

    def run(self, max_unused: float) -> Done:
        store = self._store
        with self._ground.begin("gc") as transaction:
            self._progress("finding what is used", 0, 1)
            self._mark.catch_up(store.refresh())
            head = store.refresh().without_damage()
            self._mark.catch_up(head)  # what was published while that took its time
            made, self._epoch = planning.make(store, head, self._mark, max_unused), head.state.epoch
            dead = [verdict.pack for verdict in made.packs("delete")]
            self._unnamed.update(self._ground.abandoned(head))
            self._condemn(transaction, [*dead, *self._unnamed], set())
        self._delete_condemned()
        full = not self._rewrite(made)
        self._delete_condemned()
        swept = self._ground.sweep()
        self._deleted += swept
        holders = self._ground.holders()
        waiting = tuple(store.refresh().state.condemned) if holders else ()
        held_by = tuple(sorted({holder.process for holder in holders})) if waiting else ()
        made, kept = dataclasses.replace(made, leftovers=swept), tuple(self._ground.kept_edits())
        return Done(made, tuple(self._deleted), waiting, held_by, full, kept)

    def _condemn(self, transaction: Transaction, packs: Sequence[PackName], copied: set[bytes]) -> None:
        """Publishes that these packs count as absent, less those in which something has come to life meanwhile.

        Args:
            transaction: Publishes it.
            packs: The packs.
            copied: The raw ids of the objects of them that the transaction brings along.
        """
        if packs:
            transaction.edit_state(lambda head, state: self._without(head, state, packs, copied))
            transaction.publish()

    def _without(self, head: Snapshot, state: State, packs: Iterable[PackName], copied: set[bytes]) -> State:
        named = set(head.packs())
        gone, unnamed = set(packs) & named, set(packs) & self._unnamed - named - state.condemned.keys()
        self._fresh |= self._mark.catch_up(head)
        # Another collector may have taken the copies that the plan relies on.
        watched = self._fresh if state.epoch == self._epoch else self._alive_in(gone)
        for key in watched - copied:
            places = {place for place, _ in head.find(Oid(key.hex()))}
            if places <= gone:
                gone -= places
        gone |= unnamed
        if not gone:
            return state
        gone = set(sorted(gone)[: MAX_CONDEMNED - len(state.condemned)])  # the next collection goes on
        condemned: dict[str, int] = {**state.condemned, **dict.fromkeys(sorted(gone), head.seq + 1)}
        loose = tuple(name for name in state.loose if name not in gone)
        return dataclasses.replace(state, loose=loose, condemned=condemned, epoch=state.epoch + 1)

    def _alive_in(self, packs: set[PackName]) -> set[bytes]:
        """The raw ids of what is alive in packs; those that a repair has taken away meanwhile leave the set."""
        alive = set[bytes]()
        for name in sorted(packs):
            try:
                held = Pack.open(self._store.files, name).held()
            except FileNotFoundError:
                packs.discard(name)
                continue
            alive.update(found for key, _, _ in held if (found := self._mark.live.get(key)))
        return alive

    def _rewrite(self, made: Plan) -> bool:
        """Writes anew what is alive in packs that are mostly dead; False when the disk is too full for it."""
        chosen = made.packs("rewrite")
        if not chosen:
            return True
        self._to_write = sum(each.live_bytes for each in chosen)
        try:
            with self._ground.begin("gc") as transaction:
                done: list[Verdict] = []
                for lineage in (False, True):
                    apart = [each for each in chosen if self._ground.is_lineage(each.pack) == lineage]
                    if apart:
                        transaction.divide(lineage=lineage)
                        done += [verdict for verdict in apart if self._copy(transaction, verdict)]
                        transaction.seal()
                self._condemn(transaction, [each.pack for each in done], {key for each in done for key in each.live})
        except DiskFull:
            return False
        return True

    def _copy(self, transaction: Transaction, verdict: Verdict) -> bool:
        """Copies what is alive in a pack; False where that cannot be read any more."""
        try:
            for item, _ in copying.items(self._store, verdict.pack, verdict.live):
                transaction.bring(item)
                self._written += len(item.stored)
                self._progress("writing anew what is used", self._written, max(self._written, self._to_write))
        except DamagedError:
            return False
        return True

    def _delete_condemned(self) -> None:
        """Deletes what was condemned and nobody alive can use any more, and takes it from the list."""
        # The newest two ops have to stay, and taking things from the list makes another one.
        while self._delete_some():
            pass

    def _delete_some(self) -> bool:
        # What a damaged index does not name is not therefore without a name.
        head = self._store.refresh().without_damage()
        holders = self._ground.holders()
        # Who has died since we looked before has no lease, but what landed relies on what is condemned.
        self._ground.settle()
        oldest = holders[0].seq if holders else head.seq
        free = {PackName(name) for name, seq in head.state.condemned.items() if seq <= oldest}
        there = self._there(free)
        for name in sorted(free):
            if op_seq(name) is None:
                self._store.files.delete(name)
        named = {seq for name in (*head.packs(), *head.state.condemned) if (seq := op_seq(name)) is not None}
        # What is older than all that a state names was made too late, and does not stand.
        self._store.log.clean_up(lambda seq: op_name(seq) in free or seq < min(named))
        gone = free - self._there(free)
        if gone:
            self._deleted += sorted(gone & there)
            self._forget(gone)
        return bool(gone & there)  # not what could not be taken from the list: the disk may be full

    def _there(self, names: set[PackName]) -> set[PackName]:
        """Those of some files that are there: elsewhere a list costs less than a question for each."""
        files = self._store.files
        return names & {*files.list(PACKS), *files.list(OPS)} if names else names

    def _forget(self, gone: set[PackName]) -> None:
        """Takes what was deleted from the list of what is condemned, and from the index where that names it."""
        for _ in range(_TRIES):
            head = self._store.refresh()
            old = head.state.segments
            new = self._index_without(head, gone)
            with self._ground.begin("gc") as transaction:
                transaction.edit_state(partial(_forgotten, gone, old, new))
                transaction.publish()
            if self._store.refresh().state.segments == new:
                return  # else somebody else changed the index meanwhile

    def _index_without(self, head: Snapshot, gone: set[PackName]) -> tuple[Oid, ...]:
        """The index segments, made anew where they name packs that are gone."""
        touched = [segment for segment in head.segments if gone & set(segment.packs)]
        if not touched or len(head.segments) < len(head.state.segments) or not all(each.whole() for each in touched):
            return head.state.segments  # repairing is another's work
        data = build_segment(((each.packs, each.raw()) for each in touched), frozenset(gone))
        name = hash_bytes(data, "index")
        try:
            with storage_errors("writing the index"):
                self._store.files.put(segment_name(name), data)
        except DiskFull:
            return head.state.segments
        kept = [segment.name for segment in head.segments if segment not in touched]
        return (*kept, name)


def _forgotten(gone: set[PackName], old: tuple[Oid, ...], new: tuple[Oid, ...], head: Snapshot, state: State) -> State:
    """The state without what is gone, with the new index if the old one is still there."""
    segments = new if state.segments == old else state.segments
    listed = {name for segment in head.segments for name in segment.packs} if segments != new or new == old else set()
    condemned = {name: seq for name, seq in state.condemned.items() if name not in gone or name in listed}
    return dataclasses.replace(state, segments=segments, condemned=condemned)
