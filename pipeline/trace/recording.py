"""What one execution is seen to use, noted while it runs; and whose doing it is that something is used.

A recording belongs to the thread that opened it, to the threads that were started from there, to those of a pool while
they work on a task from there, and to forked children, which write what they see to a file.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.thread import _WorkItem
from contextvars import ContextVar
from datetime import datetime, timedelta
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from artvcs.vcs import Repository, canonical

from ..escaping import storable
from .environment import Environment
from .files import Files
from .opened import Opened, listener
from .places import Places


class Recording:
    """Notes what one execution uses.

    Attributes:
        files: The files it asks for.
        environment: The variables it asks for.
        entered: The user's code that it entered.
        modules: Files of the user's code that were run as modules, or as programs.
        answers: Questions to the Client → hash of the answer.
        context: What it asked of its own run.
        unverified: What cannot be compared, in words.
        refused: Why the result cannot be used again, in words.
        classes: Modules and names of classes that were looked up for values that were loaded or stored.
        packages: Top-level modules of packages that were imported, or whose files were asked for.
        places: Which paths count.
    """

    def __init__(self, repository: Repository) -> None:
        places = Places(str(repository.project), str(repository.layout.folder))
        self.files = Files(places, repository.file_ids)
        self.environment = Environment()
        self.entered: set[CodeType] = set()
        self.modules: set[str] = set()
        self.answers: dict[str, str] = {}
        self.context: dict[str, str] = {}
        self.unverified: set[str] = set()
        self.refused: set[str] = set()
        self.classes: set[tuple[str, str]] = set()
        self.packages: set[str] = set()
        self.places = places
        self._project = str(repository.project)
        self._listener: Opened | None = None
        self._process = os.getpid()
        self._spool: Path | None = None

    def listen(self) -> None:
        """From now on, also takes what is opened by code that Python does not see."""
        if self._listener is None and (found := listener(self._project)) is not None:
            found.take()
            self._listener = found

    def hear(self) -> None:
        """Takes what has been opened since it began to listen."""
        if self._listener is None or not self._listener.is_of_this_process:
            return
        seen = self._listener.take()
        for path in sorted(seen.read):
            if not path.endswith((".py", ".pyc")):
                self.files.read(self.places.given(path), direct=False)
        searched = {os.path.abspath(folder or ".") for folder in sys.path}  # by the import system, for modules
        for path in sorted(seen.listed - searched - {self._project}):
            self.files.listed(self.places.given(path), direct=False)
        if not seen.whole:
            self.unverified.add("which files of the project other programs open: there are too many folders to watch")

    def prepare_fork(self) -> None:
        """Makes sure that a child has a file to write to."""
        if self._spool is None:
            handle, name = tempfile.mkstemp(prefix="artvcs-trace-")
            os.close(handle)
            self._spool = Path(name)

    def spool(self) -> None:
        """In a child: writes what it has seen so far, for the parent to read; it may end at any time."""
        if self._spool is None or os.getpid() == self._process:
            return
        asked, _ = self.files.finish()
        seen = {
            "files": asked, "written": sorted(self.files.written), "env": dict(self.environment.asked),
            "modules": sorted(self.modules), "unverified": sorted(self.unverified),
        }  # fmt: skip
        line = json.dumps(seen) + "\n"
        handle = os.open(self._spool, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(handle, line.encode("utf-8", "surrogateescape"))
        finally:
            os.close(handle)

    def gather(self) -> None:
        """Adds what forked children have seen."""
        if self._spool is None:
            return
        for line in self._spool.read_bytes().splitlines():
            with contextlib.suppress(ValueError):
                seen = json.loads(line.decode("utf-8", "surrogateescape"))
                self.files.merge(seen["files"], seen["written"])
                self.environment.merge(seen["env"])
                self.modules.update(seen["modules"])
                self.unverified.update(seen["unverified"])
        with contextlib.suppress(OSError):
            self._spool.unlink()


C_READERS = frozenset({"cv2", "duckdb", "fastparquet", "h5py", "netCDF4", "polars", "pyarrow", "safetensors", "tables"})
"""Packages that read files without Python's seeing it."""

_open: list[Recording] = []
_current: ContextVar[Recording | None] = ContextVar("artvcs_trace", default=None)
_of_owner: weakref.WeakKeyDictionary[Any, Recording] = weakref.WeakKeyDictionary()
_RUN_TASK = _WorkItem.run.__code__
_mutex = threading.Lock()


def note(question: str, arguments: Mapping[str, Any], answer: Callable[[], str]) -> None:
    """Notes a question that the running step asks the Client, if one runs, and the answer.

    Args:
        question: Its kind, which `history.questions` knows.
        arguments: What it was asked with.
        answer: Makes a hash of the answer.
    """
    for each in targets():
        plain = {name: _plain(value) for name, value in arguments.items() if value is not None}
        each.answers.setdefault(canonical.dumps({question: plain}).decode(), answer())


def targets() -> list[Recording]:
    """The recordings that must take what the calling code does."""
    if not _open:
        return _open
    mine = _current.get() or _of_task()
    if mine is None:
        thread = threading._active.get(threading.get_ident())  # type: ignore[attr-defined]
        mine = _of_owner.get(thread) if thread is not None else None
    return [mine] if mine in _open else []


def owned(owner: Any) -> None:
    """A thread is about to start, or a task for one is made: what it does is the doing of who starts or makes it."""
    found = targets()
    if len(found) == 1:
        _of_owner[owner] = found[0]


def _of_task() -> Recording | None:
    """Whose task a thread of a pool works on."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        task = frame.f_locals.get("self") if frame.f_code is _RUN_TASK else None
        if task is not None:
            return _of_owner.get(task)
        frame = frame.f_back
    return None


def opened(recording: Recording) -> int:
    """Opens a recording; returns how many are open now."""
    with _mutex:
        _open.append(recording)
        return len(_open)


def closed(recording: Recording) -> int:
    """Closes a recording; returns how many are open now."""
    with _mutex:
        _open.remove(recording)
        return len(_open)


@contextlib.contextmanager
def belongs_to(recording: Recording) -> Iterator[None]:
    """What this thread does in the block is the doing of a recording."""
    token = _current.set(recording)
    try:
        yield
    finally:
        _current.reset(token)


def is_any_open() -> bool:
    """Whether anything is recorded now."""
    return bool(_open)


def every() -> list[Recording]:
    """All open recordings."""
    return list(_open)


def _plain(value: Any) -> Any:
    """An argument as JSON data that means the same."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{int(value.total_seconds())}s"
    if isinstance(value, Mapping):
        return {storable(str(key)): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return value if isinstance(value, bool | int) else storable(str(value))
