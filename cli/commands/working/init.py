"""`art init`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from artvcs.vcs import ENVIRONMENT_VARIABLE, FOLDER_NAME, Repository, git

from ...main import terminal


@click.command()
@click.argument("path", required=False, type=click.Path(file_okay=False))
def command(path: str | None) -> None:
    """Make an artifact repository, at the top of the Git working tree or in PATH.

    Example: art init
    """
    asked = os.environ.get(ENVIRONMENT_VARIABLE)
    if asked and path is None:
        folder = Path(asked).absolute()
    else:
        folder = (Path(path).absolute() if path else git.find_root(Path.cwd()) or Path.cwd()) / FOLDER_NAME
    existed = (folder / "format").exists()
    repository = Repository.init(folder)
    terminal().note(f"{'There is already' if existed else 'Made'} an artifact repository in {repository.layout.folder}")
