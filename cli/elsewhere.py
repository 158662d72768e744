"""What is not here and may be at a remote that nobody has asked yet, as in a fresh clone."""

from __future__ import annotations

import contextlib
from pathlib import Path

from artvcs.vcs import (
    ArtError,
    NothingPushed,
    Repository,
    RepositoryNotFound,
    UnknownArtifact,
    config,
    standing,
)

from .terminal.output import Terminal


def perhaps_elsewhere(error: RepositoryNotFound | UnknownArtifact) -> str:
    """What an error says that found nothing here; where a remote may have it that nobody has asked yet, that it may."""
    hint = None if isinstance(error, NothingPushed) else not_fetched()
    return str(error) if hint is None else f"{str(error).rpartition('; ')[0]}; {hint}."


def not_fetched() -> str | None:
    """What brings what a remote has, where nothing was fetched or pushed yet; None where that is not so."""
    with contextlib.suppress(ArtError):
        try:
            near = Repository.discover()
            remotes = config.read(near).remotes
            if any(standing(near, name).looked is not None for name in remotes):
                return None
        except RepositoryNotFound:
            remotes = config.read_shared(Path.cwd()).remotes
        if remotes:
            chosen = config.DEFAULT if len(remotes) == 1 or config.DEFAULT in remotes else None
            remote = remotes.get(chosen or "") or min(remotes.values(), key=lambda each: each.name)
            command = "art pull" if chosen else f"art pull --from {remote.name}"
            return f"`{command}` brings what is at {remote.address}"
    return None


def say_none(terminal: Terminal, what: str, how: str) -> None:
    """Says that nothing is here of some kind, and what makes some, or brings it where a remote may have it."""
    terminal.tell(f"There are no {what} yet; {not_fetched() or how}.")
