"""Publishing what a killed process had landed but not published.

Whoever holds the lock on a journal is alive; a journal that can be locked was left behind. Its pack is good up to the
last line whose hash the pack's bytes have, and is published up to there. What had not landed, or was lost in a power
cut before it was durable, is dropped.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ArtError, UnknownName, storage_errors
from ..objects.kinds import Run
from ..objects.oid import hasher
from ..refs.names import LATEST, RUNS
from ..refs.walk import op_chain
from .incoming import Incoming
from .journal import Checkpoint, Edits, Journal, together
from .transaction import Transaction, now_ms

if TYPE_CHECKING:
    from ..repository import Repository


def recover(repository: Repository) -> int:
    """Publishes what dead processes left behind; returns how many packs that were.

    What cannot be published now, because the disk is full or belongs to somebody else, is left for the next time:
    a repository that can be read can be opened.
    """
    left = {path.with_suffix(".pack") for path in repository.layout.incoming.iterdir()}
    return sum(_try_to_recover(repository, path) for path in sorted(left))


def _try_to_recover(repository: Repository, path: Path) -> bool:
    journal = None
    try:
        with storage_errors(f"recovering {path}"):
            journal = Journal.lock(repository.layout.journal(path))
            return journal is not None and _recover_pack(repository, path, journal)
    except ArtError:
        return False
    finally:
        if journal is not None:
            journal.close()


def _recover_pack(repository: Repository, path: Path, journal: Journal) -> bool:
    checkpoints = journal.read()
    moved = not path.exists()  # it is durable then; only the root may not have moved
    good = checkpoints if moved else matching(path, checkpoints)
    edits = together(_unpublished(repository, good))
    if edits:
        with Transaction(repository, f"recover: {good[-1].why}") as transaction:
            incoming = None if moved else Incoming.resume(journal, path, good[-1].end)
            transaction.resume(edits, incoming)
            if moved:
                _leave_out_missing(transaction, repository, edits)
            _mark_interrupted(transaction, repository, edits)
    # Last, since until the root has moved this is the only note of what landed.
    path.unlink(missing_ok=True)
    journal.remove()
    return bool(edits)


def matching(path: Path, checkpoints: list[Checkpoint]) -> list[Checkpoint]:
    """The lines from the first on whose hash the pack's bytes have."""
    good: list[Checkpoint] = []
    check, position = hasher("pack"), 0
    with open(path, "rb") as file:
        for checkpoint in checkpoints:
            while position < checkpoint.end and (data := file.read(min(1 << 20, checkpoint.end - position))):
                check.update(data)
                position += len(data)
            if position != checkpoint.end or check.hexdigest() != checkpoint.pack:
                break
            good.append(checkpoint)
    return good


def _unpublished(repository: Repository, checkpoints: list[Checkpoint]) -> list[Checkpoint]:
    """The lines after the last one whose op was published: what came before is in the refs already."""
    ops = {line.op: number for number, line in enumerate(checkpoints) if line.op is not None}
    if ops:
        for oid, _ in op_chain(repository.store, repository.read_root().op):
            if oid in ops:
                return checkpoints[ops[oid] + 1 :]
    return checkpoints


def _leave_out_missing(transaction: Transaction, repository: Repository, edits: Edits) -> None:
    """Drops refs whose object is nowhere, should the moved pack have been deleted since."""
    for ref, oid in list(edits.refs.items()):
        try:
            if oid is not None:
                repository.store.location(oid)
        except UnknownName:
            del edits.refs[ref]
    for key, version in list(edits.versions.items()):
        if not repository.store.has(version.artifact) or not repository.store.has(version.oid):
            del edits.versions[key]
    transaction.resume(edits)


def _mark_interrupted(transaction: Transaction, repository: Repository, edits: Edits) -> None:
    """A run whose process died is not running any more."""
    for ref, oid in edits.refs.items():
        if ref.startswith((RUNS, LATEST)) and oid is not None:
            run = repository.store.record(oid, Run)
            if run.status == "running":
                ended = dataclasses.replace(run, status="interrupted", finished=now_ms())
                transaction.set_ref(ref, transaction.put(ended))
