"""`art add`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from artvcs.pipelines.functions import register_artifact
from artvcs.vcs import Entry, Oid, Repository, worktree

from ... import output
from ...main import terminal
from ...screen import Counter
from ...stored.files import top_of

_LARGE = 16 << 20
"""Of a file with less bytes nobody wants to see how far it is."""


@click.command()
@click.argument("path", type=click.Path(readable=False))
@click.option("--name", required=True, help="The artifact's name.")
@click.option("--version", help="An explicit version instead of the next number.")
@click.option("--tag", "tags", multiple=True, help="A label; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(path: str, name: str, version: str | None, tags: tuple[str, ...], as_json: bool) -> None:
    """Store an existing file or folder as a version of an artifact; prints its hash, as b3sum does for a file.

    Example: art add data.csv --name prices
    """
    if not path:
        raise click.UsageError("PATH is empty; name a file or folder.")
    size = os.path.getsize(path) if os.path.isfile(path) else None
    with Counter("storing", size, live=terminal().live and (size is None or size >= _LARGE)) as counter:
        added = register_artifact(Path(path), name, version=version, tags=tags, progress=counter)
    entry = stored_entry(added.repository, added.artifact.payload)
    if as_json:
        terminal().document({"id": entry.id, "name": added.name, "version": added.version, "artifact": added.id})
    else:
        terminal().say(f"{entry.id}  {path}")  # as `b3sum` says it
        if not terminal().quiet:
            stored = f"stored as {added.name}@{added.version}, artifact {output.short(added.id)}"
            terminal().say(stored, err=True)


def stored_entry(repository: Repository, payload: Oid) -> Entry:
    """The file or folder that a registered artifact holds."""
    [entry] = worktree.entries(repository.store, top_of(repository, payload))
    return entry
