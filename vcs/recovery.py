"""Publishing what a killed process had landed but not published.

Whoever holds the lock on an incoming pack is alive; a pack that can be locked was left behind. It is good up to where
its journal says, and is published as it stands. What had not landed is dropped.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

from . import durable
from .errors import DamagedError
from .journal import Edits, Journal
from .names import RUNS
from .objects import Run
from .pack import PackWriter
from .transaction import Transaction, now_ms

if TYPE_CHECKING:
    from .repository import Repository


def recover(repository: Repository) -> int:
    """Publishes what dead processes left behind; returns how many packs that were."""
    incoming = repository.layout.incoming
    left = sorted({path.with_suffix(".pack") for path in incoming.iterdir()})
    return sum(_recover_pack(repository, path) for path in left)


def _recover_pack(repository: Repository, path: Path) -> bool:
    fd = durable.open_locked(path)
    if fd is None:
        return False  # its owner is alive
    journal = Journal(repository.layout.journal(path))
    end, why, edits = journal.read()
    if not edits:
        path.unlink()
        journal.remove()
        os.close(fd)
        return False
    with Transaction(repository, f"recover: {why}") as transaction:
        _take_over(transaction, path, fd, end, edits)
        _mark_interrupted(repository, transaction, edits)
    # Last, since until the root has moved this is the only note of what landed.
    journal.remove()
    return True


def _take_over(transaction: Transaction, path: Path, fd: int, end: int, edits: Edits) -> None:
    if os.fstat(fd).st_size < end or end == 0:
        # The pack was finished and moved to its place, or could not be; only the root had not moved.
        path.unlink()
        os.close(fd)
        transaction.resume(edits)
        return
    try:
        transaction.adopt(PackWriter.resume(path, fd, end), fd, edits)
    except DamagedError:
        os.close(fd)
        raise


def _mark_interrupted(repository: Repository, transaction: Transaction, edits: Edits) -> None:
    """A run whose process died is not running any more."""
    for ref, oid in edits.refs.items():
        if ref.startswith(RUNS) and oid is not None:
            run = repository.store.record(oid, Run)
            if run.status == "running":
                ended = dataclasses.replace(run, status="interrupted", finished=now_ms())
                transaction.set_ref(ref, transaction.put(ended))
