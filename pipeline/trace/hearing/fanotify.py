"""Linux's fanotify(7): tells what is opened in a folder, and by whom.

Without privileges it tells whether it was this process (Linux 5.13); to root, which process it was. Containers may
forbid it, and some file systems do not know it.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator

from .inotify import ACCESS, CREATE, DELETE, IS_FOLDER, MODIFY, MOVED_FROM, MOVED_TO, OPEN, OVERFLOW, Heard, read_all

_NONBLOCK_CLOEXEC, _REPORT_FOLDER_AND_NAME = 0x3, 0xC00
_ADD_FOLDER = 0x1 | 0x8
_ON_CHILD, _RENAME = 0x08000000, 0x10000000
_NAMED, _OLD_NAME, _NEW_NAME = 2, 10, 12
_HERE = -100  # AT_FDCWD
_EVENT, _INFO, _HANDLE = struct.Struct("=IBBHQii"), struct.Struct("=BBH"), struct.Struct("=Ii")
_FSID = 8
_LONGEST_HANDLE = 128
_ORDER = (CREATE, MOVED_TO, OPEN, ACCESS, MODIFY, MOVED_FROM, DELETE)
"""In which order it is said what is told at once. What is read of a file and written to it counts as read first."""


class Fanotify:
    """See fanotify(7).

    Raises:
        OSError: It cannot be had here.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._folders: dict[bytes, str] = {}
        self._moves = 0
        self.failure = ""
        self._handle = int(self._libc.fanotify_init(_NONBLOCK_CLOEXEC | _REPORT_FOLDER_AND_NAME, os.O_RDONLY))
        if self._handle < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def watch(self, folder: str, mask: int) -> int:
        """See `Source.watch`."""
        path = os.fsencode(folder)
        mask = mask & ~(MOVED_FROM | MOVED_TO) | _RENAME | _ON_CHILD | IS_FOLDER
        if self._libc.fanotify_mark(self._handle, _ADD_FOLDER, ctypes.c_uint64(mask), _HERE, path) < 0:
            return ctypes.get_errno()
        found = ctypes.create_string_buffer(_HANDLE.pack(_LONGEST_HANDLE, 0), _HANDLE.size + _LONGEST_HANDLE)
        if self._libc.name_to_handle_at(_HERE, path, found, ctypes.byref(ctypes.c_int()), 0) < 0:
            return ctypes.get_errno()
        self._folders[_name(found.raw)] = folder
        return 0

    def heard(self) -> Iterator[Heard]:
        """See `Source.heard`."""
        for data in read_all(self._handle):
            at = 0
            while at < len(data):
                length, _, _, header, mask, _, process = _EVENT.unpack_from(data, at)
                named = dict(self._named(data[at + header : at + length]))
                at += length
                if mask & OVERFLOW:
                    yield Heard("", "", OVERFLOW)
                yield from self._said(mask, named, process)

    def _said(self, mask: int, named: dict[int, tuple[str, str]], process: int) -> Iterator[Heard]:
        kind = mask & IS_FOLDER
        if _NAMED in named:
            for what in _ORDER:
                if mask & what:
                    yield Heard(*named[_NAMED], what | kind, process=process)
        self._moves += 1
        for info, what in ((_OLD_NAME, MOVED_FROM), (_NEW_NAME, MOVED_TO)):
            if info in named:
                yield Heard(*named[info], what | kind, self._moves, process)

    def _named(self, data: bytes) -> Iterator[tuple[int, tuple[str, str]]]:
        """What an event is about: kind of information → folder and name."""
        at = 0
        while at < len(data):
            kind, _, length = _INFO.unpack_from(data, at)
            begin, end = at + _INFO.size + _FSID, at + length
            size = _HANDLE.unpack_from(data, begin)[0]
            name = data[begin + _HANDLE.size + size : end].partition(b"\0")[0]
            folder = self._folders.get(_name(data[begin:end]), "")
            yield kind, (folder, "" if name == b"." else os.fsdecode(name))
            at = end

    def close(self) -> None:
        """See `Source.close`."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


def _name(handle: bytes) -> bytes:
    """What the file system calls a folder, its kind and length included."""
    return handle[: _HANDLE.size + _HANDLE.unpack_from(handle)[0]]
