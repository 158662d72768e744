"""`art fsck`."""

from __future__ import annotations

import click

from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep import fsck

from .. import errors, output
from ..main import terminal


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(as_json: bool) -> int:
    """Check every byte of the repository, and that whatever is referred to is there. Changes nothing.

    Example: art fsck
    """
    live = terminal().live and not as_json
    problems = []
    for problem in fsck.fsck(Repository.locate(), _show if live else lambda _, __: None):
        problems.append(problem)
        if not as_json:
            _wipe(live)
            terminal().say(f"{problem.where}: {output.one_line(problem.what)}")
    _wipe(live)
    if as_json:
        terminal().document([vars(problem) for problem in problems])
    elif not problems:
        terminal().note("Everything is as it was written.")
    return errors.DAMAGED if problems else errors.OK


def _show(name: str, _: int) -> None:
    output.show_moving(f"checking {name[:60]}")


def _wipe(live: bool) -> None:
    if live:
        output.show_moving("")
