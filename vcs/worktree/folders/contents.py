"""What one file or link holds → a blob, and whether its times will tell when that changes."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from ...objects.nodes import EXECUTABLE, FILE, SYMLINK, Entry
from ...objects.oid import Oid
from ...storage.packs import chunking
from ..files.links import check_link
from ..files.reading import mode_of, open_to_read, read_steady
from ..files.rest import Rest
from ..trees import Progress, Sink
from .listing import NO_STATE, Listing, state_of

_AT_ONCE = 8 << 20
"""Small files are stored together, up to so many bytes."""


class _Small(NamedTuple):
    """A small file that was read: its position, its content, and whether its times will tell of changes."""

    at: int
    data: bytes
    rests: bool


@dataclass(frozen=True)
class OpenFolder:
    """A folder that is being added.

    Attributes:
        path: Where it is.
        fd: The same, open.
        device: On which device.
        inside: Where it stands in what is added, `.` for the top.
    """

    path: Path
    fd: int
    device: int
    inside: str


class Contents:
    """Stores files and links, and returns with each the state that stands for its content, `NO_STATE` if none does."""

    def __init__(self, transaction: Sink, rest: Rest, progress: Progress) -> None:
        self._transaction = transaction
        self._rest = rest
        self.progress = progress

    def listed(self, folder: OpenFolder, listing: Listing, positions: Sequence[int]) -> list[tuple[Entry, bytes]]:
        """Files and links of a listed folder. Raises as `add_path`."""
        found: dict[int, tuple[Entry, bytes]] = {}
        small: list[_Small] = []
        waiting = 0
        for at in positions:
            name, mode, size = listing.names[at], listing.mode(at), listing.size(at)
            if stat.S_ISLNK(mode):
                found[at] = self.link(folder.path / name, name, folder.inside), bytes(listing.states(at, at + 1))
            elif size <= chunking.MAX_CHUNK and (read := self._read(folder, listing, at)):
                small.append(read)
                waiting += size
                if waiting > _AT_ONCE:
                    found.update(self._store(listing, small))
                    small, waiting = [], 0
            else:
                found[at] = self.file(folder.path / name, name, follow=False)
        found.update(self._store(listing, small))
        return [found[at] for at in positions]

    def _read(self, folder: OpenFolder, listing: Listing, at: int) -> _Small | None:
        """A small file; None if it is not as it was listed."""
        name, size, now = listing.names[at], listing.size(at), time.time_ns()
        try:
            fd = open_to_read(name, follow=False, folder=folder.fd)
            try:
                rests = self._rest.is_at_rest(fd, listing.times(at), folder.device, now)
                data = os.read(fd, size + 1)
                same = len(data) == size and listing.is_still(at, os.fstat(fd))
            finally:
                os.close(fd)
        except OSError as error:
            if error.errno in (errno.EISDIR, errno.EAGAIN):
                return None  # something else took its place
            error.filename = name
            raise
        return _Small(at, data, rests) if same else None

    def _store(self, listing: Listing, small: Sequence[_Small]) -> Iterator[tuple[int, tuple[Entry, bytes]]]:
        oids = self._transaction.put_blobs([file.data for file in small])
        for file, oid in zip(small, oids, strict=True):
            mode = EXECUTABLE if listing.mode(file.at) & stat.S_IXUSR else FILE
            entry = Entry(listing.names[file.at], mode, oid, len(file.data))
            yield file.at, (entry, bytes(listing.states(file.at, file.at + 1)) if file.rests else NO_STATE)
            self.progress(entry.size)

    def file(self, path: Path, name: str, *, follow: bool = True) -> tuple[Entry, bytes]:
        """A file at a path. Raises as `add_path`."""
        now = time.time_ns()

        def put(file: BinaryIO, info: os.stat_result) -> tuple[Oid, int, bool]:
            times = info.st_mtime_ns, info.st_ctime_ns
            rests = self._rest.is_at_rest(file.fileno(), times, info.st_dev, now)
            return *self._transaction.put_stream(file, self.progress), rests

        (oid, size, rests), info = read_steady(path, put, follow=follow)
        return Entry(name, mode_of(info), oid, size), state_of(info) if rests else NO_STATE

    def check_link(self, folder: OpenFolder, name: str) -> None:
        """Refuses a link that leads out of what is added. Raises InvalidName."""
        check_link(os.readlink(name, dir_fd=folder.fd), PurePosixPath(folder.inside) / name)

    def link(self, path: Path, name: str, inside: str) -> Entry:
        """A symbolic link. Raises InvalidName where it leads out of what is added."""
        target = os.readlink(path)
        check_link(target, PurePosixPath(inside) / name)
        data = os.fsencode(target)
        return Entry(name, SYMLINK, self._transaction.put_blob(data), len(data))
