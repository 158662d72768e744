"""`art checkout`."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import click

from artvcs.vcs import FOLDER, Entry, Repository, check_entry_name, storage_errors, worktree

from .. import completion, finding
from ..files import check_there, given_by, is_given
from ..main import terminal
from ..screen import Counter

_LARGE = 8 << 20
"""Of less than this many bytes nobody wants to see the progress."""

_WITH_SUFFIX = re.compile(r".+?((?:\.tar)?\.[A-Za-z0-9]{1,12})", re.DOTALL)


@click.command()
@click.argument("target", metavar="NAME[@VERSION]", shell_complete=completion.names_only)
@click.option(
    "-o", "--output", "place", type=click.Path(path_type=Path, readable=False),
    help="Where to put it; by default here, under NAME with the stored file's suffix.",
)  # fmt: skip
def command(target: str, place: Path | None) -> None:
    """Put an artifact's files into the working directory. Edits that are not stored are never overwritten.

    Example: art checkout prices@2 -o old/
    """
    repository = Repository.discover()
    with repository.reading():
        found = finding.version(repository, target)
        check_there(found)
        entry = given_by(repository, found.artifact.payload)
        where = _where(place, target, entry)
        for edits in worktree.clean_up(repository.layout):
            terminal().say(f"{edits} holds edits made while an earlier checkout was killed")
        counter = Counter("writing", entry.size, live=terminal().live and entry.size > _LARGE)
        kept = partial(is_given, repository)
        try:
            written = worktree.checkout(repository.store, repository.layout, entry, where, kept, counter)
        finally:
            counter.end()
    terminal().note(f"{where} holds {found.name}@{found.version}{'' if written else ' already'}")


def _where(place: Path | None, target: str, entry: Entry) -> Path:
    """Where it goes: into a folder that is there, or said to be one, under its default name."""
    default = _default_place(target, entry)
    if place is None:
        return default
    with storage_errors(f"writing {place}"):
        return place / default if place.is_dir() and entry.mode != FOLDER else place


def _default_place(target: str, entry: Entry) -> Path:
    """The name that the user typed, with the suffix of the stored file.

    A stored file's own name is whatever somebody else chose: a `conftest.py` must not appear where it would be run.
    """
    name = check_entry_name(target.partition("@")[0].replace("::", "-"))
    if entry.mode == FOLDER:
        return Path(name)
    plain = _WITH_SUFFIX.fullmatch(entry.name)
    suffix = plain.group(1) if plain else ""
    return Path(name if name.casefold().endswith(suffix.casefold()) else name + suffix)
