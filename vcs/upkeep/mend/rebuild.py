"""The refs made again where they cannot be read: from older ops, and from the records that lie in the packs.

An op whose record is damaged takes a change with it, but the records that it brought are mostly there; a node of the
map takes the refs below it. What is put together so may be older than it was, and is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import TypeVar

from ...changes.intents.versions import marks_of
from ...changes.view import View
from ...errors import DamagedError, LookupFailed
from ...maps import ref_names, runs
from ...maps.refs import RefMap
from ...objects.kinds import Commit, Run, Version
from ...objects.nodes import RefsNode
from ...objects.oid import NULL, Oid
from ...objects.records import Record
from ...storage.packs.op_file import Entry
from ...storage.store import ObjectStore
from ..check import ref_walk
from ..check.problem import Problem
from ..check.records import Records, later_run
from ..check.ref_walk import Hole, describe

R = TypeVar("R", bound=Record)


class Rebuilding:
    """Makes the refs of a moment again.

    Args:
        store: Reads whatever was found.
        records: What was found of versions, runs and commits.
        written_by: Says in which files nothing is newer than an op; than none, in which nothing is told at all.

    Attributes:
        older: What may be older than it was.
    """

    def __init__(
        self, store: ObjectStore, records: Records, written_by: Callable[[Entry | None], AbstractSet[str]]
    ) -> None:
        self.older: list[Problem] = []
        self._store = store
        self._records = records
        self._written_by = written_by

    def entries(self, base: Entry | None, others: Iterable[Entry]) -> tuple[dict[str, Oid], list[Hole], Entry | None]:
        """All refs of a moment, those in its holes from older ops.

        Args:
            base: The moment.
            others: Older ops, the newest first.

        Returns:
            The refs; the holes that the moment had; the oldest op that something was taken from, None where some refs
            are in none.
        """
        found, holes = self._read(None if base is None else base.op.state.refs, "", None)
        left, source = holes, base
        for other in others:
            if not left:
                break
            pieces = [self._read(other.op.state.refs, hole.low, hole.high) for hole in left]
            for refs, _ in pieces:
                found.update(refs)
            left, source = [hole for _, still in pieces for hole in still], other
        return found, holes, None if left or base is None else source

    def _read(self, root: Oid | None, low: str, high: str | None) -> tuple[dict[str, Oid], list[Hole]]:
        refs: dict[str, Oid] = {}
        holes: list[Hole] = []
        for each in ref_walk.walk(lambda oid: self._store.record(oid, RefsNode), root, low, high):
            if isinstance(each, Hole):
                holes.append(each)
            else:
                refs[each[0]] = each[1]
        return refs, holes

    def add(self, view: View, inside: Callable[[str], bool], since: Entry | None) -> None:
        """Adds to the refs what records tell.

        Args:
            view: The refs so far.
            inside: Whether a ref is one of those that nobody can read.
            since: Only what was written after this op; None for everything.
        """
        without = self._written_by(since)
        self._add_versions(view, inside, without)
        self._add_runs(view, inside, without)
        results: dict[tuple[Oid, Oid], tuple[int, Oid]] = {}  # of those that saw the same the newest
        for oid, commit in self._records.every(Commit, without):
            if commit.cache_key is not None:
                same = commit.cache_key, commit.trace
                results[same] = max(results.get(same, (-1, NULL)), (commit.finished, oid))
        for (key, trace), (_, oid) in results.items():
            if inside(ref_names.result(key, oid)) or inside(ref_names.result(key, trace)):
                view.set(ref_names.result(key, oid), oid)
        self._add_marks(view)

    def _add_versions(self, view: View, inside: Callable[[str], bool], without: AbstractSet[str]) -> None:
        for oid, version in self._records.every(Version, without):
            ref = ref_names.version(version.name, version.number)
            if inside(ref) and view.get(ref) != oid:
                view.set(ref, oid)
                if not version.deleted:
                    view.set(ref_names.newest(version.name), version.artifact)
                self.older.append(Problem(describe(ref), "was put together from its newest record; it may be older"))

    def _add_runs(self, view: View, inside: Callable[[str], bool], without: AbstractSet[str]) -> None:
        for oid, run in self._records.every(Run, without):
            ref = ref_names.run(run.run)
            if not inside(ref) or view.get(ref) == oid:
                continue
            known = _readable(view, view.get(ref), Run)
            if known is None or later_run(run, known):
                view.set(ref, oid)
                self.older.append(Problem(f"run {run.name}", "was put together from its newest record"))

    def _add_marks(self, view: View) -> None:
        """The marks of all versions and runs, and which version of each name is the newest."""
        missing: dict[str, Oid] = {}
        for _, oid in view.items(ref_names.ARTIFACTS):
            version = _readable(view, oid, Version)
            if version is not None and not version.deleted:
                missing.update(dict.fromkeys(marks_of(version), NULL))
                missing[ref_names.newest(version.name)] = version.artifact  # they come in order of their numbers
        for _, oid in view.items(ref_names.RUNS):
            run = _readable(view, oid, Run)
            missing.update(dict.fromkeys(() if run is None else runs.marks(run), NULL))
        for ref, oid in missing.items():
            if view.get(ref) is None:
                view.set(ref, oid)


def _readable(view: View, oid: Oid | None, cls: type[R]) -> R | None:
    try:
        return None if oid is None else view.record(oid, cls)
    except (DamagedError, LookupFailed):
        return None  # lost: `settle` sees to it


def described(refs: Iterable[str], what: str) -> list[Problem]:
    """Says something of versions and runs, in a line for each name."""
    numbers: dict[str, list[int]] = {}
    found = []
    for ref in refs:
        if ref.startswith(ref_names.ARTIFACTS) and ref_walk.is_spelt(ref):
            numbers.setdefault(ref_names.name_of(ref), []).append(ref_names.number_of(ref))
        elif ref.startswith(ref_names.RUNS):
            found.append(Problem(describe(ref), what))
    for name, of_name in numbers.items():
        of_name.sort()
        upto = "" if len(of_name) == 1 else f" to @{of_name[-1]} ({len(of_name)} versions)"
        found.append(Problem(f"{name}@{of_name[0]}{upto}", what))
    return found


def inside_of(holes: Iterable[Hole]) -> Callable[[str], bool]:
    """Whether a ref is in one of some holes."""
    holes = list(holes)
    return lambda ref: any(ref in hole for hole in holes)


def map_of(store: ObjectStore, refs: dict[str, Oid], put: Callable[[RefsNode], Oid]) -> RefMap:
    """A fresh map of refs."""
    return RefMap(store, None).update(dict(sorted(refs.items())), put)
