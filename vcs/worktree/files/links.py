"""Symbolic links that a tree may hold: those that stay inside it, wherever it lies."""

from __future__ import annotations

import itertools
from pathlib import PurePosixPath

from ...errors import InvalidName


def check_link(target: str, link: PurePosixPath) -> None:
    """Refuses a link that leads out of the tree whose top is `.`.

    Only leading `..` are allowed: after a name, `..` goes up from wherever that name leads, which may be a link too.

    Args:
        target: What the link holds.
        link: Where it stands in the tree.

    Raises:
        InvalidName: It leads out, or nowhere.
    """
    parts = PurePosixPath(target).parts
    up = len(list(itertools.takewhile(lambda part: part == "..", parts)))
    out = target.startswith("/") or up > len(link.parts) - 1 or ".." in parts[up:]
    if out or not target or "\0" in target:
        raise InvalidName(f"The link {link} leads out of its folder, to {target!r}; replace it by what it names.")
