"""Sharing around a run, where the project's settings say so: fetching before it, and pushing after it.

A remote that cannot be reached stops no run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from artvcs.vcs import ArtError, Remote, Repository, RepositoryNotFound, config, connect, fetch, push, traffic
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
