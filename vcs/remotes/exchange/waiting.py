"""What is here and not in a repository elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from ...changes.intents.merge import APART
from ...changes.intents.versions import marks_of
from ...errors import DamagedError
from ...maps import ref_names
from ...maps.refs import RefMap
from ...objects.kinds import Commit, Version
from ...objects.nodes import RefsNode
from ...objects.oid import Oid
from ...repository import Repository
from ..notes import Notes
from ..remote import Remote

Changed = Mapping[str, tuple[Oid | None, Oid | None]]
"""Ref → its id there, as both had it last, and here."""


@dataclass(frozen=True)
class Waiting:
    """What is here and not there.

    Attributes:
        base: The refs that both had last.
        fresh: The refs that are only here, or changed here since.
        is_all: Whether these are all in which the refs here differ from those that both had last.
        again: The artifacts whose data was given up there and was made again here.
        mending: What was lost there and is here.
        given_up: The artifacts whose data was given up there, stays here, and does not go there again.
    """

    base: RefMap
    fresh: Mapping[str, Oid]
    is_all: bool
    again: frozenset[Oid] = frozenset()
    mending: frozenset[Oid] = frozenset()
    given_up: frozenset[Oid] = frozenset()

    @classmethod
    def between(cls, near: Repository, remote: Remote, versions: Iterable[Version] | None) -> Self:
        """Compares both: all that is here, or some versions and that by which they are found."""
        refs, base = (
            near.refs(),
            RefMap(remote.store, remote.notes.merged()[1]),
        )  # of which here a part may be collected
        changed = refs.diff(base)
        differing = {ref: new for ref, (_, new) in changed.items()}
        fresh = dict(only_here(near, changed))
        # What has a new name here has been made again, whether or not it was here before.
        named = {Oid(ref.split("/")[1]) for ref in fresh if ref.startswith(ref_names.VALUES)}
        given_up = frozenset(remote.notes.given_up()) - named
        again = {old for ref, (old, new) in changed.items() if ref.startswith(ref_names.PRUNED) and old and not new}
        if versions is not None:
            versions = list(versions)
            named |= {version.artifact for version in versions}
            found = _of_versions(refs, base, fresh, versions)
            return cls(base, found, found == differing, frozenset(again & named), given_up=given_up - named)
        again -= given_up
        lost = {Oid(ref_names.last_part(ref)) for ref, _ in base.items(ref_names.LOST)}
        mending = frozenset(oid for oid in lost if near.store.has(oid))
        return cls(base, fresh, fresh == differing, frozenset(again), mending, given_up)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send."""
        return not self.fresh and not self.again and not self.mending

    def after(self, refs: RefMap, put: Callable[[RefsNode], Oid]) -> RefMap:
        """The refs as both have them when what is fresh has come there; `put` stores nodes that `refs`, here, lacks."""
        return refs if self.is_all else self.base.update(self.fresh, put)


def _of_versions(
    refs: RefMap, base: RefMap, fresh: Mapping[str, Oid], versions: Iterable[Version]
) -> dict[str, Oid]:  # fmt: skip
    """Of what is only here that by which some versions are found; where there is none of a name, the last is newest."""
    found: dict[str, Oid] = {}
    for version in sorted(versions, key=lambda version: version.number):
        newest = ref_names.newest(version.name)
        wanted = [ref_names.version(version.name, version.number), *marks_of(version)]
        wanted += [newest] if fresh.get(newest) == version.artifact else []
        if version.commit is not None:
            commit = refs.record(version.commit, Commit)
            results = refs.items(ref_names.results(commit.cache_key)) if commit.cache_key else ()
            wanted += [ref for ref, oid in results if oid == version.commit]
            wanted += [ref for ref, _ in refs.items(ref_names.vouches(version.commit))]
        wanted += [ref for ref, _ in refs.items(ref_names.vouches(version.artifact))]
        found.update((ref, fresh[ref]) for ref in wanted if ref in fresh)
        if base.get(newest) is None:
            found[newest] = version.artifact
    return found


def only_here(near: Repository, changed: Changed) -> Iterator[tuple[str, Oid]]:
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


@dataclass(frozen=True)
class Standing:
    """How what is here stands to what is elsewhere, as far as is known without asking.

    Attributes:
        runs: How many runs are only here, or changed here since.
        versions: How many versions are.
        behind: How many changes there were seen and not fetched.
        looked: When it was last looked at, in milliseconds since 1970; None where it never was.
    """

    runs: int
    versions: int
    behind: int
    looked: int | None


def standing(near: Repository, name: str) -> Standing:
    """Compares the refs here with those of the repository elsewhere of this name; nothing is asked there."""
    notes, refs = Notes(near.layout.remote(name)), near.refs()
    seen, (seq, root) = notes.seen(), notes.merged()
    if seen is None:
        return Standing(0, 0, 0, None)
    try:
        fresh = [ref for ref, _ in only_here(near, refs.diff(refs.at(root)))]
    except DamagedError:  # what it was compared with is lost: the next fetch brings it again
        fresh = [ref for ref, _ in refs.items()]
    runs = sum(ref.startswith(ref_names.RUNS) for ref in fresh)
    versions = sum(ref.startswith(ref_names.ARTIFACTS) for ref in fresh)
    return Standing(runs, versions, max(0, seen.seq - seq), seen.looked)
