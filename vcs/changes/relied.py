"""What a change relies on: the objects that it refers to and did not bring, because they were stored already.

A collector may have condemned them since. They are still readable in the moment that the transaction looked at, which
its lease holds, and are brought along from there.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import DamagedError, UnknownName
from ..maps import graph, ref_names
from ..objects.oid import NULL, Oid
from ..storage.snapshot import Snapshot
from ..storage.store import ObjectStore
from .incoming import Incoming
from .view import View


def bring_along(
    store: ObjectStore, head: Snapshot, seen: Snapshot | None, incoming: Incoming, view: View, roots: Iterable[Oid]
) -> set[Oid]:
    """Adds what `roots` lead to and is not stored any more.

    Args:
        store: Where to look.
        head: The newest moment.
        seen: The moment that the change was made at.
        incoming: What goes with the change anyway, and where is added.
        view: The change; the data of what is pruned there is not needed.
        roots: Where to begin.

    Returns:
        What is nowhere.
    """
    pending, done, lost = set(roots) - {NULL}, set[Oid](), set[Oid]()
    while pending:
        oid = pending.pop()
        done.add(oid)
        try:
            if oid in view.made:
                found = graph.references_of(view.made[oid])
            else:
                if not incoming.has(oid) and not store.published(oid, head):
                    incoming.add(store.stored(oid, seen))
                at = store.location(oid)
                if at.kind == "artifact" and view.get(ref_names.pruned(oid)) is not None:
                    continue
                found = graph.references(store, at)
            pending |= set(found) - done
        except (UnknownName, DamagedError):
            lost.add(oid)
    return lost
