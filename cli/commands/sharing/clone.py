"""`art clone`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from artvcs.vcs import (
    FOLDER_NAME,
    Configured,
    InvalidName,
    Repository,
    RepositoryNotFound,
    address,
    config,
    connect,
    storage_errors,
    supply,
)

from ... import sharing
from ...main import terminal


@click.command()
@click.argument("url")
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(file_okay=False))
@click.option("--endpoint", metavar="URL", help="Where the object store answers, if not where its provider's does.")
@click.option("--region", help="The provider's region.")
@click.option("--data", "everything", is_flag=True, help="Also the data of all versions.")
def command(url: str, folder: str | None, endpoint: str | None, region: str | None, everything: bool) -> None:
    """Make a repository in DIR that holds the lineage of the one at URL, which is its remote `origin`.

    Data comes when it is read. Within a Git project whose pyproject.toml names the remote, `art pull` does as well.

    Example: art clone s3://bucket/prefix
    """
    place = address.parse(url, base=Path.cwd(), endpoint=endpoint, region=region)
    target = Path(os.path.abspath(folder or place.path.rstrip("/").rpartition("/")[2] or place.host))
    inside = target / FOLDER_NAME
    existed, above = inside.exists(), target.exists()
    if not existed and config.DEFAULT in config.read_shared(target).remotes:
        raise InvalidName(
            f"{target} lies in a project that has a remote 'origin'; `art pull` there brings it, or choose another "
            "folder."
        )
    with storage_errors(f"making {target}"):
        target.mkdir(parents=True, exist_ok=True)
    near = Repository.init(inside)
    origin = Configured(config.DEFAULT, place, config.local_file(near))
    known = config.read(near).remotes.get(config.DEFAULT)
    if existed and (known is None or known.address != place):
        raise InvalidName(f"{target} holds another repository already; choose another folder.")
    if not existed:
        config.add(near, origin, str(place))
    far = connect(near, origin)
    try:
        fetched = sharing.fetched(terminal(), near, far)
    except RepositoryNotFound:
        if not existed:  # nothing came that could be lost
            shutil.rmtree(target if not above else inside)
        raise
    terminal().note(f"{inside}: {sharing.counted(fetched.runs, fetched.versions)}; {sharing.took(far.traffic)}")
    if everything:
        with sharing.shown(terminal(), f"data from {far.name}", far.traffic):
            supply.bring(near, supply.absent(near))
        terminal().note(f"{far.name}: all data came; {sharing.took(far.traffic)}")
