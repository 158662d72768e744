"""Whose doing it is that something is used.

A recording belongs to the thread that opened it, to the threads that were started from there, and to those of a pool
while they work on a task from there. What any other thread does is nobody's doing; that it reads a file is said.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.thread import _WorkItem
from contextvars import ContextVar
from datetime import datetime, timedelta
from types import FrameType
from typing import TYPE_CHECKING, Any

from artvcs.vcs import canonical

from ..escaping import storable

if TYPE_CHECKING:
    from .recording import Recording

_open: list[Recording] = []
_current: ContextVar[Recording | None] = ContextVar("artvcs_trace", default=None)
_of_owner: weakref.WeakKeyDictionary[Any, Recording] = weakref.WeakKeyDictionary()
_RUN_TASK = _WorkItem.run.__code__
_mutex = threading.Lock()


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
        if len(_open) > 1:
            for each in _open:
                each.beside_others = True
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
