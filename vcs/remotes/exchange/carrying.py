"""Objects between processes that share a repository elsewhere and nothing else, as those of a run on many machines do.

    who makes the change                                      a worker
    lends inputs    → what is little travels along, what is more goes there → brings them, and keeps them
    takes what came ← what is little travels along, what is more was sent there, durably ← hands over what it made

What goes there lies in packs that no state there names, until a push does; meanwhile it is noted here that it was
delivered. What is never named is garbage, which a collector there leaves alone for a day.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from ...changes.gathering import INLINE, Gathering
from ...changes.lending import Lent
from ...changes.outgoing import Brought
from ...maps import graph
from ...objects.kinds import Artifact
from ...objects.nodes import RefsNode
from ...objects.oid import Oid
from ...repository import Repository
from ...storage.copies import content, read_at
from ...storage.layout import PackName
from ...storage.packs.pack import Item, Pack
from ...storage.packs.table import DATA
from ...storage.store import ObjectStore
from ..places.far_files import not_kept
from ..remote import Remote
from . import supply
from .data import bring


class Carrier:
    """Carries objects to workers and back, at who makes the change. Not safe to use from several threads.

    Args:
        near: The repository here.
        remote: What is shared with the workers.
    """

    def __init__(self, near: Repository, remote: Remote) -> None:
        self._near = near
        self._remote = remote
        self._delivered = dict(remote.notes.delivered())
        self._doubtful = set(self._delivered)
        self._little: dict[Oid, tuple[Item, ...]] = {}
        self._promised: set[Oid] = set()

    def lend(self, artifacts: Iterable[Oid]) -> Lent:
        """What a worker needs to read artifacts; what is only here and is much goes there first.

        Raises:
            UnknownName: The data of one is nowhere.
            RemoteError: It cannot be reached.
        """
        packs, items = dict[PackName, None](), dict[Oid, Item]()
        for artifact in artifacts:
            items[artifact] = self._near.store.stored(artifact)
            names, along = self._lend(artifact)
            packs |= dict.fromkeys(names)
            items |= {item.oid: item for item in along}
        return Lent(tuple(packs), tuple(items.values()))

    def _lend(self, artifact: Oid) -> tuple[tuple[PackName, ...], tuple[Item, ...]]:
        """The packs that the data of an artifact is in, or what travels along; neither where all find it there."""
        if (along := self._little.get(artifact)) is not None:
            return (), along
        if self._is_delivered(artifact):
            return self._delivered[artifact], ()
        is_here = supply.is_here(self._near, artifact)
        payload = self._near.store.record(artifact, Artifact).payload
        if is_here and (along := _if_little(_closure(self._near.store, payload))) is not None:
            return (), self._little.setdefault(artifact, along)
        if artifact not in self._promised:
            if self._remote.name not in self._near.promises().by(artifact):
                if is_here:
                    return self._send(artifact, payload), ()
                supply.bring(self._near, [artifact])
                return self._lend(artifact)
            self._promised.add(artifact)
        return (), ()

    def _is_delivered(self, artifact: Oid) -> bool:
        """Whether packs there hold it that no state names; an earlier run's may have been collected."""
        if artifact in self._doubtful:
            self._doubtful.discard(artifact)
            if not all(map(self._remote.files.exists, self._delivered[artifact])):
                del self._delivered[artifact]
                self._remote.notes.forget_delivered({artifact})
        return artifact in self._delivered

    def _send(self, artifact: Oid, payload: Oid) -> tuple[PackName, ...]:
        """Sends the data of an artifact there."""
        self._remote.notes.make_folders()
        gathering = Gathering(self._remote.store, Gathering.aside(self._remote.notes.layout.tmp))
        try:
            for item in _closure(self._near.store, payload):
                gathering.add(item)
            gathering.seal()
            self._note({artifact}, gathering.names())
        finally:
            gathering.close()
        return self._delivered[artifact]

    def take_in(self, brought: Brought) -> Brought:
        """Notes what was delivered, so that it is not lost; returns what is to be taken in here."""
        if brought.packs:
            self._note({item.oid for item in brought.items if item.kind == Artifact.KIND}, brought.packs)
        return replace(brought, packs=())

    def _note(self, artifacts: Collection[Oid], names: tuple[PackName, ...]) -> None:
        self._remote.notes.note_delivered(artifacts, names)
        self._delivered |= dict.fromkeys(artifacts, names)
        self._doubtful.difference_update(artifacts)


def objects_from(near: Repository, oid: Oid) -> Lent:
    """An object for who has not got it; of refs, much of what lies below, for who looks at one looks at more.

    Raises:
        UnknownName: It is not here.
    """
    found, size, pending = list[Item](), 0, deque([oid])
    while pending and size < _AT_ONCE:
        item = near.store.stored(pending.popleft())
        found.append(item)
        size += len(item.stored)
        if item.kind == RefsNode.KIND:
            node = near.store.record(item.oid, RefsNode)
            pending.extend(Oid(entry[1]) for entry in node.entries if node.level)
    return Lent(items=tuple(found))


_SENT_AT_ONCE = 4
"""So many packs are on their way there at the same time."""

_AT_ONCE = 1 << 20
"""Bytes of refs that come along with what was asked for."""


class Stock:
    """What a worker has of what it was lent and has made, in whole packs of a repository of its own that none names.

    Args:
        near: That repository.
        remote: What is shared with who makes the change.
    """

    def __init__(self, near: Repository, remote: Remote) -> None:
        self._near = near
        self._remote = remote
        self._mutex = threading.Lock()
        self._senders = ThreadPoolExecutor(_SENT_AT_ONCE, "artvcs-send")
        self._sent: dict[PackName, Future[None]] = {}
        self._sending_mutex = threading.Lock()  # apart: what comes takes its time
        self._packs: dict[Oid, tuple[PackName, ...]] = {}  # of artifacts whose data does not travel along

    def bring(self, lent: Lent, artifacts: Iterable[Oid]) -> Lent:
        """Brings what was lent of artifacts; returns what a process beside this one needs to read them.

        Raises:
            UnknownName: Something is not there.
            DamagedError: Something that came is not what its id promises.
            RemoteError: It cannot be reached.
        """
        along, packs = {item.oid: item for item in lent.items}, dict[PackName, None]()
        for artifact in artifacts:
            payload = Artifact.decode(content(along[artifact])).payload
            if payload in along:
                continue
            with self._mutex:
                if artifact not in self._packs:
                    self._packs[artifact] = self._brought(lent.packs, payload)
            packs |= dict.fromkeys(self._packs[artifact])
        return Lent(tuple(packs), lent.items)

    def _brought(self, names: tuple[PackName, ...], payload: Oid) -> tuple[PackName, ...]:
        arrivals = _Arrivals(self._near)
        try:
            for name in names:
                if not self._remote.place(name):
                    raise not_kept(self._remote.where, name)
            bring(self._remote, [payload], arrivals, self._near.store)
            return arrivals.sealed()
        finally:
            self._remote.unplace(names)
            arrivals.close()

    def hand_over(self, brought: Brought) -> Brought:
        """Sends there what a process beside this one has made, as far as it is much; returns what travels along.

        Raises:
            RemoteError: It cannot be reached, or refuses.
        """
        lineage = list[Item]()
        for sent in [self.send_ahead(name) for name in brought.packs]:
            sent.result()
        for name in brought.packs:
            lineage += self._records(name)
        items = (*brought.items, *lineage)
        if brought.packs:
            made = (item.oid for item in items if item.kind == Artifact.KIND)
            self._packs |= dict.fromkeys(made, brought.packs)
        return replace(brought, items=items)

    def send_ahead(self, name: PackName) -> Future[None]:
        """Begins to send a pack there that will be handed over, unless that has begun."""
        with self._sending_mutex:
            sent = self._sent.get(name)
            if sent is None or (sent.done() and sent.exception() is not None):
                sent = self._sent[name] = self._senders.submit(self._upload, name)
            return sent

    def _upload(self, name: PackName) -> None:
        here, layout = self._near.layout.folder / name, self._near.layout
        aside = layout.tmp / f"{os.urandom(8).hex()}.pack"
        os.link(here, aside)  # whoever adopts a file may take it away, and here it is read again
        try:
            self._remote.files.adopt(name, aside)
        finally:
            aside.unlink(missing_ok=True)

    def _records(self, name: PackName) -> Iterator[Item]:
        """What is lineage in a pack."""
        pack, files = Pack.open(self._near.store.files, name), self._near.store.files
        for at in (at for at in pack.locations() if at.kind not in DATA):
            yield Item(at.oid, at.kind, at.codec, read_at(files, name, at), at.size)


class _Arrivals:
    """What comes, in packs of its own. See `Keeper`."""

    def __init__(self, near: Repository) -> None:
        self._gathering = Gathering(near.store, Gathering.aside(near.layout.tmp))

    def has(self, oid: Oid) -> bool:
        """See `Keeper.has`: all that an artifact holds is to be together."""
        return self._gathering.has(oid)

    def keep(self, items: Iterator[Item]) -> None:
        """See `Keeper.keep`."""
        for item in items:
            self._gathering.add(item)

    def sealed(self) -> tuple[PackName, ...]:
        """The packs that it is in."""
        self._gathering.seal()
        return self._gathering.names()

    def close(self) -> None:
        """Ends it; the packs stay."""
        self._gathering.close()


def _if_little(items: Iterable[Item]) -> tuple[Item, ...] | None:
    """All of some objects, unless they are too much to travel along."""
    found, size = list[Item](), 0
    for item in items:
        found.append(item)
        size += len(item.stored)
        if size > INLINE:
            return None
    return tuple(found)


def _closure(store: ObjectStore, root: Oid) -> Iterator[Item]:
    """An object as it is stored, and all that it leads to."""
    for at in graph.reachable(store, [root]):
        yield store.stored(at.oid)
