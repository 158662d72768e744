"""Bringing data here that is elsewhere: what artifacts hold, by ranges, many at once.

    what is not here → where it lies there → ranges, put together where they are near → verified → kept here

Level by level: a folder says which files are in it, a list of chunks which chunks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from ...changes.intents import SetRef
from ...errors import DamagedError, UnknownName
from ...maps import graph, ref_names
from ...objects.kinds import Artifact
from ...objects.oid import Oid
from ...repository import Repository
from ...storage.packs.pack import Item
from ...storage.store import ObjectStore
from ..remote import Remote
from . import ranges

_KEPT = 256 << 20
"""After so many bytes what came is kept: who is interrupted goes on from there."""


def fetch_data(near: Repository, remote: Remote, artifacts: Collection[Oid]) -> int:
    """Brings what artifacts hold and is not here, also if it was given up here; returns how many objects came.

    Raises:
        UnknownName: Something is not there either.
        DamagedError: Something that came is not what its id promises; what is kept of the rest was verified.
        RemoteError: It cannot be reached.
    """
    if not remote.recall():
        remote.look()
    remote.place_delivered(artifacts)
    roots = {remote.store.record(oid, Artifact).payload for oid in artifacts}
    given_up = {ref for oid in artifacts if near.refs().get(ref := ref_names.pruned(oid)) is not None}
    keep = _Keeping(near, f"data from {remote.name}")
    count = bring(remote, roots, keep, near.store)
    if given_up:
        with near.transaction(f"data from {remote.name}") as transaction:
            for ref in given_up:
                transaction.add(SetRef(ref, None))
    return count


class Keeper(Protocol):
    """Where what comes goes."""

    def has(self, oid: Oid) -> bool:
        """Whether an object need not come."""

    def keep(self, items: Iterator[Item]) -> None:
        """Keeps objects as they come; they can be read then."""


class _Keeping:
    """Keeps what comes in a repository, now and then."""

    def __init__(self, near: Repository, why: str) -> None:
        self._near = near
        self._why = why

    def has(self, oid: Oid) -> bool:
        """See `Keeper.has`."""
        return self._near.store.has(oid)

    def keep(self, items: Iterator[Item]) -> None:
        """See `Keeper.keep`."""
        item = next(items, None)
        while item is not None:
            with self._near.transaction(self._why) as transaction:
                brought = 0
                while item is not None and brought < _KEPT:
                    transaction.bring(item)
                    brought += len(item.stored)
                    item = next(items, None)
                transaction.edit_state(lambda _, state: state)  # objects alone are worth a change


def bring(remote: Remote, roots: Collection[Oid], keeper: Keeper, near: ObjectStore) -> int:
    """Brings objects from there, and all that they lead to; returns how many came.

    Args:
        remote: There.
        roots: The objects.
        keeper: Where they go.
        near: Where what was kept is read.

    Raises:
        UnknownName: Something is not there.
        DamagedError: Something that came is not what its id promises.
        RemoteError: It cannot be reached.
    """
    while True:
        before = remote.store.moment
        try:
            return _bring(remote, set(roots), keeper, near)
        except (UnknownName, FileNotFoundError) as error:  # it may have come there since, or lie elsewhere now
            remote.look()
            if remote.store.moment is not before:
                continue
            if isinstance(error, UnknownName):
                raise
            raise DamagedError(
                f"{remote.where} has lost a file with data, {error.filename or 'which its index names'}; run `art fsck "
                "--repair` there, and push again from where the data is."
            ) from error


def _bring(remote: Remote, roots: set[Oid], keeper: Keeper, near: ObjectStore) -> int:
    seen, level, count = set(roots), set(roots), 0
    while level:
        missing = {oid for oid in level if not keeper.has(oid)}
        keeper.keep(ranges.read(remote, missing))
        count += len(missing)
        below = {found for oid in level for found in graph.references(near, near.location(oid))}
        level = below - seen
        seen |= level
    return count
