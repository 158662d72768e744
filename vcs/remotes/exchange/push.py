"""Bringing what is only here to a repository elsewhere.

    fetch → what is only here → objects that are not there: data, lineage → merged there, in one change → fetch

What both have is brought together here first, so that what comes there only adds. Should somebody come between, his
change is kept, and numbers are given anew there; the last fetch says which.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from ...changes.intents import Intent, Merge, SetRef
from ...changes.transaction import Transaction
from ...errors import DamagedError, RepositoryNotFound, UnknownName
from ...maps import graph, ref_names
from ...maps.refs import RefMap
from ...objects.kinds import Artifact, Commit, Version
from ...objects.oid import NULL, Oid
from ...repository import Repository, first_entry
from ...storage.copies import content
from ...storage.layout import PackName, is_lineage_name, op_seq
from ...storage.packs import chunking, codec
from ...storage.packs.pack import Item
from ...storage.packs.table import DATA, KINDS
from ...storage.snapshot import Snapshot
from ...trust import signatures, vouches
from ...trust.policy import Judge
from ...upkeep.gc import copying
from ...worktree import trees
from .. import config
from ..remote import Remote, tried
from . import supply
from .fetch import Fetched, download, take_in
from .waiting import Waiting

_HELD = 64 << 20
"""So many bytes of what is sent are kept in memory between looking at it and sending it."""

_TOGETHER = 256
"""So many objects are added at once."""

_FEW = 32 << 10
"""So many bytes of data may go with the lineage: less than another request is worth."""


@dataclass(frozen=True)
class Pushed:
    """What a push brought there.

    Attributes:
        runs: How many runs are new or changed there.
        versions: How many versions are.
        objects: How many objects went.
        size: Bytes of these, as they are stored.
        fetched: What came from there.
        signed: For how many commits and artifacts the pusher has vouched; None where he has no key to sign with.
        is_known: Whether the project knows whose key that is.
    """

    runs: int
    versions: int
    objects: int
    size: int
    fetched: Fetched
    signed: int | None = None
    is_known: bool = True


def push(
    near: Repository, remote: Remote, versions: Iterable[Version] | None = None, *, verify: bool = False
) -> Pushed:
    """Brings what is only here to a repository elsewhere, which is begun where there is none.

    What was made here is signed, where there is a key that signs: see `trust.vouches`.

    Args:
        near: The repository here.
        remote: The one elsewhere.
        versions: Which versions go, with all that they were made from; by default all that is here.
        verify: Read back all packs that were sent, and check each object in them.

    Raises:
        RemoteRefused: Nothing can be pushed there.
        DamagedError: What was read back is not what was sent.
        SignatureError: It cannot be signed.
        RemoteError: As `Remote.look`.
    """
    return tried(lambda: _push(near, remote, versions, verify=verify))


def _push(near: Repository, remote: Remote, versions: Iterable[Version] | None, *, verify: bool) -> Pushed:
    fetched = take_in(near, remote, remote.begin_there())
    trust = config.read(near).trust
    key = signatures.key_of(near.project, of_git=trust is not None)
    signed: int | None = None
    is_known = True
    if key is not None:
        signed, signature = vouches.vouch(near, key, Waiting.between(near, remote, versions).fresh)
        is_known = not signature or Judge(near, trust).knows(signature)
    with near.reading():
        waiting = Waiting.between(near, remote, versions)
        if waiting.is_empty:
            _forget_named(remote)
            return Pushed(0, 0, 0, 0, fetched, signed, is_known)
        with near.begin(f"push to {remote.name}") as here:
            # The refs as they are meant to be there; if they come to be so, both have these in common.
            after = waiting.after(near.refs(), here.put).root
            ours = remote.notes.taken()
            with remote.transaction("push") as transaction:
                sending = _Sending(near, remote, waiting)
                names = sending.send(transaction, near.refs().at(after) if waiting.base.root is None else None)
                transaction.name(sending.delivered)
                if verify:
                    _read_back(remote, names)
                transaction.add(Merge(waiting.base.root, after, False))
                for intent in sending.said():
                    transaction.add(intent)
            remote.notes.note_taken(ours | {name for name in names if is_lineage_name(name)})
            entry = remote.store.snapshot.entry
            is_common = entry.op.state.refs == after
            if is_common and after != near.refs().root:
                here.edit_state(lambda _, state: state)  # for the nodes
    if is_common:
        remote.notes.note_merged(entry)
        after_it = Fetched()
    else:
        after_it = take_in(near, remote, entry)
    _forget_named(remote)
    renumbered = fetched.renumbered + after_it.renumbered
    return Pushed(*sending.counts(), Fetched(fetched.runs, fetched.versions, renumbered), signed, is_known)


def would_push(near: Repository, remote: Remote, versions: Iterable[Version] | None = None) -> Pushed:
    """What a push would send now; nothing is changed, there or here.

    Raises:
        RemoteError: As `Remote.look`.
    """
    try:
        remote.look()
    except RepositoryNotFound:
        remote.store.adopt(first_entry(near.author()))
    with near.reading():
        waiting = Waiting.between(near, remote, versions)
        return Pushed(*_Sending(near, remote, waiting, bring=False).counts(), Fetched())


def _forget_named(remote: Remote) -> None:
    """What had been delivered there, and a state there has, is promised by that."""
    if not (delivered := remote.notes.delivered()):
        return
    refs = RefMap(remote.store, remote.notes.merged()[1])
    named = {oid for oid in delivered if next(refs.items(ref_names.values_like(oid)), None) is not None}
    remote.notes.forget_delivered(named)
    remote.unplace(name for oid in named for name in delivered[oid])


class _Sending:
    """Finds what is not there, and sends it: data first, so that lineage lies in packs of its own.

    What is both, as an empty file is, goes as lineage: who fetches that alone has to find it there.
    """

    def __init__(self, near: Repository, remote: Remote, waiting: Waiting, *, bring: bool = True) -> None:
        self._near = near
        self._remote = remote
        self._waiting = waiting
        # What is not here may be there: it is promised.
        self._store = remote.store
        self._refs = near.refs()
        self._there: Snapshot = remote.store.snapshot
        self._artifacts: dict[Oid, Oid] = {}  # those that are sent → their payloads, unless they were given up
        self._pruned = {oid for _, oid in self._refs.items(ref_names.PRUNED)}
        self.delivered = set[PackName]()  # packs that are there already, with data of what is sent
        self._held: dict[Oid, Item] = {}  # what was read to see what it leads to, as far as it is little
        self._held_bytes = 0
        self._lineage: dict[Oid, int] = {}  # what is sent → its stored bytes
        self._data: dict[Oid, int] = {}
        self._find(bring=bring)

    def _find(self, *, bring: bool) -> None:
        """Finds what has to be sent; what another repository elsewhere has is brought here for that, or left out."""
        lost_data = {oid for oid in self._waiting.mending if self._near.store.location(oid).kind in DATA}
        records = self._waiting.mending - lost_data
        self._walk({*self._waiting.fresh.values(), *self._waiting.again, *records} - {NULL}, self._lineage)
        noted = self._remote.notes.delivered()
        self.delivered = self._remote.place_delivered(self._artifacts)
        # What was delivered is whole.
        there = {oid for oid in self._artifacts if oid in noted and self.delivered.issuperset(noted[oid])}
        payloads = {payload for oid, payload in self._artifacts.items() if oid not in there} | lost_data
        if self._near.promises().names - {self._remote.name}:
            elsewhere = {oid for oid, payload in self._artifacts.items() if not self._is_had(payload)}
            if bring:
                supply.bring(self._near, elsewhere)
            else:
                payloads -= {self._artifacts[oid] for oid in elsewhere}
        self._walk(payloads - self._lineage.keys() - {NULL}, self._data)

    def counts(self) -> tuple[int, int, int, int]:
        """How many runs, versions and objects are sent, and the bytes of these."""
        runs = sum(ref.startswith(ref_names.RUNS) for ref in self._waiting.fresh)
        versions = sum(ref.startswith(ref_names.ARTIFACTS) for ref in self._waiting.fresh)
        sizes = (*self._data.values(), *self._lineage.values())
        return runs, versions, len(sizes), sum(sizes)

    def send(self, transaction: Transaction, refs: RefMap | None) -> tuple[PackName, ...]:
        """Sends it, with all nodes of refs if there are none yet; returns the packs that it is in."""
        self._remote.traffic.expect(sum(self._data.values()) + sum(self._lineage.values()))
        self._bring(transaction, self._data)
        transaction.divide(lineage=True, few=_FEW)
        self._bring(transaction, self._lineage)
        for oid in () if refs is None else refs.nodes():
            transaction.bring(self._near.store.stored(oid))
        transaction.divide(lineage=False)
        return transaction.packs()

    def said(self) -> Iterator[Intent]:
        """What is to be said there of what is sent: whether data was given up, and what is lost no more."""
        for oid in self._waiting.mending:
            yield SetRef(ref_names.lost(oid), None)
        for oid in self._artifacts:
            ref, given_up = ref_names.pruned(oid), self._is_given_up(oid)
            if given_up != (self._waiting.base.get(ref) is not None):
                yield SetRef(ref, oid if given_up else None)

    def _bring(self, transaction: Transaction, oids: Collection[Oid]) -> None:
        left = set(oids)
        held = (self._held.pop(oid) for oid in oids if oid in self._held)
        items = chain(held, (item for item, _ in self._items([oid for oid in oids if oid not in self._held])))
        while some := tuple(islice(items, _TOGETHER)):
            transaction.bring(*some)
            left.difference_update(item.oid for item in some)
        for oid in left:
            raise DamagedError(f"Object {oid[:12]} was to be pushed and is gone; run `art fsck`.")

    def _items(self, oids: Iterable[Oid]) -> Iterator[tuple[Item, bytes]]:
        """Objects as they lie here, pack by pack, and what they expand to; those not here as they lie there."""
        left, packs = {bytes.fromhex(oid) for oid in oids}, dict[PackName, set[bytes]]()
        for key, _, _, name, _ in self._near.store.snapshot.places(frozenset(left)):
            if key in left:  # of several places the first
                packs.setdefault(name, set()).add(key)
                left.discard(key)
        for name, keys in packs.items():
            yield from copying.items(self._near.store, name, keys)
        for key in left:
            try:
                item = self._near.store.stored(Oid(key.hex()))
            except UnknownName:
                item = self._store.stored(Oid(key.hex()))
            yield item, content(item)

    def _walk(self, roots: Iterable[Oid], missing: dict[Oid, int]) -> None:
        """Notes what is not there of all that these lead to; payloads of artifacts are noted and not followed."""
        pending, seen = set(roots), set(roots)
        while pending:
            there, leading = self._found_there(pending, lineage=missing is self._lineage), list[Oid]()
            for oid, kind, is_leaf, stored in self._located(pending):
                if self._is_known(oid, kind):
                    continue
                if oid not in self._lineage and oid not in there:
                    missing[oid] = stored
                if not is_leaf:
                    leading.append(oid)
            # What is there may be garbage, of which not all is there any more: so what it leads to is looked at, too.
            pending = {oid for item, data in self._read(leading, missing) for oid in self._below(item, data)} - seen
            seen |= pending

    def _read(self, oids: Iterable[Oid], missing: Container[Oid]) -> Iterator[tuple[Item, bytes]]:
        """Objects that lead to others; what is going to be sent is read once, as far as memory goes."""
        for item, data in self._items(oids):
            if item.oid in missing and self._held_bytes < _HELD:
                self._held[item.oid] = item
                self._held_bytes += len(item.stored)
            yield item, data

    def _below(self, item: Item, data: bytes) -> Iterable[Oid]:
        """What an object leads to; of an artifact its payload is noted."""
        if item.kind == "blob":
            return (chunk for chunk, _ in chunking.decode_list(data, item.size))
        record = graph.RECORDS[item.kind].decode(data)
        if not isinstance(record, Artifact):
            return graph.references_of(record)
        self._artifacts[item.oid] = NULL if self._is_given_up(item.oid) else record.payload
        return ()

    def _located(self, oids: set[Oid]) -> Iterator[tuple[Oid, str, bool, int]]:
        """Of each object its kind, whether it leads to nothing, and its stored bytes: here, or else there."""
        left = {bytes.fromhex(oid) for oid in oids}
        for key, kind, how, _, stored in self._near.store.snapshot.places(frozenset(left)):
            if key in left:
                left.discard(key)
                yield Oid(key.hex()), KINDS[kind], KINDS[kind] == "blob" and how != codec.CHUNKED, stored
        for key in left:
            at = self._store.location(Oid(key.hex()))
            yield at.oid, at.kind, at.kind == "blob" and at.codec != codec.CHUNKED, at.stored

    def _is_had(self, payload: Oid) -> bool:
        """Whether the data of an artifact is here, or there already."""
        if payload == NULL or trees.is_stored(self._near.store, payload):
            return True
        return bool(self._found_there([payload], lineage=False))

    def _found_there(self, oids: Iterable[Oid], *, lineage: bool) -> set[Oid]:
        """Those of many objects that are there, and where who fetches finds them."""
        found = self._there.places({bytes.fromhex(oid) for oid in oids})
        fits = (key for key, _, _, name, _ in found if not lineage or is_lineage_name(name) or op_seq(name) is not None)
        return {Oid(key.hex()) for key in fits}

    def _is_known(self, oid: Oid, kind: str) -> bool:
        """Whether the refs there lead to an object, and so all that it leads to is there."""
        if self._waiting.base.root is None:
            return False
        if kind == "artifact":
            there = next(self._waiting.base.items(ref_names.values_like(oid)), None) is not None
            made_again = self._waiting.base.get(ref_names.pruned(oid)) and not self._is_given_up(oid)
            return there and not made_again
        if kind == "commit":
            commit = self._store.record(oid, Commit)
            results = self._waiting.base.items(ref_names.results(commit.cache_key)) if commit.cache_key else ()
            return any(result == oid for _, result in results)
        return False

    def _is_given_up(self, artifact: Oid) -> bool:
        """Whether the data of an artifact was given up here, or there, and does not go there."""
        return artifact in self._waiting.given_up or artifact in self._pruned


def _read_back(remote: Remote, names: Iterable[PackName]) -> None:
    """Makes sure that packs there are what was sent. Raises DamagedError."""
    names = list(names)
    remote.traffic.expect(sum(remote.files.size(name) for name in names))
    with remote.notes.arrivals() as arrivals:
        for name in names:
            download(remote, name, arrivals)
            arrivals.delete(name)
