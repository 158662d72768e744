"""`art import`."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from artvcs.vcs import Repository, RepositoryNotFound, UnknownName, git
from artvcs.vcs.git import History

from ...main import terminal
from ...terminal import output

if TYPE_CHECKING:
    from artvcs.pipelines.importing.planning import Report
    from artvcs.pipelines.keepers.tracked import Keeper

_OFTEN = 10
"""Of so many revisions that are looked at one is told."""

_SHOWN = 20
"""So many versions, and so many problems, are named."""


@click.group()
def command() -> None:
    """Bring in what another tool has kept, revision by revision.

    Example: art import dvc --dry-run
    """


def _options(function: click.decorators.FC) -> click.decorators.FC:
    """The options that all of them have."""
    function = click.option("--json", "as_json", is_flag=True, help="Write JSON.")(function)
    function = click.option("-n", "--dry-run", is_flag=True, help="Only say what would be brought.")(function)
    return click.argument("path", required=False, default=".", type=click.Path(readable=False))(function)


@command.command()
@_options
def dvc(path: str, dry_run: bool, as_json: bool) -> None:
    """Make versions of all that a repository of DVC has tracked, in every Git revision.

    Files are read from DVC's cache and compared with their hashes. What cannot be had is listed, and left out. What was
    brought before is not brought again.

    Example: art import dvc ../project
    """
    from artvcs.pipelines.keepers.dvc import Dvc

    if (Path(path) / ".dvc").is_dir() and git.find_root(Path(path).resolve()) is None:
        raise UnknownName(
            f"{path} is kept by DVC without Git, so that there are no revisions to bring; `art add PATH --name NAME` "
            "stores what is there now."
        )
    history = History(Path(path))
    _bring(history, Dvc(history.top, Path(path)), dry_run=dry_run, as_json=as_json)


@command.command()
@_options
def lfs(path: str, dry_run: bool, as_json: bool) -> None:
    """Make versions of all files that Git LFS has tracked, in every Git revision.

    Files are read from where Git LFS keeps them and compared with their hashes. What cannot be had is listed, and left
    out. What was brought before is not brought again.

    Example: art import lfs ../project
    """
    from artvcs.pipelines.keepers.lfs import Lfs

    history = History(Path(path))
    _bring(history, Lfs(history.top), dry_run=dry_run, as_json=as_json)


@command.command()
@click.argument("uri", required=False, metavar="[URI]")
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be brought.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def mlflow(uri: str | None, dry_run: bool, as_json: bool) -> None:
    """Make runs of all that MLflow has tracked at URI, and models of all that it has registered.

    Parameters, measures with their curves, tags and artifacts come along; stages and aliases of models become stages.
    What was brought before is not brought again. MLflow has to be installed. By default URI is what MLFLOW_TRACKING_URI
    says.

    Example: art import mlflow sqlite:///mlflow.db
    """
    from artvcs.pipelines.importing.mlflow import opened
    from artvcs.pipelines.importing.stores import without_password
    from artvcs.pipelines.importing.tracking import Bringing

    uri = uri or os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        raise click.UsageError("Say where MLflow's store is, as in sqlite:///mlflow.db or http://localhost:5000.")
    with contextlib.ExitStack() as stack:
        try:
            _show_doing(f"asking {without_password(uri)}")
            source = stack.enter_context(opened(uri))
            bringing = Bringing(_repository(stack, may_make=not dry_run), source)
            if dry_run:
                report = bringing.look(lambda place: _show_doing(f"looking at {place}"))
            else:
                report = bringing.bring(lambda place: _show_doing(f"bringing {place}"))
        finally:
            _show_doing("")
    if as_json:
        terminal().document({**vars(report), "dry_run": dry_run})
        return
    verb = "Would bring" if dry_run else "Brought"
    counts = f"{output.count(len(report.runs), 'run')}, {output.count(len(report.models), 'version')} of models"
    there = f"; {report.there} were here already" if report.there else ""
    terminal().note(f"{verb} {counts} ({output.size(report.size)}){there}.")
    _warn_of(report.unusable)


def _show_doing(what: str) -> None:
    if terminal().live:
        output.show_moving(what)


def _bring(history: History, keeper: Keeper, *, dry_run: bool, as_json: bool) -> None:
    with contextlib.ExitStack() as stack:
        report = _carried_out(_repository(stack, may_make=not dry_run), history, keeper, dry_run=dry_run)
    if as_json:
        terminal().document({**vars(report), "dry_run": dry_run})
    else:
        _say(report, dry_run=dry_run)


def _repository(stack: contextlib.ExitStack, *, may_make: bool) -> Repository:
    """The repository here; where there is none and none is to be made, an empty one that is gone afterwards."""
    try:
        return Repository.discover(create=may_make)
    except RepositoryNotFound:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="artvcs-"))
        return Repository.init(Path(folder, ".artifacts"))


def _carried_out(repository: Repository, history: History, keeper: Keeper, *, dry_run: bool) -> Report:
    from artvcs.pipelines.importing.bringing import Bringing

    done = 0

    def look(number: int) -> None:
        if terminal().live and number % _OFTEN == 0:
            output.show_moving(f"looking at revision {number + 1}")

    def watch(number: int, of: int, size: int) -> None:
        nonlocal done
        done += size
        if terminal().live:
            output.show_bar(f"bringing {output.size(done)}", number, of)

    try:
        bringing = Bringing(repository, history, keeper, look)
        return bringing.look() if dry_run else bringing.bring(watch)
    finally:
        if terminal().live:
            output.show_moving("")


def _say(report: Report, *, dry_run: bool) -> None:
    for name in report.made[:_SHOWN]:
        terminal().say(name)
    if len(report.made) > _SHOWN:
        terminal().sentence(f"… and {len(report.made) - _SHOWN} more; --json lists them")
    verb = "Would bring" if dry_run else "Brought"
    versions, revisions = output.count(len(report.made), "version"), output.count(report.revisions, "revision")
    there = f"; {report.there} were here already" if report.there else ""
    runs = f" and {output.count(len(report.runs), 'run')}" if report.runs else ""
    terminal().note(f"{verb} {versions} ({output.size(report.size)}){runs} of {revisions}{there}.")
    _warn_of(report.unusable)


def _warn_of(unusable: dict[str, str]) -> None:
    for what, why in list(unusable.items())[:_SHOWN]:
        terminal().warn(f"{what} is left out: {why.rstrip('.')}.")
    if len(unusable) > _SHOWN:
        terminal().warn(f"And {len(unusable) - _SHOWN} more; --json lists what is left out.")
