"""`art migrate`."""

from __future__ import annotations

from pathlib import Path

import click

from artvcs.vcs import UnknownName, storage_errors

from ...main import terminal
from ...terminal import output

_SHOWN = 3
"""So many places are named of each thing that has no meaning here."""


@click.group()
def command() -> None:
    """Move a project here from another tool.

    Example: art migrate zenml --dry-run
    """


@command.command()
@click.argument("folder", required=False, default=".", metavar="[FOLDER|FILE]")
@click.option("-n", "--dry-run", is_flag=True, help="Only show what would change.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def zenml(folder: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Change the imports of ZenML in scripts, notebooks and requirements to artvcs.zenml.

    What has no meaning here is listed: what only says where a step would run is passed over, and what belongs to
    ZenML's stacks or server raises a sentence when it is used. So is what names ZenML otherwise, as a configuration,
    a command or a text in code, and is left as it is.

    Example: art migrate zenml src
    """
    from artvcs.zenml import migration  # imports all that pipelines need

    root = Path(folder)
    if not root.exists():
        raise UnknownName(f"There is no file or folder {folder!r}; give the project's.")
    with storage_errors(f"reading {folder}"):
        report = migration.plan(root)
    if as_json:
        terminal().document({
            "changed": [str(each.path) for each in report.changes], "passed_over": report.passed_over,
            "missing": report.missing, "unknown": report.unknown, "named": report.named, "unread": report.unread,
            "looked_at": report.looked_at, "dry_run": dry_run,
        })  # fmt: skip
    else:
        _show(report, root)
    if dry_run or not report.changes:
        return
    files = output.count(len(report.changes), "file")
    if not yes:
        terminal().confirm(f"Change {files}?", "Nothing was changed.")
    with storage_errors(f"writing in {folder}"):
        for each in report.changes:
            each.apply()
    if not as_json:
        terminal().note(f"Changed {files}; `art run FILE` runs a pipeline.")
        if any(migration.is_requirements(each.path) for each in report.changes):
            terminal().note(
                "Lists of requirements name artvcs now; where pip does not find it, install it from its folder, by "
                "`pip install PATH`."
            )


def _show(report: object, root: Path) -> None:
    from artvcs.zenml.migration import Report

    assert isinstance(report, Report)
    base = root if root.is_dir() else root.parent
    for change in report.changes:
        for line in change.diff(base).splitlines():
            colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            terminal().say(output.style(line, fg=colour))
    if not report.changes:
        terminal().sentence(f"Nothing imports ZenML in {output.count(report.looked_at, 'file')}.")
    _list("Passed over, for there are no stacks here:", report.passed_over)
    _list("Not here; using it raises a sentence that says what to do instead:", report.missing)
    _list("Not known here; importing it fails:", report.unknown)
    _list("Names ZenML, and was left as it is; look whether it is still wanted:", report.named)
    for path, why in report.unread.items():
        terminal().warn(f"{path} was left as it is: {why}.")


def _list(title: str, found: dict[str, list[str]]) -> None:
    if not found:
        return
    terminal().say()
    terminal().sentence(title)
    for what, places in sorted(found.items()):
        more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        terminal().row(f"  {what}  ({', '.join(places[:_SHOWN])}{more})")
