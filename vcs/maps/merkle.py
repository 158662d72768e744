"""An ordered map of a million entries as a persistent Merkle tree of content-defined shards.

An entry ends its node when the hash of its *key* says so. So the shape depends on the set of keys alone, changing one
entry rewrites a few small nodes, and two states are compared in time proportional to their difference. The bytes are
described in docs/format/refs.md.
"""

from __future__ import annotations

import bisect
import functools
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ..errors import DamagedError
from ..objects.oid import Oid, hasher
from ..objects.records import Record

R = TypeVar("R", bound=Record)

MapEntry = tuple[Any, ...]
"""In a leaf the key and whatever goes with it; above, the last key below, the node's id and the node's summary."""

Edits = list[tuple[str, MapEntry | None]]

_AT_HAND = 1 << 13
"""So many entries of a map are at hand at most, in the nodes that were looked at last."""

_FEW = 2
"""More nodes are read at once."""

_key: Callable[[MapEntry], str] = operator.itemgetter(0)


class Node(Protocol):
    """A record that is a node: `RefsNode`, `Tree` or `StepsNode`."""

    @property
    def level(self) -> int:
        """0 for a leaf."""

    @property
    def entries(self) -> tuple[MapEntry, ...]:
        """In ascending order of their keys."""

    @property
    def summary(self) -> tuple[Any, ...]:
        """What the node above says of this one."""


class Records(Protocol):
    """Where nodes are read."""

    def record(self, oid: Oid, cls: type[R]) -> R:
        """A record. Raises as `ObjectStore.record`."""

    def read_ahead(self, oids: Iterable[Oid], cls: type[R], *, keep: bool = False) -> None:
        """Brings many records to memory at once, see `ObjectStore.read_ahead`."""


@dataclass(frozen=True)
class Shape:
    """How the nodes of one kind of map are made.

    Attributes:
        node: The class of its nodes.
        salt: The kind under which keys are hashed.
        bits: A node holds 2**bits entries on average.
    """

    node: type[Any]
    salt: str
    bits: int

    def height(self, key: str) -> int:
        """How many levels of nodes this key ends."""
        return _zeros(key, self.salt) // self.bits


@functools.lru_cache(1024)
def _zeros(key: str, salt: str) -> int:
    """With how many zeros the first 64 bits of a key's hash end; a key is often looked at twice in a row."""
    bits = int.from_bytes(hasher(salt).update(key.encode("utf-8")).digest(8), "big")
    return (bits & -bits).bit_length() - 1 if bits else 64


class MerkleMap:
    """One immutable state of a map. `root` is None when it is empty."""

    def __init__(self, records: Records, root: Oid | None, shape: Shape) -> None:
        self.root = root
        self.shape = shape
        self._records = records
        self._top: Node | None = None
        self._children: dict[MapEntry, Node] = {}  # that were looked at last, each by what the node above says

    def find(self, key: str) -> MapEntry | None:
        """The entry with this key, or None."""
        node, low = self._root(), None
        while node is not None:
            at = bisect.bisect_left(node.entries, key, key=_key)
            if at == len(node.entries):
                return None
            entry = node.entries[at]
            if node.level == 0:
                return entry if entry[0] == key else None
            low = node.entries[at - 1][0] if at else low
            node = self._child(node, entry, low)
        return None

    def entries(self, prefix: str = "", *, reverse: bool = False, after: str | None = None) -> Iterator[MapEntry]:
        """Entries whose key starts with `prefix` and is above `after`, in order; nodes are read as they are come to."""
        root = self._root()
        return iter(()) if root is None else self._entries(root, prefix, reverse, after, None)

    def first_of_each(self, prefixes: Iterable[str]) -> dict[str, MapEntry]:
        """The first entry that starts with each of some prefixes, where there is one; each node is looked at once."""
        found: dict[str, MapEntry] = {}
        if (root := self._root()) is not None:
            self._first_of_each(root, sorted(prefixes), found, None)
        return found

    def count(self, prefix: str = "") -> int:
        """How many entries have a key that starts with `prefix`, in time that does not depend on how many they are."""
        root = self._root()
        return 0 if root is None else self._count(root, prefix, None)

    def diff(self, old: MerkleMap) -> dict[str, tuple[MapEntry | None, MapEntry | None]]:
        """Key → (old entry, new entry) for each that differs, in time proportional to their number."""
        mine, theirs = _unshared(self, old)
        after = {entry[0]: entry for node in mine for entry in node.entries}
        before = {entry[0]: entry for node in theirs for entry in node.entries}
        changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        return {key: (before.get(key), after.get(key)) for key in changed}

    def changed(self, edits: Mapping[str, MapEntry | None], put: Callable[[Any], Oid]) -> Oid | None:
        """The root of the map with these entries set, or deleted where there is None; `put` stores the new nodes."""
        if not edits:
            return self.root
        writer = Writer(self, put)
        writer.rewrite(sorted(edits.items(), key=_key))
        return writer.finish()

    def node(self, oid: Oid) -> Node:
        """One node. Raises as `ObjectStore.record`."""
        found: Node = self._records.record(oid, self.shape.node)
        return found

    def _root(self) -> Node | None:
        if self._top is None and self.root is not None:
            self._top = self.node(self.root)
        return self._top

    def _child(self, node: Node, entry: MapEntry, low: str | None) -> Node:
        """The node below an entry; `low` is a key that all below it are above."""
        known = self._children.get(entry)
        if known is None or known.level != node.level - 1:
            known = self._looked_at(node, entry)
        # Each key is in one place: or a few nodes could lead to more of them than anybody can read.
        if low is not None and known.entries and known.entries[0][0] <= low:
            raise DamagedError("A stored node of an ordered map overlaps with the one before it; run `art fsck`.")
        return known

    def _looked_at(self, node: Node, entry: MapEntry) -> Node:
        child = self.node(Oid(entry[1]))
        last = child.entries[-1][0] if child.entries else None
        # What a node says of those below it must be true, so that nothing can hide behind a small number.
        if (child.level, last, *child.summary) != (node.level - 1, entry[0], *entry[2:]):
            raise DamagedError("A stored node of an ordered map is not what the one above it says; run `art fsck`.")
        if len(self._children) << self.shape.bits >= _AT_HAND:
            self._children.clear()
        self._children[entry] = child
        return child

    def _entries(
        self, node: Node, prefix: str, reverse: bool, after: str | None, low: str | None
    ) -> Iterator[MapEntry]:
        start, end = _span(node, prefix)
        if after is not None:
            start = bisect.bisect_right(node.entries, after, lo=start, hi=end, key=_key)
        if node.level == 0:
            span = node.entries[start:end]
            yield from reversed(span) if reverse else span
            return
        for at in range(end - 1, start - 1, -1) if reverse else range(start, end):
            above = node.entries[at - 1][0] if at else low
            yield from self._entries(self._child(node, node.entries[at], above), prefix, reverse, after, above)

    def _first_of_each(self, node: Node, prefixes: list[str], found: dict[str, MapEntry], low: str | None) -> None:
        """`prefixes` are sorted, and none is above all keys of the node but of the root's."""
        keys, at, start = [entry[0] for entry in node.entries], 0, 0
        below: list[tuple[int, list[str]]] = []
        while start < len(prefixes) and (at := bisect.bisect_left(keys, prefixes[start], lo=at)) < len(keys):
            stop = start + 1
            if node.level:
                stop = bisect.bisect_right(prefixes, keys[at], lo=start)
                below.append((at, prefixes[start:stop]))
            elif keys[at].startswith(prefixes[start]):
                found[prefixes[start]] = node.entries[at]
            start = stop
        if len(below) > _FEW:
            children = [node.entries[at] for at, _ in below if node.entries[at] not in self._children]
            self._records.read_ahead([Oid(entry[1]) for entry in children], self.shape.node, keep=True)
        for at, inside in below:
            above = keys[at - 1] if at else low
            self._first_of_each(self._child(node, node.entries[at], above), inside, found, above)

    def _count(self, node: Node, prefix: str, before: str | None) -> int:
        """`before` is a key below which nothing in this node is."""
        start, end = _span(node, prefix)
        if node.level == 0:
            return end - start
        total = 0
        for at in range(start, end):
            entry, low = node.entries[at], node.entries[at - 1][0] if at else before
            inside = (low or "") >= prefix and entry[0].startswith(prefix)
            total += entry[2] if inside else self._count(self._child(node, entry, low), prefix, low)
        return total


class Writer:
    """Makes a map's nodes from its entries in order, or from an older map those that edits touch, and only those.

    `carry[level]` holds entries waiting for the one that ends their node. A node that no edit touches, and
    before which nothing is waiting, is kept as it is.

    Args:
        old: The older map, or an empty one.
        put: Stores a new node.
    """

    def __init__(self, old: MerkleMap, put: Callable[[Any], Oid]) -> None:
        self._old = old
        self._shape = old.shape
        self._put = put
        self._carry: list[list[MapEntry]] = [[]]
        self._made: dict[Oid, Oid | None] = {}  # nodes → the one below, where there is only one

    def add(self, entry: MapEntry) -> None:
        """Adds an entry after all others."""
        self._emit(0, entry)

    def add_leaf(self, entry: MapEntry) -> None:
        """Adds a whole leaf after all others, as the node above describes it; only the last need not end by its key."""
        self._made[Oid(entry[1])] = None
        self._emit(1, entry)

    def rewrite(self, edits: Edits) -> None:
        """Makes of the older map one with these entries set or deleted, sorted by their keys."""
        root = self._old._root()
        if root is None:
            self._merge((), edits)
        else:
            self._walk(root, edits, last=True)

    def finish(self) -> Oid | None:
        """Ends what is still waiting and returns the root's id."""
        level = 0
        while level < len(self._carry):
            waiting = self._carry[level]
            on_top = level == len(self._carry) - 1
            if on_top and level and len(waiting) == 1:
                child = Oid(waiting[0][1])
                return child if level == 1 else self._collapse(child)
            if waiting:
                self._end_node(level)
            elif on_top:
                return None
            level += 1
        return None

    def _walk(self, node: Node, edits: Edits, *, last: bool) -> None:
        if node.level == 0:
            self._merge(node.entries, edits)
            return
        entries, at, start = node.entries, 0, 0
        final = len(entries) - 1
        while at <= final:
            if not any(self._carry[: node.level]):
                # What is before the next edit stays as it is, all of it at once.
                untouched = at
                at = bisect.bisect_left(entries, edits[start][0], lo=at, key=_key) if start < len(edits) else final + 1
                at = min(at, final) if last and start < len(edits) else at
                self._extend(node.level, entries[untouched : min(at, final)])
                if at > final:
                    self._emit(node.level, entries[final])
                    return
            at_end = last and at == final
            stop = len(edits) if at_end else bisect.bisect_right(edits, entries[at][0], lo=start, key=_key)
            above = entries[at - 1][0] if at else None
            self._walk(self._old._child(node, entries[at], above), edits[start:stop], last=at_end)
            at, start = at + 1, stop

    def _merge(self, entries: tuple[MapEntry, ...], edits: Edits) -> None:
        merged: dict[str, MapEntry | None] = dict(zip(map(_key, entries), entries, strict=True))
        merged.update(edits)
        # Whatever stood inside a node is known not to end it.
        may_end = {key for key, _ in edits}.union(entry[0] for entry in entries[-1:])
        inside: list[MapEntry] = []
        for key in sorted(merged):
            if (entry := merged[key]) is None:
                continue
            if key not in may_end:
                inside.append(entry)
                continue
            self._extend(0, inside)
            inside.clear()
            self._emit(0, entry)
        self._extend(0, inside)

    def _emit(self, level: int, entry: MapEntry) -> None:
        """Takes an entry, which may end its node."""
        self._extend(level, (entry,))
        if self._shape.height(entry[0]) > level:
            self._end_node(level)

    def _extend(self, level: int, entries: Sequence[MapEntry]) -> None:
        """Takes entries that do not end their node."""
        while level >= len(self._carry):
            self._carry.append([])
        self._carry[level] += entries

    def _end_node(self, level: int) -> None:
        entries, self._carry[level] = tuple(self._carry[level]), []
        node = self._shape.node(level, entries)
        oid = self._put(node)
        self._made[oid] = Oid(entries[0][1]) if level and len(entries) == 1 else None
        self._emit(level + 1, (entries[-1][0], oid, *node.summary))

    def _collapse(self, oid: Oid) -> Oid:
        """Skips nodes with a single child on the way down, so that a root is as low as it can be."""
        while True:
            if oid not in self._made:
                node = self._old.node(oid)
                self._made[oid] = Oid(node.entries[0][1]) if node.level and len(node.entries) == 1 else None
            if (child := self._made[oid]) is None:
                return oid
            oid = child


def _unshared(a: MerkleMap, b: MerkleMap) -> tuple[list[Node], list[Node]]:
    """The leaves of each map that the other has not, going down only where they differ."""
    sides = [[root] if (root := side.root) else [] for side in (a, b)]
    while True:
        shared = set(sides[0]) & set(sides[1])
        nodes = [
            [side.node(oid) for oid in oids if oid not in shared] for side, oids in zip((a, b), sides, strict=True)
        ]
        top = max((node.level for found in nodes for node in found), default=0)
        if top == 0:
            return nodes[0], nodes[1]
        # Only the highest go down, so that nodes of one level meet; each once, though hostile nodes may say otherwise.
        sides = [
            list(dict.fromkeys(
                child
                for oid, node in zip((oid for oid in side if oid not in shared), found, strict=True)
                for child in ([Oid(entry[1]) for entry in node.entries] if node.level == top else [oid])
            ))
            for side, found in zip(sides, nodes, strict=True)
        ]  # fmt: skip


def _span(node: Node, prefix: str) -> tuple[int, int]:
    """Which entries of a node have the prefix, or may have it below."""
    if not prefix:
        return 0, len(node.entries)
    start = bisect.bisect_left(node.entries, prefix, key=_key)
    end = bisect.bisect_left(node.entries, _after(prefix), lo=start, key=_key)
    if node.level:
        end = min(end + 1, len(node.entries))  # that child may start with smaller keys
    return start, end


def _after(prefix: str) -> str:
    """A string greater than every key with this prefix, and not greater than any other key after those."""
    prefix = prefix.rstrip(chr(sys.maxunicode))
    if not prefix:
        return chr(sys.maxunicode) * 64
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
