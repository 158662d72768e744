"""Bringing data here that is elsewhere: what artifacts hold, by ranges, many at once.

    what is not here → where it lies there → ranges, put together where they are near → verified → kept here

Level by level: a folder says which files are in it, a list of chunks which chunks.
"""

from __future__ import annotations

from collections.abc import Collection

from ...changes.intents import SetRef
from ...errors import DamagedError, UnknownName
from ...maps import graph, ref_names
from ...objects.kinds import Artifact
from ...objects.oid import Oid
from ...repository import Repository
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
    roots = {remote.store.record(oid, Artifact).payload for oid in artifacts}
    given_up = {ref for oid in artifacts if near.refs().get(ref := ref_names.pruned(oid)) is not None}
    count = _bring(near, remote, roots)
    if given_up:
        with near.transaction(f"data from {remote.name}") as transaction:
            for ref in given_up:
                transaction.add(SetRef(ref, None))
    return count


def _bring(near: Repository, remote: Remote, roots: set[Oid]) -> int:
    while True:
        before = remote.store.snapshot
        try:
            return _Bringing(near, remote).bring(roots)
        except (UnknownName, FileNotFoundError) as error:  # it may have come there since, or lie elsewhere now
            remote.look()
            if remote.store.snapshot is not before:
                continue
            if isinstance(error, UnknownName):
                raise
            raise DamagedError(
                f"{remote.where} has lost a file with data, {error.filename or 'which its index names'}; run `art fsck "
                "--repair` there, and push again from where the data is."
            ) from error


class _Bringing:
    def __init__(self, near: Repository, remote: Remote) -> None:
        self._repository = near
        self._near = near.store
        self._remote = remote

    def bring(self, roots: set[Oid]) -> int:
        seen, level, count = set(roots), set(roots), 0
        while level:
            missing = {oid for oid in level if not self._near.has(oid)}
            self._come(missing)
            count += len(missing)
            below = {found for oid in level for found in graph.references(self._near, self._near.location(oid))}
            level = below - seen
            seen |= level
        return count

    def _come(self, oids: set[Oid]) -> None:
        """Brings objects from there, and keeps them now and then."""
        items = ranges.read(self._remote, oids)
        item = next(items, None)
        while item is not None:
            with self._repository.transaction(f"data from {self._remote.name}") as transaction:
                brought = 0
                while item is not None and brought < _KEPT:
                    transaction.bring(item)
                    brought += len(item.stored)
                    item = next(items, None)
                transaction.edit_state(lambda _, state: state)  # objects alone are worth a change
