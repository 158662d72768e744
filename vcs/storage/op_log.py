"""The commit point: a log of immutable entries, each created exclusively, so that of several writers one succeeds.

It needs neither a lock nor a register that can be compared and swapped, and so works wherever a file can be created
only if it is not there: a local folder, NFS, SFTP, every object store worth the name. `root` is only a hint at the
newest entry.

Each entry names the id of the one before. Old entries are cleaned up in ascending order, each deletion before the next;
somebody so late that the place of his entry had been cleaned up can still create it. So **an entry stands only if the
one that it names is in its place**, looked at after it was seen that none follows. docs/commit-point-model.md says how
a model checks this, and what each rule is for.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from contextlib import suppress

from ..errors import DamagedError
from ..objects.oid import Oid
from .files import Files, nothing
from .layout import CLEANED, OPS, ROOT, op_name, op_seq
from .packs.op_file import Entry, read_id

MIN_ENTRIES = 2
"""So many of the newest entries always stay, so that the newest stands."""

_LOOKS = 20
"""So often the newest entry is looked for: others may clean up meanwhile, but no list can be wrong again and again."""

_STEPS = 64
"""So many entries beyond the hint are looked for one by one before all are listed."""


class Outcome(enum.Enum):
    """What became of an attempt to commit."""

    COMMITTED = "committed"
    TAKEN = "taken"
    UNKNOWN = "unknown"
    """It was made and has been cleaned up since, or was far too late: the newest state tells, if it is asked soon."""


class OpLog:
    """The log in a set of files."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def newest(self) -> Entry | None:
        """The newest entry; None where there is none, since even an empty repository has one.

        Raises:
            DamagedError: It cannot be read, or does not stand.
        """
        seq, listed = self._hint(), False
        for _ in range(_LOOKS):
            if seq is None:
                there = self.sequence()
                if not there:
                    return None
                seq, listed = there[-1], True
            last = self._last_from(seq)
            entry = None if last is None else self.entry(last)
            # Only now, when it was seen that none follows: else it may have been junk from the beginning.
            if entry is not None and self._in_place(entry.seq, entry.op.parent):
                return entry
            if listed and entry is not None and entry.seq == max(self.sequence(), default=None):
                raise DamagedError(
                    f"The op before the repository's newest, {op_name(entry.seq - 1)}, is missing or damaged; "
                    "run `art fsck --repair`."
                )
            seq = None
        raise DamagedError("The list of the repository's ops names some that are not there; try again.")

    def is_newest(self, entry: Entry) -> bool:
        """Whether nothing follows this entry, which was the newest, and no repair has put another in its place."""
        return (
            not self._files.exists(op_name(entry.seq + 1))
            and self._in_place(entry.seq, entry.op.parent)
            and self.is_there(entry)
        )

    def is_there(self, entry: Entry) -> bool:
        """Whether this very entry is in its place."""
        return self._in_place(entry.seq + 1, entry.oid)

    def entry(self, seq: int) -> Entry | None:
        """One entry, if it is there.

        Raises:
            DamagedError: It is damaged.
        """
        try:
            return Entry.read(self._files, seq)
        except FileNotFoundError:
            return None

    def sequence(self) -> list[int]:
        """The numbers of all entries there are, in ascending order."""
        return sorted(seq for name in self._files.list(OPS) if (seq := op_seq(name)) is not None)

    def begin(self, data: bytes) -> bool:
        """Makes the first entry; False where there was one already."""
        begun = self._files.create(op_name(1), data)
        self._files.hint(ROOT, _number(1))
        return begun

    def commit(self, entry: Entry, visible: Callable[[], object] = nothing) -> Outcome:
        """Tries to make an entry follow the newest.

        The bytes must be unlike those of any other attempt: else the late reply to one could be taken for another's.

        Args:
            entry: The entry.
            visible: Called once others see it, which may be before it is durable; what follows it is not durable
                before it is.
        """
        if not self._create(entry, visible):
            return Outcome.TAKEN
        if not self._in_place(entry.seq, entry.op.parent):
            return Outcome.UNKNOWN
        with suppress(OSError):  # only a hint: what is committed is committed
            self._files.hint(ROOT, _number(entry.seq))
        return Outcome.COMMITTED

    def _create(self, entry: Entry, visible: Callable[[], object]) -> bool:
        """Whether the entry is there now and is ours, whatever the reply to its creation was."""
        try:
            if self._files.create(op_name(entry.seq), entry.data, visible):
                return True
        except (ConnectionError, TimeoutError):  # no reply; any other error means that it is not known to be durable
            if not self._is_there(entry):
                raise
            return True
        return self._is_there(entry)

    def _is_there(self, entry: Entry) -> bool:
        try:
            return self._files.read(op_name(entry.seq)) == entry.data
        except FileNotFoundError:
            return False

    def clean_up(self, may_go: Callable[[int], bool], keep: int = MIN_ENTRIES) -> None:
        """Removes entries from the oldest on, as long as they may go; never the newest `keep`."""
        newest = self.newest()
        if newest is None:
            return
        there = [seq for seq in self.sequence() if seq <= newest.seq - keep]  # listed after: what follows is newer
        for number, seq in enumerate(there):
            if not may_go(seq):
                return
            if number == 0:
                self._files.create(CLEANED, b"")  # from now on the first entry stands for nothing
                # Durably: after a power cut deleted entries may be there again, and must not be hinted at.
                self._files.put(ROOT, _number(newest.seq))
            self._files.delete(op_name(seq))

    def _last_from(self, seq: int) -> int | None:
        """The last of the entries that follow each other from here on; None where there is not even this one."""
        if not self._files.exists(op_name(seq)):
            return None
        for _ in range(_STEPS):
            if not self._files.exists(op_name(seq + 1)):
                return seq
            seq += 1
        return self._last_from(max(self.sequence(), default=seq))

    def _hint(self) -> int | None:
        try:
            text = self._files.read(ROOT, 0, 16).strip()
        except (FileNotFoundError, DamagedError):
            return None
        return int(text) if text.isdigit() else None

    def _in_place(self, seq: int, parent: Oid | None) -> bool:
        """Whether the entry that this one names is where it belongs."""
        if parent is None:
            return seq == 1 and not self._files.exists(CLEANED)
        try:
            return read_id(self._files, seq - 1) == parent
        except FileNotFoundError:
            return False


def _number(seq: int) -> bytes:
    return b"%012d\n" % seq  # always as long, so that one is written over another
