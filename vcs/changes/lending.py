"""Objects of a change that nobody has published yet, lent to another process so that it can read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..maps import graph
from ..objects.oid import Oid
from ..storage.layout import PackName
from ..storage.packs.pack import Item
from ..storage.store import ObjectStore
from .gathering import INLINE, Gathering


@dataclass(frozen=True)
class Lent:
    """What another process needs to read some objects of a change. It can be pickled.

    Attributes:
        packs: Whole packs, at their places, which no state names yet.
        items: Objects that are in no such pack.
    """

    packs: tuple[PackName, ...] = ()
    items: tuple[Item, ...] = ()


def lend(store: ObjectStore, gathering: Gathering, roots: Iterable[Oid]) -> Lent:
    """What another process needs to read some objects, and all that they lead to.

    Args:
        store: Where objects are read.
        gathering: Those that nobody has published yet; what is much of them becomes a pack.
        roots: The objects.
    """
    # What is in a pack leads to nothing that came after it.
    entries, todo, found, size = gathering.writer.entries, [*roots], dict[Oid, Item](), 0
    while todo:
        at = entries.get(todo.pop())
        if at is None or at.oid in found:
            continue
        size += at.stored
        if size > INLINE:
            gathering.seal()
            return Lent(gathering.names())
        found[at.oid] = store.stored(at.oid)
        todo += graph.references(store, at)
    return Lent(gathering.names(), tuple(found.values()))


class Borrowed(Gathering):
    """Objects that another process has lent, readable in this one.

    Args:
        store: Where objects are read.
        folder: Where they land if they are much.
    """

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        super().__init__(store, self.aside(folder))

    def take(self, lent: Lent) -> None:
        """From now on these can be read, and no others."""
        self.writer.begin_anew()
        for item in lent.items:
            self.writer.add(item)
        known = self.names()
        if known != lent.packs:
            self.forget_packs()
            for name in lent.packs:
                self.place(name)

    def add_lent(self, lent: Lent) -> None:
        """From now on these can be read, too."""
        for item in lent.items:
            if item.oid not in self.writer.entries:
                self.writer.add(item)
        known = set(self.names())
        for name in lent.packs:
            if name not in known:
                self.place(name)
