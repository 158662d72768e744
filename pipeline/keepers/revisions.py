"""What a tool keeps at a path as of one Git revision: what a name stands for there that was brought from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from artvcs.vcs.git import History, Named

from . import dvc, lfs
from .tracked import Made, digest_of

_READINGS = {each.name: each for each in (dvc.Reading, lfs.Reading)}


class Kept(NamedTuple):
    """What a version was brought from.

    Attributes:
        tool: The tool that keeps it.
        path: Where, from the top of the Git repository.
        digest: The hash that it has there.
    """

    tool: str
    path: str
    digest: str


def noted(tool: str) -> str:
    """Under which name a version notes what the tool calls its content."""
    return f"{tool} hash"


def kept(metadata: Mapping[str, Any]) -> Kept | None:
    """What a version was brought from, as it notes that; None for what nobody has brought."""
    path = metadata.get("path")
    for tool in _READINGS:
        key = metadata.get(noted(tool))
        if isinstance(key, str) and isinstance(path, str):
            return Kept(tool, path, digest_of(key))
    return None


class At:
    """What tools keep as of a revision; read when it is first asked for.

    Attributes:
        missing: Of what was asked for, something that is kept there and was another then.
        absent: Something that is not kept there at all.
    """

    def __init__(self, revision: Named) -> None:
        self._revision = revision
        self._digests: dict[str, dict[str, str]] = {}
        self.missing: Kept | None = None
        self.absent: Kept | None = None

    def digest(self, asked: Kept) -> str | None:
        """The hash of what the tool keeps there as of the revision; None where that is nothing."""
        if asked.tool not in self._digests:
            history = History(self._revision.start)
            said = _READINGS[asked.tool]().tracked(history, history.commit(self._revision))
            self._digests[asked.tool] = {
                each.path: each.digest for made in said if isinstance(made, Made) for each in made.outputs
            }
        found = self._digests[asked.tool].get(asked.path)
        if found is None:
            self.absent = self.absent or asked
        elif found != asked.digest:
            self.missing = self.missing or asked
        return found
