"""Whose code asks: the nearest frame that is not Python's own library."""

from __future__ import annotations

import copy
import os
import re
import sys
import threading
from collections.abc import Iterator
from functools import cache
from types import CodeType, FrameType

from ...fingerprint import TOOL_FOLDER, is_own

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_OF_ITS_OWN = tuple(TOOL_FOLDER + room for room in ("vcs/", "pipelines/history/", "pipelines/keepers/"))
_WORKTREE, _DISK = TOOL_FOLDER + "vcs/worktree/", TOOL_FOLDER + "vcs/storage/disk/"
"""What reads the user's files to store them, and what does so for whoever asks."""
_STANDARD = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_COLLECTIONS = os.path.join(_STANDARD, "_collections_abc.py")
_OS = ("<frozen os>", os.path.join(_STANDARD, "os.py"))
_MAPPING = frozenset(
    {"__contains__", "__getitem__", "__iter__", "copy", "get", "getenv", "getenvb", "items", "keys", "values"}
)
"""What `os.environ` is asked by."""
_TEMPORARY = os.path.join(_STANDARD, "tempfile.py")
_OF_PATHS = tuple(os.path.join(_STANDARD, name) for name in ("genericpath", "posixpath", "pathlib", "ntpath", "os.py"))
_OF_PATHS += ("<frozen genericpath", "<frozen posixpath", "<frozen ntpath", "<frozen os")
_INSTALLED = re.compile(r"/(?:site|dist)-packages/")
_WHICH = os.path.join(_STANDARD, "shutil.py"), frozenset({"which", "_access_check"})
"""What looks for a program for whoever asks; all else of it has reasons of its own."""


def asks_own_code() -> bool:
    """Whether the user's own code asks, by itself or through Python's library."""
    name = asking()
    return name is not None and is_user_code(name)


def asking() -> str | None:
    """The file of the code that asks; None where only Python's library does."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not _passes_on(name):
            return name
        frame = frame.f_back
    return None


def asking_library() -> str:
    """The file of Python's library that asks a mapping, and for `os` its function; nothing where it is none of it."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (
        frame.f_code.co_filename.startswith((_HERE, "<frozen _collections_abc"))
        or frame.f_code.co_filename == _COLLECTIONS
        or (frame.f_code.co_filename.endswith(_OS) and frame.f_code.co_name in _MAPPING)
    ):
        frame = frame.f_back
    if frame is None:
        return ""
    name = frame.f_code.co_filename.removeprefix(_STANDARD)
    return f"os.py:{frame.f_code.co_name}" if name.endswith(_OS) else name


def asking_package() -> tuple[str, list[str]]:
    """The top-level name of the package whose code asks for the user's, and its functions that do, the innermost first.

    Nothing where none does, or for artvcs.
    """
    frame: FrameType | None = sys._getframe(1)
    package, functions = "", list[str]()
    while frame is not None and not is_user_code(name := frame.f_code.co_filename):
        if name.startswith(TOOL_FOLDER) and not name.startswith(_HERE):
            return "", []
        if not _passes_on(name):
            package = package or _INSTALLED.split(name)[-1].partition("/")[0]
            functions.append(frame.f_code.co_name)
        frame = frame.f_back
    return package, functions


def asks_artvcs() -> bool:
    """Whether artvcs itself asks, for the step."""
    name = asking()
    return name is not None and name.startswith(TOOL_FOLDER)


def is_for_artvcs() -> bool:
    """Whether artvcs has a reason of its own: it asks whom a project trusts, looks for a version, or fetches its data.

    What it stores and loads for the step is the step's doing.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_user_code(name := frame.f_code.co_filename):
        if name.startswith(TOOL_FOLDER) and not name.startswith((_HERE, _DISK)):
            return name.startswith(_OF_ITS_OWN) and not name.startswith(_WORKTREE)
        frame = frame.f_back
    return False


def asks_directly() -> bool:
    """Whether the user's own code asks, with nothing of Python's library between."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return frame is not None and is_user_code(frame.f_code.co_filename)


def asking_of_paths() -> list[str] | None:
    """The functions by which the user's own code asks for a path's state, the innermost first; none where it asks so.

    None where somebody else asks, also within Python's library: what copies a file has its own reasons to look.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    asked = []
    while frame is not None and not is_user_code(frame.f_code.co_filename):
        code = frame.f_code
        if not (
            code.co_filename.startswith(_OF_PATHS) or (code.co_filename == _WHICH[0] and code.co_name in _WHICH[1])
        ):
            return None
        asked.append(frame.f_code.co_name)
        frame = frame.f_back
    return asked if frame is not None else None


def is_import() -> bool:
    """Whether Python's import system asks, for code."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith("<frozen importlib")


def is_within_import() -> bool:
    """Whether a module is being imported, and nothing of the user's runs within that."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_user_code(frame.f_code.co_filename):
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def nearest() -> FrameType | None:
    """The nearest frame that is not Python's library; it may be that of a package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _passes_on(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def makes_temporary() -> bool:
    """Whether Python's library makes up a name of a file that nobody is to know."""
    return any(code.co_filename == _TEMPORARY for code in _of_library())


def copies() -> bool:
    """Whether Python's `copy` asks, which makes an object and then sets its state."""
    return any(code is copy._reconstruct.__code__ for code in _of_library())  # type: ignore[attr-defined]


def lists_entry_points() -> bool:
    """Whether Python's library looks through all distributions for what they offer."""
    metadata = sys.modules.get("importlib.metadata")
    return metadata is not None and any(code is metadata.entry_points.__code__ for code in _of_library())


def _of_library() -> Iterator[CodeType]:
    """The code of Python's library that passes on what somebody asks, the innermost first."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and _passes_on(frame.f_code.co_filename):
        yield frame.f_code
        frame = frame.f_back


def others_are_at_work() -> bool:
    """Whether the user's own code runs in another thread; one that waits for artvcs does not."""
    mine = threading.get_ident()
    return any(_is_at_work(frame) for thread, frame in sys._current_frames().items() if thread != mine)


def _is_at_work(frame: FrameType | None) -> bool:
    while frame is not None and not frame.f_code.co_filename.startswith(TOOL_FOLDER):
        name = frame.f_code.co_filename
        if is_user_code(name) and not _INSTALLED.search(name):
            return True
        frame = frame.f_back
    return False


@cache
def is_user_code(name: str) -> bool:
    """Whether a code object's file is the user's own: a file of theirs, or a cell of a notebook."""
    if name.startswith("<"):
        return name.startswith(("<ipython", "<stdin", "<string", "<cell"))
    return is_own(os.path.abspath(name)) or "ipykernel" in name


@cache
def _passes_on(name: str) -> bool:
    if name.startswith("<frozen"):
        return True
    return name.startswith(_HERE) or (name.startswith(_STANDARD) and "site-packages" not in name)
