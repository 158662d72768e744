"""Objects that one process makes for a change of another: in packs that no state names, until that one names them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..objects.oid import Oid
from ..storage.layout import PackName, pack_name
from ..storage.packs.pack import Item, Pack
from ..storage.packs.pack_writer import PackWriter
from ..storage.store import ObjectStore
from .incoming import INLINE, PACK_OBJECTS, PACK_SIZE


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


class Outgoing:
    """Objects on their way into a change of another process. What becomes of them if nobody takes them is garbage.

    Args:
        store: Where objects are read, and where packs are put.
        folder: For what is not a whole pack yet; whoever takes the objects removes it in the end.
    """

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self._store = store
        self._writer = PackWriter(folder / f"{os.getpid()}-{os.urandom(8).hex()}.pack")
        self._packs: list[Pack] = []
        store.pending.append(self._writer)

    def add(self, item: Item) -> None:
        """See `Gathering.add`."""
        self._writer.add(item)
        if self._writer.end >= PACK_SIZE or len(self._writer) >= PACK_OBJECTS:
            self._seal()

    def has(self, oid: Oid) -> bool:
        """See `Gathering.has`."""
        key = bytes.fromhex(oid)
        return oid in self._writer.entries or any(True for pack in self._packs for _ in pack.table.find(key))

    def hand_over(self, intents: Sequence[Any], seq: int) -> Brought:
        """All that was added, which begins anew.

        Args:
            intents: What is meant with it, as a journal spells it.
            seq: The op whose state it was made on.
        """
        if self._writer.end > INLINE:
            self._seal()
        brought = Brought(
            tuple(PackName(pack.name) for pack in self._packs), tuple(self._writer.items()), tuple(intents), seq
        )
        self._forget_packs()
        self._writer.begin_anew()
        return brought

    def close(self) -> None:
        """Ends it. What was not handed over is garbage."""
        self._forget_packs()
        self._store.pending.remove(self._writer)
        self._writer.begin_anew()
        self._writer.close()

    def _seal(self) -> None:
        name = pack_name(self._writer.seal())
        self._store.files.adopt(name, self._writer.path)
        self._store.soundness.written(name)
        pack = Pack.open(self._store.files, name)
        self._packs.append(pack)
        self._store.pending.append(pack)
        self._writer.begin_anew()

    def _forget_packs(self) -> None:
        for pack in self._packs:
            self._store.pending.remove(pack)
        self._packs = []
