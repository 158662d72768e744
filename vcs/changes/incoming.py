"""A pack on its way into the repository, with the journal that says how far it is good.

The files come and go in this order, so that at any moment a killed process leaves either nothing of worth or a
journal that tells `recovery` what to do: journal (locked) → pack → … → pack moves to its place → root → journal goes.
"""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

from ..objects.oid import Oid
from ..storage.layout import Layout
from ..storage.pack import PackWriter
from .journal import Checkpoint, Edits, Journal


class Incoming:
    """One pack being written by a live transaction."""

    def __init__(self, writer: PackWriter, journal: Journal) -> None:
        self.writer = writer
        self._journal = journal

    @classmethod
    def create(cls, layout: Layout) -> Incoming:
        """A fresh one, under a name that nobody else uses."""
        layout.incoming.mkdir(exist_ok=True)
        path = layout.incoming_pack(f"{int(time.time() * 1000):013d}-{os.getpid()}-{secrets.token_hex(4)}")
        # Waiting: recovery may hold the lock for the moment it needs to see that the journal is empty.
        journal = Journal.lock(layout.journal(path), wait=True)
        assert journal is not None, "waited for"
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except BaseException:
            journal.remove()
            raise
        return cls(PackWriter(path, fd), journal)

    @classmethod
    def resume(cls, journal: Journal, path: Path, end: int) -> Incoming:
        """Goes on with the first `end` bytes of a pack that a dead process left.

        Raises:
            DamagedError: Those bytes are not whole records.
        """
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            return cls(PackWriter.resume(path, fd, end), journal)
        except BaseException:
            os.close(fd)
            raise

    def checkpoint(self, why: str, edits: Edits, op: Oid | None = None) -> None:
        """Lands all objects so far and these edits; `op` is named before it is published."""
        self.writer.flush()
        versions = tuple(edits.versions.values())
        self._journal.append(Checkpoint(self.writer.end, self.writer.digest(), why, edits.refs, versions, op))

    def finish(self, layout: Layout) -> Oid:
        """Makes the pack durable and puts it at its place; returns its name."""
        pack = self.writer.finish()
        self.writer.move_to(layout.pack(pack))
        return pack

    def drop(self) -> None:
        """Removes what is left in the incoming folder: it was published, or is not wanted."""
        self.writer.close()
        self.writer.path.unlink(missing_ok=True)
        self._journal.remove()

    def leave(self) -> None:
        """Gives up the lock and leaves all to `recovery`."""
        self.writer.close()
        self._journal.close()
