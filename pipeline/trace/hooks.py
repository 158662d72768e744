"""How it is noticed that something is used: Python's audit events, `os.environ`, `os.stat`, and the code entered.

An audit hook stays for as long as the process lives; while nothing is recorded it looks at one list. What it does may
never fail the step, or change what it sees.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from . import environment, frames, processes
from .recording import Recording, every, is_any_open, started, targets

_local = threading.local()
_installed = False
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC


def install(*, first: bool) -> None:
    """Begins to notice; `first` where nothing was recorded before."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_on_event)
        os.register_at_fork(before=_before_fork)
    if first:
        environment.watch(_on_environment)
        _watch_stat()
    if _monitored is not None:
        _monitored.restart()


def uninstall(*, last: bool) -> None:
    """Ceases to notice; `last` where nothing is recorded any more."""
    if last:
        environment.unwatch()
        _unwatch_stat()


# Audit events


def _on_event(event: str, args: tuple[Any, ...]) -> None:
    if not is_any_open():
        return
    handler = _HANDLERS.get(event)
    if handler is None or getattr(_local, "busy", False):
        return
    _guarded(lambda: _each(handler, args))


def _each(handler: Callable[[Recording, tuple[Any, ...]], None], args: tuple[Any, ...]) -> None:
    for recording in targets():
        handler(recording, args)
        recording.spool()


def _guarded(work: Callable[[], None]) -> None:
    """Does what must neither be noticed itself nor fail anybody."""
    _local.busy = True
    try:
        work()
    except Exception as error:  # whatever it is, the step must go on; its result is not used again
        for recording in every():
            recording.unverified.add(f"something that could not be watched ({type(error).__name__}: {error})")
    finally:
        _local.busy = False


def _on_open(recording: Recording, args: tuple[Any, ...]) -> None:
    path, mode, flags = args
    if isinstance(path, int) or path is None:
        return
    writes = any(each in mode for each in "wax+") if isinstance(mode, str) else bool((flags or 0) & _WRITES)
    if writes:
        reads = "r+" in mode or "a+" in mode if isinstance(mode, str) else bool((flags or 0) & os.O_RDWR)
        recording.files.write(path, reads=reads and not (flags or 0) & os.O_TRUNC)
    elif not frames.is_import() and recording.files.read(path, direct=frames.asks_own_code()):
        recording.unverified.add(f"what comes out of {os.fsdecode(path)}")


def _on_list(recording: Recording, args: tuple[Any, ...]) -> None:
    path = "." if args[0] is None else args[0]
    if not isinstance(path, int) and not frames.is_import():
        recording.files.listed(path, direct=frames.asks_own_code())


def _on_write(recording: Recording, args: tuple[Any, ...]) -> None:
    if not isinstance(args[0], int):
        recording.files.write(args[0])


def _on_rename(recording: Recording, args: tuple[Any, ...]) -> None:
    for path in args[:2]:
        recording.files.write(path)


def _on_database(recording: Recording, args: tuple[Any, ...]) -> None:
    path = os.fsdecode(args[0])
    if path.startswith("file:"):
        path = path[5:].partition("?")[0]
    if path and path != ":memory:":
        recording.files.read(path, direct=frames.asks_own_code())
        recording.files.write(path)  # SQLite reads and writes it where nobody sees


def _on_exec(recording: Recording, args: tuple[Any, ...]) -> None:
    code = args[0]
    name = getattr(code, "co_filename", "<")
    if not name.startswith("<") and code.co_name == "<module>" and frames.is_user_code(name):
        recording.modules.add(os.path.abspath(name))


def _on_thread(recording: Recording, args: tuple[Any, ...]) -> None:
    thread = getattr(args[0], "__self__", None)
    if isinstance(thread, threading.Thread):
        started(thread)


def _on_connect(recording: Recording, args: tuple[Any, ...]) -> None:
    address = args[1] if len(args) > 1 else None
    if isinstance(address, tuple) and address:
        recording.unverified.add(f"the network: {address[0]}")


def _on_program(recording: Recording, args: tuple[Any, ...]) -> None:
    processes.started(recording, args)


_HANDLERS: dict[str, Callable[[Recording, tuple[Any, ...]], None]] = {
    "open": _on_open,
    "os.listdir": _on_list,
    "os.scandir": _on_list,
    "os.remove": _on_write,
    "os.truncate": _on_write,
    "os.mkdir": _on_write,
    "os.rmdir": _on_write,
    "os.rename": _on_rename,
    "os.link": _on_rename,
    "os.symlink": lambda recording, args: recording.files.write(args[1]),
    "sqlite3.connect": _on_database,
    "exec": _on_exec,
    "_thread.start_new_thread": _on_thread,
    "_thread.start_joinable_thread": _on_thread,
    "socket.connect": _on_connect,
    "subprocess.Popen": _on_program,
    "os.system": lambda recording, args: processes.started(recording, (None, args[0], None, None)),
    "os.posix_spawn": lambda recording, args: processes.started(recording, (args[0], args[1], None, None)),
    "os.exec": lambda recording, args: processes.started(recording, (args[0], args[1], None, None)),
}


def _before_fork() -> None:
    if is_any_open():
        for recording in every():
            recording.prepare_fork()


# The environment


def _on_environment(kind: str, name: Any, value: Any) -> None:
    if not is_any_open() or getattr(_local, "busy", False) or not environment.is_asked_by_user():
        return
    key, held = _text(name), _text(value)

    def note() -> None:
        for recording in targets():
            if kind == "read":
                recording.environment.read(str(key), held)
            elif kind == "set":
                recording.environment.set(str(key))
            else:
                recording.environment.read_all(os.environ)
            recording.spool()

    _guarded(note)


def _text(value: Any) -> str | None:
    return os.fsdecode(value) if isinstance(value, str | bytes) else None


# Asking for the state of a path, of which Python tells nobody

_stat = os.stat
_KINDS = {"exists": "kind", "isfile": "kind", "isdir": "kind", "is_file": "kind", "is_dir": "kind", "getsize": "size"}


def _watched_stat(path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
    if dir_fd is None and not isinstance(path, int) and not getattr(_local, "busy", False) and is_any_open():
        _guarded(lambda: _probe(path))
    return _stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)


def _probe(path: Any) -> None:
    if not frames.asks_own_code() or frames.is_import():
        return
    facet = _facet()
    for recording in targets():
        recording.files.probe(path, facet, direct=True)
        recording.spool()


def _facet() -> str:
    """What of a path's state is asked for, by the function of Python's library that asks."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(os.path.dirname(__file__)):
        frame = frame.f_back
    while frame is not None and frame.f_code.co_name == "stat" and not frames.is_user_code(frame.f_code.co_filename):
        frame = frame.f_back
    return _KINDS.get(frame.f_code.co_name, "stat") if frame is not None else "stat"


def _watch_stat() -> None:
    os.stat = _watched_stat


def _unwatch_stat() -> None:
    if os.stat is _watched_stat:
        os.stat = _stat


# Code entered


class _Monitor:
    """Sees each code object of the user's when it is entered, once for each recording (PEP 669, Python 3.12)."""

    def __init__(self) -> None:
        self._monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        self._tool: int | None = None

    def restart(self) -> None:
        """Begins anew: what was seen before is told again."""
        monitoring = self._monitoring
        if self._tool is None:
            free = [each for each in (4, 3) if monitoring.get_tool(each) is None]
            if not free:
                return
            self._tool = free[0]
            monitoring.use_tool_id(self._tool, "artvcs")
            monitoring.register_callback(self._tool, monitoring.events.PY_START, self._on_start)
            monitoring.set_events(self._tool, monitoring.events.PY_START)
        monitoring.restart_events()

    def _on_start(self, code: Any, _: int) -> Any:
        if not is_any_open():
            return self._monitoring.DISABLE
        if not frames.is_user_code(code.co_filename):
            return self._monitoring.DISABLE
        for recording in targets():
            recording.entered.add(code)
        if all(code in recording.entered for recording in every()):
            return self._monitoring.DISABLE
        return None


_monitored = _Monitor() if sys.version_info >= (3, 12) else None
