"""Mending a repository: what is damaged is set aside, what is sound is kept, what is lost is said to be lost.

    look at everything → put the refs in order → copy what is sound in damaged files → publish → set the damaged aside

Nothing is deleted, and nothing is visible before it is whole: a repair that is killed leaves a repository as it was or
mended, and the next one goes on. It publishes by the log like everybody else; only where the newest op cannot be read,
so that nobody can publish, it puts one in its place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from ...errors import DiskFull, NoPermission, RepositoryBusy, RepositoryNotFound, storage_errors
from ...repository import Repository, check_format
from ...storage.disk import leases, reserve
from ...storage.disk.locks import Lock
from ...storage.disk.plain import is_something_else
from ...storage.layout import Layout
from ..check.fsck import THREADS
from ..check.problem import Problem
from ..check.survey import Progress
from . import mend_small
from .examination import Examination
from .mending import Mending
from .quarantine import Quarantine

_TRIES = 10


@dataclass(frozen=True)
class Repaired:
    """What a repair did.

    Attributes:
        done: What was damaged, and what was done about it.
        older: What was put together again and may be older than it was.
        lost: What is gone.
    """

    done: tuple[Problem, ...]
    older: tuple[Problem, ...]
    lost: tuple[Problem, ...]


def repair(folder: Path, progress: Progress = lambda _, __, ___: None) -> Repaired:
    """Mends the repository in `folder` (the `.artifacts` folder itself).

    Raises:
        NoPermission: It cannot be written.
        DiskFull: There is no space for what has to be written; what was there is still there.
        RepositoryBusy: Another repair goes on, or others publish all the time.
        RepositoryNotFound: There is none.
        UnsupportedFormat: A newer artvcs wrote it.
    """
    layout = Layout(folder)
    with storage_errors(f"repairing {folder}"), _alone(layout), _freeing(layout):
        quarantine = Quarantine(layout)
        done = list(mend_small.mend(layout, quarantine))
        check_format(layout)
        done += mend_small.set_aside(layout, quarantine)
        repository = Repository(folder)
        for path in layout.folders():
            path.mkdir(exist_ok=True)
        lease = leases.begin(layout.leases, 0)  # what was there before holds back everything
        try:
            with ThreadPoolExecutor(THREADS) as executor:
                for _ in range(_TRIES):
                    found = Examination(repository.layout, repository.store.files, executor, progress)
                    if found.is_well:
                        return Repaired(tuple(done), (), ())
                    mended = _mend(found, repository, quarantine)
                    if mended is not None:
                        return Repaired((*done, *mended.done), tuple(mended.older), tuple(mended.lost))
        finally:
            lease.end()
        raise RepositoryBusy("Other processes publish all the time; repair again when they have ended.")


def _mend(found: Examination, repository: Repository, quarantine: Quarantine) -> Mending | None:
    """Mends; None where others published meanwhile."""
    mending = Mending(found, repository, quarantine)
    try:
        return mending if mending.run() else None
    except DiskFull:
        mending = Mending(found, repository, quarantine, sparing=True)
        return mending if mending.run() else None


def _freeing(layout: Layout) -> AbstractContextManager[None]:
    """Around all of it, for a full disk: inside the block a little space is there to be used."""
    return reserve.opened(layout.reserve) if layout.reserve.exists() else nullcontext()


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    if not layout.folder.is_dir():
        raise RepositoryNotFound(f"{layout.folder} is not an artifact repository; `art init` makes one.")
    if not os.access(layout.folder, os.W_OK):
        raise NoPermission(f"{layout.folder} cannot be written; copy it to where you may write, and repair the copy.")
    if is_something_else(layout.repair):
        Quarantine(layout).move(layout.repair.name)
    lock = Lock.take(layout.repair)
    if lock is None:
        owner = Lock.owner(layout.repair)
        who = "Another process" if owner is None else f"Process {owner}"
        raise RepositoryBusy(f"{who} repairs {layout.folder}; wait until it has ended.")
    lock.sign()
    try:
        yield
    finally:
        lock.remove()
