"""Finding what is alive: everything that the refs lead to, and the ops and nodes that a repair falls back on.

What repositories elsewhere have promised may be missing; the nodes of their refs, which tell that, are kept.

A mark can go on from an older one: what others have published meanwhile is found from the difference of the refs, so
that a collector catches up with writers that never pause.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from collections.abc import Set as AbstractSet
from contextlib import suppress

from ...errors import ArtError, DamagedError, LookupFailed, UnknownName
from ...maps import graph, ref_names
from ...maps.promises import Promises
from ...maps.refs import RefMap
from ...objects.nodes import RefsNode
from ...objects.oid import NULL, Oid
from ...storage.packs import codec
from ...storage.packs.table import CODES
from ...storage.snapshot import Snapshot
from ...storage.store import ObjectStore

Note = Callable[[bytes], object]
"""Told of each object that is marked."""

_TOGETHER = 1 << 18
"""So many objects are looked for at once: passing over all that there are takes as long for many as for few."""

_AHEAD = 1 << 13
"""So many objects are said to be read next."""

_BLOB = CODES["blob"]
_NULL = bytes.fromhex(NULL)

FALLBACKS = 8
"""So many ops before the newest keep the nodes of their refs, should the newest be damaged."""


class Mark:
    """The objects that are alive.

    Args:
        store: Where they are.
        promised: What repositories elsewhere have promised, if any.
        ahead: Told which objects are read next, by their raw ids.

    Attributes:
        live: Their raw ids, each under itself: so that whoever meets one again need not keep another copy.
        lost: What is referred to and cannot be read → why. It takes nothing else down with it.
    """

    def __init__(
        self,
        store: ObjectStore,
        promised: Promises | None = None,
        ahead: Callable[[Collection[bytes]], object] = lambda _: None,
    ) -> None:
        self.live: dict[bytes, bytes] = {}
        self.lost: dict[Oid, ArtError] = {}
        self._store = store
        self._promised = promised
        self._ahead = ahead
        self._refs: RefMap | None = None

    def catch_up(self, head: Snapshot) -> set[bytes]:
        """Marks what is alive at a moment.

        Returns:
            The raw ids of what was not alive at the moment before; nothing the first time.

        Raises:
            DamagedError: The refs themselves are damaged, so that nobody knows what is alive.
        """
        refs = RefMap(self._store, head.state.refs)
        before, self._refs = self._refs, refs
        fresh: set[bytes] = set()
        if before is None:
            self._mark_all(refs, head)
        elif before.root != refs.root:
            changed = refs.diff(before)
            # What was pruned was not followed; it has been made again, and must be.
            made_again = {
                old for ref, (old, new) in changed.items() if ref.startswith(ref_names.PRUNED) and new is None
            }
            for oid in made_again:
                self.live.pop(bytes.fromhex(oid or NULL), None)
            targets = {new for ref, (_, new) in changed.items() if not ref.startswith(ref_names.PRUNED)} | made_again
            self._follow(head, (oid for oid in targets if oid is not None), fresh.add)
            self._mark_nodes(refs.root, fresh.add)
        for ref, _ in refs.items(ref_names.LOST) if self.lost else ():
            self.lost.pop(Oid(ref_names.last_part(ref)), None)  # a repair has said so
        return fresh

    def _mark_all(self, refs: RefMap, head: Snapshot) -> None:
        self.live.update((key := bytes.fromhex(oid), key) for _, oid in refs.items(ref_names.PRUNED))
        self._mark_nodes(refs.root)
        self._follow(head, (oid for ref, oid in refs.items() if not ref.startswith(ref_names.PRUNED)))
        for seq in range(head.seq - 1, max(0, head.seq - 1 - FALLBACKS), -1):
            with suppress(DamagedError, LookupFailed):  # a fallback that is none
                if (entry := self._store.log.entry(seq)) is not None:
                    self._mark_nodes(entry.op.state.refs)
        for root in self._promised.all_roots if self._promised else ():
            with suppress(DamagedError, LookupFailed):  # the next fetch notes it anew
                self._mark_nodes(root)

    def _mark_nodes(self, root: Oid | None, note: Note = lambda _: None) -> None:
        """Marks the nodes of a refs map that are not marked yet."""
        pending = [root] if root is not None else []
        while pending:
            oid = pending.pop()
            key = bytes.fromhex(oid)
            if key not in self.live:
                node = self._store.record(oid, RefsNode, keep=False)
                self.live[key] = key
                note(key)
                if node.level:
                    pending.extend(Oid(entry[1]) for entry in node.entries)

    def _follow(self, head: Snapshot, roots: Iterable[Oid], note: Note = lambda _: None) -> None:
        """Marks what these lead to and is not marked yet, very many at once."""
        self.live[_NULL] = _NULL  # leads nowhere
        pending: set[bytes] = set()
        self._await(roots, pending)
        while pending:
            wave = {pending.pop() for _ in range(min(_TOGETHER, len(pending)))}
            for key in wave:
                self.live[key] = key
                note(key)
            inner = tuple(wave - _leaves(head, wave))
            for number, key in enumerate(inner):
                if number % _AHEAD == 0:
                    self._ahead(inner[number : number + _AHEAD])
                oid = Oid(key.hex())
                try:
                    self._await(graph.references(self._store, self._store.location(oid)), pending)
                except (DamagedError, LookupFailed) as error:  # not what the system refused to read this time
                    if not self._promised or not isinstance(error, UnknownName):
                        self.lost[oid] = error  # else fsck says whether it is promised: it looks at each way to it
        del self.live[_NULL]

    def _await(self, oids: Iterable[Oid], pending: set[bytes]) -> None:
        """Notes those that are not marked."""
        pending.update(key for oid in oids if (key := bytes.fromhex(oid)) not in self.live)


def _leaves(head: Snapshot, keys: AbstractSet[bytes]) -> set[bytes]:
    """Those of many objects that are there and lead to nothing: blobs in one piece, wherever they are."""
    leaves, others = set[bytes](), set[bytes]()
    for key, kind, how, *_ in head.places(keys):
        (leaves if kind == _BLOB and how != codec.CHUNKED else others).add(key)
    return leaves - others
