"""A file or folder on disk → blobs and trees."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from ..catalog.stat_cache import Leaf, StatCache
from ..errors import ArtError, ChangedWhileRead, StorageError, storage_errors
from ..maps.trees import FolderWriter
from ..objects.names import check_entry_name
from ..objects.nodes import Entry, Tree
from .files.rest import Rest
from .folders.contents import Contents, OpenFolder
from .folders.leaves import Leaves
from .folders.listing import NO_STATE, Listing, state_of
from .folders.looking import OPEN, Seen, listed, looking_into, nothing_seen
from .trees import Progress, Sink, check_depth, no_progress

_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""What opening a path says when something else took its place, or nothing."""


def add_path(
    transaction: Sink,
    path: Path,
    name: str,
    progress: Progress = no_progress,
    *,
    known: StatCache | None = None,
) -> Entry:
    """Stores a file, link or folder; returns the tree entry for it under `name`.

    Args:
        transaction: Where it is put.
        path: What; a link on the way to it, or it itself, is followed.
        name: How the entry is called.
        progress: Told the bytes of files.
        known: What is known of files that were read before.

    Raises:
        InvalidName: A name below cannot be stored, or a link leads out of the folder.
        ChangedWhileRead: A file changed or went away while it was read.
        StorageError: Something cannot be read, or is neither file, folder nor link.
    """
    return _Adding(transaction, progress, known).path(path, check_entry_name(name))


def add_folder(
    transaction: Sink,
    folder: Path,
    extra: Mapping[str, Path] | None = None,
    progress: Progress = no_progress,
    *,
    known: StatCache | None = None,
) -> Entry:
    """Stores what a folder holds that was made for this once, and what is to stand there with it.

    Args:
        transaction: Where it is put.
        folder: The folder; one that does not exist holds nothing.
        extra: Path in the tree (parts separated by `/`) → an existing file or folder that stands there too.
        progress: Told the bytes of files.
        known: What is known of files of `extra` that were read before.

    Raises:
        InvalidName: As `add_path`.
        ChangedWhileRead: As `add_path`.
        StorageError: As `add_path`.
    """
    return _Adding(transaction, progress, known).merged(folder, folder.name, extra or {}, ".")


class _Adding:
    """One addition of files and folders."""

    def __init__(self, transaction: Sink, progress: Progress, known: StatCache | None) -> None:
        self._transaction = transaction
        self._rest = Rest()
        self._contents = Contents(transaction, self._rest, progress)
        self._known = known
        if known is not None:
            transaction.when_published(known.settle)

    def path(self, path: Path, name: str) -> Entry:
        """What lies at a path of the user's."""
        with _reading(path, listed=False):
            info = path.stat()
            if stat.S_ISDIR(info.st_mode):
                return self._folder(path, name, ".", self._known)
            if not stat.S_ISREG(info.st_mode):
                raise _refusal(path)
            known = self._known if self._rest.trusts(info.st_dev) else None
            return self._contents.file(path, name)[0] if known is None else self._file(path, name, info, known)

    def merged(self, folder: Path, name: str, extra: Mapping[str, Path], inside: str) -> Entry:
        """A folder that was made for this, and what of the user's stands in it."""
        direct, below = _split_extra(extra)
        with _reading(folder, listed=False):
            there = folder.is_dir()
            if there and not extra:
                return self._folder(folder, name, inside, None)
            names = set(os.listdir(folder)) if there else set()
        writer = FolderWriter(self._transaction.store, self._transaction.put)
        for each in sorted(names | direct.keys() | below.keys()):
            check_entry_name(each)
            if each in below:
                writer.add(self.merged(folder / each, each, below[each], f"{inside}/{each}"))
            elif each in direct:
                writer.add(self.path(direct[each], each))
            else:
                writer.add(self._member(folder / each, each, inside))
        return writer.finish(name)

    def _member(self, path: Path, name: str, inside: str) -> Entry:
        with _reading(path, listed=True):
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                return self._folder(path, name, f"{inside}/{name}", None)
            if stat.S_ISLNK(mode):
                return self._contents.link(path, name, inside)
            return self._contents.file(path, name, follow=False)[0]

    def _file(self, path: Path, name: str, info: os.stat_result, known: StatCache) -> Entry:
        """A file by itself, which is known as a folder of one name would be."""
        rows = known.leaves(path, self._transaction.seen)
        for row in rows:
            if (row.names, row.states) == (name, state_of(info)):
                with suppress(ArtError):
                    [entry] = self._transaction.store.record(row.leaf, Tree).entries
                    if row.kept or self._transaction.has(entry[2]):
                        self._contents.progress(info.st_size)
                        return Entry._make(entry)
        entry, state = self._contents.file(path, name)
        leaf = Leaf(name, name, state, self._transaction.put(Tree(0, (entry,))), entry.size, entry.files)
        known.replace(path, rows, leaf if state != NO_STATE else None)
        return entry

    def _folder(self, path: Path, name: str, inside: str, known: StatCache | None, seen: Seen = nothing_seen) -> Entry:
        check_depth(len(PurePosixPath(inside).parts))
        with _open(path, follow=inside == ".") as fd, _reading(path, listed=True):
            info = os.fstat(fd)
            folder = OpenFolder(path, fd, info.st_dev, inside)
            trusted = known if self._rest.trusts(folder.device) else None
            rows = [] if trusted is None else trusted.leaves(path, self._transaction.seen)
            listing = seen(info)
            if listing is None:
                listing = listed(fd, "/".join(row.names for row in rows))
            if listing.others:
                raise _refusal(path / listing.names[listing.others[0]])
            folders = self._folders(folder, listing, known)
            for at in listing.links:
                self._contents.check_link(folder, listing.names[at])
            leaves = Leaves(self._transaction, self._contents, folder, listing, folders)
            writer = FolderWriter(self._transaction.store, self._transaction.put)
            leaves.add_to(writer, rows)
            if trusted is not None:
                for outdated, leaf in leaves.news:
                    trusted.replace(path, outdated, leaf)
        return writer.finish(name)

    def _folders(self, folder: OpenFolder, listing: Listing, known: StatCache | None) -> dict[int, Entry]:
        """Stores the folders in a folder, by their positions."""
        found = {}
        names = [check_entry_name(listing.names[at]) for at in listing.folders]
        paths = [folder.path / name for name in names]
        if known is not None:
            known.expect(paths)
        with looking_into(folder.fd, names) as seen:
            for at, name, path in zip(listing.folders, names, paths, strict=True):
                found[at] = self._folder(path, name, f"{folder.inside}/{name}", known, seen(name))
                listing.set_folder(at, found[at].id)
        return found


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


def _refusal(path: Path) -> StorageError:
    return StorageError(f"{path} is neither a file nor a folder; only those can be stored.")


@contextmanager
def _open(folder: Path, *, follow: bool) -> Iterator[int]:
    with _reading(folder, listed=not follow):
        fd = os.open(folder, OPEN if follow else OPEN | os.O_NOFOLLOW)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def _reading(path: Path, *, listed: bool) -> Iterator[None]:
    """Says what went wrong; `listed` if the path was there a moment ago."""
    try:
        yield
    except OSError as error:
        if isinstance(error.filename, (str, bytes)):
            path = path / os.fsdecode(error.filename)  # what is in an open folder is called by its name alone
        if listed and error.errno in _GONE:
            message = f"{path} went away while it was read; try again when nothing writes there any more."
            raise ChangedWhileRead(message) from error
        with storage_errors(f"reading {path}"):
            raise
