"""ZenML's functions for files; here all paths are local, since a step's files are."""

from __future__ import annotations

import builtins
import fnmatch
import glob as _glob
import os
import shutil
from collections.abc import Callable, Iterable
from typing import IO, Any

from .._names import finder
from .._names.absent import not_here

PathType = str | bytes | os.PathLike[str]


def _local(path: PathType) -> str:
    """A path as text; says so where it leads to a bucket."""
    text = os.fsdecode(path)
    if "://" in text and not text.startswith("file://"):
        not_here(f"the path {text!r}", "fileio")
    return text.removeprefix("file://")


def open(path: PathType, mode: str = "r") -> IO[Any]:  # noqa: A001 (what ZenML calls it)
    """Opens a file."""
    return builtins.open(_local(path), mode)


def exists(path: PathType) -> bool:
    """Whether there is something."""
    return os.path.exists(_local(path))


def isdir(path: PathType) -> bool:
    """Whether there is a folder."""
    return os.path.isdir(_local(path))


def listdir(path: PathType, only_file_names: bool = True) -> list[str]:
    """What is in a folder: names, or paths."""
    names = os.listdir(_local(path))
    return names if only_file_names else [os.path.join(_local(path), name) for name in names]


def makedirs(path: PathType) -> None:
    """Makes a folder, and those above it, where they are not there."""
    os.makedirs(_local(path), exist_ok=True)


def mkdir(path: PathType) -> None:
    """Makes a folder."""
    os.mkdir(_local(path))


def copy(src: PathType, dst: PathType, overwrite: bool = False) -> None:
    """Copies a file. Raises FileExistsError where there is one already, unless it may be replaced."""
    _free(dst, overwrite)
    shutil.copyfile(_local(src), _local(dst))


def rename(src: PathType, dst: PathType, overwrite: bool = False) -> None:
    """Renames a file. Raises FileExistsError where there is one already, unless it may be replaced."""
    _free(dst, overwrite)
    os.replace(_local(src), _local(dst))


def _free(path: PathType, overwrite: bool) -> None:
    if not overwrite and os.path.exists(_local(path)):
        raise FileExistsError(f"{_local(path)} is there already; pass overwrite=True to replace it.")


def remove(path: PathType) -> None:
    """Removes a file."""
    os.remove(_local(path))


def rmtree(dir_path: str) -> None:
    """Removes a folder and all in it."""
    shutil.rmtree(_local(dir_path))


def glob(pattern: PathType) -> list[str]:
    """The paths that fit a pattern."""
    return _glob.glob(_local(pattern))


def size(path: PathType) -> int | None:
    """Bytes of a file, or of all files in a folder; None where there is neither."""
    place = _local(path)
    if os.path.isdir(place):
        return sum(os.path.getsize(os.path.join(top, name)) for top, _, names in os.walk(place) for name in names)
    return os.path.getsize(place) if os.path.exists(place) else None


def stat(path: PathType) -> os.stat_result:
    """What the system says of a file."""
    return os.stat(_local(path))


def walk(
    top: PathType, topdown: bool = True, onerror: Callable[..., None] | None = None
) -> Iterable[tuple[str, list[str], list[str]]]:
    """Goes through a folder and all below."""
    return os.walk(_local(top), topdown, onerror)


def find_files(dir_path: PathType, pattern: str) -> Iterable[str]:
    """The files below a folder whose names fit a pattern."""
    found = os.walk(_local(dir_path))
    return (os.path.join(top, name) for top, _, names in found for name in names if fnmatch.fnmatch(name, pattern))


def convert_to_str(path: PathType) -> str:
    """A path as text."""
    return os.fsdecode(path)


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
