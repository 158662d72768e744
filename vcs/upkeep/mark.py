"""Finding what is alive: everything that the refs lead to, and the ops and nodes that a repair falls back on.

A mark can go on from an older one: what others have published meanwhile is found from the difference of the refs, so
that a collector catches up with writers that never pause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..errors import ArtError
from ..maps import graph, ref_names
from ..maps.refs import RefMap
from ..objects.kinds import RefsNode
from ..objects.oid import NULL, Oid
from ..storage.snapshot import Snapshot
from ..storage.store import ObjectStore

FALLBACKS = 8
"""So many ops before the newest keep the nodes of their refs, should the newest be damaged."""


class Mark:
    """The objects that are alive.

    Attributes:
        live: Their ids.
        lost: What is referred to and cannot be read → why. It takes nothing else down with it.
    """

    def __init__(self, store: ObjectStore, progress: Callable[[int], None] = lambda _: None) -> None:
        self.live: set[Oid] = set()
        self.lost: dict[Oid, ArtError] = {}
        self._store = store
        self._progress = progress
        self._refs: RefMap | None = None

    def catch_up(self, head: Snapshot) -> set[Oid]:
        """Marks what is alive at a moment, and returns what was not alive before.

        Raises:
            DamagedError: The refs themselves are damaged, so that nobody knows what is alive.
        """
        refs = RefMap(self._store, head.state.refs)
        before, self._refs = self._refs, refs
        if before is not None and before.root == refs.root:
            return set()
        known = len(self.live)
        if before is None:
            fresh = self._all(refs, head)
        else:
            changed = refs.diff(before)
            # What was pruned was not followed; it has been made again, and must be.
            made_again = {
                old for ref, (old, new) in changed.items() if ref.startswith(ref_names.PRUNED) and new is None
            }
            self.live -= made_again
            targets = {new for ref, (_, new) in changed.items() if not ref.startswith(ref_names.PRUNED)} | made_again
            fresh = self._follow(oid for oid in targets if oid is not None) | self._nodes(refs.root)
        self._progress(len(self.live) - known)
        return fresh

    def _all(self, refs: RefMap, head: Snapshot) -> set[Oid]:
        ends = {oid for _, oid in refs.items(ref_names.PRUNED)}
        self.live |= ends
        fresh = self._nodes(refs.root)
        fresh |= self._follow(oid for ref, oid in refs.items() if not ref.startswith(ref_names.PRUNED))
        self._fall_back(head)
        return fresh | ends

    def _fall_back(self, head: Snapshot) -> None:
        for seq in range(head.seq - 1, max(0, head.seq - 1 - FALLBACKS), -1):
            entry = self._store.log.entry(seq)
            try:
                if entry is not None:
                    self._nodes(Snapshot(self._store.files, entry, head).state.refs)
            except ArtError:
                continue  # a fallback that is none

    def _nodes(self, root: Oid | None) -> set[Oid]:
        """Marks the nodes of a refs map that are not marked yet."""
        fresh: set[Oid] = set()
        pending = [root] if root is not None and root not in self.live else []
        while pending:
            oid = pending.pop()
            fresh.add(oid)
            node = self._store.record(oid, RefsNode)
            if node.level:
                pending.extend(Oid(entry[1]) for entry in node.entries if entry[1] not in self.live)
        self.live |= fresh
        return fresh

    def _follow(self, roots: Iterable[Oid]) -> set[Oid]:
        """Marks what these lead to and is not marked yet."""
        pending = {oid for oid in roots if oid != NULL} - self.live
        fresh: set[Oid] = set()
        while pending:
            oid = pending.pop()
            fresh.add(oid)
            try:
                found = graph.references(self._store, self._store.location(oid))
                pending.update(each for each in found if each not in fresh and each not in self.live)
            except ArtError as error:
                self.lost[oid] = error
        self.live |= fresh
        return fresh
