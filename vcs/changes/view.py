"""The refs as they will be: a state with changes on top, and the records that the changes make."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Iterable, Iterator
from typing import TypeVar

from ..catalog.catalog import Catalog
from ..catalog.database import Database
from ..maps import graph, ref_names, runs, stages, uses, versions
from ..maps.refs import RefMap
from ..objects.kinds import Run
from ..objects.oid import Oid, hash_bytes
from ..objects.records import Record

R = TypeVar("R", bound=Record)
Item = tuple[str, Oid]


class View:
    """What a transaction sees; read like a `RefMap`.

    Args:
        base: The state below.
        database: Where the catalog of that state is kept.

    Attributes:
        base: The state that is changed.
        below: What the edits are on top of: that state, or one that took its place as a whole.
        catalog: What that state says, turned round.
        edits: Ref → new id, or None to delete it.
        made: The records that the changes made, stored only when they are published.
    """

    def __init__(self, base: RefMap, database: Database) -> None:
        self.base = self.below = base
        self.catalog = Catalog(database, base)
        self.edits: dict[str, Oid | None] = {}
        self.made: dict[Oid, Record] = {}
        self._sorted: list[str] = []
        self._present: list[str] = []  # those of them that are not deleted

    def get(self, ref: str) -> Oid | None:
        """The id of a ref."""
        return self.edits[ref] if ref in self.edits else self.below.get(ref)

    def items(self, prefix: str = "", *, reverse: bool = False, after: str = "") -> Iterator[Item]:
        """All refs that start with `prefix` and are greater than `after`, in order; read as they are come to.

        What is set under the prefix meanwhile may be among them, or not.
        """
        below = self.below.items(prefix, reverse=reverse, after=after)
        if next(_from(self._sorted, prefix), None) is None:
            return below  # none of the edits is among them, which is quickly seen
        base = (item for item in below if item[0] not in self.edits)
        # Not all that is edited: of what was deleted there may be much.
        mine = ((ref, oid) for ref in _from(self._present, prefix, reverse, after) if (oid := self.edits[ref]))
        return heapq.merge(base, mine, key=lambda item: item[0], reverse=reverse)

    def first_of_each(self, prefixes: Iterable[str]) -> dict[str, Item]:
        """The first ref that starts with each of some prefixes, where there is one; quicker than one by one."""
        asked = set(prefixes)
        edited = {prefix for prefix in asked if next(_from(self._sorted, prefix), None) is not None}
        found = self.below.first_of_each(asked - edited)
        for prefix in edited:
            if (item := next(self.items(prefix), None)) is not None:
                found[prefix] = item
        return found

    def read_ahead(self, oids: Iterable[Oid], cls: type[R], *, keep: bool = False) -> None:
        """See `ObjectStore.read_ahead`."""
        self.base.read_ahead((oid for oid in oids if oid not in self.made), cls, keep=keep)

    def record(self, oid: Oid, cls: type[R]) -> R:
        """A record that a ref leads to. Raises as `ObjectStore.record`."""
        made = self.made.get(oid)
        return made if isinstance(made, cls) else self.base.record(oid, cls)

    def brought(self) -> Iterator[Record]:
        """The records that the changes made and that refs lead to now, each once."""
        return self._made_below(oid for oid in self.edits.values() if oid is not None)

    def made_for(self, record: Record) -> Iterator[Record]:
        """Those that another record leads to, each once."""
        return self._made_below(graph.references_of(record)) if self.made else iter(())

    def _made_below(self, oids: Iterable[Oid]) -> Iterator[Record]:
        pending = [oid for oid in dict.fromkeys(oids) if oid in self.made]
        seen = set(pending)
        while pending:
            yield (record := self.made[pending.pop()])
            fresh = {oid for oid in graph.references_of(record) if oid in self.made} - seen
            seen |= fresh
            pending.extend(fresh)

    def put(self, record: Record) -> Oid:
        """Makes a record, to be stored when the changes are published."""
        oid = hash_bytes(record.encode(), record.KIND)
        self.made[oid] = record
        return oid

    def user(self, name: str, artifact: Oid) -> Run | None:
        """A run that takes, reads or makes the version of `name` that has this artifact."""
        self.catalog.check()
        edited = set(_from(self._sorted, ref_names.RUNS))
        for run in (self.record(oid, Run) for ref in edited if (oid := self.edits[ref]) is not None):
            if (name, artifact) in uses.of_run(self, run):
                return run
        for run_id in self.catalog.runs.users(name, artifact, limit=len(edited) + 1):
            if ref_names.run(run_id) not in edited:
                return runs.by_id(self, run_id)
        return None

    def need(self, name: str, artifact: Oid) -> str | None:
        """Why the version of `name` that has this artifact is needed, and what to do first; None where it is not."""
        if (run := self.user(name, artifact)) is not None:
            return f"is used by the run {run.name}; delete that run first (`art rm {run.name}`)"
        for stage, promotion in stages.current(self, name).items():
            if promotion.artifact == artifact:
                return f"is {stage!r} now; move that stage first (`art tag -d {name} {stage}` takes it away)"
        if (owner := next(versions.owners(self, name, artifact), None)) is not None:
            called = "{}@{}".format(*owner)
            return f"belongs to {called}; delete that first (`art rm {called}`)"
        return None

    @property
    def is_untouched(self) -> bool:
        """Whether nothing has been changed yet."""
        return not self.edits and self.below is self.base

    def adopt(self, refs: RefMap) -> None:
        """Puts another state in the place of the one below, as long as nothing has been changed."""
        assert self.is_untouched, "or else changes would be lost"
        self.below = refs

    def targets(self) -> set[Oid]:
        """What the changed refs lead to."""
        adopted = {} if self.below is self.base else self.below.diff(self.base)
        return {oid for oid in (*self.edits.values(), *(new for _, new in adopted.values())) if oid is not None}

    def set(self, ref: str, oid: Oid | None) -> None:
        """Sets a ref, or deletes it."""
        is_new = ref not in self.edits
        self.edits[ref] = oid  # first: other threads may read meanwhile
        if is_new:
            bisect.insort(self._sorted, ref)
        at = bisect.bisect_left(self._present, ref)
        there = self._present[at : at + 1] == [ref]
        if oid is None and there:
            del self._present[at]
        elif oid is not None and not there:
            self._present.insert(at, ref)


def _from(refs: list[str], prefix: str, reverse: bool = False, after: str = "") -> Iterator[str]:
    """Those of some sorted refs that fit; looks again after each, so that others may be set meanwhile."""
    if reverse:
        at = bisect.bisect_left(refs, prefix + ref_names.LAST) - 1
    else:
        at = max(bisect.bisect_left(refs, prefix), bisect.bisect_right(refs, after))
    while 0 <= at < len(refs) and (ref := refs[at]).startswith(prefix) and ref > after:
        yield ref
        at = bisect.bisect_left(refs, ref) - 1 if reverse else bisect.bisect_right(refs, ref)
