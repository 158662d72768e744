"""What is opened below the project by code that Python does not see: readers in C or Rust, and other programs.

Linux tells it for each folder that is watched (inotify, see inotify(7)); elsewhere nobody does. It does not tell who
opened something, so this is listened to only while a step runs that may read so, and what Python sees comes first.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
import sys
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from .places import is_ignored

CAN_LISTEN = sys.platform.startswith("linux")

_ACCESS, _MODIFY, _OPEN, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x1, 0x2, 0x20, 0x40, 0x80, 0x100, 0x200
_OVERFLOW, _IS_FOLDER = 0x4000, 0x40000000
_COMES = _CREATE | _MOVED_TO
_CHANGES = _MODIFY | _COMES | _DELETE | _MOVED_FROM
_MASK = _OPEN | _CHANGES
_HEADER = struct.Struct("iIII")
_MOST_FOLDERS = 5000
_TRIES, _PAUSE = 10, 0.02
_SKIPPED = frozenset({"node_modules", "site-packages", ".venv", "venv", ".tox", ".mypy_cache", ".pytest_cache"})


@dataclass
class Seen:
    """What was opened while somebody listened.

    Attributes:
        read: Files that were opened and not written.
        used: Files of which something was read before they were written, as far as this was listened to.
        written: Files that were made, changed or removed.
        listed: Folders that were opened.
        moved: Folders that were moved within the project → where to.
        whole: Whether all folders were listened to; there may be too many.
        failure: Why something may be missing, if so, in words.
    """

    read: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    moved: dict[str, str] = field(default_factory=dict)
    whole: bool = True
    failure: str = ""


class Opened:
    """Listens to what is opened below a folder.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: str) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._failure = ""
        self._handle = self._begin()
        self._process = os.getpid()
        self._folders: dict[int, str] = {}
        self._whole = True
        self._mask = _MASK
        self._subscribed: list[Seen] = []
        self._mutex = threading.Lock()
        self._watch(folder)

    def _begin(self) -> int:
        """Linux's handle to listen by; none where it gives none, also not in a moment."""
        for _ in range(_TRIES):
            handle = int(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
            if handle >= 0:
                return handle
            time.sleep(_PAUSE)  # those of processes that have ended are given back a little later
        self._failure = os.strerror(ctypes.get_errno())
        return -1

    @property
    def is_of_this_process(self) -> bool:
        """Whether it can be used here, and not in the process that this one was forked from."""
        return self._process == os.getpid()

    @property
    def is_used(self) -> bool:
        """Whether anybody listens."""
        return bool(self._subscribed)

    def close(self) -> None:
        """Gives back what Linux listens with."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def subscribe(self) -> Seen:
        """Begins to listen; what is opened from now on is put into what is returned."""
        with self._mutex:
            self._take()
            self._subscribed.append(seen := Seen())
            return seen

    def leave(self, seen: Seen) -> Seen:
        """Ceases to listen; returns what was opened meanwhile."""
        with self._mutex:
            self._take()
            self._subscribed = [each for each in self._subscribed if each is not seen]
            if not self._subscribed and self._mask != _MASK:
                self._attend(_MASK)
            return seen

    def settle(self) -> None:
        """Tells all who listen what was opened until now."""
        with self._mutex:
            self._take()

    def listen_closely(self, seen: Seen, used: Collection[str]) -> None:
        """From now on, until nobody listens, also hears of which files something is read: there may be many a read.

        Args:
            seen: For whom.
            used: Of which files something was read before we have read them ourselves.
        """
        with self._mutex:
            self._take()
            seen.used.intersection_update(used)
            if self._mask == _MASK:
                self._attend(_MASK | _ACCESS)

    def _attend(self, mask: int) -> None:
        self._mask = mask
        for folder in self._folders.values():
            self._libc.inotify_add_watch(self._handle, os.fsencode(folder), mask)

    def _take(self) -> None:
        """Tells all who listen what was opened since the last time."""
        news = self._news()
        for each in self._subscribed:
            each.used |= news.used - each.written
            each.read |= news.read
            each.written |= news.written
            each.listed |= news.listed
            each.moved |= news.moved
            each.whole &= news.whole
            each.failure = each.failure or news.failure

    def _news(self) -> Seen:
        seen, leaving = Seen(whole=self._whole, failure=self._failure), dict[int, str]()
        for folder, name, mask, move in self._events():
            if mask & _OVERFLOW:
                seen.failure = "more was opened than Linux can tell"
            path = os.path.join(folder, name) if name else folder
            if mask & _IS_FOLDER:
                if mask & _MOVED_FROM:
                    leaving[move] = path
                elif mask & _MOVED_TO and move in leaving:
                    seen.moved[leaving[move]] = path
                seen.listed.update([path] if mask & _OPEN and os.path.isdir(path) else [])
                if mask & _COMES:
                    self._watch(path)
                    seen.written.update(_files_below(path))  # what was made there before it was listened to
            elif mask & _CHANGES:
                seen.used.update([path] if mask & _MOVED_FROM and path not in seen.written else [])
                seen.written.add(path)
            elif name:
                seen.read.add(path)
                seen.used.update([path] if mask & _ACCESS and path not in seen.written else [])
        seen.read -= seen.written - seen.used
        return seen

    def _events(self) -> Iterator[tuple[str, str, int, int]]:
        """Folder, name in it, what happened, and a number that both ends of a move have in common."""
        while self._handle >= 0:
            try:
                data = os.read(self._handle, 1 << 16)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                watch, mask, move, length = _HEADER.unpack_from(data, at)
                name = data[at + _HEADER.size : at + _HEADER.size + length].rstrip(b"\0")
                at += _HEADER.size + length
                yield self._folders.get(watch, ""), os.fsdecode(name), mask, move

    def _watch(self, folder: str) -> None:
        todo = [folder]
        while todo and self._handle >= 0:
            here = todo.pop()
            if len(self._folders) >= _MOST_FOLDERS:
                self._whole = False
                return
            watch = self._libc.inotify_add_watch(self._handle, os.fsencode(here), self._mask)
            if watch < 0:
                error = ctypes.get_errno()
                if error not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):  # gone meanwhile, or nobody's to read
                    self._failure = os.strerror(error)
                continue
            self._folders[watch] = here
            with contextlib.suppress(OSError), os.scandir(here) as entries:
                todo += [
                    each.path for each in entries if each.is_dir(follow_symlinks=False) and not _is_left_out(each.name)
                ]


def _files_below(folder: str) -> Iterator[str]:
    for path, _, files in os.walk(folder):
        yield from (os.path.join(path, each) for each in files)


def _is_left_out(name: str) -> bool:
    return is_ignored(name) or name in _SKIPPED


_listeners: dict[str, Opened] = {}
_MOST_LISTENERS = 4
"""Linux gives few of them to each user, and takes milliseconds to take one back."""


def listener(folder: str) -> Opened | None:
    """The listener to a folder, made when it is first asked for; None where nobody tells."""
    if not CAN_LISTEN:
        return None
    found = _listeners.get(folder)
    if found is None or not found.is_of_this_process:
        idle = [each for each, opened in _listeners.items() if not opened.is_used]
        for other in idle[: max(0, len(_listeners) + 1 - _MOST_LISTENERS)]:
            _listeners.pop(other).close()
        found = _listeners[folder] = Opened(folder)
    return found
