"""`art init`."""

from __future__ import annotations

from pathlib import Path

import click

from artvcs.vcs import FOLDER_NAME, Repository, git

from ..main import terminal


@click.command()
@click.argument("path", required=False, type=click.Path(file_okay=False))
def command(path: str | None) -> None:
    """Make an artifact repository, at the top of the Git working tree or in PATH.

    Example: art init
    """
    here = Path(path).absolute() if path else git.find_root(Path.cwd()) or Path.cwd()
    existed = (here / FOLDER_NAME / "format").exists()
    repository = Repository.init(here / FOLDER_NAME)
    terminal().note(f"{'There is already' if existed else 'Made'} an artifact repository in {repository.layout.folder}")
