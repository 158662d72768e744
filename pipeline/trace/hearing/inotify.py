"""Linux's inotify(7): tells what is opened in a folder, and not by whom."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import time
from collections.abc import Iterator
from typing import NamedTuple, Protocol

ACCESS, MODIFY, OPEN, MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x1, 0x2, 0x20, 0x40, 0x80, 0x100, 0x200
OVERFLOW, IS_FOLDER = 0x4000, 0x40000000
"""What happened; fanotify(7) has the same numbers."""

_HEADER = struct.Struct("iIII")
_LONGEST = 1 << 16
_TRIES, _PAUSE = 10, 0.02


class Heard(NamedTuple):
    """Something that happened in a folder.

    Attributes:
        folder: The folder; empty where that is not known.
        name: What in it, empty for the folder itself.
        what: What happened, several of the above.
        move: A number that both ends of a move have in common.
        process: Who did it; 0 where nobody says.
    """

    folder: str
    name: str
    what: int
    move: int = 0
    process: int = 0


class Source(Protocol):
    """Tells what happens in folders.

    Attributes:
        failure: Why it cannot, in words, if so.
    """

    failure: str

    def watch(self, folder: str, mask: int) -> int:
        """Tells from now on what happens in a folder; returns why not, as `errno` has it, or 0."""

    def heard(self) -> Iterator[Heard]:
        """What has happened since the last time."""

    def close(self) -> None:
        """Gives back what Linux listens with."""


class Inotify:
    """See inotify(7)."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._folders: dict[int, str] = {}
        self.failure = ""
        self._handle = self._begin()

    def _begin(self) -> int:
        """Linux's handle to listen by; none where it gives none, also not in a moment."""
        for _ in range(_TRIES):
            handle = int(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
            if handle >= 0:
                return handle
            time.sleep(_PAUSE)  # those of processes that have ended are given back a little later
        self.failure = os.strerror(ctypes.get_errno())
        return -1

    def watch(self, folder: str, mask: int) -> int:
        """See `Source.watch`."""
        if self._handle < 0:
            return errno.EBADF
        watch = self._libc.inotify_add_watch(self._handle, os.fsencode(folder), mask)
        if watch < 0:
            return ctypes.get_errno()
        self._folders[watch] = folder
        return 0

    def heard(self) -> Iterator[Heard]:
        """See `Source.heard`."""
        for data in read_all(self._handle):
            at = 0
            while at < len(data):
                watch, mask, move, length = _HEADER.unpack_from(data, at)
                name = data[at + _HEADER.size : at + _HEADER.size + length].rstrip(b"\0")
                at += _HEADER.size + length
                yield Heard(self._folders.get(watch, ""), os.fsdecode(name), mask, move)

    def close(self) -> None:
        """See `Source.close`."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


def read_all(handle: int) -> Iterator[bytes]:
    """What can be read of a handle without waiting; nothing of none."""
    while handle >= 0:
        try:
            yield os.read(handle, _LONGEST)
        except BlockingIOError:
            return
