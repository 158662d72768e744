"""The refs as they will be: a state with changes on top, and the records that the changes make."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import TypeVar

from ..maps import ref_names, uses
from ..maps.refs import RefMap
from ..maps.uses import Uses
from ..objects.oid import Oid, hash_bytes
from ..objects.records import Record

R = TypeVar("R", bound=Record)


class View:
    """What a transaction sees; read like a `RefMap`.

    Attributes:
        base: The state below.
        edits: Ref → new id, or None to delete it.
        made: The records that the changes made, stored only when they are published.
    """

    def __init__(self, base: RefMap) -> None:
        self.base = base
        self.edits: dict[str, Oid | None] = {}
        self.made: dict[Oid, Record] = {}
        self._sorted: list[str] = []
        self._uses: Uses | None = None

    def get(self, ref: str) -> Oid | None:
        """The id of a ref."""
        return self.edits[ref] if ref in self.edits else self.base.get(ref)

    def items(self, prefix: str = "", *, reverse: bool = False) -> Iterator[tuple[str, Oid]]:
        """All refs that start with `prefix`, in order."""
        start = bisect.bisect_left(self._sorted, prefix)
        mine = []
        for ref in self._sorted[start:]:
            if not ref.startswith(prefix):
                break
            mine.append(ref)
        if not mine:
            return self.base.items(prefix, reverse=reverse)
        return self._merged(self.base.items(prefix, reverse=reverse), mine[::-1] if reverse else mine, reverse)

    def record(self, oid: Oid, cls: type[R]) -> R:
        """A record that a ref leads to. Raises as `ObjectStore.record`."""
        made = self.made.get(oid)
        return made if isinstance(made, cls) else self.base.record(oid, cls)

    def put(self, record: Record) -> Oid:
        """Makes a record, to be stored when the changes are published."""
        oid = hash_bytes(record.encode(), record.KIND)
        self.made[oid] = record
        return oid

    def uses(self) -> Uses:
        """Which versions are used, and by which run."""
        if self._uses is None:
            self._uses = uses.of_all_runs(self)
        return self._uses

    def set(self, ref: str, oid: Oid | None) -> None:
        """Sets a ref, or deletes it."""
        if ref.startswith(ref_names.RUNS):
            self._uses = None
        if ref not in self.edits:
            bisect.insort(self._sorted, ref)
        self.edits[ref] = oid

    def _merged(self, base: Iterator[tuple[str, Oid]], mine: list[str], reverse: bool) -> Iterator[tuple[str, Oid]]:
        at = 0
        for ref, oid in base:
            while at < len(mine) and (mine[at] > ref if reverse else mine[at] < ref):
                yield from self._edited(mine[at])
                at += 1
            if at < len(mine) and mine[at] == ref:
                yield from self._edited(ref)
                at += 1
            else:
                yield ref, oid
        for ref in mine[at:]:
            yield from self._edited(ref)

    def _edited(self, ref: str) -> Iterator[tuple[str, Oid]]:
        oid = self.edits[ref]
        if oid is not None:
            yield ref, oid
