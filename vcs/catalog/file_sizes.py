"""How much the files of a state take, without looking at each of them again."""

from __future__ import annotations

from collections.abc import Iterable

from ..storage.files import Files
from ..storage.layout import segment_name
from ..storage.packs.segment import Segment
from ..storage.snapshot import Snapshot
from .database import Database

SCHEMA = ("CREATE TABLE segment_sizes (segment TEXT PRIMARY KEY, bytes INTEGER) WITHOUT ROWID",)


class FileSizes:
    """Sizes of the files in one place.

    Args:
        database: Where it is remembered how much the packs of an index segment take: neither ever changes.
        files: The files.
    """

    def __init__(self, database: Database, files: Files) -> None:
        self._database = database
        self._files = files

    def of(self, snapshot: Snapshot) -> int:
        """Bytes of all that a state names: packs, ops and index. What is about to be deleted does not count."""
        condemned = snapshot.state.condemned
        loose = self._total(name for name in snapshot.state.loose if name not in condemned)
        return loose + sum(self._of_segment(segment, condemned.keys()) for segment in snapshot.segments)

    def _of_segment(self, segment: Segment, without: Iterable[str]) -> int:
        gone = set(without).intersection(segment.packs)
        query = "SELECT bytes FROM segment_sizes WHERE segment = ?"
        if not gone and (known := self._database.rows(query, (segment.name,))):
            return int(known[0][0])
        total = self._total([segment_name(segment.name), *(name for name in segment.packs if name not in gone)])
        if not gone:
            row = segment.name, total
            self._database.write(
                lambda connection: connection.execute("INSERT OR REPLACE INTO segment_sizes VALUES (?, ?)", row), None
            )
        return total

    def _total(self, names: Iterable[str]) -> int:
        total = 0
        for name in names:
            try:
                total += self._files.size(name)
            except FileNotFoundError:
                continue  # lost: fsck says so
        return total
