"""Where garbage is collected, and what is known of those who are there as well."""

from __future__ import annotations

import shutil
import stat
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from ...changes import recovery
from ...changes.journal import packs_in_journals
from ...changes.transaction import Transaction
from ...maps.promises import Promises
from ...repository import Repository
from ...storage.disk import durable, leases
from ...storage.disk.locks import Lock
from ...storage.layout import INDEX, PACKS, Layout, PackName, is_pack_name, segment_name
from ...storage.snapshot import Snapshot
from ...storage.store import ObjectStore
from ...worktree import clean_up

_KEEP_TMP = 24 * 3600.0
_CLOCK = 1000
"""Milliseconds by which the times of files may lag behind the clock."""


class Ground(Protocol):
    """A place where garbage is collected."""

    @property
    def store(self) -> ObjectStore:
        """Its objects."""

    def begin(self, why: str) -> Transaction:
        """Begins a change of it."""

    def promised(self) -> Promises | None:
        """What is promised, and so may be missing here."""

    def ahead(self, keys: Collection[bytes]) -> None:
        """Told which objects are read next, by their raw ids."""

    def is_lineage(self, name: PackName) -> bool:
        """Whether what is written anew of a pack goes into packs of lineage, apart from the others."""

    def abandoned(self, head: Snapshot) -> list[PackName]:
        """Packs that no state names, nor is likely to: whoever is about to is told that they are gone."""

    def settle(self) -> None:
        """Publishes what the dead have landed: it may rely on what goes."""

    def holders(self) -> list[leases.Holder]:
        """Who uses which state, the oldest state first: nothing goes that it names."""

    def leftovers(self) -> dict[str, int]:
        """What nobody can miss: the names of files and folders, and how many bytes each has, 0 where nobody says."""

    def sweep(self) -> dict[str, int]:
        """Removes that, after everything else, and returns it."""

    def kept_edits(self) -> Iterable[Path]:
        """Where edits are now that a killed checkout had moved away."""


class Here:
    """A repository on this machine, where whoever uses a state has a lease on it."""

    def __init__(self, repository: Repository) -> None:
        self.store = repository.store
        self._repository = repository
        self._layout = repository.layout

    def begin(self, why: str) -> Transaction:
        """See `Ground.begin`."""
        return self._repository.begin(why)

    def promised(self) -> Promises | None:
        """See `Ground.promised`."""
        return self._repository.promises()

    def ahead(self, keys: Collection[bytes]) -> None:
        """See `Ground.ahead`: reading costs nothing here."""

    def is_lineage(self, name: PackName) -> bool:
        """See `Ground.is_lineage`: nobody looks for lineage alone."""
        return False

    def abandoned(self, head: Snapshot) -> list[PackName]:
        """See `Ground.abandoned`: whoever is about to name something has a lease, and `sweep` minds that."""
        return []

    def settle(self) -> None:
        """See `Ground.settle`."""
        recovery.recover(self.store, self._layout, self._repository.begin)

    def holders(self) -> list[leases.Holder]:
        """See `Ground.holders`."""
        return leases.holders(self._layout.leases)

    def leftovers(self) -> dict[str, int]:
        """See `Ground.leftovers`: what dead processes left, files that no state names, half-written ones."""
        unnamed = {name: _size(self._layout.folder / name) for name in self._unnamed()}
        return unnamed | {path.name: _size(path) for path in _left_in_tmp(self._layout)}

    def sweep(self) -> dict[str, int]:
        """See `Ground.sweep`."""
        swept = {}
        for name in self._unnamed():
            swept[name] = _size(self._layout.folder / name)
            self.store.files.delete(name)
        for path in _left_in_tmp(self._layout):
            swept[path.name] = _size(path)
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            self._layout.scratch_lock(path).unlink(missing_ok=True)
        return swept

    def _unnamed(self) -> list[str]:
        """Packs and indexes that no state names, nor anybody who is alive is about to."""
        now = int(time.time() * 1000)
        begun = min((holder.begun for holder in self.holders()), default=now) - _CLOCK
        # Whatever the clock says: times may come from another machine, and clocks are set back.
        wanted = packs_in_journals(self._layout)
        # Only now: who ended before we looked who is alive has published.
        head = self.store.refresh().without_damage()
        named = {*wanted, *head.packs(), *head.state.condemned, *map(segment_name, head.state.segments)}
        found = []
        for name in (*self.store.files.list(PACKS), *self.store.files.list(INDEX)):
            path = self._layout.folder / name
            known = is_pack_name(name) or name.startswith(f"{INDEX}/")
            if name not in named and known and path.exists() and path.stat().st_mtime * 1000 < begun:
                found.append(name)
        return found

    def kept_edits(self) -> Iterable[Path]:
        """See `Ground.kept_edits`."""
        return clean_up(self._layout)


def _left_in_tmp(layout: Layout) -> Iterator[Path]:
    """What dead processes left in the folder for temporary files; each stays locked while it is looked at."""
    for path in sorted(layout.tmp.iterdir()) if layout.tmp.is_dir() else ():
        lock = layout.scratch_lock(path)
        if lock.exists():
            held = Lock.take(lock)
            if held is None:
                continue  # its process is alive
            try:
                yield path
            finally:
                held.release()
        elif time.time() - _changed(path) > _KEEP_TMP:
            yield path


def _size(path: Path) -> int:
    """How many bytes the files have at a path and below, as far as they stay there."""
    size = 0
    with suppress(FileNotFoundError):
        for _, info in durable.below(path):
            size += info.st_size if stat.S_ISREG(info.st_mode) else 0
    return size


def _changed(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return time.time()
