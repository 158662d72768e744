"""What Python's audit events tell of a step: files, folders, imports, classes, programs, connections (see PEP 578)."""

from __future__ import annotations

import fcntl
import itertools
import os
import sys
from collections.abc import Callable
from typing import Any

from ..chance import FROM_SYSTEM
from ..owners import every, is_any_open, targets
from ..recording import Recording
from . import finding, frames, processes, readers
from .noticing import note, quietly

_CODE = (".py", ".pyc", ".so", ".pth", ".zip")
_DEVICES = {
    **dict.fromkeys(("/dev/null", "/dev/zero"), ()),
    **dict.fromkeys(("/dev/random", "/dev/urandom"), (FROM_SYSTEM,)),
}
"""Files that are none, and hold what everybody knows; or chance, which cannot be compared."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC


def on_open(recording: Recording, args: tuple[Any, ...]) -> None:
    """A file is about to be opened: its path, the mode in words, and the flags."""
    path, mode, flags = args
    if isinstance(path, int) or path is None:
        return
    writes = any(each in mode for each in "wax+") if isinstance(mode, str) else bool((flags or 0) & _WRITES)
    if writes:
        _on_open_to_write(recording, path, mode, flags or 0)
    elif not (frames.is_import() and os.fsdecode(path).endswith(_CODE)):
        _note_package(recording, os.fsdecode(path))
        if os.fsdecode(path) in _DEVICES:
            recording.unverified.update(() if frames.is_within_import() else _DEVICES[os.fsdecode(path)])
        elif recording.files.read(path, direct=frames.asks_own_code()):
            recording.refused.add(f"it read from {os.fsdecode(path)}, which is no plain file")


def _on_open_to_write(recording: Recording, path: Any, mode: Any, flags: int) -> None:
    if "a" in mode if isinstance(mode, str) else flags & os.O_APPEND:
        recording.files.append(path)
    else:
        reads = "r+" in mode if isinstance(mode, str) else bool(flags & os.O_RDWR)
        recording.files.write(path, reads=reads and not flags & os.O_TRUNC)


def _note_package(recording: Recording, path: str) -> None:
    """The user's own code asks for a file of an installed package: its metadata, or data that came with it.

    What a library looks through to find its plugins is not used yet; a plugin that it loads is. The entry points that
    the user's code asks for count as one value.
    """
    head, _, inside = path.rpartition("/site-packages/")
    if head and frames.asks_own_code() and not frames.lists_entry_points():
        recording.packages.add(inside.partition("/")[0].partition("-")[0].removesuffix(".py"))


def _on_list(recording: Recording, args: tuple[Any, ...]) -> None:
    path = _listed(recording, args[0])
    if path is not None and not frames.is_import():
        recording.files.listed(path, direct=frames.asks_own_code())


def _listed(recording: Recording, given: Any) -> Any:
    """The folder that is about to be listed; of an open one its path, where the user's own code asks."""
    if not isinstance(given, int):
        return "." if given is None else given
    return path_of(recording, given, "it listed") if frames.asking_of_paths() is not None else None


def path_of(recording: Recording, folder: int, doing: str) -> str | None:
    """The path of an open folder; without one, the result is not used again.

    Args:
        recording: What is told so.
        folder: The descriptor.
        doing: What is done with it, in words.
    """
    try:
        return opened_path(folder)
    except OSError:
        recording.refused.add(f"{doing} an open folder, and this system does not say which")
        return None


def opened_path(folder: int) -> str:
    """The path of an open folder. Raises OSError where the system does not say."""
    if hasattr(fcntl, "F_GETPATH"):  # macOS
        return os.fsdecode(fcntl.fcntl(folder, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0"))
    return os.readlink(f"/proc/self/fd/{folder}")


def _at(recording: Recording, given: Any, folder: Any, doing: str) -> Any:
    """A path that is given as it is seen from an open folder, if there is one; None where nobody says which it is."""
    if not isinstance(folder, int) or folder < 0 or os.path.isabs(given):
        return given
    base = path_of(recording, folder, doing)
    return None if base is None else os.path.join(base, os.fsdecode(given))


def _on_scan(recording: Recording, args: tuple[Any, ...]) -> None:
    path = _listed(recording, args[0])
    if path is not None and not frames.is_import():
        # An entry tells the size without another question; Python's own code does not ask for it.
        recording.files.listed(path, direct=frames.asks_own_code(), sizes=frames.asks_directly())


def _on_make_folder(recording: Recording, args: tuple[Any, ...]) -> None:
    path = _at(recording, args[0], args[2], "it made a folder in")
    if path is not None and not os.path.isdir(path):  # else it fails, and nothing is made
        recording.files.write(path)


def _on_chdir(recording: Recording, args: tuple[Any, ...]) -> None:
    if not isinstance(args[0], int):
        recording.places.move(args[0])


def _on_write(recording: Recording, args: tuple[Any, ...]) -> None:
    if not isinstance(args[0], int):
        recording.files.write(args[0])


def _on_remove(recording: Recording, args: tuple[Any, ...]) -> None:
    if (path := _at(recording, args[0], args[1], "it removed something from")) is not None:
        recording.files.write(path)


def _on_remove_tree(recording: Recording, args: tuple[Any, ...]) -> None:
    """A folder is about to be removed with all in it; what is in it is then told by descriptors only."""
    if not isinstance(args[0], int) and (len(args) < 2 or args[1] is None):
        recording.files.empty(args[0])


def _on_rename(recording: Recording, args: tuple[Any, ...]) -> None:
    source = _at(recording, args[0], args[2], "it moved something from")
    target = _at(recording, args[1], args[3], "it moved something to")
    if source is not None and target is not None:
        recording.files.move(source, target, direct=frames.asks_own_code())


def _on_link(recording: Recording, args: tuple[Any, ...]) -> None:
    if (path := _at(recording, args[1], args[2], "it made a link in")) is not None:
        recording.files.write(path)


def _on_database(recording: Recording, args: tuple[Any, ...]) -> None:
    path = os.fsdecode(args[0])
    if path.startswith("file:"):
        path = path[5:].partition("?")[0]
    if path and path != ":memory:":
        direct = frames.asks_own_code()
        for each in (path, f"{path}-wal"):  # and the log, to which another program may have written
            recording.files.read(each, direct=direct, rows=True)
            recording.files.write(each)  # SQLite reads and writes it where nobody sees
    else:
        recording.listen()  # others may be attached to it


def _on_exec(recording: Recording, args: tuple[Any, ...]) -> None:
    code = args[0]
    name = getattr(code, "co_filename", "<")
    if not name.startswith("<") and code.co_name == "<module>" and frames.is_user_code(name):
        path = os.path.abspath(name)
        if os.path.isfile(path) or frames.is_within_import():  # and not what was compiled under any name
            recording.modules.add(path)
            _note_finding(recording, path)


def _note_finding(recording: Recording, path: str) -> None:
    """Notes where a module was not found before it was found: there it may appear."""
    folders = [os.path.abspath(folder or ".") for folder in sys.path]
    searched = itertools.takewhile(lambda folder: not path.startswith(folder + os.sep), folders)
    top = os.path.basename(path).removesuffix(".py")
    if top != "__init__":
        finding.note_places(recording, top, list(searched))


def _on_class(recording: Recording, args: tuple[Any, ...]) -> None:
    recording.classes.add(f"{args[0]}:{args[1]}")


def _on_import(recording: Recording, args: tuple[Any, ...]) -> None:
    if not frames.asks_artvcs():  # what we import ourselves says nothing of the step
        top = str(args[0]).partition(".")[0]
        recording.packages.add(top)
        if readers.is_reader(str(args[0])):
            recording.listen()


def _on_library(recording: Recording, args: tuple[Any, ...]) -> None:
    if frames.asks_own_code():
        recording.unverified.add(f"the C library {args[0] or 'of Python itself'}, through ctypes (CDLL)")


def _on_attributes(recording: Recording, args: tuple[Any, ...]) -> None:
    if frames.asks_directly() and not isinstance(args[0], int):
        recording.unverified.add(f"the extended attributes of {os.fsdecode(args[0] or '.')}")


def _on_connect(recording: Recording, args: tuple[Any, ...]) -> None:
    address = args[1] if len(args) > 1 else None
    if isinstance(address, tuple) and address:
        recording.unverified.add(f"the network: {address[0]}")


def _on_program(recording: Recording, args: tuple[Any, ...]) -> None:
    processes.started(recording, args)


_HANDLERS: dict[str, Callable[[Recording, tuple[Any, ...]], None]] = {
    "open": on_open,
    "os.listdir": _on_list,
    "os.scandir": _on_scan,
    "os.remove": _on_remove,
    "os.truncate": _on_write,
    "os.mkdir": _on_make_folder,
    "os.chdir": _on_chdir,
    "os.rmdir": _on_remove,
    "shutil.rmtree": _on_remove_tree,
    "os.rename": _on_rename,
    "os.link": _on_rename,
    "os.symlink": _on_link,
    "sqlite3.connect": _on_database,
    "exec": _on_exec,
    "import": _on_import,
    "pickle.find_class": _on_class,
    "artvcs.find_class": _on_class,
    "os.getxattr": _on_attributes,
    "os.listxattr": _on_attributes,
    "ctypes.dlopen": _on_library,
    "socket.connect": _on_connect,
    "subprocess.Popen": _on_program,
    "os.system": lambda recording, args: processes.started(recording, (None, args[0], None, None)),
    "os.posix_spawn": lambda recording, args: processes.started(recording, (args[0], args[1], None, None)),
    "os.exec": lambda recording, args: processes.started(recording, (args[0], args[1], None, None)),
}


_LOOKING = frozenset({"open", "os.listdir", "os.scandir"})
"""Events that are heard elsewhere, too, where nobody says whose doing they are."""


def on_event(
    event: str, args: tuple[Any, ...], handler_of: Callable[[str], Callable[..., None] | None] = _HANDLERS.get
) -> None:
    """The audit hook. It stays for as long as the process lives, and there are thousands of events that say nothing."""
    handler = handler_of(event)
    if handler is not None and is_any_open():
        note(lambda recording: _take(recording, event, args, handler))
        if event == "open" and not targets():
            quietly(_on_open_by_stranger)


def _take(
    recording: Recording, event: str, args: tuple[Any, ...], handler: Callable[[Recording, tuple[Any, ...]], None]
) -> None:
    if not frames.is_for_artvcs():
        handler(recording, args)
    elif event in _LOOKING and args[0] is not None:
        recording.files.overlook(args[0])


def _on_open_by_stranger() -> None:
    """A thread that no running step has started opens a file: it may do so for one, that has told it by a queue."""
    if frames.asks_own_code():
        for recording in every():
            recording.unverified.add("what a thread does that it did not start")
