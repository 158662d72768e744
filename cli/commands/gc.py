"""`art gc`."""

from __future__ import annotations

import click

from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep import collect as gc

from .. import output
from ..main import terminal


@click.command()
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(dry_run: bool, as_json: bool) -> None:
    """Free the space of what nothing refers to, and put small packs together.

    Example: art gc --dry-run
    """
    repository = Repository.discover()
    done = gc.plan(repository) if dry_run else gc.collect(repository)
    if as_json:
        document = {"live": done.live, "dead": done.dead, "bytes": done.freed, "packs": done.old_packs}
        terminal().document({**document, "dry_run": dry_run})
        return
    verb = "Would free" if dry_run else "Freed"
    terminal().say(f"{verb} {output.size(done.freed)}: {done.dead} objects go, {done.live} stay.")
