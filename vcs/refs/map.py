"""The refs map: names → ids, a million of them, as a persistent Merkle tree.

A tree of content-defined shards: a ref ends its node when the hash of its *key* says so. So the shape depends on
the set of keys alone, changing one ref rewrites a few small nodes, and two states are compared in time
proportional to their difference. The bytes are described in docs/format/refs.md.
"""

from __future__ import annotations

import bisect
import sys
from collections.abc import Callable, Iterator, Mapping

from ..errors import DamagedError
from ..objects.kinds import RefsNode
from ..objects.oid import Oid, hash_bytes
from ..storage.store import ObjectStore

_BITS = 5
"""A node holds 2**5 entries on average."""


class RefMap:
    """One immutable state of the refs. `root` is None when there are none."""

    def __init__(self, store: ObjectStore, root: Oid | None) -> None:
        self.root = root
        self._store = store

    def get(self, key: str) -> Oid | None:
        """The id that `key` stands for, or None."""
        node = self._node(self.root)
        while node is not None:
            at = bisect.bisect_left(node.entries, key, key=_key)
            if at == len(node.entries):
                return None
            found, target = node.entries[at]
            if node.level == 0:
                return Oid(target) if found == key else None
            node = _child(self._store, node, target)
        return None

    def items(self, prefix: str = "") -> Iterator[tuple[str, Oid]]:
        """All refs whose key starts with `prefix`, in order of their keys."""
        return self._items(self._node(self.root), prefix, reverse=False)

    def last(self, prefix: str) -> tuple[str, Oid] | None:
        """The ref with the greatest key that starts with `prefix`."""
        return next(self._items(self._node(self.root), prefix, reverse=True), None)

    def diff(self, old: RefMap) -> dict[str, tuple[Oid | None, Oid | None]]:
        """Key → (old id, new id) for each ref that differs, in time proportional to their number."""
        mine, theirs = _unshared(self, old)
        after = {key: target for node in mine for key, target in node.entries}
        before = {key: target for node in theirs for key, target in node.entries}
        changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        return {key: (_maybe(before.get(key)), _maybe(after.get(key))) for key in changed}

    def update(self, edits: Mapping[str, Oid | None], put: Callable[[RefsNode], Oid]) -> RefMap:
        """The map with these refs set, or deleted where the id is None; `put` stores the new nodes."""
        if not edits:
            return self
        writer = _Writer(self._store, put)
        writer.rewrite(self.root, sorted(edits.items()))
        return RefMap(self._store, writer.finish())

    def nodes(self) -> Iterator[Oid]:
        """The ids of all nodes of the tree."""
        pending = [self.root] if self.root else []
        while pending:
            oid = pending.pop()
            yield oid
            node = self._store.record(oid, RefsNode)
            if node.level:
                pending.extend(Oid(target) for _, target in node.entries)

    def _node(self, oid: Oid | None) -> RefsNode | None:
        return None if oid is None else self._store.record(oid, RefsNode)

    def _items(self, node: RefsNode | None, prefix: str, *, reverse: bool) -> Iterator[tuple[str, Oid]]:
        if node is None:
            return
        start = bisect.bisect_left(node.entries, prefix, key=_key)
        end = len(node.entries)
        if prefix:
            end = bisect.bisect_left(node.entries, _after(prefix), lo=start, key=_key)
            if node.level:
                end = min(end + 1, len(node.entries))  # that child may start with smaller keys
        span = node.entries[start:end]
        for key, target in reversed(span) if reverse else span:
            if node.level == 0:
                yield key, Oid(target)
            else:
                yield from self._items(_child(self._store, node, target), prefix, reverse=reverse)


class _Writer:
    """Rebuilds the nodes that edits touch, and only those.

    `carry[level]` holds entries waiting for the one that ends their node. A node that no edit touches, and
    before which nothing is waiting, is kept as it is.
    """

    def __init__(self, store: ObjectStore, put: Callable[[RefsNode], Oid]) -> None:
        self._store = store
        self._put = put
        self._carry: list[list[tuple[str, ...]]] = [[]]

    def rewrite(self, root: Oid | None, edits: list[tuple[str, Oid | None]]) -> None:
        if root is None:
            self._merge((), edits)
        else:
            self._walk(self._store.record(root, RefsNode), edits, last=True)

    def finish(self) -> Oid | None:
        """Ends what is still waiting and returns the root's id."""
        level = 0
        while level < len(self._carry):
            waiting = self._carry[level]
            on_top = level == len(self._carry) - 1
            if on_top and level and len(waiting) == 1:
                return self._collapse(Oid(waiting[0][1]))
            if waiting:
                self._end_node(level)
            elif on_top:
                return None
            level += 1
        return None

    def _walk(self, node: RefsNode, edits: list[tuple[str, Oid | None]], *, last: bool) -> None:
        if node.level == 0:
            self._merge(node.entries, edits)
            return
        start = 0
        for number, (key, child) in enumerate(node.entries):
            at_end = last and number == len(node.entries) - 1
            stop = len(edits) if at_end else bisect.bisect_right(edits, key, lo=start, key=_key)
            if start == stop and not any(self._carry[: node.level]):
                self._emit(node.level, (key, child))
            else:
                self._walk(_child(self._store, node, child), edits[start:stop], last=at_end)
            start = stop

    def _merge(self, entries: tuple[tuple[str, ...], ...], edits: list[tuple[str, Oid | None]]) -> None:
        merged: dict[str, str | None] = {entry[0]: entry[1] for entry in entries}
        merged.update(edits)
        for key in sorted(merged):
            target = merged[key]
            if target is not None:
                self._emit(0, (key, target))

    def _emit(self, level: int, entry: tuple[str, ...]) -> None:
        while level >= len(self._carry):
            self._carry.append([])
        self._carry[level].append(entry)
        if _height(entry[0]) > level:
            self._end_node(level)

    def _end_node(self, level: int) -> None:
        entries, self._carry[level] = tuple(self._carry[level]), []
        self._emit(level + 1, (entries[-1][0], self._put(RefsNode(level, entries))))

    def _collapse(self, oid: Oid) -> Oid:
        """Skips nodes with a single child on the way down, so that a root is as low as it can be."""
        node = self._store.record(oid, RefsNode)
        while node.level and len(node.entries) == 1:
            oid = Oid(node.entries[0][1])
            node = self._store.record(oid, RefsNode)
        return oid


def _unshared(a: RefMap, b: RefMap) -> tuple[list[RefsNode], list[RefsNode]]:
    """The leaves of each map that the other has not, going down only where they differ."""
    sides = [[root] if (root := side.root) else [] for side in (a, b)]
    store = a._store
    while True:
        shared = set(sides[0]) & set(sides[1])
        nodes = [[store.record(oid, RefsNode) for oid in side if oid not in shared] for side in sides]
        top = max((node.level for side in nodes for node in side), default=0)
        if top == 0:
            return nodes[0], nodes[1]
        # Only the highest go down, so that nodes of one level meet.
        sides = [
            [
                child
                for oid, node in zip((oid for oid in side if oid not in shared), found, strict=True)
                for child in ([Oid(entry[1]) for entry in node.entries] if node.level == top else [oid])
            ]
            for side, found in zip(sides, nodes, strict=True)
        ]


def _child(store: ObjectStore, node: RefsNode, target: str) -> RefsNode:
    child = store.record(Oid(target), RefsNode)
    if child.level != node.level - 1:
        raise DamagedError("A stored node of the refs map is on the wrong level; run `art fsck`.")
    return child


def _height(key: str) -> int:
    """How many levels of nodes this key ends: each with a chance of 1 in 32."""
    bits = int(hash_bytes(key.encode("utf-8"), "ref")[:16], 16)
    zeros = (bits & -bits).bit_length() - 1 if bits else 64
    return zeros // _BITS


def _key(entry: tuple[str, ...] | tuple[str, Oid | None]) -> str:
    key = entry[0]
    assert key is not None
    return key


def _after(prefix: str) -> str:
    """A string greater than every key with this prefix, and not greater than any other key after those."""
    prefix = prefix.rstrip(chr(sys.maxunicode))
    if not prefix:
        return chr(sys.maxunicode) * 64
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _maybe(target: str | None) -> Oid | None:
    return None if target is None else Oid(target)
