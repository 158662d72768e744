"""Objects that one process makes for a change of another: in packs that no state names, until that one names them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..storage.layout import PackName
from ..storage.packs.pack import Item
from ..storage.store import ObjectStore
from .gathering import Gathering


@dataclass(frozen=True)
class Brought:
    """What one process has made for a change of another, as it is handed over. It can be pickled.

    Attributes:
        packs: Whole packs, at their places already.
        items: Objects that are too little for a pack.
        intents: What is meant with all this, as a journal spells it.
        seq: The op whose state it was made on.
    """

    packs: tuple[PackName, ...] = ()
    items: tuple[Item, ...] = ()
    intents: tuple[Any, ...] = ()
    seq: int = 0


class Outgoing(Gathering):
    """Objects on their way into a change of another process. What becomes of them if nobody takes them is garbage.

    Args:
        store: Where objects are read, and packs are put.
        folder: For what is not a whole pack yet; whoever takes the objects removes it in the end.
        sealed: Told each whole pack that is at its place.
    """

    def __init__(self, store: ObjectStore, folder: Path, sealed: Callable[[PackName], object] = lambda _: None) -> None:
        super().__init__(store, self.aside(folder))
        self._sealed = sealed

    def place(self, name: PackName, path: Path | None = None) -> None:
        """See `Gathering.place`."""
        super().place(name, path)
        self._sealed(name)

    def hand_over(self, intents: Sequence[Any], seq: int) -> Brought:
        """All that was added, which begins anew.

        Args:
            intents: What is meant with it, as a journal spells it.
            seq: The op whose state it was made on.
        """
        items = self.items()
        brought = Brought(self.names(), tuple(items), tuple(intents), seq)
        self.forget_packs()
        self.writer.begin_anew()
        return brought
