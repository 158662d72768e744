"""`art remote`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import click

from artvcs.vcs import (
    Configured,
    Guarantees,
    Notes,
    RemoteRefused,
    Repository,
    RepositoryNotFound,
    address,
    check_remote_name,
    config,
    permissions,
    supply,
)

from ... import sharing
from ...main import terminal
from ...shell import completion
from ...terminal import output


@click.group()
def command() -> None:
    """Add, list, remove or test repositories elsewhere, through which others share."""


@command.command()
@click.argument("name")
@click.argument("url")
@click.option("--endpoint", metavar="URL", help="Where the object store answers, if not where its provider's does.")
@click.option("--region", help="The provider's region.")
@click.option("--local", is_flag=True, help="Only for this repository, and not in the project's pyproject.toml.")
def add(name: str, url: str, endpoint: str | None, region: str | None, local: bool) -> None:
    """Name a repository elsewhere.

    It is written into pyproject.toml where there is one, so that all who have the project know it. URL is
    s3://BUCKET/PREFIX, az://CONTAINER/PREFIX, gs://BUCKET/PREFIX, a folder, ssh://HOST/FOLDER or https://HOST/PATH.
    Credentials are never written down: they are found as the provider's own tools find them.

    Example: art remote add origin s3://bucket/prefix
    """
    near = _here()
    place = address.parse(url, base=Path.cwd(), endpoint=endpoint, region=region)
    shared = config.shared_file(near)
    file = config.local_file(near) if local or not shared.is_file() else shared
    written = str(place)
    if place.scheme == "file" and file == shared and not Path(url.removeprefix("file://")).is_absolute():
        written = os.path.relpath(place.path, file.parent)  # each has it where he has the project
    config.add(near, Configured(check_remote_name(name), place, file), written)
    hint = "commit that file, and others have it too" if file == shared else "it is known in this repository alone"
    terminal().note(f"Added {name} to {file}: {hint}")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def ls(as_json: bool) -> None:
    """List the repositories elsewhere that are known.

    Example: art remote ls
    """
    near = sharing.repository()
    known = config.read(near).remotes.values()
    if as_json:
        terminal().document(
            [
                {"name": each.name, "url": str(each.address), "endpoint": each.address.endpoint, "file": str(each.file)}
                for each in known
            ]
        )
        return
    rows = [[each.name, str(each.address), each.file.name] for each in known]
    terminal().table(["name", "url", "in"], rows, whole="name", spare=("in",))
    if not rows:
        terminal().tell("No repository elsewhere is known; `art remote add origin URL` names one.")


@command.command()
@click.argument("name", shell_complete=completion.remotes)
def rm(name: str) -> None:
    """Forget a repository elsewhere; nothing there is changed.

    Example: art remote rm origin
    """
    near = sharing.repository()
    found = config.read(near).remote(name)
    only_there = sum(near.promises().by(oid) == [name] for oid in supply.absent(near))
    config.remove(near, found)
    Notes(near.layout.remote(name)).forget()
    terminal().note(f"Removed {name} from {found.file}")
    if only_there:
        terminal().warn(f"The data of {output.count(only_there, 'artifact')} is only there; add it again to have it.")


@command.command()
@click.argument("name", required=False, shell_complete=completion.remotes)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def test(name: str | None, as_json: bool) -> None:
    """Find out what a place really guarantees, by racing writers there; without a commit point nothing is pushed.

    Example: art remote test origin
    """
    far = sharing.remote_named(sharing.repository(), name, "art remote test")
    with sharing.shown(terminal(), f"testing {far.name}", far.traffic):
        found = far.probe()
    if as_json:
        terminal().document({"remote": far.name, "refusal": found.refusal, "found": [vars(f) for f in found.findings]})
    else:
        _say(found)
    if found.refusal is not None:
        _refuse(far.where, found.refusal)
    if not as_json:
        terminal().note(f"{far.name} can be pushed to; {sharing.took(far.traffic)}")


@command.command()
@click.argument("name", required=False, shell_complete=completion.remotes)
@click.option("--for", "role", type=click.Choice([*permissions.ROLES]), default="contributor", show_default=True)
def policy(name: str | None, role: str) -> None:
    """Print what somebody has to be allowed in a bucket, and no more, as its provider's tools take it.

    A reader fetches, and reads data. A contributor pushes as well, as the job of a pull request does, and changes and
    deletes nothing of others. A writer begins the repository, too, and a collector deletes what nothing refers to.

    Example: art remote policy origin --for reader
    """
    terminal().document(
        permissions.policy(config.read(sharing.repository()).remote(name, "art remote policy").address, role)
    )


def _here() -> Repository:
    try:
        return sharing.repository()
    except RepositoryNotFound:
        return Repository.discover(create=True)  # whoever names a remote begins to use it


def _say(found: Guarantees) -> None:
    marks = {True: output.style("yes", fg="green"), False: output.style("no", fg="red"), None: "?"}
    for each in found.findings:
        needed = " (needed)" if each.needed and not each.holds else ""
        terminal().sentence(f"{marks[each.holds]:<3}  {each.what}: {each.detail}{needed}")


def _refuse(where: str, refusal: str) -> NoReturn:
    raise RemoteRefused(f"{where} cannot be pushed to ({refusal}); use another store.")
