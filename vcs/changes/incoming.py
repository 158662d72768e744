"""What one transaction has brought in and not published yet: objects, full packs, and the journal that names them.

The files come and go in this order, so that at any moment a killed process leaves either nothing of worth or a journal
that tells `recovery` what to do: journal (locked) → incoming pack → … → op → both go.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..errors import DamagedError, RemoteError
from ..objects.oid import hash_bytes
from ..storage.disk.plain import read_plain
from ..storage.layout import Layout, PackName
from ..storage.packs.pack import LARGEST, Pack, pack_id
from ..storage.packs.pack_writer import PackWriter
from ..storage.store import ObjectStore
from .gathering import Gathering
from .intents import Intent
from .journal import Checkpoint, Journal, as_lines

_NOTHING = hash_bytes(b"", "pack")


class Incoming(Gathering):
    """What one transaction brings: what is little is published in the op's own file.

    Attributes:
        landed: Whether a journal says what is meant, so that it is to be published whatever becomes of this process.
    """

    def __init__(self, store: ObjectStore, layout: Layout, name: str | None = None) -> None:
        name = name or f"{int(time.time() * 1000):013d}-{os.getpid()}-{os.urandom(4).hex()}"
        super().__init__(store, PackWriter(layout.incoming_pack(name), self._begin_journal))
        self._layout = layout
        self._journal: Journal | None = None
        self._noted = 0  # how many of the packs the journal names
        self._found: set[PackName] = set()  # those that were at their place before, and stay if nothing comes of this
        self.landed = False

    @classmethod
    def resume(
        cls, store: ObjectStore, layout: Layout, journal: Journal, name: str, end: int, packs: Sequence[str]
    ) -> Incoming:
        """Goes on with what a dead process left: the first `end` bytes of its incoming pack, and full packs.

        Raises:
            DamagedError: Those bytes are not whole records.
        """
        incoming = cls(store, layout, name)
        incoming._journal, incoming.landed = journal, True
        incoming._adopt_packs(packs)
        try:
            if end:
                store.pending.remove(incoming.writer)
                incoming.writer = PackWriter.resume(layout.incoming_pack(name), end, incoming._begin_journal)
                store.pending.append(incoming.writer)
            else:
                incoming.writer.begin_anew()
        except BaseException:
            incoming._end()
            raise
        return incoming

    def place(self, name: PackName, path: Path | None = None) -> None:
        """See `Gathering.place`."""
        # Before the file moves: wherever it is found, recovery and collectors know that somebody wants it.
        self._begin_journal().append(Checkpoint(0, _NOTHING, "", (name,), ()))
        super().place(name, path)
        self._noted += 1

    def place_found(self, name: PackName) -> None:
        """As `place`, of a pack that is at its place, and is not deleted should nothing come of this."""
        self._found.add(name)
        self.place(name)

    def land(self, why: str, intents: Sequence[Intent], publishing: str | None, seq: int) -> None:
        """Lands all objects so far and what is meant with them: they survive the death of this process."""
        self._begin_journal().append(self._checkpoint(why, intents, publishing, seq))
        self._noted = len(self.packs)
        self.landed = True

    def _checkpoint(self, why: str, intents: Sequence[Intent], publishing: str | None, seq: int) -> Checkpoint:
        self._begin_journal()
        self.writer.land()
        fresh = tuple(pack.name for pack in self.packs[self._noted :])
        return Checkpoint(self.writer.end, self.writer.digest(), why, fresh, as_lines(intents), publishing, seq)

    def _begin_journal(self) -> Journal:
        """The journal; there before the incoming pack, so that whoever finds no owner of the one removes both."""
        if self._journal is None:
            self._layout.incoming.mkdir(exist_ok=True)
            self._journal = Journal.make(self._layout.journal(self.writer.path))
        return self._journal

    def published(self, why: str, standing: Sequence[Intent], seq: int) -> None:
        """All of it is published: begins anew, with what lands again and again."""
        self.forget_packs()
        self.writer.begin_anew()
        self.landed = bool(standing)
        if standing:
            self._begin_journal().begin_anew(self._checkpoint(why, standing, None, seq))
        elif self._journal is not None:
            self._journal.clear()

    def forget_packs(self) -> None:
        """See `Gathering.forget_packs`."""
        super().forget_packs()
        self._noted = 0

    def drop(self) -> None:
        """Removes everything: it is not wanted, or was published."""
        names = [name for name in self.names() if name not in self._found]
        self.close()
        with suppress(RemoteError):  # whoever may not delete there leaves it to a collector
            for name in names:
                self._store.files.delete(name)
        if self._journal is not None:
            self._journal.remove()

    def leave(self) -> None:
        """Gives up the lock and leaves all to `recovery`."""
        self._end()
        if self._journal is not None:
            self._journal.close()

    def abandon(self) -> None:
        """In a forked process: forgets all that is the parent's, and touches none of it."""
        self._end()

    def _adopt_packs(self, names: Sequence[str]) -> None:
        """Takes over full packs; one that is not whole is left out, and what it held will be found missing."""
        files = self._store.files
        for name in names:
            try:
                if not files.exists(name):
                    left = read_plain(self.writer.path, LARGEST)
                    Pack(name, left, len(left))
                    if pack_id(left) != name.rpartition("/")[2]:
                        continue  # it was not put at its place, and went on to grow
                    files.adopt(name, self.writer.path)
                self._keep(Pack.open(files, name))
            except (FileNotFoundError, DamagedError):
                continue
        self._noted = len(self.packs)
