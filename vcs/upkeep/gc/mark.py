"""Finding what is alive: everything that the refs lead to, and the ops and nodes that a repair falls back on.

A mark can go on from an older one: what others have published meanwhile is found from the difference of the refs, so
that a collector catches up with writers that never pause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ...errors import ArtError, DamagedError, LookupFailed
from ...maps import graph, ref_names
from ...maps.refs import RefMap
from ...objects.nodes import RefsNode
from ...objects.oid import NULL, Oid
from ...storage.snapshot import Snapshot
from ...storage.store import ObjectStore

Note = Callable[[Oid], object]
"""Told of each object that is marked."""

FALLBACKS = 8
"""So many ops before the newest keep the nodes of their refs, should the newest be damaged."""


class Mark:
    """The objects that are alive.

    Attributes:
        live: Their ids, each under itself: so that whoever meets one again need not keep another copy.
        lost: What is referred to and cannot be read → why. It takes nothing else down with it.
    """

    def __init__(self, store: ObjectStore) -> None:
        self.live: dict[Oid, Oid] = {}
        self.lost: dict[Oid, ArtError] = {}
        self._store = store
        self._refs: RefMap | None = None

    def catch_up(self, head: Snapshot) -> set[Oid]:
        """Marks what is alive at a moment.

        Returns:
            What was not alive at the moment before; nothing the first time.

        Raises:
            DamagedError: The refs themselves are damaged, so that nobody knows what is alive.
        """
        refs = RefMap(self._store, head.state.refs)
        before, self._refs = self._refs, refs
        fresh: set[Oid] = set()
        if before is None:
            self._mark_all(refs, head)
        elif before.root != refs.root:
            changed = refs.diff(before)
            # What was pruned was not followed; it has been made again, and must be.
            made_again = {
                old for ref, (old, new) in changed.items() if ref.startswith(ref_names.PRUNED) and new is None
            }
            for oid in made_again:
                self.live.pop(oid or NULL, None)
            targets = {new for ref, (_, new) in changed.items() if not ref.startswith(ref_names.PRUNED)} | made_again
            self._follow((oid for oid in targets if oid is not None), fresh.add)
            self._mark_nodes(refs.root, fresh.add)
        for ref, _ in refs.items(ref_names.LOST) if self.lost else ():
            self.lost.pop(Oid(ref_names.last_part(ref)), None)  # a repair has said so
        return fresh

    def _mark_all(self, refs: RefMap, head: Snapshot) -> None:
        self.live.update((oid, oid) for _, oid in refs.items(ref_names.PRUNED))
        self._mark_nodes(refs.root)
        self._follow(oid for ref, oid in refs.items() if not ref.startswith(ref_names.PRUNED))
        for seq in range(head.seq - 1, max(0, head.seq - 1 - FALLBACKS), -1):
            try:
                if (entry := self._store.log.entry(seq)) is not None:
                    self._mark_nodes(entry.op.state.refs)
            except (DamagedError, LookupFailed):
                continue  # a fallback that is none

    def _mark_nodes(self, root: Oid | None, note: Note = lambda _: None) -> None:
        """Marks the nodes of a refs map that are not marked yet."""
        pending = [root] if root is not None else []
        while pending:
            oid = pending.pop()
            if oid not in self.live:
                node = self._store.record(oid, RefsNode, keep=False)
                self.live[oid] = oid
                note(oid)
                if node.level:
                    pending.extend(Oid(entry[1]) for entry in node.entries)

    def _follow(self, roots: Iterable[Oid], note: Note = lambda _: None) -> None:
        """Marks what these lead to and is not marked yet."""
        self.live[NULL] = NULL  # leads nowhere
        for root in roots:
            pending = [root]
            while pending:
                oid = pending.pop()
                if oid in self.live:
                    continue
                self.live[oid] = oid
                note(oid)
                try:
                    pending.extend(graph.references(self._store, self._store.location(oid)))
                except (DamagedError, LookupFailed) as error:  # not what the system refused to read this time
                    self.lost[oid] = error
        del self.live[NULL]
