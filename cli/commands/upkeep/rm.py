"""`art rm`."""

from __future__ import annotations

import click

from artvcs.pipelines.history import delete
from artvcs.vcs import Repository, UnknownName, versions

from ...main import terminal


@click.command()
@click.argument("target", metavar="RUN|NAME[@VERSION]")
def command(target: str) -> None:
    """Delete the record of a run, or an artifact version that no run uses.

    Example: art rm training-2026_01_31-12_00_00_000000
    """
    repository = Repository.discover()
    name, _, version = target.partition("@")
    refs = repository.refs()
    if not version and (count := versions.count(refs, name)) > 1:
        last = versions.last_number(refs, name)
        raise click.UsageError(f"{name} has {count} versions; say which one, as in {name}@{last}.")
    if versions.exists(refs, name):
        gone = delete.delete_version(repository, name, version or None)
        terminal().note(f"Deleted {gone.name}@{gone.label or gone.number}; `art gc` frees its space.")
        return
    try:
        run = delete.delete_run(repository, target)
    except UnknownName:
        raise UnknownName(f"There is no run or artifact {target!r}; `art log` and `art ls` list them.") from None
    terminal().note(f"Deleted the record of {run.name}; `art prune` deletes what only it used.")
