"""Which paths count, and by what names they are known in a trace.

A relative path is known as it was given: it means another file from another folder. Any other path in the project is
known by where it is in it, and so the same in each clone.
"""

from __future__ import annotations

import copy
import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from artvcs.vcs import UnusableSecret, proofs

from ..fingerprint import TOOL_FOLDER

_MADE_UP = re.compile(r"(tmp)?[a-z0-9_]{8}(/|\Z)")
_SECRET = "/artvcs/secret"
_ENCODED = "bytes:"
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/", "/etc/", "/run/", "/var/lib/")
_IGNORED = frozenset({"__pycache__", ".git", ".artifacts", ".ipynb_checkpoints"})
"""Names that come and go without anybody's doing."""


WORKING_DIRECTORY = "the working directory"
"""How a trace calls it that this was asked for."""


class Places:
    """The paths of one execution.

    Args:
        project: The project's folder.
        artifacts: The repository's own folder.

    Attributes:
        project: The project's folder.
        folder: Where relative paths start.
    """

    def __init__(self, project: str, artifacts: str) -> None:
        self.project = os.path.abspath(project)
        self._artifacts = os.path.abspath(artifacts)
        self.folder = os.getcwd()
        self._moved = False
        self._elsewhere: Places | None = None  # the same, from where it was asked for last

    def move(self, given: Any) -> None:
        """The working directory is about to be changed: after an absolute path, relative ones mean the same always."""
        self._moved |= os.path.isabs(os.fsdecode(given))

    def from_(self, folder: str) -> Places:
        """The same paths as relative names stand for them from another folder."""
        found = copy.copy(self)
        found.folder, found._moved, found._elsewhere = folder, False, None
        return found

    def here(self) -> Places:
        """The same paths as relative names stand for them in the working directory."""
        folder = os.getcwd()
        found = self._elsewhere
        if found is None or found.folder != folder or found._moved:
            found = self._elsewhere = self.from_(folder)
        return found

    def known(self, given: Any) -> tuple[str, str] | None:
        """The name and the absolute path of what was opened; None for what is no path, as a descriptor."""
        try:
            path = os.fsdecode(given)
        except TypeError:
            return None
        if not path or "\0" in path:
            return None
        if os.path.isabs(path):
            absolute = os.path.normpath(path)
        else:
            absolute = os.path.normpath(os.path.join(os.getcwd(), path))
            if not self._moved:
                path = os.path.relpath(absolute, self.folder)
                return _spell(
                    path if path.startswith("..") else os.path.join(".", "" if path == "." else path)
                ), absolute
        if absolute == self.project:
            return ".", absolute
        if is_below(absolute, self.project):
            return _spell(os.path.relpath(absolute, self.project)), absolute
        return _spell(absolute), absolute

    def given(self, absolute: str) -> str:
        """A path as the step may have given it: from where the process works, if it began above it."""
        return os.path.relpath(absolute) if is_below(absolute, self.folder) and not self._moved else absolute

    def spell(self, folder: str) -> str:
        """A folder as it is told in a trace: in the project by where it is in it."""
        return os.path.relpath(folder, self.project) if is_below(folder + os.sep, self.project) else folder

    def resolve(self, name: str) -> str:
        """The absolute path that a name stands for now."""
        if name.startswith(_ENCODED):
            name = os.fsdecode(unquote_to_bytes(name.removeprefix(_ENCODED)))
        if os.path.isabs(name):
            return name
        relative = name.startswith(("./", "../")) or name == ".."
        return os.path.normpath(os.path.join(self.folder if relative else self.project, name))

    def inside(self, absolute: str) -> Iterator[str]:
        """A path, and the folders above it that are below the project."""
        while is_below(absolute, self.project):
            yield absolute
            absolute = os.path.dirname(absolute)

    def is_above(self, absolute: str) -> bool:
        """Whether the project is in a folder, or is that folder itself: where it stands says nothing."""
        return is_below(self.project + os.sep, absolute)

    def is_inside(self, absolute: str) -> bool:
        """Whether a path leads to the project's folder, or below it, also where links are followed."""
        path, project = os.path.realpath(absolute), os.path.realpath(self.project)
        return path == project or is_below(path, project)

    def is_made_up(self, absolute: str) -> bool:
        """Whether a path has a name that Python's `tempfile` has made up."""
        folder = tempfile.tempdir
        return isinstance(folder, str) and bool(_MADE_UP.match(os.path.relpath(absolute, folder)))

    def counts(self, absolute: str, *, direct: bool) -> bool:
        """Whether what is at a path may count; `direct` where the user's own code asked for it."""
        if absolute.endswith((".pyc", ".pyo")) or is_below(absolute, self._artifacts) or absolute == self._artifacts:
            return False
        if absolute.endswith(_SECRET) and absolute == _secret():
            return False  # by which stored values are trusted: whoever can read them gets the same ones
        if is_below(absolute, self.project):
            inside = os.path.relpath(absolute, self.project).split(os.sep)
            if direct or not (inside[0] in _IGNORED or "__pycache__" in inside):
                return not _is_installed(absolute)
            return False
        if _is_installed(absolute):
            return False
        return direct or not (absolute.startswith(_SYSTEM) or is_below(absolute, _cache_folder()))


def _spell(path: str) -> str:
    """A path as a name; one whose bytes are no text is written by these."""
    data = os.fsencode(path)
    try:
        data.decode()
    except UnicodeDecodeError:
        return _ENCODED + quote_from_bytes(data)
    return path


def is_below(path: str, folder: str) -> bool:
    """Whether a path is below a folder."""
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def is_ignored(name: str) -> bool:
    """Whether an entry of a folder says nothing of the folder's content."""
    return name in _IGNORED


@cache
def _cache_folder() -> str:
    return os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")


def _secret() -> str | None:
    try:
        return os.path.abspath(proofs.secret_path())
    except UnusableSecret:
        return None


@cache
def _installed_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    found = {paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")}
    found |= {os.path.realpath(path) for path in found}
    found |= {path + "/lib" for path in (sys.prefix, sys.base_prefix)}
    return tuple(sorted(path.rstrip(os.sep) + os.sep for path in found | {TOOL_FOLDER}))


def _is_installed(absolute: str) -> bool:
    parts = absolute.split(os.sep)
    return "site-packages" in parts or "dist-packages" in parts or absolute.startswith(_installed_folders())
