"""`art prune`."""

from __future__ import annotations

import click

from artvcs.pipelines.history import delete
from artvcs.vcs import Repository, ref_names

from ... import elsewhere
from ...main import terminal
from ...terminal import output
from ..looking.ls import version_document

_NAMED = 5
"""So many versions are named in the question whether to delete them."""


@click.command()
@click.option("--only-artifact", is_flag=True, help="Give up the data, keep the records.")
@click.option("--only-metadata", is_flag=True, help="Give up the records, keep the data.")
@click.option("--include-manual", is_flag=True, help="Also what was saved or registered by hand.")
@click.option("--ignore-errors", is_flag=True, help="Go on after a version that cannot be deleted.")
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would go, and why.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    only_artifact: bool, only_metadata: bool, include_manual: bool, ignore_errors: bool, dry_run: bool, yes: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Delete artifact versions that no run uses. `art gc` then frees their space.

    Example: art prune --dry-run
    """
    if only_artifact and only_metadata:
        raise click.UsageError("--only-artifact and --only-metadata together would keep nothing and delete nothing.")

    def prune(*, dry_run: bool) -> list[delete.Row]:
        return delete.prune(
            Repository.discover(), only_artifact=only_artifact, only_metadata=only_metadata,
            include_manual=include_manual, ignore_errors=ignore_errors, dry_run=dry_run,
        )  # fmt: skip

    if not (dry_run or yes) and terminal().may_ask and (found := prune(dry_run=True)):
        some = ", ".join(f"{row.version.name}@{row.version.number}" for row in found[:_NAMED])
        more = ", …" if len(found) > _NAMED else ""
        terminal().confirm(f"Delete {output.count(len(found), 'version')} ({some}{more})?")
    rows = prune(dry_run=dry_run)
    if as_json:
        from artvcs.pipelines.history.views import ArtifactVersion

        repository = Repository.discover()
        terminal().document([
            {**version_document(ArtifactVersion(repository, row.version)), "reason": row.reason, "error": row.error}
            for row in rows
        ])  # fmt: skip
        return
    verb = "would go" if dry_run else "gone"
    for row in rows:
        terminal().sentence(f"{row.version.name}@{row.version.number}  {row.error or verb}: {row.reason}")
    if rows:
        terminal().note(f"{output.count(len(rows), 'version')} {verb}.")
    elif Repository.discover().refs().count(ref_names.NEWEST):
        terminal().note("Every version is used.")
    else:
        elsewhere.say_none(terminal(), "versions", "`art run FILE` and `art add PATH --name NAME` make some")
