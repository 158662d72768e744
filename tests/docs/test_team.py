"""`docs/team.md` is followed step by step by two machines: through a folder, a bucket, and OpenSSH's own server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.sharing.poison import POISON
from tests.vcs.remotes import places

PROJECT = Path(__file__).parents[2]
GUIDE = (PROJECT / "docs" / "team.md").read_text()
README = (PROJECT / "README.md").read_text()
POISONED = 666.0
SAID = re.compile(r"(\d+) requests?, (\S+ \S+) sent, (\S+ \S+) received")


@dataclass
class Team:
    """Two people's machines, each with a home of its own."""

    folder: Path
    address: str
    options: str

    def run(self, who: str, command: str) -> str:
        """What a command of the guide prints on somebody's machine."""
        home = self.folder / who
        home.mkdir(exist_ok=True)
        self.prepare(home, command)
        command = command.replace("s3://our-bucket/shop", f"{self.address} {self.options}".strip())
        command = command.replace("https://example.org/shop", str(self.folder / "shop.git"))
        where = home / "shop" if (home / "shop").exists() else home
        path = f"{self.folder / 'programs'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "XDG_STATE_HOME": str(home / ".local" / "state")}
        done = subprocess.run(
            command, shell=True, cwd=where, env=environment, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stderr}{done.stdout}"
        return done.stderr + done.stdout

    def prepare(self, home: Path, command: str) -> None:
        """What the guide says in words is done before a command."""
        if "Trust what our CI has made" in command:
            [table] = re.findall(r"^```toml\n(\[tool\.artvcs\.trust\]\n.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
            with (home / "shop" / "pyproject.toml").open("a") as file:
                file.write(table)
        elif command == "python poison.py":
            (home / "shop" / "poison.py").write_text(POISON.format(step="total", value=POISONED))
        elif "ARTVCS_SIGNING_KEY" in command:
            shutil.copy(self.folder / "ada" / "ci-key", home / "ci-key")  # as the service gives its secret to the job

    def follow(self) -> dict[str, str]:
        """Runs all commands of the guide; the last output of each."""
        blocks = re.findall(r"^```console\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
        commands = re.findall(r"^(ada|ben|pr|ci)\$ (.*)$", "".join(blocks), re.MULTILINE)
        assert len(commands) > 10
        return {f"{who}: {command}": self.run(who, command) for who, command in commands}


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Team]:
    """Ada has a clone of a project with the pipeline of the README; Ben has nothing yet."""
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "Ada")
        monkeypatch.setenv(f"{name}_EMAIL", "ada@example.org")
    (tmp_path / "programs").mkdir()
    art = tmp_path / "programs" / "art"
    art.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from artvcs.cli import start; start()" "$@"\n')
    art.chmod(0o755)
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "shop.git")
    (tmp_path / "ada").mkdir()
    git(tmp_path / "ada", "clone", "-q", str(tmp_path / "shop.git"), "shop")
    shop = tmp_path / "ada" / "shop"
    pipeline = re.search(r"`pipeline.py`:\n\n```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert pipeline is not None
    (shop / "pipeline.py").write_text(pipeline[1])
    (shop / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    git(shop, "checkout", "-q", "-B", "main")
    git(shop, "add", ".")
    git(shop, "commit", "-q", "-m", "The shop")
    git(shop, "push", "-q", "-u", "origin", "main")
    return lambda address, options: Team(tmp_path, address, options)


def check(said: dict[str, str]) -> None:
    """What the guide promises of the commands."""
    assert "commit that file" in said["ada: art remote add origin s3://our-bucket/shop"]
    assert "origin can be pushed to" in said["ada: art remote test"]
    assert "1 run and 3 versions" in said["ada: art push"]
    assert "1 run and 3 versions came" in said["ben: art pull"]
    assert "3 reused" in said["ben: art run pipeline.py"]
    assert "1 run only here" in said["ben: art status"]
    assert SAID.search(said["ada: art push"])
    pulled = SAID.search(said["ben: art pull"])
    assert pulled is not None
    assert int(pulled[1]) <= 12
    ran = said["ci: art run pipeline.py"]
    assert "reused" not in ran
    assert "nobody has signed it" in said["ci: art why total"]
    assert "3 signed" in said["ci: ARTVCS_SIGNING_KEY=../ci-key art push"]
    assert "Signed:    ci@example.org on main" in said["ben: art show total"]
    print(f"the second machine downloaded {pulled[3]} in {pulled[1]} requests, and ran nothing")


def test_two_machines_follow_the_guide_through_a_folder(team: Callable[[str, str], Team], tmp_path: Path) -> None:
    check(team(str(tmp_path / "our-bucket"), "").follow())


@pytest.mark.remotes
def test_two_machines_follow_the_guide_through_a_bucket(
    team: Callable[[str, str], Team], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = places.s3(monkeypatch)
    check(team(str(place), f"--endpoint {place.endpoint} --region {place.region}").follow())


@pytest.mark.remotes
def test_two_machines_follow_the_guide_through_ssh(
    team: Callable[[str, str], Team], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    check(team(str(places.ssh(monkeypatch, tmp_path / "our-bucket")), "").follow())
