"""A file or folder on disk → blobs and trees."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ..changes.transaction import Transaction
from ..errors import ChangedWhileRead, StorageError, storage_errors
from ..objects.kinds import FOLDER, SYMLINK, Entry, Tree, check_entry_name
from ..objects.oid import Oid
from ..storage import chunking
from .links import check_link
from .reading import mode_of, read_steady
from .trees import Progress, check_depth, no_progress

_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""What opening a path says when something else took its place, or nothing."""


def add_path(
    transaction: Transaction, path: Path, name: str, progress: Progress = no_progress, *, inside: str = ""
) -> Entry:
    """Stores a file, link or folder; returns the tree entry for it under `name`.

    Raises:
        InvalidName: A name below cannot be stored, or a link leads out of the folder.
        ChangedWhileRead: A file changed or went away while it was read.
        StorageError: Something cannot be read, or is neither file, folder nor link.
    """
    check_entry_name(name)
    with _reading(path, listed=bool(inside)):
        info = path.lstat() if inside else path.stat()
        if stat.S_ISLNK(info.st_mode):
            return _add_link(transaction, path, name, inside)
        if stat.S_ISDIR(info.st_mode):
            here = f"{inside}/{name}" if inside else "."
            check_depth(len(PurePosixPath(here).parts))
            tree = add_folder(transaction, path, progress=progress, inside=here)
            return Entry(name, FOLDER, transaction.put(tree), tree.size)
        if not stat.S_ISREG(info.st_mode):
            raise StorageError(f"{path} is neither a file nor a folder; only those can be stored.")
        oid, size, mode = _add_file(transaction, path, info, follow=not inside)
        progress(size)
        return Entry(name, mode, oid, size)


def add_folder(
    transaction: Transaction,
    folder: Path,
    extra: Mapping[str, Path] | None = None,
    progress: Progress = no_progress,
    *,
    inside: str = ".",
) -> Tree:
    """The tree of what `folder` holds. Its parts are stored.

    Args:
        transaction: Where they are put.
        folder: The folder; one that does not exist holds nothing.
        extra: Path in the tree (parts separated by `/`) → an existing file or folder that stands there too.
        progress: Told the bytes of each file.
        inside: Where the folder stands in what is being added, for links that lead out of it.

    Raises:
        InvalidName: As `add_path`.
        ChangedWhileRead: As `add_path`.
        StorageError: As `add_path`.
    """
    direct, below = _split_extra(extra or {})
    with _reading(folder, listed=True):
        there = folder.is_dir() if extra or inside == "." else True
        members = {name: (folder / name, inside) for name in (os.listdir(folder) if there else ())}
    members.update({name: (path, "") for name, path in direct.items()})
    entries = []
    for name in sorted(members.keys() | below.keys(), key=os.fsencode):
        if name in below:
            tree = add_folder(transaction, folder / name, below[name], progress, inside=f"{inside}/{name}")
            entries.append(Entry(name, FOLDER, transaction.put(tree), tree.size))
        else:
            path, where = members[name]
            entries.append(add_path(transaction, path, name, progress, inside=where))
    return Tree(tuple(entries))


def _split_extra(extra: Mapping[str, Path]) -> tuple[dict[str, Path], dict[str, dict[str, Path]]]:
    """What stands directly in a folder, and what stands below, by the name of the folder in between."""
    direct: dict[str, Path] = {}
    below: dict[str, dict[str, Path]] = {}
    for name, path in extra.items():
        first, _, rest = name.partition("/")
        if rest:
            below.setdefault(first, {})[rest] = path
        else:
            direct[first] = path
    return direct, below


def _add_file(transaction: Transaction, path: Path, info: os.stat_result, *, follow: bool) -> tuple[Oid, int, str]:
    """The content's id and size, and the mode that the file had with it."""
    known = transaction.stat_cache.find(path, info)
    if known is not None and transaction.has(known):
        return known, info.st_size, mode_of(info)

    def put(file: BinaryIO, now: os.stat_result) -> tuple[Oid, int]:
        if now.st_size > chunking.MAX_CHUNK:
            return transaction.put_stream(file)
        data = file.read()
        return transaction.put_blob(data), len(data)

    (oid, size), info = read_steady(path, put, follow=follow)
    transaction.stat_cache.remember(path, info, oid)
    return oid, size, mode_of(info)


def _add_link(transaction: Transaction, path: Path, name: str, inside: str) -> Entry:
    target = os.readlink(path)
    check_link(target, PurePosixPath(inside) / name)
    data = os.fsencode(target)
    return Entry(name, SYMLINK, transaction.put_blob(data), len(data))


@contextmanager
def _reading(path: Path, *, listed: bool) -> Iterator[None]:
    """Says what went wrong; `listed` if the path was there a moment ago."""
    try:
        yield
    except OSError as error:
        if listed and error.errno in _GONE:
            message = f"{path} went away while it was read; try again when nothing writes there any more."
            raise ChangedWhileRead(message) from error
        with storage_errors(f"reading {path}"):
            raise
