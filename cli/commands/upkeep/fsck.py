"""`art fsck`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from artvcs.vcs import Problem, Repaired, Repository, fsck, repair

from ... import errors
from ...main import terminal
from ...terminal import output
from ...terminal.screen import Progress


@click.command()
@click.option(
    "--repair", "mend", is_flag=True, help="Mend what can be mended; what is damaged is set aside, not deleted."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(mend: bool, as_json: bool) -> int:
    """Check every byte of the repository, and that whatever is referred to is there. Changes nothing without --repair.

    Example: art fsck
    """
    with Progress(live=terminal().live and not as_json) as progress:
        return (_repair if mend else _check)(Repository.locate(), progress, as_json)


def _check(folder: Path, progress: Progress, as_json: bool) -> int:
    problems = []
    for problem in fsck(folder, progress):
        problems.append(problem)
        if not as_json:
            progress.end()
            _say([problem])
    progress.end()
    if as_json:
        terminal().document([vars(problem) for problem in problems])
    elif problems:
        terminal().note(f"{output.count(len(problems), 'problem')}; `art fsck --repair` mends what can be mended.")
    else:
        terminal().note("Everything is as it was written.")
    return errors.DAMAGED if problems else errors.OK


def _repair(folder: Path, progress: Progress, as_json: bool) -> int:
    done = repair(folder, progress)
    problems = list(fsck(folder, progress))
    progress.end()
    if as_json:
        found = {**vars(done), "problems": problems}
        terminal().document({name: [vars(each) for each in group] for name, group in found.items()})
    else:
        _report(done, problems)
    return errors.DAMAGED if done.lost or done.older or problems else errors.OK


def _report(done: Repaired, problems: Sequence[Problem]) -> None:
    _say(done.done)
    if done.older:
        terminal().sentence("Put together again, and perhaps older than it was:")
        _say(done.older, "  ")
    if done.lost:
        terminal().sentence("Lost:")
        _say(done.lost, "  ")
        terminal().sentence("Run its pipeline or add its files again to have it back.")
    if problems:
        terminal().sentence("Still wrong:")
        _say(problems, "  ")
    elif done.done or done.older or done.lost:
        terminal().note("Everything else is as it was written.")
    else:
        terminal().note("Everything is as it was written; nothing was changed.")


def _say(problems: Iterable[Problem], indent: str = "") -> None:
    for problem in problems:
        terminal().sentence(f"{indent}{problem.where}: {output.one_line(problem.what)}")
