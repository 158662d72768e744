"""Changing a repository: packs → index → op → root, so that nothing is visible before it is durable.

A transaction collects objects in an incoming pack. `checkpoint` lands what is finished: it survives this process.
`publish` makes it durable and moves the root. A process killed in between leaves an incoming pack that the next
one to open the repository publishes (see `recovery`).
"""

from __future__ import annotations

import dataclasses
import io
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Self

from ..catalog.stat_cache import StatCache
from ..errors import StorageError, storage_errors
from ..objects.kinds import Op, Version
from ..objects.oid import Oid, hash_bytes, hasher
from ..objects.records import Record
from ..refs import names
from ..refs.map import RefMap
from ..storage import chunking, codec, durable
from ..storage.store import blob_id
from .incoming import Incoming
from .journal import Edits

if TYPE_CHECKING:
    from ..repository import Repository


class Transaction:
    """Objects and ref changes that become visible together.

    Use it as a context manager: leaving the block publishes, an exception keeps only what was landed by
    `checkpoint`. Objects put are readable at once through the repository's store, in this process. Thread-safe.
    """

    def __init__(self, repository: Repository, why: str) -> None:
        self.why = why
        self._repository = repository
        self._store = repository.store
        self.stat_cache = StatCache(repository.layout)
        self._incoming: Incoming | None = None
        self._edits = Edits()  # since the last checkpoint
        self._landed = Edits()  # since the last publish
        self._numbers: dict[str, int] = {}  # the greatest number given under each name since the last publish
        self._mutex = threading.RLock()
        self._process = os.getpid()
        # While this is held, gc does not delete what we take to be stored already.
        self._gc_guard = durable.open_locked(repository.layout.gc_lock, shared=True, wait=True)
        try:
            self._store.refresh()
            self._base = repository.refs()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.publish()
        finally:
            self.close()

    # Objects

    def has(self, blob: Oid) -> bool:
        """Whether a blob is stored completely."""
        return self._store.complete(blob)

    def put(self, record: Record) -> Oid:
        """Stores a record unless it is stored already; returns its id."""
        data = record.encode()
        oid = hash_bytes(data, record.KIND)
        self._put(oid, record.KIND, data)
        self._store.remember(oid, record, len(data))
        return oid

    def put_blob(self, data: bytes) -> Oid:
        """Stores bytes as a blob unless they are stored already; returns its id."""
        if len(data) >= chunking.THRESHOLD:
            return self.put_stream(io.BytesIO(data))[0]
        oid = blob_id(data)
        self._put(oid, "blob", data)
        return oid

    def put_stream(self, stream: BinaryIO) -> tuple[Oid, int]:
        """Stores what `stream` holds as a blob cut in chunks; returns its id and size."""
        whole, chunks = hasher(), []
        for chunk in chunking.cut(stream):
            whole.update(chunk)
            oid = blob_id(chunk)
            self._put(oid, "blob", chunk)
            chunks.append((oid, len(chunk)))
        if not chunks:
            return self.put_blob(b""), 0
        oid, size = Oid(whole.hexdigest()), sum(length for _, length in chunks)
        if len(chunks) != 1:  # a single chunk is the blob already
            with self._mutex:
                if not self._store.has(oid):
                    self._append(oid, "blob", codec.CHUNKED, chunking.encode_list(chunks), size)
        return oid, size

    def _put(self, oid: Oid, kind: str, data: bytes) -> None:
        with self._mutex:
            if self._store.has(oid):
                return
        packed = codec.compress(data)
        with self._mutex:
            if not self._store.is_pending(oid):  # another thread may have been faster
                self._append(oid, kind, *packed, len(data))

    def _append(self, oid: Oid, kind: str, codec_: int, stored: bytes, size: int) -> None:
        with storage_errors(f"writing to {self._repository.layout.folder}"):
            self._open_pack().writer.add(oid, kind, codec_, stored, size)

    def _open_pack(self) -> Incoming:
        if self._gc_guard is None:
            raise StorageError("This change of the repository has ended or failed; begin a new one.")
        if self._process != os.getpid():
            raise StorageError("A forked process cannot go on with its parent's change of the repository; begin one.")
        if self._incoming is None:
            self._adopt(Incoming.create(self._repository.layout))
        assert self._incoming is not None, "adopted"
        return self._incoming

    def _adopt(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self._store.pending.append(incoming.writer)

    # Refs

    def get_ref(self, ref: str) -> Oid | None:
        """The id of a ref, changes of this transaction included."""
        for edits in (self._edits, self._landed):
            if ref in edits.refs:
                return edits.refs[ref]
        return self._base.get(ref)

    def get(self, ref: str) -> Oid | None:
        """The same as `get_ref`: a transaction can be read like a `RefMap`."""
        return self.get_ref(ref)

    def items(self, prefix: str) -> Iterator[tuple[str, Oid]]:
        """All refs whose key starts with `prefix`, in order, changes of this transaction included."""
        merged: dict[str, Oid | None] = dict(self._base.items(prefix))
        for edits in (self._landed, self._edits):
            merged.update({ref: oid for ref, oid in edits.refs.items() if ref.startswith(prefix)})
        return ((ref, oid) for ref, oid in sorted(merged.items()) if oid is not None)

    def set_ref(self, ref: str, oid: Oid | None) -> None:
        """Sets a ref, or deletes it where `oid` is None."""
        with self._mutex:
            self._edits.refs[ref] = oid

    def add_version(self, version: Version) -> Version:
        """Gives an artifact the next number of its name, unless that very value has a number already.

        Returns:
            The version with its number, or the existing one.
        """
        with self._mutex:
            newest = names.newest_ref(version.name)
            if existing := self.get_ref(names.value_ref(version.name, version.artifact)):
                if self.get_ref(newest) != existing:
                    self._edits.refs[newest] = existing  # made again, it is the newest again
                return self._store.record(existing, Version)
            version = dataclasses.replace(version, number=self._next_number(version.name))
            self._number(version, self._edits)
            self._edits.refs[newest] = version.oid
            self._edits.versions[version.name, version.artifact] = version
            return version

    def replace_version(self, version: Version) -> Oid:
        """Stores a changed version (tags, metadata) in place of the one with its name and number."""
        with self._mutex:
            self._number(version, self._edits)
            key = version.name, version.artifact
            if key in self._landed.versions or key in self._edits.versions:
                self._edits.versions[key] = version
        return version.oid

    def _number(self, version: Version, edits: Edits) -> None:
        oid = self.put(version)
        edits.refs[names.version_ref(version.name, version.number)] = oid
        edits.refs[names.value_ref(version.name, version.artifact)] = oid

    def _next_number(self, name: str) -> int:
        number = max(last_number(self._base, name), self._numbers.get(name, 0)) + 1
        self._numbers[name] = number
        return number

    # Landing and publishing

    def resume(self, edits: Edits, incoming: Incoming | None = None) -> None:
        """Takes over edits that a dead process left, and the pack with their objects if there is one."""
        if incoming is not None:
            self._adopt(incoming)
        self._landed = edits
        self._base = RefMap(self._store, None)  # what they were made on top of is not known
        for version in edits.versions.values():
            self._numbers[version.name] = max(version.number, self._numbers.get(version.name, 0))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Inside the block no other thread lands or publishes: what is put and set there lands as one."""
        with self._mutex:
            yield

    def refresh(self) -> None:
        """Publishes, and then sees what others have published."""
        with self._mutex:
            self.publish()
            self._store.refresh()
            self._base = self._repository.refs()

    def checkpoint(self) -> None:
        """Lands all that was put and set so far: it survives the death of this process."""
        with self._mutex, storage_errors(f"writing to {self._repository.layout.folder}"):
            if self._edits:
                self._open_pack().checkpoint(self.why, self._edits)
                self._landed.add(self._edits)
                self._edits = Edits()

    def publish(self) -> None:
        """Makes everything durable and moves the root to it. The transaction may go on afterwards."""
        with self._mutex, storage_errors(f"writing to {self._repository.layout.folder}"):
            self.checkpoint()
            if not self._landed:
                return
            try:
                with self._repository.locked():
                    self._publish_locked()
            except BaseException:
                self.close()  # what was landed stays in the journal, for `recovery`
                raise

    def _publish_locked(self) -> None:
        repository, incoming = self._repository, self._open_pack()
        register = repository.read_root()
        current = repository.refs_at(register.op)
        refs = current.update(self._rebased(current), self.put)
        op = Op(register.seq + 1, register.op, refs.root, repository.author(), now_ms(), self.why)
        op_id = self.put(op)
        incoming.checkpoint(self.why, Edits(), op_id)
        pack = incoming.finish(repository.layout)
        self._store.index.add_pack(pack, list(incoming.writer.entries.values()))
        repository.write_root(op.seq, op_id)
        self._landed, self._base, self._numbers = Edits(), refs, {}
        self.stat_cache.save()
        self._release()

    def _rebased(self, current: RefMap) -> dict[str, Oid | None]:
        """Our edits on top of what others published since we began: their numbers stand, ours follow."""
        if current.root == self._base.root:
            return self._landed.refs
        self._base = current
        ours = {
            ref for version in self._landed.versions.values()
            for ref in (names.version_ref(version.name, version.number),
                        names.value_ref(version.name, version.artifact))
        }  # fmt: skip
        edits = Edits({ref: oid for ref, oid in self._landed.refs.items() if ref not in ours})
        self._numbers = {}
        for version in sorted(self._landed.versions.values(), key=lambda version: version.number):
            newest = names.newest_ref(version.name)
            was_newest = edits.refs.get(newest) == version.oid
            theirs = current.get(names.value_ref(version.name, version.artifact))
            if theirs is None:
                version = dataclasses.replace(version, number=self._next_number(version.name))
                self._number(version, edits)
            if was_newest:
                edits.refs[newest] = theirs or version.oid
        return edits.refs

    def close(self) -> None:
        """Gives up the locks. What was landed but not published is published by the next to open."""
        with self._mutex:
            self._release()
            if self._gc_guard is not None:
                os.close(self._gc_guard)
                self._gc_guard = None

    def _release(self) -> None:
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            self._store.pending.remove(incoming.writer)
            # In a forked process the files are the parent's.
            if self._landed or self._process != os.getpid():
                incoming.leave()
            else:
                incoming.drop()


def last_number(refs: RefMap, name: str) -> int:
    """The greatest number ever given under an artifact name, 0 when there is none."""
    last = refs.last(names.versions_prefix(name))
    return int(last[0].rpartition("/")[2]) if last else 0


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000
