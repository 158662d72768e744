"""`art checkout`."""

from __future__ import annotations

from pathlib import Path

import click

from artvcs.vcs.objects.kinds import FOLDER, Entry, Tree
from artvcs.vcs.repository import Repository
from artvcs.vcs.worktree import files as worktree

from .. import completion, finding
from ..files import top_of
from ..main import terminal
from ..screen import Counter

_LARGE = 8 << 20
"""Of less than this many bytes nobody wants to see the progress."""


@click.command()
@click.argument("target", metavar="NAME[@VERSION]", shell_complete=completion.names_only)
@click.option(
    "-o", "--output", "place", type=click.Path(path_type=Path), help="Where to put it; by default here, under its name."
)
def command(target: str, place: Path | None) -> None:
    """Put an artifact's files into the working directory. Edits that are not stored are never overwritten.

    Example: art checkout prices@2 -o old/
    """
    repository = Repository.discover()
    found = finding.version(repository, target)
    entry = _entry(repository, found.name, top_of(repository, found.artifact.payload))
    where = place or Path(entry.name)
    if place is not None and place.is_dir() and entry.mode != FOLDER:
        where = place / entry.name
    counter = Counter("writing", entry.size, live=terminal().live and entry.size > _LARGE)
    try:
        written = worktree.checkout(repository.store, entry, where, counter)
    finally:
        counter.end()
    terminal().note(f"{where} holds {found.name}@{found.version}{'' if written else ' already'}")


def _entry(repository: Repository, name: str, top: str) -> Entry:
    """The one file or folder that an artifact is, or a folder of its files named after it."""
    tree = repository.store.record(top, Tree)  # type: ignore[arg-type]
    if len(tree.entries) == 1:
        return tree.entries[0]
    return Entry(name.replace("::", "-"), FOLDER, tree.oid, tree.size)
