"""Changing a repository: objects and intents that become visible together.

A transaction collects objects and what is meant with them. `checkpoint` lands what is finished: it survives this
process. `publish` makes it durable and visible. What a process killed in between had landed, `recovery` publishes.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO, Self, TypeVar

from ..catalog.catalog import Catalog
from ..errors import Conflict, StorageError, storage_errors
from ..maps import graph
from ..objects.kinds import Run, State
from ..objects.oid import Oid, hash_bytes, hasher
from ..objects.records import Record
from ..storage.disk import leases
from ..storage.layout import Layout
from ..storage.packs import chunking, codec
from ..storage.packs.pack import Item
from ..storage.snapshot import Snapshot
from ..storage.store import ObjectStore, blob_id
from . import threads
from .incoming import Incoming
from .intents import Intent, SetRef
from .publish import Change, Publisher
from .relied import bring_along

R = TypeVar("R", bound=Record)


class Transaction:
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
        self.why = why
        self._store = store
        self._layout = layout
        self._publisher = publisher
        self._afterwards: list[Callable[[], object]] = []
        self._intents: list[Intent] = []
        self._landed = 0  # so many of the intents
        self.standing: tuple[Intent, ...] = ()
        self.conflicts: list[Conflict] = []
        self._unsure = self._given_up = False
        self._edit: Callable[[Snapshot, State], State] | None = None
        self._mutex = threading.RLock()
        self._process = os.getpid()
        # What the state names that we look at is not deleted while we have the lease.
        self._lease: leases.Lease | None = leases.begin(layout.leases, store.refresh().seq)
        try:
            self._seen = store.refresh()
            self._lease.move(self._seen.seq)
            self._view = publisher.view(self._seen)
            self._incoming = Incoming(store, layout)
        except BaseException:
            self._lease.end()
            raise
        store.leased.append(self._seen)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.publish()
        finally:
            self.close()

    @property
    def store(self) -> ObjectStore:
        """Where objects are read."""
        return self._store

    @property
    def seen(self) -> Snapshot:
        """The moment whose objects count as stored."""
        return self._seen

    # Objects

    def has(self, oid: Oid) -> bool:
        """Whether a blob is stored completely and soundly: by what is published, or by this transaction."""
        if not self._is_here(oid):
            return False
        at = self._store.location(oid)
        return all(self._is_here(chunk) for chunk in self._store.chunk_ids(at))

    def put(self, record: Record) -> Oid:
        """Stores a record unless it is stored already; returns its id."""
        data = record.encode()
        oid = hash_bytes(data, record.KIND)
        self._put(oid, record.KIND, data)
        self._store.remember(oid, record, len(data))
        return oid

    def put_blob(self, data: bytes) -> Oid:
        """Stores bytes as a blob unless they are stored already; returns its id."""
        if len(data) > chunking.MAX_CHUNK:
            return self.put_stream(io.BytesIO(data))[0]
        oid = blob_id(data)
        self._put(oid, "blob", data)
        return oid

    def put_blobs(self, contents: Sequence[bytes]) -> list[Oid]:
        """Stores many small blobs, in less time than one by one; returns their ids."""
        oids = [blob_id(data) for data in contents]
        fresh = dict(zip(oids, contents, strict=True))
        for oid in self._here(fresh):
            del fresh[oid]
        items = [Item(oid, "blob", *codec.compress(data), len(data)) for oid, data in fresh.items()]
        with self._adding():
            for item in items:
                self._incoming.add(item)
        return oids

    def put_stream(self, stream: BinaryIO) -> tuple[Oid, int]:
        """Stores what `stream` holds as a blob, cut in chunks where it is large; returns its id and size."""
        start = chunking.read_fully(stream, chunking.MAX_CHUNK + 1)
        if len(start) <= chunking.MAX_CHUNK:
            return self.put_blob(start), len(start)
        whole, chunks = hasher(), []
        pieces = chunking.cut(start, stream)
        for oid, size, item in threads.in_order(self._prepared, pieces, whole.update):
            if item is not None:
                self._add(item)
            chunks.append((oid, size))
        oid, size = Oid(whole.hexdigest()), sum(length for _, length in chunks)
        if not self._is_here(oid):
            self._add(Item(oid, "blob", codec.CHUNKED, chunking.encode_list(chunks), size))
        return oid, size

    def _prepared(self, chunk: bytes) -> tuple[Oid, int, Item | None]:
        """A chunk's id and size, and what is to be added unless it is here."""
        oid = blob_id(chunk)
        # Not waiting for who writes or publishes meanwhile: at worst a chunk is squeezed in vain, or stored twice.
        here = self._incoming.has(oid) or self._store.published(oid, self._seen)
        return oid, len(chunk), None if here else Item(oid, "blob", *codec.compress(chunk), len(chunk))

    def _is_here(self, oid: Oid) -> bool:
        # What another transaction of this process has put and not published does not count: it may come to nothing.
        with self._mutex:
            return self._incoming.has(oid) or self._store.published(oid, self._seen)

    def _here(self, oids: Collection[Oid]) -> set[Oid]:
        """Those of many for which `_is_here`."""
        with self._mutex:
            here = self._store.sound(oids, self._seen)
            return here | {oid for oid in oids if oid not in here and self._incoming.has(oid)}

    def _put(self, oid: Oid, kind: str, data: bytes) -> None:
        if not self._is_here(oid):
            self._add(Item(oid, kind, *codec.compress(data), len(data)))

    def _add(self, item: Item) -> None:
        with self._adding():
            self._incoming.add(item)

    @contextmanager
    def _adding(self) -> Iterator[None]:
        with self._mutex, storage_errors(f"writing to {self._layout.folder}"):
            self._check_usable()
            yield

    def _check_usable(self) -> None:
        if self._lease is None:
            raise StorageError("This change of the repository has ended or failed; begin a new one.")
        if self._process != os.getpid():
            raise StorageError("A forked process cannot go on with its parent's change of the repository; begin one.")

    # Reading

    def get(self, ref: str) -> Oid | None:
        """The id of a ref."""
        return self._view.get(ref)

    def items(self, prefix: str = "", *, reverse: bool = False, after: str = "") -> Iterator[tuple[str, Oid]]:
        """All refs that start with `prefix` and are greater than `after`, in order."""
        return self._view.items(prefix, reverse=reverse, after=after)

    def record(self, oid: Oid, cls: type[R]) -> R:
        """A record that a ref leads to."""
        return self._view.record(oid, cls)

    def user(self, name: str, artifact: Oid) -> Run | None:
        """A run that takes, reads or makes the version of `name` that has this artifact."""
        return self._view.user(name, artifact)

    @property
    def catalog(self) -> Catalog:
        """The catalog of the state that it began with, without its own changes."""
        return self._view.catalog

    # Meaning

    def add(self, intent: Intent) -> None:
        """Means something.

        Raises:
            Conflict: It cannot be meant, as things are now.
        """
        with self._mutex:
            self._check_usable()
            intent.replay(self._view)
            self._intents.append(intent)

    def set_ref(self, ref: str, oid: Oid | None) -> None:
        """Sets a ref, or deletes it where `oid` is None."""
        self.add(SetRef(ref, oid))

    def edit_state(self, edit: Callable[[Snapshot, State], State]) -> None:
        """Means a change of the state besides the refs, as a collector makes them.

        Args:
            edit: Called at each attempt with the newest moment and the state that is to follow it.
        """
        self._edit = edit

    def bring(self, item: Item) -> None:
        """Adds an object as it is stored, whether it is stored already or not."""
        self._add(item)

    def seal(self) -> None:
        """Puts all objects so far at their place as a pack, durably; no state names it yet."""
        with self._mutex, storage_errors(f"writing to {self._layout.folder}"):
            if self._incoming.writer.entries:
                self._incoming.seal()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Inside the block no other thread lands or publishes: what is put and meant there lands as one."""
        with self._mutex:
            yield

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
            with suppress(Conflict):
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

    def checkpoint(self) -> None:
        """Lands all that was put and meant so far: it survives the death of this process."""
        with self._mutex, storage_errors(f"writing to {self._layout.folder}"):
            if self._landed < len(self._intents):
                self._check_usable()
                self._incoming.land(self.why, self._intents[self._landed :], None, self._seen.seq)
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

    def when_published(self, call: Callable[[], object]) -> None:
        """Calls this once, when all that was put so far has been published."""
        self._afterwards.append(call)

    def _tell(self) -> None:
        calls, self._afterwards = self._afterwards, []
        for call in calls:
            call()

    def _look_again(self) -> None:
        assert self._lease is not None, "usable"
        self._store.leased.remove(self._seen)
        self._seen = self._store.refresh()
        self._store.leased.append(self._seen)
        self._lease.move(self._seen.seq)
        self._view = self._publisher.view(self._seen)

    def close(self) -> None:
        """Ends the transaction. What was landed but not published is published by `recovery`."""
        with self._mutex, storage_errors(f"writing to {self._layout.folder}"):
            if self._lease is None:
                return
            lease, self._lease = self._lease, None
            self._store.leased.remove(self._seen)
            try:
                self._end_incoming()
            finally:
                lease.end()

    def _end_incoming(self) -> None:
        if self._process != os.getpid():
            self._incoming.abandon()  # in a forked process the files are the parent's
        elif self._incoming.landed and (self.standing or not self._given_up):
            self._incoming.leave()
        else:
            if self._unsure:
                self._incoming.forget_packs()  # gc knows whether a state names them
            self._incoming.drop()
