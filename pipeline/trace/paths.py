"""What a path answers when it is asked: its content, the names in it, its kind, size or state; and in what words."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path

from artvcs.vcs import ArtError, hash_bytes, worktree

from ..units import count
from .places import is_ignored

ABSENT, UNREADABLE, SPECIAL, FOLDER = "absent", "unreadable", "no plain file", "a folder"

LINK = "a link to "
NO_NAMES = "an empty folder"
_HERE = "./"
_LONGEST = 2000
"""Characters of the names in a folder that are kept as they are."""

LARGE = 1 << 30
"""Bytes: a larger file is told apart by what the file system says of it, as reading it takes long."""


def content(path: str, file_ids: worktree.FileIds) -> str:
    """What a file holds: the id of its content, or in words what is there instead."""
    info = look(path)
    if isinstance(info, str):
        return info
    if stat.S_ISDIR(info.st_mode):
        return FOLDER
    if not stat.S_ISREG(info.st_mode):
        return SPECIAL
    if info.st_size > LARGE:
        return f"{info.st_size} bytes of {info.st_mtime_ns} {info.st_ctime_ns} {info.st_ino}"
    try:
        return file_ids.id_of(path, info)
    except (ArtError, OSError):
        return UNREADABLE


def exactly(path: str) -> str:
    """What a file holds byte for byte: of a database, `content` is what it says."""
    info = look(path)
    if isinstance(info, str):
        return info
    try:
        return worktree.file_id(Path(path))
    except ArtError:
        return UNREADABLE


def what_is_left(path: str, file_ids: worktree.FileIds) -> str:
    """What is at a path: as `content`, and of a link where it leads."""
    return f"{LINK}{target(path)}" if os.path.islink(path) else content(path, file_ids)


def names(path: str, without: Collection[str] = (), *, sizes: bool = False, absent: bool = True) -> str:
    """Which names a folder has: one to a line as a path, folders with a slash behind; of many, one hash.

    Args:
        path: The folder.
        without: Names that do not count.
        sizes: Whether the sizes of what they name count.
        absent: Whether it makes a difference that there is no folder.
    """
    found = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if not is_ignored(entry.name) and entry.name not in without:
                    size = f" {entry.stat().st_size}" if sizes and entry.is_file() else ""
                    found.append(f"{_HERE}{os.fsdecode(entry.name)}{'/' if entry.is_dir() else ''}{size}")
    except FileNotFoundError:
        if absent:
            return ABSENT
    except OSError:
        return UNREADABLE
    listing = "\n".join(sorted(found))
    if len(listing) <= _LONGEST and all(map(str.isprintable, found)):
        return listing or NO_NAMES
    return hash_bytes("\0".join(sorted(found)).encode("utf-8", "surrogateescape"), "names")


def target(path: str) -> str:
    """Where a symbolic link leads."""
    try:
        return os.readlink(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except FileNotFoundError:
        return ABSENT
    except OSError:
        return "no link"


def kind(path: str) -> str:
    """What is at a path."""
    info = look(path)
    if isinstance(info, str):
        return info
    return FOLDER if stat.S_ISDIR(info.st_mode) else "a file" if stat.S_ISREG(info.st_mode) else SPECIAL


def kind_left(left: str) -> str:
    """What is at a path that was left so, as `what_is_left` says it."""
    if left in (ABSENT, SPECIAL, UNREADABLE):
        return left
    return FOLDER if left == FOLDER or listed_in(left) is not None else "a file"


def access(path: str, mode: int) -> str:
    """Whether a path may be used so, as `os.access` says."""
    return "may" if os.access(path, mode) else "may not"


def size(path: str) -> str:
    """How large a file is."""
    info = look(path)
    return info if isinstance(info, str) else str(info.st_size)


def state(path: str) -> str:
    """What the file system says of a path that a copy of it may have in common."""
    info = look(path)
    return info if isinstance(info, str) else f"{info.st_mode:o} {info.st_size} {info.st_mtime_ns}"


_PROBES: dict[str, Callable[[str], str]] = {"kind": kind, "size": size, "stat": state, "target": target}


def answer(path: str, facet: str, file_ids: worktree.FileIds) -> str:
    """What a path answers now."""
    if facet == "content":
        return content(path, file_ids)
    if facet == "bytes":
        return exactly(path)
    if facet in _PROBES:
        return _PROBES[facet](path)
    if facet.startswith("access "):
        mode = facet.removeprefix("access ")
        return access(path, int(mode)) if mode.isdecimal() and len(mode) < 4 else UNREADABLE
    what, _, without = facet.partition(" without ")
    return names(path, without.split("/"), sizes=what.endswith("sizes"), absent=not what.startswith("own "))


def is_of_names(facet: str) -> bool:
    """Whether a facet asks for the names in a folder."""
    return "names" in facet or "sizes" in facet


def kind_of(facet: str, then: str, now: str) -> str:
    """What two answers tell of: a folder where both name what is in it, else a file."""
    return "folder" if facet != "stat" and _is_listing(then) and _is_listing(now) else "file"


def told(facet: str, then: str, now: str) -> tuple[str | None, str | None]:
    """Two answers that differ, in words: of names, those that are gone and those that are new."""
    if facet == "stat":
        return _state_in_words(then), _state_in_words(now)
    if not (_is_listing(then) and _is_listing(now)):
        return then, now
    before, after = ([] if each == NO_NAMES else each.split("\n") for each in (then, now))
    gone, new = sorted({*before} - {*after}), sorted({*after} - {*before})
    return _names_in_words(gone), _names_in_words(new)


def listed_in(answer: str) -> set[str] | None:
    """The names that `names` told of a folder; None where it told none, or there were too many."""
    if answer == NO_NAMES:
        return set()
    return {name.removeprefix(_HERE).rstrip("/") for name in answer.split("\n")} if answer.startswith(_HERE) else None


def _is_listing(answer: str) -> bool:
    return answer.startswith(_HERE) or answer == NO_NAMES


def _names_in_words(found: list[str]) -> str | None:
    return ", ".join(name.removeprefix(_HERE) for name in found) or None


def _state_in_words(answer: str) -> str:
    match answer.split():
        case [_, size, time] if time.isdigit():
            changed = datetime.fromtimestamp(int(time) // 1_000_000_000, UTC)
            return f"{count(int(size), 'byte')} of {changed:%Y-%m-%d %H:%M:%S} UTC"
    return answer


Mark = str | tuple[int, ...]
"""What `mark` says."""


def mark(path: str) -> Mark:
    """What is at a path, as far as that says whether it was written."""
    info = look(path)
    return info if isinstance(info, str) else worktree.signature(info)


def look(path: str) -> os.stat_result | str:
    """What the file system says of a path, or in words why it says nothing."""
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except (OSError, ValueError):
        return UNREADABLE
