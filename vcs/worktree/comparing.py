"""What stands at a path beside what is stored: changed, added and deleted files, found without storing anything.

Only what the stat cache does not know is read, and hashed. What turns out to be as it is stored is noted there, so that
the next look needs to read nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from ..catalog.stat_cache import Leaf, StatCache
from ..maps import trees
from ..objects.nodes import FOLDER, Entry, Tree
from ..objects.oid import Oid, hasher
from ..objects.records import Record
from ..storage.packs import chunking
from ..storage.snapshot import Snapshot
from ..storage.store import ObjectStore, blob_id
from .add import add_path
from .trees import Progress, no_progress


@dataclass(frozen=True)
class Difference:
    """What is not as it is stored: paths below the file or folder, with `/`; `""` for a file itself."""

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.deleted)


def compare(
    store: ObjectStore, path: Path, stored: Entry, known: StatCache, progress: Progress = no_progress
) -> Difference:
    """How a file or folder on disk differs from one that is stored.

    Args:
        store: Where it is stored.
        path: The file or folder on disk; where there is none, all of it is deleted.
        stored: The stored one.
        known: What is known of files that were read before.
        progress: Told the bytes of files.

    Raises:
        InvalidName: A name below cannot be stored, or a link leads out of the folder.
        ChangedWhileRead: A file changed all the time.
        StorageError: Something cannot be read, or is neither file, folder nor link.
        DamagedError: What is stored cannot be read.
        UnknownName: What is stored is not here.
    """
    if not os.path.lexists(path):
        return Difference(deleted=tuple(_files(store, stored, "")))
    hashing = _Hashing(store)
    found = add_path(hashing, path, stored.name, progress, known=_Noting(known, store))
    hashing.done()
    if (found.mode, found.id) == (stored.mode, stored.id):
        return Difference()
    changes: dict[str, list[str]] = {"changed": [], "added": [], "deleted": []}
    for kind, name in _differences(hashing.store, stored, found, ""):
        changes[kind].append(name)
    return Difference(**{kind: tuple(sorted(names)) for kind, names in changes.items()})


def _differences(store: ObjectStore, old: Entry, new: Entry, path: str) -> Iterator[tuple[str, str]]:
    if (old.mode == FOLDER) != (new.mode == FOLDER):
        yield from (("deleted", name) for name in _files(store, old, path))
        yield from (("added", name) for name in _files(store, new, path))
    elif old.mode != FOLDER:
        yield "changed", path
    else:
        for name, (before, after) in trees.diff(store, new.id, old.id).items():
            below = f"{path}/{name}" if path else name
            if before is None or after is None:
                kind, entry = ("deleted", before) if after is None else ("added", after)
                assert entry is not None, "one of both is there"
                yield from ((kind, each) for each in _files(store, entry, below))
            else:
                yield from _differences(store, before, after, below)


def _files(store: ObjectStore, entry: Entry, path: str) -> Iterator[str]:
    """The files in an entry; an empty folder stands for itself."""
    if entry.mode != FOLDER:
        yield path
        return
    some = False
    for each in trees.inside(store, entry):
        some = True
        yield from _files(store, each, f"{path}/{each.name}" if path else each.name)
    if not some:
        yield f"{path}/"


class _Hashing:
    """Takes what would be stored and tells its id: what a transaction does, without storing."""

    def __init__(self, store: ObjectStore) -> None:
        self._made: dict[Oid, Tree] = {}
        self.store = cast(ObjectStore, _WithMade(store, self._made))
        self.seen = store.refresh()
        self._afterwards: list[Callable[[], object]] = []

    def has(self, oid: Oid) -> bool:
        """Whether an id need not be found out again: what was stored once is known by it."""
        return True

    def put(self, record: Record) -> Oid:
        """The id of a node of a folder."""
        assert isinstance(record, Tree)
        oid = record.oid
        self._made[oid] = record
        return oid

    def put_blob(self, data: bytes) -> Oid:
        """The id of some bytes."""
        return blob_id(data)

    def put_blobs(self, contents: Sequence[bytes]) -> list[Oid]:
        """The ids of some bytes each."""
        return [blob_id(data) for data in contents]

    def put_stream(self, stream: BinaryIO, progress: Progress) -> tuple[Oid, int]:
        """The id of what a stream holds, and its size."""
        whole, size = hasher(), 0
        while data := chunking.read_fully(stream, chunking.MAX_CHUNK):
            whole.update(data)
            size += len(data)
            progress(len(data))
        return Oid(whole.hexdigest()), size

    def when_published(self, call: Callable[[], object]) -> None:
        """Calls this once all has been looked at."""
        self._afterwards.append(call)

    def done(self) -> None:
        """All has been looked at."""
        for call in self._afterwards:
            call()


class _WithMade:
    """The objects of a store, and some nodes that are not in it."""

    def __init__(self, store: ObjectStore, made: dict[Oid, Tree]) -> None:
        self._store = store
        self._made = made

    def record(self, oid: Oid, cls: type[Record], *, keep: bool = True) -> Record:
        """A node, stored or not."""
        found = self._made.get(oid)
        return found if found is not None else self._store.record(oid, cls, keep=keep)

    def kept(self, oids: Collection[Oid], seen: Snapshot | None = None) -> dict[Oid, object]:
        """All of them: see `_Hashing.has`."""
        return dict.fromkeys(oids)


class _Noting(StatCache):
    """A stat cache in which only what is stored is noted: an edit must not take the place of what it was made from."""

    def __init__(self, known: StatCache, store: ObjectStore) -> None:
        self._known = known
        self._real = store

    def leaves(self, folder: Path, moment: Snapshot) -> list[Leaf]:
        """See `StatCache.leaves`."""
        return self._known.leaves(folder, moment)

    def expect(self, folders: Sequence[Path]) -> None:
        """See `StatCache.expect`."""
        self._known.expect(folders)

    def replace(self, folder: Path, outdated: Iterable[Leaf], leaf: Leaf | None) -> None:
        """See `StatCache.replace`."""
        if leaf is not None and self._real.has(leaf.leaf):
            self._known.replace(folder, outdated, leaf)

    def settle(self) -> None:
        """See `StatCache.settle`."""
        self._known.settle()
