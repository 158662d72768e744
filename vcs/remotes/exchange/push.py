"""Bringing what is only here to a repository elsewhere.

    fetch → what is only here → objects that are not there: data, lineage → merged there, in one change → fetch

What both have is brought together here first, so that what comes there only adds. Should somebody come between, his
change is kept, and numbers are given anew there; the last fetch says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...changes.incoming import INLINE
from ...changes.intents import Intent, Merge, SetRef
from ...changes.intents.merge import APART
from ...changes.transaction import Transaction
from ...maps import graph, ref_names
from ...maps.refs import RefMap
from ...objects.kinds import Artifact, Commit, Run
from ...objects.oid import NULL, Oid
from ...repository import Repository
from ...storage.layout import is_lineage_name, op_seq
from ...storage.snapshot import Snapshot
from ..places.traffic import Told
from ..remote import Remote
from .fetch import Fetched, take_in


@dataclass(frozen=True)
class Pushed:
    """What a push brought there.

    Attributes:
        runs: How many runs are new or changed there.
        versions: How many versions are.
        objects: How many objects went.
        size: Bytes of these, as they are stored.
        fetched: What came from there.
    """

    runs: int
    versions: int
    objects: int
    size: int
    fetched: Fetched


def push(near: Repository, remote: Remote, told: Told = lambda _: None) -> Pushed:
    """Brings all that is only here to a repository elsewhere, which is begun where there is none.

    Raises:
        RemoteRefused: Nothing can be pushed there.
        RemoteError: As `Remote.look`.
    """
    fetched = take_in(near, remote, remote.begin_there())
    with near.reading():
        base = RefMap(remote.store, remote.merged[1])  # of which a collector here may have taken a part
        changed = near.refs().diff(base)
        fresh = dict(_only_here(near.refs(), changed))
        again = {old for ref, (old, new) in changed.items() if ref.startswith(ref_names.PRUNED) and old and not new}
        if not fresh and not again:
            return Pushed(0, 0, 0, 0, fetched)
        # The refs as they would be there: only looked at, and never published here.
        aside = near.begin("push")
        try:
            after = base.update(fresh, aside.put).root
            with remote.transaction("push") as transaction:
                sending = _Sending(near, remote, base, transaction, told)
                objects, size = sending.send({*fresh.values(), *again})
                transaction.add(Merge(base.root, after, False))
                for intent in sending.pruned():
                    transaction.add(intent)
        finally:
            aside.close()
    after_it = take_in(near, remote, remote.store.snapshot.entry)
    return Pushed(
        sum(ref.startswith(ref_names.RUNS) for ref in fresh),
        sum(ref.startswith(ref_names.ARTIFACTS) for ref in fresh),
        objects,
        size,
        Fetched(fetched.runs, fetched.versions, fetched.renumbered + after_it.renumbered),
    )


def _only_here(refs: RefMap, changed: Mapping[str, tuple[Oid | None, Oid | None]]) -> Iterator[tuple[str, Oid]]:
    """What is here and not there, without runs that go on."""
    going_on = set[str]()
    for ref, (_, new) in changed.items():
        if ref.startswith(ref_names.RUNS) and new is not None and refs.record(new, Run).status == "running":
            going_on.add(ref_names.last_part(ref))
    for ref, (_, new) in changed.items():
        if new is None or ref.startswith(APART):
            continue
        if going_on and ref_names.last_part(ref) in going_on:
            continue  # its record, and its marks
        yield ref, new


class _Sending:
    """Finds what is not there, and sends it: data first, so that lineage lies in packs of its own.

    What is both, as an empty file is, goes as lineage: who fetches that alone has to find it there.
    """

    def __init__(self, near: Repository, remote: Remote, base: RefMap, transaction: Transaction, told: Told) -> None:
        self._store = near.store
        self._refs = near.refs()
        self._base = base
        self._artifacts: set[Oid] = set()  # those that are sent, with their data or without
        self._transaction = transaction
        self._told = told
        self._there: Snapshot = remote.store.snapshot
        self._lineage: dict[Oid, int] = {}
        self._data: dict[Oid, int] = {}

    def send(self, roots: set[Oid]) -> tuple[int, int]:
        """Sends all that these lead to; returns how many objects, and their bytes."""
        payloads = self._walk(roots - {NULL}, self._lineage)
        self._walk(payloads - self._lineage.keys(), self._data)
        for oids, lineage in ((self._data, False), (self._lineage, True)):
            for oid in oids:
                self._transaction.bring(self._store.stored(oid))
                self._told(oids[oid])
            if sum(oids.values()) > INLINE:  # else it goes into the op's own file
                self._transaction.seal(lineage=lineage)
        return len(self._data) + len(self._lineage), sum(self._data.values()) + sum(self._lineage.values())

    def pruned(self) -> Iterator[Intent]:
        """What is to be said there of the artifacts that are sent: whether their data was given up."""
        for oid in self._artifacts:
            ref = ref_names.pruned(oid)
            if self._refs.get(ref) != self._base.get(ref):
                yield SetRef(ref, self._refs.get(ref))

    def _walk(self, roots: Iterable[Oid], missing: dict[Oid, int]) -> set[Oid]:
        """Notes what is not there of all that these lead to, the payloads of artifacts left out; returns those."""
        pending, seen, payloads = list(roots), set(roots), set[Oid]()
        while pending:
            oid = pending.pop()
            at = self._store.location(oid)
            if self._is_known(oid, at.kind):
                continue
            if oid not in self._lineage and not self._is_there(oid, lineage=missing is self._lineage):
                missing[oid] = at.stored
            if at.kind == "artifact":
                self._artifacts.add(oid)
                if self._refs.get(ref_names.pruned(oid)) is None:
                    payloads.add(self._store.record(oid, Artifact).payload)
                continue
            # What is there may be garbage, of which not all is there any more: so what it leads to is looked at, too.
            fresh = set(graph.references(self._store, at)) - seen
            seen |= fresh
            pending += fresh
        return payloads

    def _is_there(self, oid: Oid, *, lineage: bool) -> bool:
        """Whether an object is there, and where who fetches finds it."""
        found = (name for name, _ in self._there.find(oid))
        return any(not lineage or is_lineage_name(name) or op_seq(name) is not None for name in found)

    def _is_known(self, oid: Oid, kind: str) -> bool:
        """Whether the refs there lead to an object, and so all that it leads to is there."""
        if kind == "artifact":
            there = next(self._base.items(ref_names.values_like(oid)), None) is not None
            made_again = self._base.get(ref_names.pruned(oid)) and not self._refs.get(ref_names.pruned(oid))
            return there and not made_again
        if kind == "commit":
            commit = self._store.record(oid, Commit)
            return commit.cache_key is not None and (
                self._base.get(ref_names.result(commit.cache_key, commit.trace)) == oid
            )
        return False
