"""What a stored tree holds, and how much that is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO, Protocol

from ..errors import ArtError, DamagedError, InvalidName, UnknownName
from ..maps import trees
from ..maps.trees import entries, inside
from ..objects.nodes import FOLDER, Entry, Tree
from ..objects.oid import Oid
from ..objects.records import Record
from ..storage.layout import PackName
from ..storage.snapshot import Snapshot
from ..storage.store import ObjectStore

__all__ = [
    "MAX_DEPTH",
    "Progress",
    "Sink",
    "check_depth",
    "entries",
    "extent",
    "inside",
    "is_stored",
    "measure",
    "no_progress",
    "stored",
    "walk",
]

Progress = Callable[[int], None]
"""Called with the number of bytes just read or written."""

MAX_DEPTH = 100
"""Folders in folders; no deeper, so that a hostile tree exhausts nothing."""

MAX_FILES = 10_000_000
"""Files in one tree: a few small trees that name each other can stand for more than any disk holds."""


class Sink(Protocol):
    """What files and folders go into: a transaction, or what only tells what they would be stored as."""

    @property
    def store(self) -> ObjectStore:
        """Where nodes of folders are read."""

    @property
    def seen(self) -> Snapshot:
        """The moment whose objects count as stored."""

    def has(self, oid: Oid) -> bool:
        """Whether a blob is there."""

    def put(self, record: Record) -> Oid:
        """Takes a node of a folder."""

    def put_blob(self, data: bytes) -> Oid:
        """Takes a small file."""

    def put_blobs(self, contents: Sequence[bytes]) -> list[Oid]:
        """Takes small files."""

    def put_stream(self, stream: BinaryIO, progress: Progress) -> tuple[Oid, int]:
        """Takes a file; returns its id and size."""

    def when_published(self, call: Callable[[], object]) -> None:
        """Calls this when all was taken."""


def no_progress(_: int) -> None:
    """Says nothing."""


def measure(store: ObjectStore, name: str, tree: Oid) -> Entry:
    """A stored folder as an entry that says how much would be written, read from the root of its tree alone.

    What the root says of those below is checked when they are read, see `inside`.

    Raises:
        DamagedError: It is more than any disk holds.
        UnknownName: The root is not here.
    """
    entry = trees.as_entry(name, tree, store.record(tree, Tree))
    if entry.files > MAX_FILES:
        raise DamagedError(f"{name} claims to hold {entry.files} files, more than can be written; leave it.")
    return entry


def extent(store: ObjectStore, tree: Oid, path: str) -> tuple[int, int]:
    """How many files, links and empty folders are at or below a path in a stored folder, and how many bytes they have.

    Raises:
        UnknownName: There is no such path, or a tree is not here.
    """
    entry = trees.at(store, Entry("", FOLDER, tree, 0), path)
    if entry is None:
        raise UnknownName(f"The folder {tree[:12]} holds no {path!r}; `art show` lists what it holds.")
    empty = entry.mode == FOLDER and store.record(entry.id, Tree) == trees.EMPTY
    return 0 if empty else entry.files, entry.size


def stored(store: ObjectStore, folders: Collection[Oid]) -> dict[Oid, set[PackName]]:
    """Of many folders those of which `is_stored` is known at once, without looking at folders in them → their packs."""
    store.read_ahead(folders, Tree)
    blobs: dict[Oid, list[Oid]] = {}
    for folder in folders:
        with suppress(ArtError):
            node = store.record(folder, Tree)
            if node.level == 0 and all(entry[1] != FOLDER for entry in node.entries):
                blobs[folder] = [entry[2] for entry in node.entries]
    kept = store.kept(blobs.keys() | {blob for below in blobs.values() for blob in below})
    whole = {
        folder: (folder, *below) for folder, below in blobs.items() if all(map(kept.__contains__, (folder, *below)))
    }
    return {folder: {name for part in each for name in kept[part]} for folder, each in whole.items()}


def is_stored(store: ObjectStore, tree: Oid) -> bool:
    """Whether a folder and all below can be read, as far as is known without reading all of it."""
    pending, blobs = {tree}, set[Oid]()
    seen = set(pending)
    try:
        while pending:
            oid = pending.pop()
            node = store.record(oid, Tree)
            folders = {entry[2] for entry in node.entries if entry[1] == FOLDER} if node.level == 0 else node.children
            pending.update(set(folders) - seen)
            seen |= pending
            blobs.update(() if node.level else (entry[2] for entry in node.entries if entry[1] != FOLDER))
    except ArtError:
        return False
    return all(store.complete(oid) for oid in blobs - store.kept(blobs).keys())


def walk(store: ObjectStore, entry: Entry) -> Iterator[tuple[str, Entry]]:
    """An entry and all below: path from it (`""` for itself, else parts each with a `/` before) → entry.

    Raises:
        InvalidName: Folders are nested too deeply.
        DamagedError: Something is not what its id, or the folder above it, promises.
        UnknownName: A tree is not here.
    """
    pending = [("", entry, 0)]
    while pending:
        path, found, depth = pending.pop()
        yield path, found
        if found.mode == FOLDER:
            check_depth(depth)
            pending.extend((f"{path}/{child.name}", child, depth + 1) for child in inside(store, found))


def check_depth(depth: int) -> None:
    """Refuses a folder in so many others."""
    if depth > MAX_DEPTH:
        raise InvalidName(f"Folders more than {MAX_DEPTH} deep cannot be stored; pack them into one file.")
