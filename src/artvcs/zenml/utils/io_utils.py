"""ZenML's helpers for files; see `artvcs.zenml.io.fileio`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from .._names import finder
from ..io import fileio
from ..io.fileio import find_files


def is_remote(path: str) -> bool:
    """Whether a path leads to a bucket."""
    return "://" in path and not path.startswith("file://")


def create_file_if_not_exists(file_path: str, file_contents: str = "{}") -> None:
    """Makes a file, and the folders above it, if it is not there."""
    if not os.path.exists(file_path):
        create_dir_recursive_if_not_exists(os.path.dirname(file_path) or ".")
        write_file_contents_as_string(file_path, file_contents)


def create_dir_if_not_exists(dir_path: str) -> None:
    """Makes a folder if it is not there."""
    fileio.makedirs(dir_path)


def create_dir_recursive_if_not_exists(dir_path: str) -> None:
    """Makes a folder, and those above it, if they are not there."""
    fileio.makedirs(dir_path)


def resolve_relative_path(path: str) -> str:
    """A path from the root."""
    return path if is_remote(path) else str(Path(path).resolve())


def copy_dir(source_dir: str, destination_dir: str, overwrite: bool = False) -> None:
    """Copies all that is in a folder into another. Raises FileExistsError where a file is there already."""
    for top, _, names in os.walk(source_dir):
        to = os.path.join(destination_dir, os.path.relpath(top, source_dir))
        fileio.makedirs(to)
        for name in names:
            fileio.copy(os.path.join(top, name), os.path.join(to, name), overwrite=overwrite)


def move(source: str, destination: str, overwrite: bool = False) -> None:
    """Moves a file or a folder."""
    if os.path.exists(destination) and not overwrite:
        raise FileExistsError(f"{destination} is there already; pass overwrite=True to replace it.")
    shutil.move(source, destination)


def get_parent(dir_path: str) -> str:
    """The name of the folder above."""
    return Path(dir_path).parent.stem


def get_grandparent(dir_path: str) -> str:
    """The name of the folder above that above."""
    return Path(dir_path).parent.parent.stem


def write_file_contents_as_string(file_path: str, content: str) -> None:
    """Writes text into a file."""
    Path(file_path).write_text(content)


def read_file_contents_as_string(file_path: str) -> str:
    """The text of a file."""
    return Path(file_path).read_text()


def get_global_config_directory() -> str:
    """Where ZenML keeps its settings, of which there are none here."""
    return os.environ.get("ZENML_CONFIG_PATH") or str(Path.home() / ".config" / "zenml")


def is_root(path: str) -> bool:
    """Whether a path is the root."""
    return Path(path).parent == Path(path)


__all__ = ["copy_dir", "find_files", "is_remote", "read_file_contents_as_string", "write_file_contents_as_string"]


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
