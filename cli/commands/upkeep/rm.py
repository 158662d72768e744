"""`art rm`."""

from __future__ import annotations

import click

from artvcs.pipelines.history import delete
from artvcs.vcs import Repository, UnknownName, garbage, versions

from ... import finding, sharing
from ...main import terminal


@click.command()
@click.argument("target", metavar="RUN|NAME[@VERSION]")
@click.option(
    "--remote", metavar="REMOTE", is_flag=False, flag_value="", help="Give up a version's data there, and nothing here."
)
def command(target: str, remote: str | None) -> None:
    """Delete the record of a run, or an artifact version that no run uses.

    With --remote, the data of a version is given up elsewhere, used or not: its record stays, and so does the data
    wherever else it is.

    Example: art rm training-2026_01_31-12_00_00_000000
    """
    repository = Repository.discover()
    name, _, version = target.partition("@")
    refs = repository.refs()
    if not version and (count := versions.count(refs, name)) > 1:
        last = versions.last_number(refs, name)
        raise click.UsageError(f"{name} has {count} versions; say which one, as in {name}@{last}.")
    if remote is not None:
        _give_up(repository, target, remote)
        return
    if versions.exists(refs, name):
        gone = delete.delete_version(repository, name, version or None)
        terminal().note(f"Deleted {gone.name}@{gone.label or gone.number}; `art gc` frees its space.")
        return
    try:
        run = delete.delete_run(repository, target)
    except UnknownName:
        raise UnknownName(f"There is no run or artifact {target!r}; `art log` and `art ls` list them.") from None
    terminal().note(f"Deleted the record of {run.name}; `art prune` deletes what only it used.")


def _give_up(repository: Repository, target: str, remote: str) -> None:
    if "@" not in target:
        raise click.UsageError(f"Say which version is meant, as in {target}@1: the newest may be another tomorrow.")
    far, found = sharing.remote_named(repository, remote or None), finding.version(repository, target)
    only_there = not repository.store.has(found.artifact.payload)
    garbage.give_up(repository, far, found.record)
    terminal().note(
        f"Gave up the data of {found.name}@{found.version} at {far.name}; `art gc --remote` frees its space there."
    )
    if only_there:
        terminal().warn("It is not here either; whoever needs it has to run its pipeline again, or to have it.")
