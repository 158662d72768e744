"""What Python tells nobody of: functions that also note that they are called, while something is recorded.

Python's own code looks these up in their modules when it uses them, so that `os.path.exists` or a `Path` is seen, too.
"""

from __future__ import annotations

import functools
import multiprocessing.util
import os
import threading
from collections.abc import Callable
from concurrent.futures.thread import _WorkItem
from typing import Any

from ..owners import is_any_open, owned
from ..places import WORKING_DIRECTORY
from ..recording import Recording
from . import audit, dice, finding, frames, guards, importing, processes, readers
from .noticing import note, unnoticed


def _spawning(function: Callable[..., int]) -> Callable[..., int]:
    """`multiprocessing`'s way to start a fresh Python, of which Python tells nobody."""

    @functools.wraps(function)
    def watched(path: Any, arguments: Any, *args: Any) -> int:
        note(lambda recording: processes.started(recording, (path, arguments, None, None)))
        return function(path, arguments, *args)

    return watched


_KINDS = {"exists": "kind", "isfile": "kind", "isdir": "kind", "is_file": "kind", "is_dir": "kind", "getsize": "size"}
_WRITING, _READING = ("sink_", "to_", "write_"), ("read_", "scan_")
"""How the names of functions begin that write what they are given the path of, or read it."""
_OF_LINKS = frozenset({"is_symlink", "islink", "realpath", "resolve"})
"""Functions that only ask whether a path is a link, and where it leads."""
_STATES = frozenset({"getatime", "getctime", "getmtime", "group", "lstat", "owner", "samefile", "stat"})


def _probing(function: Callable[..., Any], facet: str) -> Callable[..., Any]:
    """A function of `os` that also notes that a path is asked for its state."""

    @functools.wraps(function)
    def watched(path: Any, *args: Any, **kwargs: Any) -> Any:
        # Relative to a descriptor, or of a file that is open already, it is known from when that was opened.
        if is_any_open() and not isinstance(path, int) and kwargs.get("dir_fd") is None:
            note(lambda recording: _probe(recording, path, facet, follows=kwargs.get("follow_symlinks", True)))
        return function(path, *args, **kwargs)

    return watched


def _probe(recording: Recording, path: Any, facet: str, *, follows: bool) -> None:
    asking = frames.asking_of_paths()
    if asking is None:
        return
    found = recording.places.known(path)
    if found is None:
        return
    purpose = guards.purpose()
    if purpose == guards.REMOVE:
        recording.files.empty(path)  # it is gone in either case
        return
    if purpose == guards.MAKE and not os.path.lexists(found[1]):
        return
    if facet == "target" or not follows:
        recording.files.probe(path, "target", direct=True)
        if facet == "target" or _OF_LINKS.intersection(asking):
            return
    recording.files.probe(path, _facet(asking, facet), direct=True)


def _looking_at_links(function: Callable[..., Any]) -> Callable[..., Any]:
    """`os.lstat`, which also notes that a path is asked for its own state, and not for that of where it leads."""

    @functools.wraps(function)
    def watched(path: Any, *, dir_fd: int | None = None) -> Any:
        if is_any_open() and dir_fd is None:
            note(lambda recording: _probe(recording, path, "stat", follows=False))
        return function(path, dir_fd=dir_fd)

    return watched


def _permitting(function: Callable[..., bool]) -> Callable[..., bool]:
    """`os.access`, which also notes what is asked."""

    @functools.wraps(function)
    def watched(path: Any, mode: int, **kwargs: Any) -> bool:
        if is_any_open() and not isinstance(path, int) and kwargs.get("dir_fd") is None:
            note(lambda recording: _permit(recording, path, mode))
        return function(path, mode, **kwargs)

    return watched


def _permit(recording: Recording, path: Any, mode: int) -> None:
    if frames.asks_own_code():
        recording.files.probe(path, f"access {mode}", direct=True)


def _facet(asking: list[str], facet: str) -> str:
    """What of a path is asked for: what the innermost function says that says it."""
    found = next((_KINDS[name] for name in asking if name in _KINDS), None)
    if found is None and facet == "stat" and asking and asking[-1] not in _STATES:
        return "kind"  # `Path.glob` only wants to know whether there is a folder
    return found or facet


def _locating(function: Callable[..., str]) -> Callable[..., str]:
    """`os.getcwd`, which also notes that it is asked for."""

    @functools.wraps(function)
    def watched() -> str:
        found = function()
        if is_any_open():
            note(lambda recording: _located(recording, found))
        return found

    return watched


def _located(recording: Recording, folder: str) -> None:
    if frames.asks_own_code():
        recording.context.setdefault(WORKING_DIRECTORY, recording.places.spell(folder))


def _expanding(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`os.path.expanduser`, which readers in C and Rust call with each path that they are given."""

    @functools.wraps(function)
    def watched(path: Any) -> Any:
        found = function(path)
        if is_any_open():
            note(lambda recording: _seek(recording, found))
        return found

    return watched


def _seek(recording: Recording, path: Any) -> None:
    package, functions = frames.asking_package()
    if not readers.takes_paths(package) or "://" in os.fsdecode(path):
        return
    if any(name.startswith(_WRITING) for name in functions):
        recording.files.write(path)
    elif any(name.startswith(_READING) for name in functions) and os.path.isfile(path):
        recording.files.read(path, direct=True)
    else:
        recording.files.seek(path)


def _opening(function: Callable[..., int]) -> Callable[..., int]:
    """`os.open`, which also notes what is opened from an open folder: the audit event does not say from which."""

    @functools.wraps(function)
    def watched(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is None or not is_any_open():
            return function(path, flags, mode, dir_fd=dir_fd)
        note(lambda recording: _opened_from(recording, dir_fd, path, flags))
        with unnoticed():  # the event would name the path as if it started from the working directory
            return function(path, flags, mode, dir_fd=dir_fd)

    return watched


def _opened_from(recording: Recording, folder: int, path: Any, flags: int) -> None:
    base = audit.path_of(recording, folder, f"it opened {os.fsdecode(path)} from")
    if base is not None:
        audit.on_open(recording, (os.path.join(base, os.fsdecode(path)), None, flags))


def _owning(function: Callable[..., None]) -> Callable[..., None]:
    """The constructor of a thread pool's task, or a thread's start, which also notes whose doing that is."""

    @functools.wraps(function)
    def watched(self: Any, *args: Any, **kwargs: Any) -> None:
        if is_any_open():
            owned(self)
        function(self, *args, **kwargs)

    return watched


_PATCHES: tuple[tuple[Any, str, Any], ...] = (
    (os, "stat", _probing(os.stat, "stat")),
    (os, "lstat", _looking_at_links(os.lstat)),
    (os, "access", _permitting(os.access)),
    (os, "readlink", _probing(os.readlink, "target")),
    (os.path, "expanduser", _expanding(os.path.expanduser)),
    (os, "getcwd", _locating(os.getcwd)),
    (os, "open", _opening(os.open)),
    (multiprocessing.util, "spawnv_passfds", _spawning(multiprocessing.util.spawnv_passfds)),
    (_WorkItem, "__init__", _owning(_WorkItem.__init__)),
    (threading.Thread, "start", _owning(threading.Thread.start)),
)


# Who asks whether a function takes an open folder, or follows links, asks for the one that stands there.
for _able in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
    _able |= {watched for _, _, watched in _PATCHES if watched.__wrapped__ in _able}

_put: list[tuple[Any, str, Any]] = []


def patch() -> None:
    """Puts the watching functions in their places."""
    for owner, name, watched in (*_PATCHES, *dice.watching(), *finding.watching(), *importing.watching()):
        if vars(owner).get(name) is watched.__wrapped__:
            setattr(owner, name, watched)
            _put.append((owner, name, watched))


def unpatch() -> None:
    """Takes them away, where nobody has put others there."""
    while _put:
        owner, name, watched = _put.pop()
        if vars(owner).get(name) is watched:
            setattr(owner, name, watched.__wrapped__)
