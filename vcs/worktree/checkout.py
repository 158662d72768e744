"""Stored blobs and trees → files and folders on disk, never at the price of what is there."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from ..errors import (
    ArtError,
    DamagedError,
    DiskFull,
    InvalidName,
    StorageError,
    UnknownName,
    WouldOverwrite,
    storage_errors,
)
from ..objects.names import is_reserved
from ..objects.nodes import EXECUTABLE, FILE, FOLDER, SYMLINK, Entry
from ..objects.oid import Oid
from ..storage.disk import durable
from ..storage.layout import Layout
from ..storage.store import ObjectStore
from . import snapshot, trees
from .files.links import check_link
from .files.reading import mode_of
from .snapshot import Snapshot
from .staging import Staging
from .trees import Progress, check_depth, no_progress

Kept = Callable[[Entry], bool]
"""Whether somebody can have exactly this file or folder again, whatever is collected meanwhile."""


def checkout(
    store: ObjectStore, layout: Layout, entry: Entry, target: Path, kept: Kept, progress: Progress = no_progress
) -> bool:
    """Puts a stored file or folder at `target`, at once and durably.

    Everything is read and verified before `target` is touched. What is there already is replaced only if all of it can
    be read from the store and is kept just so, so that it can be had again.

    Args:
        store: Where it is read.
        layout: That repository's, for a note of what is under way (see `clean_up`).
        entry: What.
        target: Where; the folders above are made.
        kept: Asked about what is there already.
        progress: Told the bytes of each file as they are written.

    Returns:
        False when `target` held exactly this already.

    Raises:
        WouldOverwrite: `target` holds something that is not stored, or a repository.
        InvalidName: `target` lies in a repository, or a link leads out of the folder.
        DamagedError: Something stored is not what its id promises.
        UnknownName: Something is not here.
        DiskFull: It is more than there is room for.
        StorageError: The operating system refused.
    """
    if entry.mode == FOLDER:
        entry = trees.measure(store, entry.name, entry.id)
    with storage_errors(f"reading {target}"):
        place = _place(layout, target)
        before = snapshot.take(place)
    with storage_errors(f"writing {target}"):
        if before is not None:
            wanted = dict(trees.walk(store, entry))
            if _holds(before, wanted):
                return _set_modes(before, wanted, place)
            _check_stored(store, before, {found.id for found in wanted.values()}, target)
            there = before.entry(store, place.name)
            if not _is_part(before, wanted) and (there is None or not kept(there)):
                raise WouldOverwrite(
                    f"{target} is not as any version has it: something in it was moved, renamed, deleted or made "
                    "executable, or its version was deleted; move it away or `art add` it first."
                )
        _check_room(place.parent, entry.size)
        durable.make_folders(place.parent)
        with Staging(layout, place) as staging:
            # A link in a folder may not leave that folder; a link on its own may lead nowhere else.
            at = PurePosixPath() if entry.mode == FOLDER else PurePosixPath(entry.name)
            _write_entry(store, entry, staging.path, at, progress)
            _keep_modes(place, staging.path, before)
            staging.put(before)
    return True


def write_tree(store: ObjectStore, tree: Oid, folder: Path, progress: Progress = no_progress) -> None:
    """Writes a tree's files into an empty folder, for as long as this process needs them.

    Raises:
        UnknownName: Something the tree names is not here.
        DamagedError: Something is not what its id promises.
        InvalidName: A link leads out of the folder, or folders are nested too deeply.
        DiskFull: It is more than there is room for.
    """
    with storage_errors(f"writing {folder}"):
        whole = trees.measure(store, folder.name, tree)
        _check_room(folder, whole.size)
        _write_entries(store, whole, folder, PurePosixPath(), progress)


def _place(layout: Layout, target: Path) -> Path:
    """The target as a path without links or `..` on the way to it; refuses what belongs to a repository."""
    whole = target.name in ("", "..")
    place = Path(os.path.realpath(target)) if whole else Path(os.path.realpath(target.parent), target.name)
    repository = Path(os.path.realpath(layout.folder))
    if place in (repository, *repository.parents):
        raise WouldOverwrite(f"{target} holds the repository itself; choose another place.")
    if repository in place.parents or any(map(is_reserved, place.parts)):
        raise InvalidName(f"{target} lies in a repository, where only `art` and Git write; choose another place.")
    return place


def _holds(before: Snapshot, wanted: dict[str, Entry]) -> bool:
    """Whether the same files were there, executable or not."""
    return before.found.keys() == wanted.keys() and all(
        _kind(found.mode) == _kind(wanted[path].mode) and (found.mode == FOLDER or found.id == wanted[path].id)
        for path, found in before.found.items()
    )


def _is_part(before: Snapshot, wanted: dict[str, Entry]) -> bool:
    """Whether all that was there is wanted just so, and only something is missing."""
    return _holds(before, {path: wanted[path] for path in before.found if path in wanted})


def _kind(mode: str | None) -> str | None:
    return FILE if mode == EXECUTABLE else mode


def _set_modes(before: Snapshot, wanted: dict[str, Entry], place: Path) -> bool:
    """Gives files with the right bytes the right mode; whether there were any with another."""
    wrong = [Path(f"{place}{path}") for path, found in before.found.items() if found.mode != wanted[path].mode]
    changed = False
    for file in wrong:
        info = file.lstat()
        mode = stat.S_IMODE(info.st_mode) & ~0o111
        if mode_of(info) != EXECUTABLE:
            mode |= (mode & 0o444) >> 2  # whoever may read it may execute it
        try:
            file.chmod(mode)
        except PermissionError:
            if info.st_uid != os.geteuid():
                raise  # else it is the file system that has no such modes
        changed |= mode_of(file.lstat()) != mode_of(info)
    if changed:
        durable.sync_below(place)
    return changed


def _check_stored(store: ObjectStore, before: Snapshot, read_anyway: set[Oid], target: Path) -> None:
    """Refuses to go on if something that was at the target could not be had again.

    Args:
        store: Where it must be.
        before: What was there.
        read_anyway: What is going to be read and verified before the target is touched.
        target: As the user calls it.
    """
    good = set(read_anyway)
    for path, found in before.found.items():
        if found.mode == FOLDER or found.id in good:
            continue
        not_stored = f"{target}{path} holds changes that are not stored; move it away or `art add` it first."
        if found.id is None:
            raise WouldOverwrite(not_stored)
        try:
            for _ in store.iter_read(found.id):
                pass
        except UnknownName:
            raise WouldOverwrite(not_stored) from None
        except StorageError:
            raise  # what the system refuses to read may be sound
        except ArtError as error:
            message = f"{target}{path} is the only good copy: what is stored of it is damaged; `art add` it first."
            raise WouldOverwrite(message) from error
        good.add(found.id)


def _keep_modes(place: Path, new: Path, before: Snapshot | None) -> None:
    """Gives folders that take the place of others these's modes: who may look into them, and whose their files are."""
    for path, found in before.found.items() if before is not None else ():
        folder = Path(f"{new}{path}")
        if found.mode == FOLDER and folder.is_dir() and not folder.is_symlink():
            with suppress(PermissionError):  # another group's set-group-id, say
                folder.chmod(stat.S_IMODE(Path(f"{place}{path}").lstat().st_mode) | stat.S_IRWXU)


def _check_room(folder: Path, size: int) -> None:
    """Refuses what the disk cannot hold, before hours are spent on it."""
    existing = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    disk = os.statvfs(existing)
    free = disk.f_bavail * disk.f_frsize
    if disk.f_blocks and size > free:
        raise DiskFull(f"{size / 1e6:,.1f} MB do not fit into the {free / 1e6:,.1f} MB that are free at {existing}.")


def _write_entries(store: ObjectStore, whole: Entry, folder: Path, at: PurePosixPath, progress: Progress) -> None:
    links = []
    for entry in trees.inside(store, whole):
        if entry.mode == SYMLINK:
            links.append(entry)
        else:
            _write_entry(store, entry, folder / entry.name, at / entry.name, progress)
    for entry in links:  # last: nothing is ever written through one
        _write_entry(store, entry, folder / entry.name, at / entry.name, progress)


def _write_entry(store: ObjectStore, entry: Entry, target: Path, at: PurePosixPath, progress: Progress) -> None:
    """Writes one entry to `target`, which must not exist; `at` is its place in the tree."""
    if entry.mode == FOLDER:
        check_depth(len(at.parts))
        target.mkdir()
        _write_entries(store, entry, target, at, progress)
    elif entry.mode == SYMLINK:
        link = store.read(entry.id, "blob").decode("utf-8", "surrogateescape")
        check_link(link, at)
        os.symlink(link, target)
    else:
        _write_file(store, entry, target, progress)


def _write_file(store: ObjectStore, entry: Entry, target: Path, progress: Progress) -> None:
    mode, written = 0o777 if entry.mode == EXECUTABLE else 0o666, 0
    # O_EXCL: two names that are one on this file system must not silently become one file.
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with open(fd, "wb") as file:
        for piece in store.iter_read(entry.id):
            written += len(piece)
            if written > entry.size:
                break
            file.write(piece)
            progress(len(piece))
    if written != entry.size:
        raise DamagedError(f"{entry.name} has another size than its folder says; run `art fsck`.")
