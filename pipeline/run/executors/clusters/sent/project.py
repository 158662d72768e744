"""A project's code on its way to machines that do not have it: the files are the same there, at the same places.

What Git tracks or would track goes along, as far as it is little, and what is loaded. Data does not: a step takes it as
an input.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import zstandard

from artvcs.vcs import FOLDER_NAME, git

from .....errors import PipelineError
from .....fingerprint import import_root, project_root

_LITTLE = 1 << 20
"""Bytes of the largest file that goes along though it is no code."""

_MOST = 64 << 20
"""Bytes of all files together."""

_MANY = 10_000
"""A folder that Git does not know, and that holds more files, is no project."""

_CODE = (".py", ".pyi", ".toml", ".cfg", ".ini")

_INSIDE, _OUTSIDE = "project", "outside"
"""Folders of what is placed: the project's, and one in which each import root outside of it has its own."""


@dataclass(frozen=True)
class Parcel:
    """A project's files, packed.

    Attributes:
        packed: The files.
        is_git: Whether the project is a working tree of Git.
        roots: Folders here, in the order in which they were packed: the project's, and import roots outside of it.
    """

    packed: bytes
    is_git: bool
    roots: tuple[str, ...]

    def place(self, folder: Path) -> None:
        """Places the files in a folder, which is made."""
        data = zstandard.ZstdDecompressor().decompress(self.packed, max_output_size=2 * _MOST)
        folder.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            archive.extractall(folder, filter="data")
        for number in range(len(self.roots)):
            (folder / _name(number)).mkdir(parents=True, exist_ok=True)
        if self.is_git:
            (folder / _INSIDE / ".git").mkdir(exist_ok=True)  # where the project begins is seen by that

    def there(self, path: str, folder: Path) -> str:
        """Where a path of here is in a folder where this was placed; as it is, of what did not go along."""
        found = self.inside(path)
        return path if found is None else self.at(*found, folder)

    def inside(self, path: str) -> tuple[int, str] | None:
        """In which of the folders a path of here is, and where in it; None where it is in none."""
        for number, root in enumerate(self.roots):
            if path == root or path.startswith(root.rstrip(os.sep) + os.sep):
                return number, os.path.relpath(path, root)
        return None

    def at(self, number: int, path: str, folder: Path) -> str:
        """Where that is in a folder where this was placed."""
        return os.path.normpath(folder / _name(number) / path)

    def here(self, text: str, folder: Path) -> str:
        """Text in which files that were placed in a folder are called as they were before."""
        for number, root in enumerate(self.roots):
            text = text.replace(str(folder / _name(number)), root)
        return text


def pack(project: Path, loaded: AbstractSet[str]) -> Parcel:
    """Packs the files of the project in or around a folder, and what is loaded from outside of it.

    Args:
        project: The folder.
        loaded: The files of the user's modules that are loaded.

    Raises:
        PipelineError: The code is too large to travel.
    """
    root = project_root(str(project))
    inside = {path for path in loaded if _is_below(path, root)} | set(_files(root))
    outside = sorted({import_root(os.path.dirname(path)) for path in loaded - inside})
    roots = (root, *outside)
    found = [(path, 0) for path in sorted(inside)]
    for number, folder in enumerate(outside, start=1):
        below = {path for path in loaded - inside if _is_below(path, folder)}
        found += [(path, number) for path in sorted(set(_packages(below, folder)))]
    return Parcel(_packed(found, roots), os.path.exists(os.path.join(root, ".git")), roots)


def _packed(found: Iterable[tuple[str, int]], roots: tuple[str, ...]) -> bytes:
    buffer, total = io.BytesIO(), 0
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, number in found:
            try:
                data = Path(path).read_bytes()
            except OSError:
                continue  # it has gone since, or nobody can read it: then the code does not need it
            total += len(data)
            if total > _MOST:
                raise PipelineError(
                    f"The code of {roots[0]} is more than {_MOST >> 20} MB, too much to send to workers; have Git "
                    "ignore what is no code."
                )
            info = tarfile.TarInfo(f"{_name(number)}/{os.path.relpath(path, roots[number])}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return zstandard.ZstdCompressor().compress(buffer.getvalue())


def _name(number: int) -> str:
    return _INSIDE if number == 0 else f"{_OUTSIDE}/{number}"


def _files(root: str) -> Iterator[str]:
    """The files of a project that go along whether or not they are loaded."""
    names = git.files(Path(root))
    for path in _walked(root) if names is None else (os.path.join(root, name) for name in names):
        if f"{os.sep}{FOLDER_NAME}{os.sep}" not in path and _goes_along(path):
            yield path


def _goes_along(path: str) -> bool:
    try:
        return os.path.isfile(path) and (path.endswith(_CODE) or os.stat(path).st_size <= _LITTLE)
    except OSError:
        return False


def _packages(paths: Iterable[str], root: str) -> Iterator[str]:
    """Files outside of the project, each with all code of the package that it is in."""
    for path in paths:
        yield path
        first = os.path.relpath(path, root).split(os.sep)[0]
        top = os.path.join(root, first)
        if os.path.isdir(top):
            yield from (each for each in _walked(top) if each.endswith(_CODE))


def _walked(root: str) -> list[str]:
    """The files below a folder, but for what is hidden, made by Python, or an environment; none where they are many.

    Then it is no project, as a home folder is none.
    """
    found = list(islice(_all_below(root), _MANY + 1))
    return found if len(found) <= _MANY else []


def _all_below(root: str) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in ("__pycache__", "node_modules")
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        )
        yield from (os.path.join(folder, name) for name in sorted(files) if not name.startswith("."))


def _is_below(path: str, root: str) -> bool:
    return path.startswith(root.rstrip(os.sep) + os.sep)
