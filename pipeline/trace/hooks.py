"""How it is noticed that something is used: Python's audit events, `os.environ`, `os.stat`, and the code entered.

An audit hook stays for as long as the process lives; while nothing is recorded it looks at one list. What it does may
never fail the step, or change what it sees.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing.util
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures.thread import _WorkItem
from typing import Any

from . import environment, frames, processes
from .places import WORKING_DIRECTORY
from .recording import C_READERS, Recording, every, is_any_open, owned, targets

_local = threading.local()
_installed = False
_CODE = (".py", ".pyc", ".so", ".pth", ".zip")
_METADATA = ("/METADATA", "/PKG-INFO", "/entry_points.txt")
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
        _patch()
    if _monitored is not None:
        _monitored.restart()


def uninstall(*, last: bool) -> None:
    """Ceases to notice; `last` where nothing is recorded any more."""
    if last:
        environment.unwatch()
        _unpatch()


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
        _on_open_to_write(recording, path, mode, flags or 0)
    elif not (frames.is_import() and os.fsdecode(path).endswith(_CODE)):
        _note_package(recording, os.fsdecode(path))
        if recording.files.read(path, direct=frames.asks_own_code()):
            recording.refused.add(f"it read from {os.fsdecode(path)}, which is no plain file")


def _on_open_to_write(recording: Recording, path: Any, mode: Any, flags: int) -> None:
    if "a" in mode if isinstance(mode, str) else flags & os.O_APPEND:
        recording.files.append(path)
    else:
        reads = "r+" in mode if isinstance(mode, str) else bool(flags & os.O_RDWR)
        recording.files.write(path, reads=reads and not flags & os.O_TRUNC)


def _note_package(recording: Recording, path: str) -> None:
    """A file of an installed package is asked for by name: its metadata, or data that came with it."""
    head, _, inside = path.rpartition("/site-packages/")
    if head and (inside.endswith(_METADATA) or frames.asks_own_code()):
        recording.packages.add(inside.partition("/")[0].partition("-")[0].removesuffix(".py"))


def _on_list(recording: Recording, args: tuple[Any, ...]) -> None:
    path = "." if args[0] is None else args[0]
    if not isinstance(path, int) and not frames.is_import():
        recording.files.listed(path, direct=frames.asks_own_code())


def _on_scan(recording: Recording, args: tuple[Any, ...]) -> None:
    path = "." if args[0] is None else args[0]
    if not isinstance(path, int) and not frames.is_import():
        # An entry tells the size without another question; Python's own code does not ask for it.
        recording.files.listed(path, direct=frames.asks_own_code(), sizes=frames.asks_directly())


def _on_make_folder(recording: Recording, args: tuple[Any, ...]) -> None:
    if not os.path.isdir(args[0]):  # else it fails, and nothing is made
        recording.files.write(args[0])


def _on_chdir(recording: Recording, args: tuple[Any, ...]) -> None:
    if not isinstance(args[0], int):
        recording.places.move(args[0])


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
        path = os.path.abspath(name)
        recording.modules.add(path)
        _note_finding(recording, path)


def _note_finding(recording: Recording, path: str) -> None:
    """Notes where a module was not found before it was found: there it may appear."""
    for folder in sys.path:
        base = os.path.abspath(folder or ".")
        if path.startswith(base + os.sep):
            return
        top = os.path.basename(path).removesuffix(".py")
        if os.path.isdir(base) and top != "__init__":
            for name in (f"{top}.py", os.path.join(top, "__init__.py")):
                recording.files.probe(os.path.join(folder or ".", name), "kind", direct=False)


def _on_class(recording: Recording, args: tuple[Any, ...]) -> None:
    module, name = str(args[0]), str(args[1])
    recording.classes.add((module, name))


def _on_import(recording: Recording, args: tuple[Any, ...]) -> None:
    if not frames.asks_artvcs():  # what we import ourselves says nothing of the step
        top = str(args[0]).partition(".")[0]
        recording.packages.add(top)
        if top in C_READERS:
            recording.listen()


def _on_library(recording: Recording, args: tuple[Any, ...]) -> None:
    if frames.asks_own_code():
        recording.unverified.add(f"the C library {args[0] or 'of Python itself'}, through ctypes (CDLL)")


def _on_connect(recording: Recording, args: tuple[Any, ...]) -> None:
    address = args[1] if len(args) > 1 else None
    if isinstance(address, tuple) and address:
        recording.unverified.add(f"the network: {address[0]}")


def _on_program(recording: Recording, args: tuple[Any, ...]) -> None:
    processes.started(recording, args)


_HANDLERS: dict[str, Callable[[Recording, tuple[Any, ...]], None]] = {
    "open": _on_open,
    "os.listdir": _on_list,
    "os.scandir": _on_scan,
    "os.remove": _on_write,
    "os.truncate": _on_write,
    "os.mkdir": _on_make_folder,
    "os.chdir": _on_chdir,
    "os.rmdir": _on_write,
    "os.rename": _on_rename,
    "os.link": _on_rename,
    "os.symlink": lambda recording, args: recording.files.write(args[1]),
    "sqlite3.connect": _on_database,
    "exec": _on_exec,
    "import": _on_import,
    "pickle.find_class": _on_class,
    "artvcs.find_class": _on_class,
    "ctypes.dlopen": _on_library,
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


def _spawning(function: Callable[..., int]) -> Callable[..., int]:
    """`multiprocessing`'s way to start a fresh Python, of which Python tells nobody."""

    @functools.wraps(function)
    def watched(path: Any, arguments: Any, *args: Any) -> int:
        if is_any_open():
            quietly(lambda: _each(_on_program, (path, arguments, None, None)))
        return function(path, arguments, *args)

    return watched


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


# What Python tells nobody of: these functions are looked up in `os` by all of Python's own code that uses them


_KINDS = {"exists": "kind", "isfile": "kind", "isdir": "kind", "is_file": "kind", "is_dir": "kind", "getsize": "size"}


def _probing(function: Callable[..., Any], facet: str) -> Callable[..., Any]:
    """A function of `os` that also notes that a path is asked for its state."""

    @functools.wraps(function)
    def watched(path: Any, *args: Any, **kwargs: Any) -> Any:
        # Relative to a descriptor, or of a file that is open already, it is known from when that was opened.
        if is_any_open() and not isinstance(path, int) and kwargs.get("dir_fd") is None:
            quietly(lambda: _probe(path, facet))
        return function(path, *args, **kwargs)

    return watched


def _probe(path: Any, facet: str) -> None:
    asking = frames.asking_of_paths()
    if asking is None:
        return
    for recording in targets():
        recording.files.probe(path, _KINDS.get(asking, facet), direct=True)
        recording.spool()


def _locating(function: Callable[..., str]) -> Callable[..., str]:
    """`os.getcwd`, which also notes that it is asked for."""

    @functools.wraps(function)
    def watched() -> str:
        found = function()
        if is_any_open():
            quietly(lambda: _located(found))
        return found

    return watched


def _located(folder: str) -> None:
    if frames.asks_own_code():
        for recording in targets():
            recording.context.setdefault(WORKING_DIRECTORY, recording.places.spell(folder))


def _opening(function: Callable[..., int]) -> Callable[..., int]:
    """`os.open`, which also notes what is opened from an open folder: the audit event does not say from which."""

    @functools.wraps(function)
    def watched(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is not None and is_any_open():
            quietly(lambda: _opened_from(dir_fd, path, flags))
        return function(path, flags, mode, dir_fd=dir_fd)

    return watched


def _opened_from(folder: int, path: Any, flags: int) -> None:
    with contextlib.suppress(OSError):
        _each(_on_open, (os.path.join(os.readlink(f"/proc/self/fd/{folder}"), os.fsdecode(path)), None, flags))


def quietly(work: Callable[[], None]) -> None:
    """Does what must not be taken for the doing of a step."""
    if not getattr(_local, "busy", False):
        _guarded(work)


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
    (os, "readlink", _probing(os.readlink, "target")),
    (os, "getcwd", _locating(os.getcwd)),
    (os, "open", _opening(os.open)),
    (multiprocessing.util, "spawnv_passfds", _spawning(multiprocessing.util.spawnv_passfds)),
    (_WorkItem, "__init__", _owning(_WorkItem.__init__)),
    (threading.Thread, "start", _owning(threading.Thread.start)),
)


def _patch() -> None:
    for owner, name, watched in _PATCHES:
        for able in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if watched.__wrapped__ in able:
                able.add(watched)
        if getattr(owner, name) is watched.__wrapped__:
            setattr(owner, name, watched)


def _unpatch() -> None:
    for owner, name, watched in _PATCHES:
        if getattr(owner, name) is watched:
            setattr(owner, name, watched.__wrapped__)


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
