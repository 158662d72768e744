"""Runs of which not all steps are told: those that never began, and those that are damaged."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from artvcs.vcs.maps import runs
from artvcs.vcs.objects.nodes import StepsNode
from artvcs.vcs.repository import Repository

from ...vcs.helpers import a_run, of_steps, put_run
from ..conftest import Art
from .test_lost import lose


def write(project: Path, *, ended: int, of: int) -> Repository:
    """A run that failed, with so many steps, of which so many have ended."""
    repository = Repository.init(project / ".artifacts")
    order = tuple(f"step_{number}" for number in range(of))
    with repository.transaction("run") as transaction:
        run = of_steps(a_run("r", "failed"), ended, transaction)
        put_run(transaction, run if ended == of else dataclasses.replace(run, order=order))
    return repository


def test_of_a_run_that_failed_what_never_began_is_not_called_damaged(art: Art, project: Path) -> None:
    write(project, ended=3, of=5)
    shown = art("log").out
    assert shown.count("completed") == 3
    assert shown.count("not ended") == 2
    assert "fsck" not in shown


def test_steps_that_cannot_be_read_are_said_and_the_others_are_shown(art: Art, project: Path) -> None:
    repository = write(project, ended=500, of=500)
    run = runs.by_id(repository.refs(), "r")
    assert run is not None
    assert run.parts is not None
    leaf = repository.store.record(run.parts.steps, StepsNode).entries[0][1]
    lost = len(repository.store.record(leaf, StepsNode).entries)
    lose(repository, leaf)
    rows = art("log").out.splitlines()
    assert any(f"×{500 - lost}  completed" in row for row in rows)
    assert any("cannot be read; run `art fsck --repair`" in row for row in rows)
