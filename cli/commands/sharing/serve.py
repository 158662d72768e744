"""`art serve`."""

from __future__ import annotations

import click

from artvcs.vcs import folder_of, serve

from ...terminal import output


@click.command()
@click.argument("folder")
@click.option("--stdio", is_flag=True, required=True, help="Answer on standard output what standard input asks.")
def command(folder: str, stdio: bool) -> None:
    """Answer for the files of a repository in FOLDER; `ssh://` remotes run it on the other machine.

    Example: art serve --stdio /srv/artifacts < /dev/null
    """
    serve(folder_of(folder), *output.pipes())
