"""Files and folders: what is in a folder; a file as what its ending says it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from .. import wording
from ..model import known_kind
from ..summary import Block, Facts, Summary, Table, Text
from ..writing import write
from . import mapping

_LISTED = 50
_WALKED = 100_000
_HEAD = 8_000
_WHOLE = 10 << 20
_KINDS = {".html": "html", ".htm": "html", ".svg": "svg", ".md": "markdown", ".csv": "csv", ".json": "json"}
_IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp")


def write_path(folder: str, path: Path) -> dict[str, str]:
    """Writes what there is to see of a file or folder; returns the files and their kinds."""
    if path.is_dir():
        return write(folder, _folder(path), "folder")
    written = write(folder, _file(path), "file")
    kind = "image" if path.suffix.lower() in _IMAGES else _KINDS.get(path.suffix.lower())
    if known_kind(kind) and path.stat().st_size <= _WHOLE:
        content = Path(folder, f"content{path.suffix.lower()}")
        shutil.copyfile(path, content)
        written[str(content)] = str(kind)
    return written


def _folder(path: Path) -> Summary:
    entries = list(islice(_walk(path, ""), _WALKED))
    total = sum(size for _, size in entries)
    number = wording.count(len(entries), "file") + (" or more" if len(entries) == _WALKED else "")
    rows = tuple((name, wording.size(size)) for name, size in entries[:_LISTED])
    hidden = len(entries) - len(rows)
    note = f"… and {wording.count(hidden, 'more file')}" if hidden else ""
    table = Table(("file", "size"), rows, "", frozenset({1}), note)
    return Summary(
        f"{path.name}/", (Facts((("holds", f"{number}, {wording.size(total)}"),)), *([table] if rows else []))
    )


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.stat(follow_symlinks=False).st_size


def _file(path: Path) -> Summary:
    size = path.stat().st_size
    blocks: list[Block] = [Facts((("size", wording.size(size)),))]
    with path.open("rb") as file:
        head = file.read(_HEAD)
    text = _as_text(head)
    if text is not None:
        blocks.append(Text(text, "" if size <= _HEAD else "Beginning"))
    elif path.suffix.lower() not in _IMAGES:
        blocks.extend(block for block in mapping.of_value(head).blocks if isinstance(block, Text))
    return Summary(path.name, tuple(blocks))


def _as_text(head: bytes) -> str | None:
    """The text of a file's beginning, which may end within a letter; None if it is not text."""
    if b"\0" in head:
        return None
    for cut in range(4):
        try:
            return head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
    return None
