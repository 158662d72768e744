"""`docs/clusters.md` is followed: one file, unchanged, on one core, on processes, on Dask and on Ray."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from artvcs import Client
from tests.servers.clusters import Dask, ray_head
from tests.vcs.remotes import places

PROJECT = Path(__file__).parents[2]
GUIDE = (PROJECT / "docs" / "clusters.md").read_text()
ADDRESSES = ("dask://tcp://scheduler:8786", "ray://head:10001")


@dataclass
class Laptop:
    """A machine with the project of the guide, and engines whose workers have nothing of it."""

    folder: Path
    engines: dict[str, str]

    def project(self, name: str, remote: str) -> Path:
        """A new clone of the project, with nothing made yet, and a remote of its own."""
        folder = self.folder / name
        folder.mkdir()
        [code] = re.findall(r"`train.py`:\n\n```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
        (folder / "train.py").write_text(code)
        subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
        for command in self.commands("art remote"):
            self.run(folder, "art init")
            self.run(folder, command.replace("s3://our-bucket/experiments", remote))
        return folder

    def commands(self, start: str) -> list[str]:
        """The guide's commands on the laptop that begin so."""
        found = re.findall(r"^\$ (.*)$", GUIDE, re.MULTILINE)
        return [each for each in found if each.startswith(start)]

    def run(self, project: Path, command: str) -> str:
        """What a command prints."""
        for said, there in self.engines.items():
            command = command.replace(said, there)
        command = command.replace("art ", f"{Path(sys.executable).with_name('art')} ", 1)
        done = subprocess.run(command, shell=True, cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}{done.stdout}"
        return done.stdout + done.stderr


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    monkeypatch.delenv("ARTVCS_DIR", raising=False)
    dask = Dask(tmp_path / "dask")
    try:
        dask.add_worker()
        dask.add_worker()
        with ray_head(tmp_path / "ray") as ray:
            yield Laptop(tmp_path, dict(zip(ADDRESSES, (dask.executor, ray), strict=True)))
    finally:
        dask.close()


def made(project: Path) -> dict[str, str]:
    """Step → what it has made, in the last run."""
    run = Client(path=project).list_pipeline_runs()[0]
    assert run.status == "completed"
    return {name: output.id for name, step in run.steps.items() for output in step.outputs.values()}


def follow(laptop: Laptop, remotes: list[str]) -> None:
    """Runs each command of the guide in a clone of its own, and then the others there, which have nothing to do."""
    commands = laptop.commands("art run")
    assert len(commands) == 4
    results, last = [], None
    for number, (command, remote) in enumerate(zip(commands, remotes, strict=True)):
        project = laptop.project(f"clone-{number}", remote)
        said = laptop.run(project, command)
        assert "6 steps, " in said
        assert "reused" not in said
        results.append(made(project))
        last = project
    assert len(results[0]) == 6
    assert results == [results[0]] * 4
    assert last is not None
    for command in commands:
        assert "6 steps, 6 reused" in laptop.run(last, command)
    # What only the engine's workers had is found by whoever fetches from the remote.
    laptop.run(last, "art push")
    shutil.rmtree(last / ".artifacts")
    laptop.run(last, "art init")
    laptop.run(last, laptop.commands("art remote")[0].replace("s3://our-bucket/experiments", remotes[-1]))
    laptop.run(last, "art fetch")
    assert "6 steps, 6 reused" in laptop.run(last, commands[0])
    assert Client(path=last).get_artifact_version("samples").load().shape == (50_000, 8)


def test_one_file_runs_everywhere_through_a_folder(laptop: Laptop, tmp_path: Path) -> None:
    follow(laptop, [str(tmp_path / f"remote-{number}") for number in range(4)])


@pytest.mark.remotes
def test_one_file_runs_everywhere_through_a_bucket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    found = [places.s3(monkeypatch) for _ in range(4)]  # whose credentials workers have in their environment
    options = f"--endpoint {found[0].endpoint} --region {found[0].region}"
    laptop: Laptop = request.getfixturevalue("laptop")
    follow(laptop, [f"{place} {options}" for place in found])
