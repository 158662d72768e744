"""What is here and not in a repository elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from ...changes.intents.merge import APART
from ...maps import ref_names
from ...maps.refs import RefMap
from ...objects.kinds import Version
from ...objects.oid import Oid
from ...repository import Repository
from ..remote import Remote


@dataclass(frozen=True)
class Waiting:
    """What is here and not there.

    Attributes:
        base: The refs that both had last.
        fresh: The refs that are only here, or changed here since.
        again: The artifacts whose data was given up there and was made again here.
        mending: What was lost there and is here.
    """

    base: RefMap
    fresh: Mapping[str, Oid]
    again: set[Oid]
    mending: set[Oid]

    @classmethod
    def between(cls, near: Repository, remote: Remote, chosen: Callable[[str], bool] | None) -> Self:
        """Compares both; `chosen` says which refs are meant, by default all."""
        base = RefMap(remote.store, remote.merged[1])  # of which a collector here may have taken a part
        changed = near.refs().diff(base)
        fresh = {ref: oid for ref, oid in only_here(near, changed) if chosen is None or chosen(ref)}
        for ref in [ref for ref in fresh if ref.startswith(ref_names.ARTIFACTS)] if chosen is not None else ():
            newest = ref_names.newest(ref_names.name_of(ref))
            if newest not in fresh and base.get(newest) is None:  # of those that are there it is
                fresh[newest] = near.refs().record(fresh[ref], Version).artifact
        again = {old for ref, (old, new) in changed.items() if ref.startswith(ref_names.PRUNED) and old and not new}
        lost = {Oid(ref_names.last_part(ref)) for ref, _ in base.items(ref_names.LOST)}
        mending = {oid for oid in lost if near.store.has(oid)}
        return cls(base, fresh, again if chosen is None else set(), mending)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send."""
        return not self.fresh and not self.again and not self.mending


def only_here(
    near: Repository, changed: Mapping[str, tuple[Oid | None, Oid | None]]
) -> Iterator[tuple[str, Oid]]:  # fmt: skip
    """What is here and not there, without runs that go on, and versions that were deleted: that says nothing there."""
    refs = near.refs()
    going_on = set(near.catalog().runs.with_status("running"))
    for ref, (old, new) in changed.items():
        if new is None or ref.startswith(APART):
            continue
        if old is not None and ref.startswith(ref_names.ARTIFACTS) and refs.record(new, Version).deleted:
            continue
        if going_on and ref_names.last_part(ref) in going_on:
            continue  # its record, and its marks
        yield ref, new
