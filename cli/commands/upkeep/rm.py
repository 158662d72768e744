"""`art rm`."""

from __future__ import annotations

import contextlib
from functools import partial

import click

from artvcs.pipelines.history import delete
from artvcs.pipelines.history.finding import meant, run_lookup
from artvcs.pipelines.history.views import from_ms
from artvcs.vcs import Artifact, DamagedError, LookupFailed, Repository, UnknownName, Version, garbage, versions

from ... import sharing
from ...main import terminal
from ...shell import completion
from ...stored import finding
from ...terminal import output


@click.command()
@click.argument("target", metavar="RUN|NAME[@VERSION]", shell_complete=completion.names_and_runs)
@click.option(
    "--remote", metavar="REMOTE", is_flag=False, flag_value="", shell_complete=completion.remotes,
    help="Give up a version's data there, and nothing here.",
)  # fmt: skip
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def command(target: str, remote: str | None, dry_run: bool, yes: bool) -> None:
    """Delete the record of a run, or an artifact version that no run uses.

    With --remote, the data of a version is given up elsewhere, used or not: its record stays, and so does the data
    wherever else it is.

    Example: art rm training-2026_01_31-12_00_00_000000
    """
    repository = Repository.discover()
    refs = repository.refs()
    name, _, version = target.partition("@")
    meant.check_one(refs, target)
    name = meant.named(refs, name)
    if not version and (several := versions.count(refs, name)) > 1:
        last = versions.last_number(refs, name)
        raise click.UsageError(f"{name} has {output.count(several, 'version')}; say which one, as in {name}@{last}.")
    if remote is not None:
        _give_up(repository, target, remote, dry_run=dry_run, yes=yes)
    elif versions.exists(refs, name):
        found = delete.delete_version(repository, name, version or None, dry_run=True)
        called = found.spelt
        made = f"{output.size(_size(repository, found))}, made {output.ago(from_ms(found.created))}"
        if _may(f"{called} ({made})", dry_run=dry_run, yes=yes):
            delete.delete_version(repository, name, version or None)
            terminal().note(f"Deleted {called}; `art gc` frees its space.")
    else:
        try:
            run = delete.delete_run(repository, target, dry_run=True)
        except UnknownName:
            with contextlib.suppress(UnknownName):
                now = run_lookup.find_run_spec(refs, target).name
                raise LookupFailed(
                    f"A run is deleted by its name or id, and {target!r} may be another tomorrow; now it is {now}."
                ) from None
            hint = meant.near(partial(finding.names, repository), name)
            raise UnknownName(
                f"There is no run or artifact {target!r}{hint}; `art log` and `art ls` list them."
            ) from None
        if _may(f"the record of {run.name} ({output.ago(from_ms(run.started))})", dry_run=dry_run, yes=yes):
            delete.delete_run(repository, run.run)
            terminal().note(f"Deleted the record of {run.name}; `art prune` deletes what only it used.")


def _size(repository: Repository, version: Version) -> int:
    try:
        return repository.store.record(version.artifact, Artifact).size
    except (DamagedError, UnknownName):
        return 0


def _may(what: str, *, dry_run: bool, yes: bool, verb: str = "Delete") -> bool:
    """Whether to do it, or only to say what would be done; ends the command where somebody is asked and says no."""
    if dry_run:
        terminal().sentence(f"Would {verb.lower()} {what}.")
    elif not yes:
        terminal().confirm(f"{verb} {what}?")
    return not dry_run


def _give_up(repository: Repository, target: str, remote: str, *, dry_run: bool, yes: bool) -> None:
    if "@" not in target:
        raise click.UsageError(f"Say which version is meant, as in {target}@1: the newest may be another tomorrow.")
    far = sharing.remote_named(repository, remote or None, f"art rm {target} --remote")
    found = finding.version(repository, target)
    only_there = not repository.store.has(found.artifact.payload)
    what = f"the data of {found.name}@{found.version} at {far.name} ({output.size(found.size)})"
    if not _may(what, dry_run=dry_run, yes=yes, verb="Give up"):
        return
    garbage.give_up(repository, far, found.record)
    terminal().note(
        f"Gave up the data of {found.name}@{found.version} at {far.name}; `art gc --remote` frees its space there."
    )
    if only_there:
        terminal().warn("It is not here either; whoever needs it has to run its pipeline again, or to have it.")
