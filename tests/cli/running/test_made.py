"""A repository that is made because there was none: where depends on where one stands, so it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import Art


@pytest.mark.parametrize("command", ["run adding.py", "run adding.py --plan", "add adding.py --name x"])
def test_where_a_repository_was_made_is_said_once(art: Art, project: Path, command: str) -> None:
    said = f"Made an artifact repository in {project}/.artifacts\n"
    first, again = art(*command.split()), art(*command.split())
    assert (first.code, first.err.count(said), said in first.out) == (0, 1, False)
    assert "Made an artifact repository" not in again.err + again.out


def test_a_fresh_clone_is_told_what_brings_what_the_team_has(art: Art, project: Path) -> None:
    """Before it has computed all of it anew."""
    (project / "pyproject.toml").write_text('[tool.artvcs.remotes]\norigin = "/shared"\n')
    said = art("run", "adding.py").err.splitlines()[0]
    assert said == f"Made an artifact repository in {project}/.artifacts; `art pull` brings what is at /shared."


def test_nobody_who_wants_quiet_is_told(art: Art, project: Path) -> None:
    assert art("-q", "add", "adding.py", "--name", "x").err == ""


def test_a_pipeline_of_another_folder_is_recorded_where_one_stands(
    art: Art, project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path_factory.mktemp("here")
    monkeypatch.chdir(here)
    assert f"Made an artifact repository in {here}/.artifacts\n" in art("run", str(project / "adding.py")).err
    assert not (project / ".artifacts").exists()
