"""Folders: names → what they stand for, as maps of about 128 names to a node. The bytes: docs/format/objects.md.

Read as far as they are looked at, compared in the time of their difference, and changed by a few nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

from ..errors import DamagedError
from ..objects.nodes import FOLDER, Entry, Tree
from ..objects.oid import Oid
from ..storage.store import ObjectStore
from .merkle import MerkleMap, Shape, Writer

TREES = Shape(Tree, "tree-name", bits=7)

Put = Callable[[Tree], Oid]
"""Stores a new node."""


def entries(store: ObjectStore, tree: Oid, start: str = "") -> Iterator[Entry]:
    """What a folder holds whose name starts so, in order of names; nodes are read as they are come to.

    Raises:
        UnknownName: A node is not here.
        DamagedError: A node is not what its id, or the node above it, promises.
    """
    return cast(Iterator[Entry], _map(store, tree).entries(start))


def inside(store: ObjectStore, folder: Entry) -> Iterator[Entry]:
    """As `entries`, of a folder that must be as large as its entry says: nothing hides behind a small number."""
    if as_entry(folder.name, folder.id, store.record(folder.id, Tree)) != folder:
        raise DamagedError("A stored folder is not what the one above it says; run `art fsck`.")
    return entries(store, folder.id)


def find(store: ObjectStore, tree: Oid, name: str) -> Entry | None:
    """What a name in a folder stands for, or None. Raises as `entries`."""
    return cast(Entry | None, _map(store, tree).find(name))


def at(store: ObjectStore, folder: Entry, path: str) -> Entry | None:
    """What lies at a path in a folder, its parts separated by `/`; None where nothing does. Raises as `entries`."""
    found: Entry | None = folder
    for name in path.split("/"):
        if found is None or found.mode != FOLDER:
            return None
        found = find(store, found.id, name)
    return found


def diff(store: ObjectStore, new: Oid, old: Oid) -> dict[str, tuple[Entry | None, Entry | None]]:
    """Name → (old entry, new entry) for each that differs, in time proportional to their number.

    Raises as `entries`.
    """
    return cast(dict[str, tuple[Entry | None, Entry | None]], _map(store, new).diff(_map(store, old)))


def changed(store: ObjectStore, tree: Oid, edits: Mapping[str, Entry | None], put: Put) -> Oid:
    """The folder with these names set, or deleted where there is None. Raises as `entries`."""
    return _map(store, tree).changed(edits, put) or put(EMPTY)


def nodes(store: ObjectStore, tree: Oid) -> Iterator[Tree]:
    """A folder's nodes, each before those below it, those of folders in it left out. Raises as `entries`."""
    pending = [tree]
    while pending:
        yield (node := store.record(pending.pop(), Tree))
        if node.level:
            pending.extend(node.children)


def as_entry(name: str, root: Oid, tree: Tree) -> Entry:
    """A folder in another; `tree` is its root."""
    size, files = tree.summary
    return Entry(name, FOLDER, root, size, max(files, 1))


EMPTY = Tree(0, ())
"""A folder that holds nothing."""


class FolderWriter:
    """Makes a folder's tree from its entries, added in order of their names.

    Attributes:
        size: Bytes of all files and links added so far.
        files: How many files, links and empty folders they are.
    """

    def __init__(self, store: ObjectStore, put: Put) -> None:
        self._writer = Writer(MerkleMap(store, None, TREES), put)
        self._put = put
        self.size = 0
        self.files = 0

    def add(self, entry: Entry) -> None:
        """Adds one name."""
        self._writer.add(entry)
        self._counted(entry.size, entry.files)

    def add_leaf(self, last: str, leaf: Oid, size: int, files: int) -> None:
        """Adds a leaf that is stored already; `last` is its last name, and ends it or the folder."""
        self._writer.add_leaf((last, leaf, size, files))
        self._counted(size, files)

    def finish(self, name: str) -> Entry:
        """The folder, as `name` in another."""
        root = self._writer.finish() or self._put(EMPTY)
        return Entry(name, FOLDER, root, self.size, max(self.files, 1))

    def _counted(self, size: int, files: int) -> None:
        self.size += size
        self.files += files


def write(store: ObjectStore, members: Iterable[Entry], put: Put) -> Oid:
    """The tree of a folder with these entries, in order of their names."""
    writer = FolderWriter(store, put)
    for entry in members:
        writer.add(entry)
    return writer.finish("").id


def ends_leaf(name: str) -> bool:
    """Whether a leaf ends after this name."""
    return TREES.height(name) > 0


def _map(store: ObjectStore, tree: Oid) -> MerkleMap:
    return MerkleMap(store, tree, TREES)
