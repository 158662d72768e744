"""What a tool keeps at a path as of one Git revision: what its name stands for there."""

from __future__ import annotations

from artvcs.vcs.git import History, Named

from . import dvc, lfs
from .tracked import Tracked

_READINGS = {each.name: each for each in (dvc.Reading, lfs.Reading)}

TOOLS = tuple(_READINGS)
"""The tools that are known."""


def noted(tool: str) -> str:
    """Under which name a version notes what the tool calls its content."""
    return f"{tool} hash"


def digests(revision: Named, tool: str) -> dict[str, str]:
    """Path → the hash of what a tool keeps there as of a Git revision; `tool` is one of `TOOLS`."""
    history = History(revision.start)
    said = _READINGS[tool]().tracked(history, history.commit(revision))
    return {each.path: each.digest for each in said if isinstance(each, Tracked)}
