"""Collecting garbage beside writers and readers: on top of either commit point, without locks and without a clock.

A state names its packs and the condemned ones. What stands in a condemned pack counts as absent for whoever reads
that state. A pack is deleted only after it was condemned, and after every lease is on a state that says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .history import CommitPoint, Entry, History, Outcome
from .world import Delete, List, Put, Read, Reply, Steps, Violation, World, surely

Blobs = frozenset[str]
BLOBS = [f"blob {number}" for number in range(6)]  # few, so that writers meet each other's


@dataclass(frozen=True, slots=True)
class State:
    refs: dict[str, Blobs] = field(default_factory=dict)
    packs: dict[str, Blobs] = field(default_factory=dict)
    condemned: dict[str, int] = field(default_factory=dict)  # pack -> seq of the entry that condemned it
    epoch: int = 0  # how often something was condemned

    @property
    def needed(self) -> Blobs:
        return frozenset().union(*self.refs.values())

    @property
    def stored(self) -> Blobs:
        return frozenset().union(*self.packs.values())


@dataclass(frozen=True)
class GcRules:
    condemn_first: bool = True
    condemned_is_absent: bool = True  # also for whoever looks for what is stored already
    revalidate: bool = True  # a writer that finds another epoch looks again for all that its change refers to
    revalidate_own: bool = True  # its own packs too
    mark_again: bool = True  # a collector whose commit was lost marks again on the state that won
    mind_leases: bool = True
    lease_first: bool = True  # a lease stands before the state is read that it protects
    leases_after_condemning: bool = True  # leases are read after the condemning entry was committed
    never_tidy: bool = True  # packs of a change whose outcome is unknown are left to the collector
    writers_lease: bool = True  # off on a remote, where nobody has one
    readers_lease: bool = True  # the same
    look_again: bool = True  # a reader without a lease that misses something looks at the newest state
    # These two are needed only by writers without a lease:
    look_for_own_file: bool = True
    begin_anew: bool = True  # a writer that misses something that he had sent begins anew; off: he sends that again
    fresh_names: bool = True  # a put without a reply is not tried again under its name: a late one would raise the dead


FULL = GcRules()
REMOTE = GcRules(writers_lease=False, readers_lease=False)
"""A repository elsewhere: nobody has a lease, and a state is deleted from as soon as it says what is condemned."""


class Collected(Exception):
    """What a writer had sent was collected before it was published."""


@dataclass
class Change:
    """What one transaction has written and relies on."""

    ref: str
    wanted: Blobs
    epoch: int
    own: dict[str, Blobs] = field(default_factory=dict)


@dataclass
class GcDesign:
    world: World
    point: CommitPoint
    history: History
    rules: GcRules = FULL

    def lease(self, name: str, seq: int) -> Put:
        return Put(f"leases/{name}", seq)

    def writer(self, name: str) -> Steps[None]:
        if self.rules.writers_lease:
            yield from surely(self.lease(name, 0))
        for _ in range(3):
            base = yield from self.point.newest()
            if self.rules.writers_lease:
                yield from surely(self.lease(name, base.seq))
            try:
                yield from self._change(base)
            except Collected:
                continue
        yield from surely(Delete(f"leases/{name}"))

    def _change(self, base: Entry) -> Steps[None]:
        choose = self.world.random
        wanted = frozenset(choose.sample(BLOBS, choose.randint(0, 2)))
        change = Change(f"ref {choose.randint(1, 3)}", wanted, base.state.epoch)
        yield from self._store(change, wanted - self._found(base.state))

        def replay(newest: Entry) -> Steps[State]:
            state: State = newest.state
            if state.epoch != change.epoch:
                yield from self._revalidate(change, state)
            return replace(state, refs={**state.refs, change.ref: wanted}, packs={**state.packs, **change.own})

        number = self.world.number()
        outcome = yield from self.point.commit(number, replay)
        self.history.note(number, outcome)
        if outcome is Outcome.UNKNOWN and not self.rules.never_tidy:
            for pack in change.own:
                yield Delete(pack)

    def _found(self, state: State) -> Blobs:
        if self.rules.condemned_is_absent:
            return state.stored
        return state.stored | frozenset().union(*(self.world.files.get(pack, ()) for pack in state.condemned))

    def _store(self, change: Change, blobs: Blobs) -> Steps[None]:
        if not blobs:
            return
        pack = f"packs/{self.world.number()}"
        while (yield Put(pack, blobs)) is Reply.LOST:
            if self.rules.fresh_names:
                pack = f"packs/{self.world.number()}"
        change.own[pack] = blobs

    def _revalidate(self, change: Change, state: State) -> Steps[None]:
        if not self.rules.revalidate:
            return
        if self.rules.revalidate_own:
            for pack in list(change.own):
                gone = pack in state.condemned
                if self.rules.look_for_own_file and not gone:
                    gone = (yield Read(pack)) is None
                if gone and not self.rules.writers_lease and self.rules.begin_anew:
                    raise Collected
                if gone:
                    del change.own[pack]
        stored = self._found(state) | frozenset().union(*change.own.values())
        yield from self._store(change, change.wanted - stored)
        change.epoch = state.epoch

    def reader(self, name: str) -> Steps[None]:
        """Reads all that its state refers to, slowly, then looks again."""
        if self.rules.lease_first and self.rules.readers_lease:
            yield from surely(self.lease(name, 0))
        for _ in range(2):
            entry = yield from self.history.look(self.point.newest)
            if self.rules.readers_lease:
                yield from surely(self.lease(name, entry.seq))
            while (missing := (yield from self._missing(entry.state))) is not None:
                newer = entry
                if not self.rules.readers_lease and self.rules.look_again:
                    newer = yield from self.history.look(self.point.newest)
                if newer is entry:
                    raise Violation(f"missing: a reader of state {entry.seq} does not find {missing}")
                entry = newer
        yield from surely(Delete(f"leases/{name}"))

    def _missing(self, state: State) -> Steps[str | None]:
        for pack in state.packs:
            if (yield Read(pack)) is None:
                return pack
        return None

    def collector(self) -> Steps[None]:
        leases = yield from self._leases()
        yield from self._condemn()
        newest = yield from self.point.newest()
        if self.rules.leases_after_condemning:
            # Whoever is not in this list takes its lease later, and will read this state or a newer one.
            leases = yield from self._leases()
        deleted = []
        for pack, seq in newest.state.condemned.items():
            if not self.rules.mind_leases or all(lease >= seq for lease in leases):
                yield from surely(Delete(pack))
                deleted.append(pack)
        if deleted:
            yield from self.point.commit(self.world.number(), lambda newest: self._forget(newest, deleted))

    def _condemn(self) -> Steps[None]:
        present: list[str] = yield List("packs/")
        marked: list[str] | None = None

        def replay(newest: Entry) -> Steps[State]:
            nonlocal marked
            state: State = newest.state
            if marked is None or self.rules.mark_again:
                candidates = {**dict.fromkeys(present, frozenset[str]()), **state.packs}
                marked = [p for p, blobs in candidates.items() if p not in state.condemned and not blobs & state.needed]
            if not self.rules.condemn_first:
                for pack in marked:
                    yield from surely(Delete(pack))
            return self._condemned(newest, marked)

        newest = yield from self.point.newest()
        state = newest.state
        if any(p not in state.condemned and p not in state.packs for p in present) or any(
            not blobs & state.needed for blobs in state.packs.values()
        ):
            yield from self.point.commit(self.world.number(), replay)

    def _condemned(self, newest: Entry, packs: list[str]) -> State:
        state: State = newest.state
        kept = {pack: blobs for pack, blobs in state.packs.items() if pack not in packs}
        if not self.rules.condemn_first:
            return replace(state, packs=kept)
        condemned = {**dict.fromkeys(packs, newest.seq + 1), **state.condemned}
        return replace(state, packs=kept, condemned=condemned, epoch=state.epoch + 1)

    def _forget(self, newest: Entry, deleted: list[str]) -> Steps[State]:
        state: State = newest.state
        yield Read("root")  # a moment passes
        return replace(state, condemned={pack: seq for pack, seq in state.condemned.items() if pack not in deleted})

    def _leases(self) -> Steps[list[int]]:
        names: list[str] = yield List("leases/")
        seqs = []
        for name in names:
            seq: int | None = yield Read(name)
            if seq is not None:
                seqs.append(seq)
        return seqs

    def check(self) -> None:
        """Nothing is referred to and not there, at this moment. Called after each change and each deletion."""
        state: State = self.history.last.state
        present = {pack for pack in state.packs if pack in self.world.files and pack not in state.condemned}
        there = frozenset().union(*(state.packs[pack] for pack in present))
        if state.needed - there:
            raise Violation(f"dangling: state {self.history.last.seq} refers to {sorted(state.needed - there)}")
