"""`art bundle`."""

from __future__ import annotations

from pathlib import Path

import click

from artvcs.vcs import Repository, bundles

from ... import sharing
from ...main import terminal
from ...shell import completion
from ...terminal import output


@click.group()
def command() -> None:
    """Carry artifacts with their lineage in one file, where no network goes."""


@command.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("names", nargs=-1, metavar="[NAME[@VERSION]]...", shell_complete=completion.names_and_versions)
def create(file: Path, names: tuple[str, ...]) -> None:
    """Make a bundle of all that is here, or of NAME with all that it was made from.

    Example: art bundle create shop.artbundle total
    """
    near = Repository.discover()
    done, size = bundles.create(near, file, sharing.versions_named(near, names))
    what = f"{sharing.counted(done.runs, done.versions)}, {output.count(done.objects, 'object')}"
    terminal().note(f"{file}: {what}, {output.size(size)}")


@command.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def verify(file: Path) -> None:
    """Check each byte of a bundle.

    Example: art bundle verify shop.artbundle
    """
    terminal().sentence(f"{file}: {output.count(bundles.verify(file), 'object')}, each as it was written")


@command.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def unbundle(file: Path) -> None:
    """Take in what is in a bundle: lineage and data, as if it had been pulled.

    Example: art bundle unbundle shop.artbundle
    """
    bundles.check(file)  # before a repository is made for it
    near = Repository.discover(create=True)
    fetched = bundles.unbundle(near, file)
    terminal().note(f"{file}: {sharing.counted(fetched.runs, fetched.versions)} came")
    sharing.say_renumbered(terminal(), file.name, fetched.renumbered)
