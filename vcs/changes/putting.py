"""What a change brings: objects, each of them only where it is not stored already."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Generic, TypeVar

from ..errors import StorageError, storage_errors
from ..objects.oid import Oid, hash_bytes, hasher
from ..objects.records import Record
from ..storage.disk import leases, mutexes
from ..storage.layout import Layout
from ..storage.packs import chunking, codec
from ..storage.packs.pack import Item
from ..storage.snapshot import Snapshot
from ..storage.store import ObjectStore, blob_id
from . import threads
from .gathering import Gathering

G = TypeVar("G", bound=Gathering)


class Putting(Generic[G]):
    """Objects of one change, and the moment whose objects count as stored: nothing of it goes while it lasts.

    Objects put are readable at once through the store, in this process. Thread-safe.

    Args:
        store: Where objects are read.
        layout: The paths on this machine.
        gathering: Makes what new objects go into.
    """

    def __init__(self, store: ObjectStore, layout: Layout, gathering: Callable[[], G]) -> None:
        self._store = store
        self._layout = layout
        self._mutex = mutexes.own(self)
        self._process = os.getpid()
        # What the state names that we look at is not deleted while we have the lease.
        self._lease: leases.Lease | None = leases.begin(layout.leases, store.refresh().seq)
        try:
            self._seen = store.refresh()
            self._lease.move(self._seen.seq)
            self._incoming = gathering()
        except BaseException:
            self._lease.end()
            raise
        store.leased[id(self)] = self._seen

    def __del__(self) -> None:
        if (store := self.__dict__.get("_store")) is not None:  # else it was interrupted before it had begun
            store.leased.pop(id(self), None)

    @property
    def store(self) -> ObjectStore:
        """Where objects are read."""
        return self._store

    @property
    def seen(self) -> Snapshot:
        """The moment whose objects count as stored."""
        return self._seen

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
        """Stores many blobs, small ones in less time than one by one; returns their ids."""
        oids = [blob_id(data) if len(data) <= chunking.MAX_CHUNK else self.put_blob(data) for data in contents]
        fresh = {oid: data for oid, data in zip(oids, contents, strict=True) if len(data) <= chunking.MAX_CHUNK}
        for oid in self._here(fresh):
            del fresh[oid]
        items = [Item(oid, "blob", *codec.compress(data), len(data)) for oid, data in fresh.items()]
        with self._adding():
            for item in items:
                self._incoming.add(item)
        return oids

    def put_stream(self, stream: BinaryIO, progress: Callable[[int], object] = lambda _: None) -> tuple[Oid, int]:
        """Stores what `stream` holds as a blob, cut in chunks where it is large; returns its id and size.

        Args:
            stream: What is read to its end.
            progress: Told how many bytes more are stored, now and then.
        """
        start = chunking.read_fully(stream, chunking.MAX_CHUNK + 1)
        if len(start) <= chunking.MAX_CHUNK:
            oid = self.put_blob(start)
            progress(len(start))
            return oid, len(start)
        whole, chunks = hasher(), []
        pieces = chunking.cut(start, stream)
        for oid, size, item in threads.in_order(self._prepared, pieces, whole.update):
            if item is not None:
                self._add(item)
            chunks.append((oid, size))
            progress(size)
        oid, size = Oid(whole.hexdigest()), sum(length for _, length in chunks)
        if not self._is_here(oid):
            self._add(Item(oid, "blob", codec.CHUNKED, chunking.encode_list(chunks), size))
        return oid, size

    def _prepared(self, chunk: bytes) -> tuple[Oid, int, Item | None]:
        """A chunk's id and size, and what is to be added unless it is here."""
        oid = blob_id(chunk)
        # Not waiting for who writes or publishes meanwhile: at worst a chunk is squeezed in vain, or stored twice.
        here = self._is_somewhere(oid)
        return oid, len(chunk), None if here else Item(oid, "blob", *codec.compress(chunk), len(chunk))

    def _is_somewhere(self, oid: Oid) -> bool:
        # What another transaction of this process has put and not published does not count: it may come to nothing.
        return self._incoming.has(oid) or self._store.published(oid, self._seen)

    def _is_here(self, oid: Oid) -> bool:
        with self._mutex:
            return self._is_somewhere(oid)

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

    def bring(self, *items: Item) -> None:
        """Adds objects as they are stored, whether they are stored already or not."""
        with self._adding():
            for item in items:
                self._incoming.add(item)

    def _look_again(self) -> None:
        """From now on the newest moment counts."""
        assert self._lease is not None, "usable"
        self._seen = self._store.refresh()
        self._store.leased[id(self)] = self._seen
        self._lease.move(self._seen.seq)

    @contextmanager
    def _ending(self) -> Iterator[bool]:
        """Gives up the lease after the block, in which it is said whether it had not been given up before."""
        lease, self._lease = self._lease, None
        if lease is None:
            yield False
            return
        try:
            self._store.leased.pop(id(self), None)
            yield True
        finally:
            lease.end()
