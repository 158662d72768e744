"""`art fetch`."""

from __future__ import annotations

import click

from ... import placing, sharing
from ...main import terminal
from ...shell import completion


@click.command()
@click.argument("remote", required=False, shell_complete=completion.remotes)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(remote: str | None, as_json: bool) -> None:
    """Bring the lineage of what others have made: runs, versions and results, without their data.

    Example: art fetch
    """
    near = sharing.repository()
    far = sharing.remote_named(near, remote, "art fetch")
    fetched = sharing.fetched(terminal(), near, far)
    placing.follow_numbers(near, fetched)
    if as_json:
        terminal().document({"remote": far.name, **vars(fetched), "traffic": sharing.traffic_document(far.traffic)})
        return
    sharing.say_fetched(terminal(), far.name, fetched)
    sharing.say_took(terminal(), far, fetched.runs or fetched.versions)
