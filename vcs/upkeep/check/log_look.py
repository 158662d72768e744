"""The log of ops as it lies there, also where it is damaged: what can be read, what is missing, where it can go on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from ...counting import count
from ...errors import DamagedError
from ...storage.files import Files
from ...storage.layout import CLEANED, ROOT, op_name
from ...storage.op_log import OpLog
from ...storage.packs.op_file import Entry, read_id
from .problem import Problem


@dataclass(frozen=True)
class LogLook:
    """The log at one moment.

    Attributes:
        entries: Number → entry, of those that can be read.
        damaged: Number → what is wrong, of those that cannot.
        missing: Ranges of numbers between others of which there is no file, though there must be.
        hint: What `root` says; None where it says nothing that can be.
        stands: Whether the newest op can be read and stands, so that work goes on.
    """

    entries: dict[int, Entry]
    damaged: dict[int, str]
    missing: tuple[range, ...]
    hint: int | None
    stands: bool
    why: str

    @property
    def last(self) -> int:
        """The greatest number of all; 0 where there are none."""
        return max([*self.entries, *self.damaged], default=0)

    @property
    def head(self) -> Entry | None:
        """The newest entry that can be read."""
        return self.entries[max(self.entries)] if self.entries else None

    def problems(self) -> Iterator[Problem]:
        """What is wrong with it."""
        for seq, why in sorted(self.damaged.items()):
            yield Problem(op_name(seq), why)
        for gap in self.missing:
            more = f", with the {count(len(gap) - 1, 'op')} after it" if len(gap) > 1 else ""
            yield Problem(op_name(gap[0]), f"is missing{more}")
        for seq, entry in sorted(self.entries.items()):
            before = self.entries.get(seq - 1)
            if before is not None and entry.op.parent != before.oid:
                yield Problem(op_name(seq), "does not follow the op before it")
        if not self.stands and self.last not in self.damaged:
            yield Problem("ops", self.why)


def look(files: Files) -> LogLook:
    """Looks at the log.

    Raises:
        OSError: The operating system refused.
    """
    log, entries, damaged = OpLog(files), {}, {}
    stands, why, newest = True, "", None
    try:
        newest = log.newest()
    except DamagedError as error:
        stands, why = False, str(error)
    if stands and newest is None:
        stands, why = False, "There are no ops."
    sequence = log.sequence()
    after = max(sequence, default=0) + 1
    while not stands and files.exists(op_name(after)):  # and is not listed: a folder in an op's place, say
        damaged[after] = "is no plain file"
        after += 1
    for seq in sequence if newest is None else [seq for seq in sequence if seq <= newest.seq]:
        try:
            if (entry := log.entry(seq)) is not None:
                entries[seq] = entry
        except DamagedError as error:
            damaged[seq] = str(error)
    return LogLook(entries, damaged, _missing(files, [*entries, *damaged], entries), _hint(files), stands, why)


def _missing(files: Files, there: list[int], entries: dict[int, Entry]) -> tuple[range, ...]:
    """The gaps. Below one may lie an entry that was made too late, when all about it was cleaned up; it never stood."""
    numbers = sorted(there)
    return tuple(
        range(before + 1, after)
        for before, after in itertools.pairwise(numbers)
        if after > before + 1 and _stood(files, entries.get(before))
    )


def _stood(files: Files, entry: Entry | None) -> bool:
    if entry is None or entry.op.parent is None:
        return entry is None or (entry.seq == 1 and not files.exists(CLEANED))
    try:
        return read_id(files, entry.seq - 1) == entry.op.parent
    except FileNotFoundError:
        return False


def _hint(files: Files) -> int | None:
    try:
        text = files.read(ROOT, 0, 16).strip()
    except (FileNotFoundError, DamagedError):
        return None
    return int(text) if text.isdigit() and len(text) < 13 else None
