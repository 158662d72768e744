"""The commit point: a log of immutable entries, each created exclusively, so that of several writers one succeeds.

It needs neither a lock nor a register that can be compared and swapped, and so works wherever a file can be created
only if it is not there: a local folder, NFS, SFTP, every object store worth the name. `root` is only a hint at the
newest entry. Old entries are cleaned up in ascending order, each deletion before the next, so **an entry stands only if
its predecessor is there**: what a writer creates that is so stale that its place had been cleaned up does not stand.
docs/reliability.md says how a model checks this.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from .files import Files
from .layout import OPS, ROOT, op_name, op_seq

MIN_ENTRIES = 2
"""So many of the newest entries always stay, so that the newest stands."""

_STEPS = 64
"""So many entries beyond the hint are looked for one by one before all are listed."""


@dataclass(frozen=True)
class Entry:
    """One entry: its sequence number and its bytes. Number 1 is made with the repository."""

    seq: int
    data: bytes


class Outcome(enum.Enum):
    """What became of an attempt to commit."""

    COMMITTED = "committed"
    TAKEN = "taken"
    UNSURE = "unsure"
    """It was created, but does not stand: it was cleaned up after others had followed it, or it was far too late."""


class OpLog:
    """The log in a set of files."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def newest(self) -> Entry | None:
        """The newest entry; None where there is none, since even an empty repository has one."""
        while (seq := self._newest_seq()) is not None:
            if (entry := self.entry(seq)) is not None:
                return entry
            # Cleaned up since: then there are many newer ones.
        return None

    def is_newest(self, seq: int) -> bool:
        """Whether nothing follows this entry, which was the newest: a look without reading anything."""
        return not self._files.exists(op_name(seq + 1)) and self._stands(seq)

    def entry(self, seq: int) -> Entry | None:
        """An older entry, if it is still there."""
        try:
            return Entry(seq, self._files.read(op_name(seq)))
        except FileNotFoundError:
            return None

    def sequence(self) -> list[int]:
        """The numbers of all entries there are, in ascending order."""
        return sorted(seq for name in self._files.list(OPS) if (seq := op_seq(name)) is not None)

    def begin(self, data: bytes) -> bool:
        """Makes the first entry; False where there was one already."""
        begun = self._files.create(op_name(1), data)
        self._files.hint(ROOT, b"1\n")
        return begun

    def commit(self, entry: Entry) -> Outcome:
        """Tries to make an entry follow the newest.

        The bytes must be unlike those of any other attempt (by a nonce), so that an entry can be recognised as one's
        own when the reply to its creation was lost.
        """
        if not self._create(entry):
            return Outcome.TAKEN
        if not self._stands(entry.seq):
            return Outcome.UNSURE
        with suppress(OSError):  # only a hint: what is committed is committed
            self._files.hint(ROOT, b"%d\n" % entry.seq)
        return Outcome.COMMITTED

    def _create(self, entry: Entry) -> bool:
        """Whether the entry is there now and is ours, whatever the reply to its creation was."""
        try:
            if self._files.create(op_name(entry.seq), entry.data):
                return True
        except OSError:
            if self.entry(entry.seq) != entry:
                raise
            return True
        return self.entry(entry.seq) == entry

    def withdraw(self, entry: Entry) -> None:
        """Removes an entry that was created and is known not to stand."""
        self._files.delete(op_name(entry.seq))

    def clean_up(self, keep: int, may_go: Callable[[int], bool]) -> list[int]:
        """Removes entries from the oldest on, as long as they may go; never the newest `keep`.

        Returns:
            The numbers of those that went.
        """
        gone = []
        for seq in self.sequence()[:-keep]:
            if not may_go(seq):
                break
            self._files.delete(op_name(seq))
            gone.append(seq)
        return gone

    def _newest_seq(self) -> int | None:
        seq = self._hint()
        if seq is not None and self._stands(seq):
            for _ in range(_STEPS):
                if not self._files.exists(op_name(seq + 1)):
                    return seq
                seq += 1
        there = self.sequence()
        return next((seq for seq in reversed(there) if seq == 1 or seq - 1 in there), None)

    def _hint(self) -> int | None:
        try:
            text = self._files.read(ROOT, 0, 16).strip()
        except FileNotFoundError:
            return None
        return int(text) if text.isdigit() else None

    def _stands(self, seq: int) -> bool:
        """Whether there is such an entry and it is no late one in a place that had been cleaned up."""
        return self._files.exists(op_name(seq)) and (seq == 1 or self._files.exists(op_name(seq - 1)))
