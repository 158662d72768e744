"""Files and folders on disk ↔ blobs and trees.

What is stored may come from a hostile repository: names are checked (`objects.check_entry_name`), links may not lead
out of the tree, and nothing is written through a link. Nothing is overwritten whose bytes are not stored.
"""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from ..changes.transaction import Transaction
from ..errors import InvalidName, StorageError, WouldOverwrite, storage_errors
from ..objects.kinds import EXECUTABLE, FILE, FOLDER, SYMLINK, Entry, Tree, check_entry_name
from ..objects.oid import Oid, hasher
from ..storage import chunking
from ..storage.store import ObjectStore, blob_id

Progress = Callable[[int], None]
"""Called with the number of bytes just read or written."""


MAX_DEPTH = 100
"""Folders in folders; no deeper, so that a hostile tree exhausts nothing."""


def no_progress(_: int) -> None:
    """Says nothing."""


def add_path(
    transaction: Transaction, path: Path, name: str, progress: Progress = no_progress, *, inside: str = ""
) -> Entry:
    """Stores a file, link or folder; returns the tree entry for it under `name`.

    Raises:
        InvalidName: A name below cannot be stored, or a link leads out of the folder.
        StorageError: Something cannot be read, or is neither file, folder nor link.
    """
    check_entry_name(name)
    with storage_errors(f"reading {path}"):
        info = path.lstat() if inside else path.stat()
        if stat.S_ISLNK(info.st_mode):
            return _add_link(transaction, path, name, inside)
        if stat.S_ISDIR(info.st_mode):
            here = f"{inside}/{name}" if inside else "."
            _check_depth(PurePosixPath(here))
            tree = add_folder(transaction, path, progress=progress, inside=here)
            return Entry(name, FOLDER, transaction.put(tree), tree.size)
        if not stat.S_ISREG(info.st_mode):
            raise StorageError(f"{path} is neither a file nor a folder; only those can be stored.")
        oid, size = _add_file(transaction, path, info)
        progress(size)
        return Entry(name, EXECUTABLE if info.st_mode & stat.S_IXUSR else FILE, oid, size)


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
        StorageError: As `add_path`.
    """
    direct, below = _split_extra(extra or {})
    with storage_errors(f"reading {folder}"):
        members = {name: (folder / name, inside) for name in (os.listdir(folder) if folder.is_dir() else ())}
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


def _add_file(transaction: Transaction, path: Path, info: os.stat_result) -> tuple[Oid, int]:
    known = transaction.stat_cache.find(path, info)
    if known is not None and transaction.has(known):
        return known, info.st_size
    with open(path, "rb") as file:
        if info.st_size >= chunking.MAX_CHUNK:
            oid, size = transaction.put_stream(file)
        else:
            data = file.read()
            oid, size = transaction.put_blob(data), len(data)
    transaction.stat_cache.remember(path, info, oid)
    return oid, size


def _add_link(transaction: Transaction, path: Path, name: str, inside: str) -> Entry:
    target = os.readlink(path)
    _check_link(target, PurePosixPath(inside) / name)
    data = os.fsencode(target)
    return Entry(name, SYMLINK, transaction.put_blob(data), len(data))


def _check_link(target: str, link: PurePosixPath) -> None:
    """Refuses a link that leads out of the tree whose top is `.`.

    Only leading `..` are allowed: after a name, `..` goes up from wherever that name leads, which may be a link too.
    """
    parts = PurePosixPath(target).parts
    up = len(list(itertools.takewhile(lambda part: part == "..", parts)))
    out = target.startswith("/") or up > len(link.parts) - 1 or ".." in parts[up:]
    if out or not target or "\0" in target:
        raise InvalidName(f"The link {link} leads out of its folder, to {target!r}; replace it by what it names.")


def _check_depth(at: PurePosixPath) -> None:
    if len(at.parts) > MAX_DEPTH:
        raise InvalidName(f"Folders more than {MAX_DEPTH} deep cannot be stored; pack them into one file.")


def file_id(path: Path) -> Oid:
    """The blob id that a file's content has, as `b3sum` prints it."""
    check = hasher()
    with storage_errors(f"reading {path}"), open(path, "rb") as file:
        while data := file.read(1 << 20):
            check.update(data)
    return Oid(check.hexdigest())


def write_tree(store: ObjectStore, tree: Oid, folder: Path, progress: Progress = no_progress) -> None:
    """Writes a tree's files into an empty folder.

    Raises:
        UnknownName: Something the tree names is not here.
        DamagedError: Something is not what its id promises.
        InvalidName: A link leads out of the folder, or folders are nested too deeply.
    """
    with storage_errors(f"writing {folder}"):
        _write_entries(store, tree, folder, PurePosixPath(), progress)


def _write_entries(store: ObjectStore, tree: Oid, folder: Path, at: PurePosixPath, progress: Progress) -> None:
    entries = store.record(tree, Tree).entries
    # Links last: nothing is ever written through one.
    for entry in sorted(entries, key=lambda entry: entry.mode == SYMLINK):
        write_entry(store, entry, folder / entry.name, at / entry.name, progress)


def write_entry(
    store: ObjectStore, entry: Entry, target: Path, at: PurePosixPath, progress: Progress = no_progress
) -> None:
    """Writes one entry to `target`, which must not exist; `at` is its place in the tree."""
    if entry.mode == FOLDER:
        _check_depth(at)
        target.mkdir()
        _write_entries(store, entry.id, target, at, progress)
    elif entry.mode == SYMLINK:
        link = store.read(entry.id, "blob").decode("utf-8", "surrogateescape")
        _check_link(link, at)
        os.symlink(link, target)
    else:
        mode = 0o777 if entry.mode == EXECUTABLE else 0o666
        # O_EXCL: two names that are one on this file system must not silently become one file.
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with open(fd, "wb") as file:
            for piece in store.iter_read(entry.id):
                file.write(piece)
                progress(len(piece))


def checkout(store: ObjectStore, entry: Entry, target: Path, progress: Progress = no_progress) -> bool:
    """Puts a stored file or folder at `target`, at once.

    What is there already is replaced only if every byte of it is stored here, so that it can be had again.

    Returns:
        False when `target` held exactly this already.

    Raises:
        WouldOverwrite: `target` holds something that is not stored.
    """
    if target.is_symlink() or target.exists():
        if matches(store, entry, target):
            return False
        _check_stored(store, target, target)
    with storage_errors(f"writing {target}"):
        target.parent.mkdir(parents=True, exist_ok=True)
        # Not the target's name with something added: that may be longer than a name can be.
        fresh = target.parent / f".{secrets.token_hex(8)}.art-tmp"
        try:
            # A link in a folder may not leave that folder; a link on its own may lead nowhere else.
            at = PurePosixPath() if entry.mode == FOLDER else PurePosixPath(entry.name)
            write_entry(store, entry, fresh, at, progress)
            _replace(store, fresh, target)
        finally:
            _remove(fresh)
    return True


def matches(store: ObjectStore, entry: Entry, path: Path) -> bool:
    """Whether the path holds exactly what the entry stands for (modes aside)."""
    if entry.mode == SYMLINK or path.is_symlink():
        return (
            entry.mode == SYMLINK
            and path.is_symlink()
            and store.read(entry.id, "blob") == os.fsencode(os.readlink(path))
        )
    if entry.mode != FOLDER:
        return path.is_file() and path.stat().st_size == entry.size and file_id(path) == entry.id
    if not path.is_dir():
        return False
    entries = {child.name: child for child in store.record(entry.id, Tree).entries}
    return set(os.listdir(path)) == set(entries) and all(
        matches(store, child, path / name) for name, child in entries.items()
    )


def _check_stored(store: ObjectStore, path: Path, shown: Path) -> None:
    if (lost := _not_stored(store, path)) is not None:
        name = shown / lost.relative_to(path)
        raise WouldOverwrite(f"{name} holds changes that are not stored; move it away or `art add` it first.")


def _not_stored(store: ObjectStore, path: Path) -> Path | None:
    """A path at or below `path` whose content the store does not have, if there is one."""
    if path.is_symlink():
        return None if store.complete(blob_id(os.fsencode(os.readlink(path)))) else path
    if path.is_dir():
        return next((lost for child in sorted(path.iterdir()) if (lost := _not_stored(store, child))), None)
    return None if path.is_file() and store.complete(file_id(path)) else path


def _replace(store: ObjectStore, fresh: Path, target: Path) -> None:
    """Puts `fresh` in the place of `target`, unless somebody has changed that while `fresh` was written."""
    folder = target.is_dir() and not target.is_symlink()
    if not folder and not fresh.is_dir():
        if target.is_symlink() or target.exists():
            _check_stored(store, target, target)
        os.replace(fresh, target)
        return
    old = fresh.with_suffix(".art-old")
    if target.is_symlink() or target.exists():
        os.rename(target, old)
    try:
        if old.is_symlink() or old.exists():
            _check_stored(store, old, target)
        os.rename(fresh, target)
    except BaseException:
        if old.is_symlink() or old.exists():
            os.rename(old, target)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
