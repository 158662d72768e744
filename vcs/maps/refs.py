"""The refs map: names → ids, a million of them. How refs are spelt says `ref_names`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from ..errors import DamagedError, UnknownName
from ..objects.nodes import RefsNode
from ..objects.oid import Oid
from ..objects.records import Record
from ..storage.store import ObjectStore
from .merkle import MerkleMap, Node, Shape
from .steps import opened

R = TypeVar("R", bound=Record)

REFS = Shape(RefsNode, "ref", bits=4)


class Refs(Protocol):
    """Where names are looked up: the refs as published, or as a transaction sees them."""

    def record(self, oid: Oid, cls: type[R]) -> R:
        """A record that a ref leads to. Raises as `ObjectStore.record`."""

    def first_of_each(self, prefixes: Iterable[str]) -> dict[str, tuple[str, Oid]]:
        """The first ref that starts with each of some prefixes, where there is one; quicker than one by one."""

    def get(self, ref: str) -> Oid | None:
        """The id of one ref."""

    def items(self, prefix: str = "", *, reverse: bool = False, after: str = "") -> Iterator[tuple[str, Oid]]:
        """All refs that start with `prefix` and are greater than `after`, in order; read as they are come to."""


class _Map(MerkleMap):
    """Whose nodes nobody has asked for by a name: one that is not here is lost."""

    def node(self, oid: Oid) -> Node:
        """One node.

        Raises:
            DamagedError: It is not here, or not what its id promises.
        """
        try:
            return super().node(oid)
        except UnknownName as error:
            raise DamagedError("A part of the repository's refs is lost; run `art fsck --repair`.") from error


class RefMap:
    """One immutable state of the refs, and the records that they lead to."""

    def __init__(self, store: ObjectStore, root: Oid | None) -> None:
        self.root = root
        self._store = store
        self._map = _Map(store, root, REFS)

    def get(self, ref: str) -> Oid | None:
        """The id that `ref` stands for, or None."""
        entry = self._map.find(ref)
        return None if entry is None else Oid(entry[1])

    def items(self, prefix: str = "", *, reverse: bool = False, after: str = "") -> Iterator[tuple[str, Oid]]:
        """All refs that start with `prefix` and are greater than `after`, in order; read as they are come to."""
        found = self._map.entries(prefix, reverse=reverse, after=after or None)
        return ((entry[0], Oid(entry[1])) for entry in found)

    def first_of_each(self, prefixes: Iterable[str]) -> dict[str, tuple[str, Oid]]:
        """The first ref that starts with each of some prefixes, where there is one; quicker than one by one."""
        found = self._map.first_of_each(prefixes)
        return {prefix: (entry[0], Oid(entry[1])) for prefix, entry in found.items()}

    def last(self, prefix: str) -> tuple[str, Oid] | None:
        """The greatest ref that starts with `prefix`."""
        return next(self.items(prefix, reverse=True), None)

    def count(self, prefix: str = "") -> int:
        """How many refs start with `prefix`; takes no longer for many than for few."""
        return self._map.count(prefix)

    def nodes(self) -> Iterator[Oid]:
        """The ids of the nodes that it consists of, those above first."""
        pending = [] if self.root is None else [self.root]
        while pending:
            oid = pending.pop()
            yield oid
            node = self._map.node(oid)
            if node.level:
                pending.extend(Oid(entry[1]) for entry in node.entries)

    def record(self, oid: Oid, cls: type[R]) -> R:
        """A record that a ref leads to. Raises as `ObjectStore.record`."""
        return opened(self._store, self._store.record(oid, cls))

    def read_ahead(self, oids: Iterable[Oid], cls: type[R], *, keep: bool = False) -> None:
        """See `ObjectStore.read_ahead`."""
        self._store.read_ahead(oids, cls, keep=keep)

    def at(self, root: Oid | None) -> RefMap:
        """Another state of them."""
        return RefMap(self._store, root)

    def diff(self, old: RefMap) -> dict[str, tuple[Oid | None, Oid | None]]:
        """Ref → (old id, new id) for each ref that differs, in time proportional to their number."""
        return {ref: (_target(before), _target(after)) for ref, (before, after) in self._map.diff(old._map).items()}

    def update(self, edits: Mapping[str, Oid | None], put: Callable[[RefsNode], Oid]) -> RefMap:
        """The map with these refs set, or deleted where the id is None; `put` stores the new nodes."""
        entries = {ref: None if oid is None else (ref, oid) for ref, oid in edits.items()}
        return RefMap(self._store, self._map.changed(entries, put))


def _target(entry: tuple[str, ...] | None) -> Oid | None:
    return None if entry is None else Oid(entry[1])
