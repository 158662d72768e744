"""`art cat-file`."""

from __future__ import annotations

import click

from artvcs.vcs import Repository, canonical

from ...main import terminal


@click.command()
@click.option("-t", "show", flag_value="type", help="The object's kind.")
@click.option("-s", "show", flag_value="size", help="Its size in bytes.")
@click.option("-p", "show", flag_value="content", default=True, help="Its content.")
@click.argument("id_", metavar="ID")
def command(show: str, id_: str) -> None:
    """Look at one stored object by its id, or the start of it.

    Example: art cat-file -t 4f62277c
    """
    repository = Repository.discover()
    store = repository.store
    with repository.reading():
        at = store.expand(id_)
        if show == "type":
            terminal().say(at.kind)
        elif show == "size":
            terminal().say(str(at.size))
        elif at.kind == "blob":
            terminal().content(store.iter_read(at.oid))
        else:
            terminal().document(canonical.loads(store.read(at.oid, at.kind)))
