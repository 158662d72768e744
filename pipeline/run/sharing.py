"""Sharing around a run, where the project's settings say so: fetching before it, and pushing after it.

A remote that cannot be reached stops no run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from artvcs.vcs import (
    ArtError,
    Remote,
    Repository,
    RepositoryNotFound,
    config,
    connect,
    fetch,
    push,
    traffic,
    versions,
)
from artvcs.vcs.tracebacks import warn

from ..errors import SharingWarning


@contextmanager
def shared(repository: Repository) -> Iterator[None]:
    """Fetches before the block, and pushes after it, as `[tool.artvcs.run]` says."""
    settings = config.read(repository)
    if settings.fetch:
        _try(repository, settings, fetch, "fetched from", "`art fetch` tries again")
    yield
    if settings.push:
        _try(repository, settings, push, "pushed to", "it is kept here, and `art push` sends it")


def publish_delivered(repository: Repository, remote: Remote) -> None:
    """Publishes at a remote what workers have brought there for runs of this repository, as versions say what it is."""
    refs, delivered = repository.refs(), remote.notes.delivered()
    made = [version for artifact in delivered for version in versions.with_value_like(refs, artifact)]
    if not made:
        return
    try:
        with traffic.watched(f"what is published at {remote.name}", remote.traffic):
            push(repository, remote, made)
    except ArtError as error:
        reason = str(error).rstrip(".")
        warn(
            f"What steps have brought to {remote.name} was not published there ({reason}); `art push` does that, and "
            "has to within a day, before it is garbage there.",
            SharingWarning,
        )


def _try(
    repository: Repository,
    settings: config.Settings,
    exchange: Callable[[Repository, Remote], object],
    what: str,
    advice: str,
) -> None:
    try:
        remote = connect(repository, settings.remote())
        with traffic.watched(f"what is {what} {remote.name}", remote.traffic):
            exchange(repository, remote)
    except RepositoryNotFound:
        return  # nobody has pushed yet
    except ArtError as error:
        reason = str(error).rstrip(".")
        warn(f"Nothing was {what} the remote ({reason}); {advice}.", SharingWarning)
