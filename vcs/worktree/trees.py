"""What a stored tree holds, and how much that is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..errors import DamagedError, InvalidName
from ..objects.kinds import FOLDER, SYMLINK, Entry, Tree
from ..objects.oid import Oid
from ..storage.store import ObjectStore

Progress = Callable[[int], None]
"""Called with the number of bytes just read or written."""

MAX_DEPTH = 100
"""Folders in folders; no deeper, so that a hostile tree exhausts nothing."""

MAX_FILES = 10_000_000
"""Files and folders in one tree: a few small trees that name each other can stand for more than any disk holds."""


def no_progress(_: int) -> None:
    """Says nothing."""


def entries(store: ObjectStore, tree: Oid) -> Iterator[Entry]:
    """What a folder holds, in order of names.

    Raises:
        UnknownName: The tree is not here.
        DamagedError: It is not what its id promises.
    """
    yield from store.record(tree, Tree).entries


@dataclass(frozen=True)
class Extent:
    """How much an entry stands for: files and folders, bytes of files, and folders in folders."""

    count: int
    size: int
    depth: int


def measure(store: ObjectStore, entry: Entry) -> Extent:
    """How much would be written, read from the trees alone, each once.

    Raises:
        InvalidName: Folders are nested too deeply.
        DamagedError: It is more than any disk holds.
        UnknownName: A tree is not here.
    """
    extent = _measure(store, entry, {}, 0)
    if extent.count > MAX_FILES:
        raise DamagedError(f"{entry.name} claims to hold {extent.count} files, more than can be written; leave it.")
    return extent


def _measure(store: ObjectStore, entry: Entry, known: dict[Oid, Extent], depth: int) -> Extent:
    if entry.mode != FOLDER:
        return Extent(1, 0 if entry.mode == SYMLINK else entry.size, 0)
    check_depth(depth)
    if (extent := known.get(entry.id)) is None:
        inner = [_measure(store, child, known, depth + 1) for child in entries(store, entry.id)]
        count, size = 1 + sum(each.count for each in inner), sum(each.size for each in inner)
        extent = known[entry.id] = Extent(count, size, 1 + max((each.depth for each in inner), default=0))
    elif depth + extent.depth > MAX_DEPTH + 1:
        raise _too_deep()
    return extent


def walk(store: ObjectStore, entry: Entry) -> Iterator[tuple[str, Entry]]:
    """An entry and all below: path from it (`""` for itself, else parts each with a `/` before) → entry."""
    pending = [("", entry)]
    while pending:
        path, found = pending.pop()
        yield path, found
        if found.mode == FOLDER:
            pending.extend((f"{path}/{child.name}", child) for child in entries(store, found.id))


def check_depth(depth: int) -> None:
    """Refuses a folder in so many others."""
    if depth > MAX_DEPTH:
        raise _too_deep()


def _too_deep() -> InvalidName:
    return InvalidName(f"Folders more than {MAX_DEPTH} deep cannot be stored; pack them into one file.")
