"""`art pull`."""

from __future__ import annotations

import click

from artvcs.vcs import supply

from ... import placing, sharing
from ...main import terminal
from ...shell import completion
from ...terminal import output

_NAMED = "art pull --from"
"""What is written before the name of a remote."""


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME[@VERSION]]...", shell_complete=completion.names_and_versions)
@click.option(
    "--from", "remote", metavar="REMOTE", help="From which remote; by default the one, or `origin`.",
    shell_complete=completion.remotes,
)  # fmt: skip
@click.option("--data", "everything", is_flag=True, help="Also the data of all versions that is not here.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(names: tuple[str, ...], remote: str | None, everything: bool, as_json: bool) -> None:
    """Bring what others have made: the lineage of all, and the data of NAME. Other data comes when it is read.

    Example: art pull prices@2
    """
    near = sharing.repository()
    far = sharing.remote_named(near, remote, _NAMED, names)
    fetched = sharing.fetched(terminal(), near, far)
    placing.follow_numbers(near, fetched)
    if not as_json:
        sharing.say_fetched(terminal(), far.name, fetched)
    wanted = [version.artifact for version in sharing.versions_named(near, names, _NAMED) or ()]
    with sharing.shown(terminal(), f"data from {far.name}", far.traffic):
        brought = supply.bring(near, [*wanted, *(supply.absent(near) if everything else ())])
    if as_json:
        traffic = sharing.traffic_document(far.traffic)
        terminal().document({"remote": far.name, **vars(fetched), "data": sorted(brought), "traffic": traffic})
        return
    if brought:
        terminal().note(f"{far.name}: data of {output.count(len(brought), 'artifact')} came")
    sharing.say_took(terminal(), far, fetched.runs or fetched.versions or brought)
