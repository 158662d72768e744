"""What a tool keeps at a path as of one Git revision: what its name stands for there."""

from __future__ import annotations

from pathlib import Path

from artvcs.vcs.git import History

from . import dvc, lfs
from .tracked import Tracked

_READINGS = {each.name: each for each in (dvc.Reading, lfs.Reading)}

TOOLS = tuple(_READINGS)
"""The tools that are known."""


def noted(tool: str) -> str:
    """Under which name a version notes what the tool calls its content."""
    return f"{tool} hash"


def digests(project: Path, tool: str, name: str) -> dict[str, str]:
    """Path → the hash of what a tool keeps there as of a Git revision.

    Args:
        project: A folder in the Git working tree.
        tool: One of `TOOLS`.
        name: A branch, tag, commit or expression such as `HEAD~3`.

    Raises:
        UnknownName: There is no such revision.
    """
    history = History(project)
    said = _READINGS[tool]().tracked(history, history.named(name))
    return {each.path: each.digest for each in said if isinstance(each, Tracked)}
