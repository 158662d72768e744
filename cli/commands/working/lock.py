"""`art lock`."""

from __future__ import annotations

from pathlib import Path

import click

from artvcs.pipelines.history import pins
from artvcs.vcs import Repository, UnknownName, versions

from ... import placing
from ...main import terminal
from ...terminal import output


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(readable=False))
@click.option("-d", "--delete", "take", is_flag=True, help="Pin nothing there any more.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(paths: tuple[str, ...], take: bool, as_json: bool) -> None:
    """Pin the versions that stand in the project in artifacts.lock, for Git to keep and others to check out.

    By default all that was added or checked out here. What is pinned stays up to date when you add or check out
    another version there; `art checkout --lock` brings what is pinned.

    Example: art lock
    """
    repository = Repository.discover()
    refs, found = repository.refs(), placing.places(repository)
    pinned = pins.read(repository.project)
    asked = [_spelt(found.spell(Path(path)), path) for path in paths]
    if take:
        for path in asked or list(pinned):
            if pinned.pop(path, None) is None:
                raise UnknownName(f"{pins.FILE_NAME} pins nothing at {path}; it pins {', '.join(pinned) or 'nothing'}.")
    else:
        standing = {each.path: each for each in found}
        for path in asked or list(standing):
            if path not in standing:
                raise UnknownName(
                    f"No version stands at {path}; `art add {path} --name NAME` or `art checkout NAME -o {path}` first."
                )
            version = versions.by_value(refs, standing[path].name, standing[path].artifact)
            if version is None:
                raise UnknownName(
                    f"The version of {standing[path].name} at {path} has been deleted; `art add` it again."
                )
            pinned[path] = placing.pin(path, version)
    pins.save(repository.project, pinned)
    if as_json:
        terminal().document([vars(pinned[path]) for path in sorted(pinned)])
        return
    rows = [[path, pinned[path].artifact, output.short(pinned[path].id)] for path in sorted(pinned)]
    terminal().table(["path", "artifact", "id"], rows, whole="path", spare=("id",))
    if not rows:
        terminal().tell(
            f"Nothing is pinned, and there is no {pins.FILE_NAME}; `art add` or `art checkout` what is to be pinned."
        )


def _spelt(path: str | None, given: str) -> str:
    if path is None:
        raise UnknownName(f"{given} lies outside of the project; give a path in it.")
    return path
