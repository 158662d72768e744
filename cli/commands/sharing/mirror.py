"""`art mirror`."""

from __future__ import annotations

from pathlib import Path

import click

from artvcs.vcs import address, mirror, opening

from ... import sharing
from ...main import terminal
from ...shell import completion
from ...terminal import output


@click.command()
@click.argument("remote", shell_complete=completion.remotes)
@click.argument("url")
@click.option("--endpoint", metavar="URL", help="Where the object store answers, if not where its provider's does.")
@click.option("--region", help="The provider's region.")
def command(remote: str, url: str, endpoint: str | None, region: str | None) -> None:
    """Copy all of REMOTE to URL, and later what has come since: a backup, or a move to another provider.

    Example: art mirror origin s3://backup/shop
    """
    near = sharing.repository()
    source = sharing.remote_named(near, remote, "art mirror")
    place = address.parse(url, base=Path.cwd(), endpoint=endpoint, region=region)
    target = opening.opened(place)
    with sharing.shown(terminal(), f"reading {source.name}", source.traffic):
        done = mirror(source, target, str(place))
    what = f"{output.count(done.packs, 'pack')} and {output.count(done.changes, 'change')}"
    terminal().note(f"{place}: {what}; {sharing.took(target.traffic)}")
