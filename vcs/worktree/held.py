"""Folders of a few small files that are in memory: stored and read without a disk in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..changes.putting import Putting
from ..errors import DamagedError
from ..maps import trees
from ..objects.names import check_entry_names
from ..objects.nodes import FILE, Entry, Tree
from ..objects.oid import Oid
from ..storage.store import ObjectStore


def add_held(sink: Putting[Any], files: Mapping[str, bytes]) -> Entry:
    """Stores files that stand in one folder; the same as `add_folder` of that folder.

    Args:
        sink: Where they are put.
        files: Name → content.

    Raises:
        InvalidName: A name cannot be stored.
    """
    names = sorted(files)
    check_entry_names(names)
    oids = sink.put_blobs([files[name] for name in names])
    writer = trees.FolderWriter(sink.store, sink.put)
    for name, oid in zip(names, oids, strict=True):
        writer.add(Entry(name, FILE, oid, len(files[name])))
    return writer.finish("")


def read_held(store: ObjectStore, tree: Oid, limit: int) -> dict[str, bytes] | None:
    """The files of a stored folder: name → content; None if they have more bytes than `limit`, or it holds others.

    Raises:
        UnknownName: Something the tree names is not here.
        DamagedError: Something is not what its id, or the tree, promises.
    """
    root = store.record(tree, Tree)
    if root.level or root.size > limit:
        return None
    found = [Entry._make(entry) for entry in root.entries]
    if any(entry.mode != FILE for entry in found):
        return None
    files = {entry.name: store.read(entry.id, "blob") for entry in found}
    for entry in found:
        if len(files[entry.name]) != entry.size:
            raise DamagedError(f"{entry.name} has another size than its folder says; run `art fsck`.")
    return files
