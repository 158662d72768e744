"""Has a materializer draw its pictures of a value, and reads them.

The materializer may be anybody's: it writes into a temporary folder, and what it names outside of it is refused.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from artvcs.pipelines.errors import MaterializerError

from ...escaping import printable
from . import wording
from .kinds import mapping
from .model import FRAGMENT, KINDS, Visualization, known_kind
from .writing import write

MAX_BYTES = 20 << 20
MAX_FILES = 100
_OWN = f"{__name__.rpartition('.visualizations')[0]}.materializers."


class Drawing(Protocol):
    """The side of a materializer that this needs."""

    def __init__(self, uri: str) -> None: ...

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """Writes files below its folder; returns file path → kind."""


def make(value: Any, materializer: type[Drawing], parent: Path | None = None) -> list[Visualization]:
    """The pictures of a value.

    Args:
        value: The value.
        materializer: Who draws it. Where that draws nothing, its text stands for it.
        parent: Where to make the temporary folder; by default where the system has them.

    Raises:
        MaterializerError: It fails, names files that are not its own, or kinds that do not exist.
    """
    with tempfile.TemporaryDirectory(dir=parent, ignore_cleanup_errors=True) as folder:
        try:
            files = materializer(folder).save_visualizations(value)
        except Exception as error:  # other people's code: it may raise anything
            raise MaterializerError(
                f"{materializer.__name__} could not draw a value of type {type(value).__name__} "
                f"({type(error).__name__}: {error}); fix its save_visualizations."
            ) from error
        own = materializer.__module__.startswith(_OWN)
        if not files:
            files, own = write(folder, mapping.of_value(value)), True
        return _read_all(Path(folder), files, materializer.__name__, own)


def _read_all(folder: Path, files: Mapping[str, object], who: str, own: bool) -> list[Visualization]:
    if not isinstance(files, Mapping) or len(files) > MAX_FILES:
        raise MaterializerError(
            f"save_visualizations of {who} has to return a dict of at most {MAX_FILES} files, path → kind."
        )
    return [_read(folder, str(path), kind, who, own) for path, kind in files.items()]


def _read(folder: Path, path: str, given: object, who: str, own: bool) -> Visualization:
    kind = known_kind(given)
    if kind is None:
        raise MaterializerError(f"{who} drew a {given!r}, which is no kind of picture; use one of {', '.join(KINDS)}.")
    file = _inside(folder, path, who)
    name = printable(file.relative_to(folder.resolve()).as_posix())
    size = file.stat().st_size
    if size > MAX_BYTES:
        text = f"{name} has {wording.size(size)}, more than the {wording.size(MAX_BYTES)} that are shown."
        return Visualization(f"{name}.txt", "text", text.encode())
    trusted = kind == FRAGMENT and own
    return Visualization(name, "html" if kind == FRAGMENT else kind, file.read_bytes(), trusted)


def _inside(folder: Path, path: str, who: str) -> Path:
    """The file that a path means, links followed.

    Raises:
        MaterializerError: It is not a file in the folder.
    """
    inside = folder.resolve()
    try:
        file = (inside / path).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        file = None
    if file is None or not file.is_relative_to(inside) or not file.is_file():
        raise MaterializerError(
            f"{who} named {wording.cut(printable(path), 200)}, which is no file below self.uri; have "
            "save_visualizations write its files there and return their paths."
        )
    return file
