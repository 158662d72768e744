"""What one execution is seen to use, noted while it runs; and whose doing it is that something is used.

A recording belongs to the thread that opened it, to the threads that were started from there, and to forked children,
which write what they see to a file. Where nobody can say whose doing something is, all open recordings take it.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from pathlib import Path
from types import CodeType
from typing import Any

from artvcs.vcs import Repository, canonical

from ..escaping import storable
from .environment import Environment
from .files import Files
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
        self._process = os.getpid()
        self._spool: Path | None = None

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


_open: list[Recording] = []
_current: ContextVar[Recording | None] = ContextVar("artvcs_trace", default=None)
_by_thread: weakref.WeakKeyDictionary[threading.Thread, Recording] = weakref.WeakKeyDictionary()
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
    mine = _current.get()
    if mine is None:
        thread = threading._active.get(threading.get_ident())  # type: ignore[attr-defined]
        mine = _by_thread.get(thread) if thread is not None else None
    if mine is None:
        return list(_open)
    return [mine] if mine in _open else []


def started(thread: threading.Thread) -> None:
    """A thread is about to start: what it does is the doing of the one that starts it."""
    found = targets()
    if len(found) == 1:
        _by_thread[thread] = found[0]


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
