"""What files in a folder may be called."""

from __future__ import annotations

import re
import reprlib
import unicodedata
from collections.abc import Sequence

from ..errors import InvalidName
from .limits import MAX_NAME

_RESERVED = re.compile(r"\.git|git~1|\.artifacts|artifa~[0-9]")
_FORBIDDEN = frozenset("/\\\0")


def check_entry_name(name: str) -> str:
    """`name` if it can safely be one file's name in any folder.

    Raises:
        InvalidName: It is empty, a path, `.`, `..`, too long, holds a NUL or invalid Unicode, or is what some
            file system takes for `.git` or `.artifacts`.
    """
    if name in ("", ".", "..") or not _FORBIDDEN.isdisjoint(name) or is_reserved(name) or not _fits(name):
        raise InvalidName(f"A file named {reprlib.repr(name)} cannot be stored; rename it or leave it out.")
    return name


def check_entry_names(names: Sequence[str]) -> None:
    """Refuses names as `check_entry_name` does, most of them at a glance."""
    together = "/".join(names)
    plain = (
        together.isascii()
        and not any(mark in together for mark in ("\\", "\0", "~", "/."))
        and not together.startswith(".")
        and together.count("/") == len(names) - 1
    )
    if not plain or not all(names) or max(map(len, names)) > MAX_NAME:
        for name in names:
            check_entry_name(name)


def is_reserved(name: str) -> bool:
    """Whether a file system that ignores case, invisible characters or trailing dots and spaces opens `.git`, or ours.

    Numbers after `~` are what such a file system makes of a name that begins with a dot.
    """
    if name.isascii() and "~" not in name and not name.startswith("."):
        return False  # as nearly all names
    seen = "".join(char for char in name if unicodedata.category(char) != "Cf").casefold()
    return _RESERVED.fullmatch(seen.partition(":")[0].rstrip(" .")) is not None


def _fits(name: str) -> bool:
    """Whether Linux and macOS can write such a name; not what is no Unicode."""
    try:
        return len(name.encode("utf-8")) <= MAX_NAME
    except UnicodeEncodeError:
        return False
