"""What the verbs that share have in common: which repositories, how far a transfer is, what it took."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from artvcs.vcs import (
    Fetched,
    Remote,
    Repository,
    RepositoryNotFound,
    Traffic,
    UnknownName,
    Version,
    config,
    connect,
    fetch,
)

from .stored import finding
from .terminal import drawing, output
from .terminal.output import Terminal
from .terminal.screen import Screen

_AT_ONCE = 0.3
"""Seconds that nobody takes for waiting."""


def repository() -> Repository:
    """The repository here; one is made where the project's configuration says from where it is filled.

    Raises:
        RepositoryNotFound: There is neither.
    """
    try:
        return Repository.discover()
    except RepositoryNotFound:
        if config.read_shared(Path.cwd()).remotes:
            return Repository.discover(create=True)
        raise


def remote_named(near: Repository, name: str | None, command: str, names: Sequence[str] = ()) -> Remote:
    """The remote of this name; without one the only one, or `origin`.

    Args:
        near: The repository here.
        name: The remote's name.
        command: What is written before it, as `art push --to`.
        names: The artifacts that are named beside it.

    Raises:
        UnknownName: There is none, or none is named of several.
    """
    settings = config.read(near)
    try:
        return connect(near, settings.remote(name, command))
    except UnknownName:
        for each in names:
            _check_is_no_remote(settings, each, command)
        raise


def _check_is_no_remote(settings: config.Settings, name: str, command: str) -> None:
    """Raises UnknownName where a remote is called so that somebody takes for an artifact."""
    if name in settings.remotes:
        raise UnknownName(f"{name!r} is a remote, and no artifact; write `{command} {name}`.")


@contextlib.contextmanager
def shown(terminal: Terminal, doing: str, traffic: Traffic) -> Iterator[None]:
    """While the block runs, a terminal shows how much has come and gone."""
    with _few_collections():
        if not terminal.live:
            yield
            return
        with _moving(doing, traffic):
            yield


@contextlib.contextmanager
def _few_collections() -> Iterator[None]:
    """Millions of small objects, none in a circle: looking for circles among them takes a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextlib.contextmanager
def _moving(doing: str, traffic: Traffic) -> Iterator[None]:
    """While the block runs, a line shows how far a transfer is."""
    began, before = time.monotonic(), traffic.sent + traffic.received

    def text() -> str:
        seconds, done = time.monotonic() - began, traffic.sent + traffic.received - before
        if seconds < _AT_ONCE:
            return ""
        total = traffic.expected - before
        if total <= done:
            return f"{doing}: {output.pace(done, None, seconds)}"
        return drawing.bar(doing, done, total, output.pace(done, total, seconds), output.room_to_move())

    with Screen(text).open():
        yield


def took(traffic: Traffic) -> str:
    """What was asked of a place so far, in words."""
    moved = [f"{output.size(size)} {what}" for size, what in ((traffic.sent, "sent"), (traffic.received, "received"))]
    return ", ".join([output.count(traffic.requests, "request"), *moved])


def say_fetched(terminal: Terminal, name: str, fetched: Fetched) -> None:
    """Says what came, and which versions here have other numbers now."""
    if fetched.runs or fetched.versions:
        terminal.note(f"{name}: {counted(fetched.runs, fetched.versions)} came")
    say_renumbered(terminal, name, fetched.renumbered)


def say_renumbered(terminal: Terminal, name: str, renumbered: Sequence[tuple[str, int, int]]) -> None:
    """Says which versions here have other numbers now."""
    for artifact, before, now in renumbered:
        terminal.sentence(
            f"{artifact}@{before} of this repository is {artifact}@{now} now: {name} has another @{before}"
        )


def counted(runs: int, versions: int) -> str:
    """So many runs and versions."""
    named = [output.count(number, noun) for number, noun in ((runs, "run"), (versions, "version")) if number]
    return " and ".join(named) or "nothing new"


def traffic_document(traffic: Traffic) -> dict[str, int]:
    """What was asked of a place so far, for JSON."""
    return {"requests": traffic.requests, "sent": traffic.sent, "received": traffic.received}


def versions_named(near: Repository, names: Sequence[str], command: str | None = None) -> list[Version] | None:
    """The versions that are meant; None where none is named.

    Args:
        near: The repository here.
        names: What they are called.
        command: What is written before the name of a remote, as `art push --to`, for who leaves it out.

    Raises:
        UnknownName: There is none of a name.
    """
    return [_version_named(near, name, command) for name in names] or None


def _version_named(near: Repository, name: str, command: str | None) -> Version:
    try:
        return finding.version(near, name).record
    except UnknownName:
        if command is not None:
            _check_is_no_remote(config.read(near), name, command)
        raise


def fetched(terminal: Terminal, near: Repository, far: Remote) -> Fetched:
    """Fetches, and shows how far that is."""
    with shown(terminal, f"fetching from {far.name}", far.traffic):
        return fetch(near, far)


def say_took(terminal: Terminal, far: Remote, came: object) -> None:
    """Says what an exchange took, and whether nothing came of it."""
    terminal.note(f"{far.name}: {'' if came else 'nothing new, '}{took(far.traffic)}")
