"""`art trust`."""

from __future__ import annotations

import click

from artvcs.pipelines.history.views import ArtifactVersion
from artvcs.vcs import Repository, proofs, versions

from ...main import terminal
from ...shell import completion
from ...stored import finding
from ...terminal import output


@click.command()
@click.argument("target", metavar="NAME[@VERSION]", required=False, shell_complete=completion.names_and_versions)
@click.option("--all", "everything", is_flag=True, help="Every version there is now.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(target: str | None, everything: bool, as_json: bool) -> None:
    """Let a value that somebody else made run code when you load it, as pickles and some models do.

    Example: art trust digits-model@1
    """
    if everything == (target is not None):
        raise click.UsageError("Say which version to trust, or --all.")
    repository = Repository.discover()
    if target is not None:
        found = [finding.version(repository, target)]
    else:
        found = [ArtifactVersion(repository, record) for record in versions.every(repository.refs())]
    proofs.trust(repository.layout, {version.id for version in found})
    if as_json:
        terminal().document([{"id": each.id, "name": each.name, "version": each.version} for each in found])
        return
    what = f"{found[0].name}@{found[0].version}" if target is not None else output.count(len(found), "version")
    is_it = "is trusted: code that it holds may run when you load it"
    are_they = "are trusted: code that they hold may run when you load them"
    terminal().note(f"{what} {is_it if target is not None or len(found) == 1 else are_they}.")
