"""How the log goes on when it is damaged.

While the newest op cannot be read, nobody can publish. A repair puts an op in its place, at once and following the one
before it as ever, so that at no moment less is there than was before. Damaged ops further back are cut off together
with all before them, as a collection does it: from the oldest on.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ...changes.publish import RECENT, nonces, now_ms
from ...objects.kinds import Op, State
from ...objects.oid import Oid
from ...storage.files import Files
from ...storage.layout import CLEANED, ROOT, op_name
from ...storage.op_log import MIN_ENTRIES, OpLog, Outcome
from ...storage.packs.op_file import Entry, read_id
from ..check.log_look import LogLook
from .quarantine import Quarantine

NOTHING = State(None, (), (), {}, 0, ())
"""The state of a repository of which nothing is known."""


@dataclass(frozen=True)
class Place:
    """Where the next op goes.

    Attributes:
        seq: Its number.
        parent: The op that it follows.
        replaces: Whether it takes the place of one that is damaged or does not stand.
        filler: What has to stand before it, where there is nothing that could be followed.
    """

    seq: int
    parent: Oid | None
    replaces: bool
    filler: Entry | None = None


class Succession:
    """The log of one repository."""

    def __init__(self, files: Files, quarantine: Quarantine, who: str) -> None:
        self._files = files
        self._log = OpLog(files)
        self._quarantine = quarantine
        self._who = who

    def place(self, log: LogLook) -> Place:
        """Where the next op goes."""
        if log.stands and log.head is not None:
            return Place(log.head.seq + 1, log.head.oid, replaces=False)
        seq = log.last if log.last >= MIN_ENTRIES else 1 + self._files.exists(CLEANED)
        if seq == 1:
            return Place(1, None, replaces=True)
        before = self._id(seq - 1)
        if before is not None:
            return Place(seq, before, replaces=True)
        state = NOTHING if log.head is None else log.head.op.state
        filler = self.entry(seq - 1, self._id(seq - 2), state, "repair: stands where an op was lost")
        return Place(seq, filler.oid, replaces=True, filler=filler)

    def entry(self, seq: int, parent: Oid | None, state: State, why: str = "repair") -> Entry:
        """An op that brings nothing but a state."""
        return Entry.make(Op(seq, parent, state, *nonces(), self._who, now_ms(), why), ())

    def commit(self, place: Place, entry: Entry) -> bool:
        """Puts an op into its place; False where others have been faster."""
        if not place.replaces:
            return self._log.commit(entry) is Outcome.COMMITTED
        for each in (place.filler, entry):
            if each is not None:
                self._quarantine.keep(op_name(each.seq))
                self._files.put(op_name(each.seq), each.data)
        self._files.put(ROOT, b"%012d\n" % entry.seq)
        newest = self._log.newest()
        return newest is not None and newest.seq == entry.seq and newest.oid == entry.oid

    def follow(self, entry: Entry) -> None:
        """Lets an op with the same state follow, unless others did: then the one before it is not needed any more."""
        old, own = entry.op.state, op_name(entry.seq + 1)
        state = dataclasses.replace(old, loose=(*old.loose, own), recent=(entry.op.nonce, *old.recent)[:RECENT])
        self._log.commit(self.entry(entry.seq + 1, entry.oid, state))

    def cut(self, upto: int) -> None:
        """Sets all ops up to this one aside; at least two newer ones have to be there."""
        newest = self._log.newest()
        if newest is None or upto > newest.seq - MIN_ENTRIES:
            return
        self._files.create(CLEANED, b"")
        self._files.put(ROOT, b"%012d\n" % newest.seq)
        for seq in self._log.sequence():
            if seq <= upto:
                self._quarantine.move(op_name(seq))

    def _id(self, seq: int) -> Oid | None:
        try:
            return read_id(self._files, seq)
        except FileNotFoundError:
            return None
