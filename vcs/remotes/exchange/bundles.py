"""Artifacts with their lineage and data in one file, for where no network goes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import DamagedError, storage_errors
from ...maps import ref_names
from ...objects.kinds import Version
from ...objects.oid import Oid
from ...repository import Repository
from ...storage.layout import FORMAT, INDEX, OPS, PACKS, ROOT
from ...storage.local import LocalFiles
from ...storage.packs.pack import Pack
from ...upkeep.check.reading import PackReader
from ..places import bundle
from ..places.bundle import BundleFiles
from ..places.folder import FolderFiles
from ..places.traffic import watched
from ..remote import Remote
from .data import fetch_data
from .fetch import Fetched, fetch
from .push import Pushed, push


def create(near: Repository, target: Path, versions: Iterable[Version] | None = None) -> tuple[Pushed, int]:
    """Makes a bundle; returns what is in it, and its size in bytes. Data that is elsewhere is brought for it.

    Args:
        near: The repository here.
        target: The bundle; nothing may be there yet.
        versions: Which versions are in it, with all that they were made from; by default all that is here.

    Raises:
        InvalidName: There is something at `target` already.
        UnknownName: Data is nowhere to be had.
        StorageError: It cannot be written.
    """
    with _aside(near) as aside:
        folder = aside / "bundle"
        remote = Remote("bundle", str(target), FolderFiles(folder), near, aside / "notes")
        with watched(f"making {target}", remote.traffic):
            done = push(near, remote, versions)
        size = bundle.make(LocalFiles(folder, aside), (PACKS, INDEX, OPS), (FORMAT, ROOT), target)
    return done, size


def check(path: Path) -> None:
    """Sees that a file looks like a bundle.

    Raises:
        UnknownName: It is not there.
        RemoteRefused: It is no bundle.
    """
    BundleFiles(path)


def verify(path: Path) -> int:
    """Checks each byte of a bundle; returns how many objects are in it.

    Raises:
        UnknownName: It is not there.
        RemoteRefused: It is no bundle.
        DamagedError: Something in it is not what it is called.
    """
    files, count = BundleFiles(path), 0
    files.check()
    for name in (*files.list(OPS), *files.list(PACKS)):
        reader = PackReader(files, name)
        for found in reader.objects():
            if found.problem is not None:
                reader.problems.append(found.problem)
            count += 1
        if reader.problems:
            raise DamagedError(f"{path} is damaged ({name} {reader.problems[0]}); copy it again.")
    return count


def unbundle(near: Repository, path: Path) -> Fetched:
    """Takes in what is in a bundle: lineage and data.

    Raises:
        UnknownName: It is not there.
        RemoteRefused: It is no bundle.
        DamagedError: Something in it is not what it is called; nothing of it is visible.
    """
    with _aside(near) as aside:
        remote = Remote("bundle", str(path), BundleFiles(path), near, aside / "notes")
        refs = remote.refs()
        artifacts = _artifacts(remote)
        # First: who is interrupted has nothing whose data is missing.
        with watched(f"reading {path}", remote.traffic):
            fetch_data(near, remote, [oid for oid in artifacts if refs.get(ref_names.pruned(oid)) is None])
            return fetch(near, remote)


def _artifacts(remote: Remote) -> Iterator[Oid]:
    """All artifacts that are in a bundle: also those without a version, from which others were made."""
    for name in remote.store.snapshot.packs():
        yield from (at.oid for at in Pack.open(remote.files, name).locations() if at.kind == "artifact")


@contextmanager
def _aside(near: Repository) -> Iterator[Path]:
    """A folder for what is needed meanwhile; a killed process's is removed by a collection."""
    folder = near.layout.tmp / f"bundle-{os.getpid()}-{os.urandom(4).hex()}"
    with storage_errors(f"writing to {near.layout.folder}"):
        folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
