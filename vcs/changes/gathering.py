"""Objects on their way into a repository: in a pack that is being written, and in full ones that no state names yet."""

from __future__ import annotations

import os
from pathlib import Path

from ..objects.oid import Oid
from ..storage.layout import PackName, pack_name
from ..storage.packs.pack import Item, Pack
from ..storage.packs.pack_writer import PackWriter
from ..storage.store import ObjectStore

PACK_SIZE = 128 << 20
"""A pack that has grown to so many bytes is put at its place."""

PACK_OBJECTS = 1 << 18
"""And one of so many objects, of which each takes memory until then."""

INLINE = 256 << 10
"""What is no more than so many bytes needs no pack of its own."""


class Gathering:
    """Objects that were made here, readable at once in this process.

    Args:
        store: Where objects are read, and packs are put.
        writer: Where new objects are added.

    Attributes:
        writer: Where new objects are added.
        packs: Full packs that are at their place already, though no state names them.
        lineage: Whether packs are of lineage from now on.
    """

    def __init__(self, store: ObjectStore, writer: PackWriter) -> None:
        self._store = store
        self.writer = writer
        self.packs: list[Pack] = []
        self.lineage = False
        store.pending.append(writer)

    @staticmethod
    def aside(folder: Path) -> PackWriter:
        """What writes into a file of this process in a folder of somebody else's."""
        return PackWriter(folder / f"{os.getpid()}-{os.urandom(8).hex()}.pack")

    def add(self, item: Item) -> None:
        """Adds one object."""
        self.writer.add(item)
        if self.writer.end >= PACK_SIZE or len(self.writer) >= PACK_OBJECTS:
            self.seal()

    def has(self, oid: Oid) -> bool:
        """Whether this object is among them."""
        key = bytes.fromhex(oid)
        return oid in self.writer.entries or any(True for pack in self.packs for _ in pack.table.find(key))

    def seal(self) -> None:
        """Puts what has come in so far at its place as a pack of its own, durably."""
        pack = self.writer.seal()
        self.place(pack_name(pack, lineage=self.lineage), self.writer.path)
        self.writer.begin_anew()

    def seal_if_large(self, few: int = INLINE) -> None:
        """As `seal`, what is more than `few` bytes."""
        if self.writer.end > few:
            self.seal()

    def place(self, name: PackName, path: Path | None = None) -> None:
        """Takes a whole pack.

        Args:
            name: What it is called.
            path: Where it is, to be moved to its place; None where it is there already.
        """
        if path is not None:
            self._store.files.adopt(name, path)
        self._store.soundness.written(name)
        self._keep(Pack.open(self._store.files, name))

    def items(self) -> list[Item]:
        """What is not in full packs: everything, where that is little."""
        self.seal_if_large()
        return self.writer.items()

    def names(self) -> tuple[PackName, ...]:
        """The full packs."""
        return tuple(PackName(pack.name) for pack in self.packs)

    def forget_packs(self) -> None:
        """Leaves the full packs to whoever names them; gc removes those that no state does."""
        for pack in self.packs:
            self._store.pending.remove(pack)
        self.packs = []

    def _keep(self, pack: Pack) -> None:
        self.packs.append(pack)
        self._store.pending.append(pack)

    def close(self) -> None:
        """Ends it. What nobody has taken is garbage."""
        self._end()
        self.writer.path.unlink(missing_ok=True)

    def _end(self) -> None:
        self.forget_packs()
        if self.writer in self._store.pending:
            self._store.pending.remove(self.writer)
        self.writer.close()
