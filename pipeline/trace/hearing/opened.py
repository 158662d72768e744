"""What is opened below a folder while somebody listens. Linux tells it; elsewhere nobody does.

It is not told who opened something, so this is listened to only while a step runs that may read so, and what Python
sees comes first. Where other steps are executed beside, in processes of their own, it has to be told.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from ..places import is_ignored
from .inotify import ACCESS, CREATE, DELETE, IS_FOLDER, MODIFY, MOVED_FROM, MOVED_TO, OPEN, OVERFLOW, Inotify, Source
from .kin import Kin, Others

CAN_LISTEN = sys.platform.startswith("linux")

_COMES = CREATE | MOVED_TO
_CHANGES = MODIFY | _COMES | DELETE | MOVED_FROM
_MASK = OPEN | _CHANGES
_MOST_FOLDERS = 5000
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
        self._kin = None if _others is None else Kin(_others)
        self._source = _source(folder, apart=self._kin is not None)
        self._failure = ""
        self._process = os.getpid()
        self._folders: set[str] = set()
        self._whole = True
        self._mask = _MASK
        self._subscribed: list[Seen] = []
        self._mutex = threading.Lock()
        self._watch(folder)

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
        self._source.close()

    def subscribe(self) -> Seen:
        """Begins to listen; what is opened from now on is put into what is returned."""
        with self._mutex:
            self._take()
            if self._kin is not None and not self._subscribed:
                self._kin.begin_anew()
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
                self._attend(_MASK | ACCESS)

    def _attend(self, mask: int) -> None:
        self._mask = mask
        for folder in self._folders:
            self._source.watch(folder, mask)

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
        seen, leaving = Seen(whole=self._whole, failure=self._failure or self._source.failure), dict[int, str]()
        for folder, name, mask, move, process in self._source.heard():
            if mask & OVERFLOW:
                seen.failure = "more was opened than Linux can tell"
            path = os.path.join(folder, name) if name else folder
            if mask & IS_FOLDER and mask & _COMES:
                self._watch(path)
            if self._kin is not None and not self._kin.has(process):
                continue
            if mask & IS_FOLDER:
                if mask & MOVED_FROM:
                    leaving[move] = path
                elif mask & MOVED_TO and move in leaving:
                    seen.moved[leaving[move]] = path
                seen.listed.update([path] if mask & OPEN and os.path.isdir(path) else [])
                if mask & _COMES:
                    seen.written.update(_files_below(path))  # what was made there before it was listened to
            elif mask & _CHANGES:
                seen.used.update([path] if mask & MOVED_FROM and path not in seen.written else [])
                seen.written.add(path)
            elif name:
                seen.read.add(path)
                seen.used.update([path] if mask & ACCESS and path not in seen.written else [])
        seen.read -= seen.written - seen.used
        return seen

    def _watch(self, folder: str) -> None:
        todo = [folder]
        while todo:
            here = todo.pop()
            if here not in self._folders and len(self._folders) >= _MOST_FOLDERS:
                self._whole = False
                return
            problem = self._source.watch(here, self._mask)
            if problem:
                if problem not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):  # gone meanwhile, or nobody's to read
                    self._failure = os.strerror(problem)
                continue
            self._folders.add(here)
            with contextlib.suppress(OSError), os.scandir(here) as entries:
                todo += [
                    each.path for each in entries if each.is_dir(follow_symlinks=False) and not _is_left_out(each.name)
                ]


def _files_below(folder: str) -> Iterator[str]:
    for path, _, files in os.walk(folder):
        yield from (os.path.join(path, each) for each in files)


def _is_left_out(name: str) -> bool:
    return is_ignored(name) or name in _SKIPPED


_others: Others | None = None


def apart_from(others: Others) -> None:
    """From now on what others do does not count, who execute steps beside, as far as Linux tells who does something."""
    global _others
    _others = others


def _source(folder: str, *, apart: bool) -> Source:
    """What tells what happens below a folder: by whom, if that is asked for and told here."""
    if apart:
        from .fanotify import Fanotify  # few need it

        with contextlib.suppress(OSError):
            found = Fanotify()
            if not found.watch(folder, _MASK):
                return found
            found.close()
    return Inotify()


_listeners: dict[str, Opened] = {}
_making = threading.RLock()
_MOST_LISTENERS = 4
"""Linux gives few of them to each user, and takes milliseconds to take one back."""


def listener(folder: str) -> Opened | None:
    """The listener to a folder, made when it is first asked for; None where nobody tells."""
    if not CAN_LISTEN:
        return None
    with _making:
        found = _listeners.get(folder)
        if found is None or not found.is_of_this_process:
            idle = [each for each, opened in _listeners.items() if not opened.is_used]
            for other in idle[: max(0, len(_listeners) + 1 - _MOST_LISTENERS)]:
                _listeners.pop(other).close()
            found = _listeners[folder] = Opened(folder)
        return found
