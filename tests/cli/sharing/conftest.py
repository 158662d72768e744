"""Machines of a team: each has a clone of one Git project, and all share through a folder."""

from __future__ import annotations

import atexit
import contextlib
import functools
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from artvcs.cli import main

from ..conftest import Done
from .poison import POISON

FLOW = """
import random
from typing import Annotated
from artvcs import pipeline, step

@step
def numbers(seed: int) -> Annotated[str, "numbers"]:
    print("drawing numbers")
    return random.Random(seed).randbytes(150_000).hex()

@step
def total(drawn: str) -> Annotated[int, "total"]:
    print("adding up")
    return sum(map(ord, drawn))

@pipeline
def adding(seed: int = 1):
    total(numbers(seed))
"""


@dataclass
class Machine:
    """One machine of a team."""

    folder: Path

    def art(self, *arguments: str, code: int = 0) -> Done:
        """Runs `art`, which has to end with this code."""
        done = self.try_art(*arguments)
        assert done.code == code, done.err + done.out
        return done

    def try_art(self, *arguments: str) -> Done:
        """Runs `art`: in a process of its own where it imports a pipeline, forked from one that knows `art` already."""
        if arguments[0] == "run":
            return _fork_art(self.folder, arguments)
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main.run(list(arguments))
        finally:
            os.chdir(before)
        return Done(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]

    def python(self, text: str) -> str:
        """What a program prints."""
        done = self.run("-c", text)
        assert done.code == 0, done.err
        return done.out.strip()

    def run(self, *arguments: str) -> Done:
        command = [sys.executable, *arguments]
        found = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        return Done(found.returncode, found.stdout, found.stderr)

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True)

    def ran(self, *arguments: str) -> set[str]:
        """The steps of the pipeline that a run has to execute."""
        done = self.art("run", "flow.py", *arguments, "--json")
        return {name for name, step in done.json["steps"].items() if step["status"] == "completed"}


_FORKING = """
import json, os, sys
import pygit2
import artvcs.pipelines.pipelines, artvcs.pipelines.run.scheduler, artvcs.pipelines.cache.explain
import artvcs.pipelines.history.pins, artvcs.pipelines.values.materializers.documents.materializer
import artvcs.pipelines.values.materializers.python.builtin, artvcs.cli.commands.working.run
from artvcs.cli import main
for line in sys.stdin:
    asked = json.loads(line)
    if not (child := os.fork()):
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(asked[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        sys.argv[1:] = asked["arguments"]
        code = main.run(asked["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@functools.cache
def _forking() -> subprocess.Popen[str]:
    """Knows `art`, and forks whenever it is asked to: starting Python anew takes longer than what is tested."""
    command = [sys.executable, "-c", _FORKING]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(started.kill)
    return started


def _fork_art(folder: Path, arguments: Sequence[str]) -> Done:
    process = _forking()
    assert process.stdin is not None
    assert process.stdout is not None
    with tempfile.TemporaryDirectory() as place:
        said = {name: str(Path(place) / name) for name in ("out", "err")}
        asked = {**said, "folder": str(folder), "environment": dict(os.environ), "arguments": arguments}
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        code = int(process.stdout.readline())
        return Done(code, *(Path(said[name]).read_text() for name in ("out", "err")))


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Where the team shares; it is made by the first push."""
    return tmp_path / "shared"


@pytest.fixture
def machine(tmp_path: Path, shared: Path) -> Callable[[str], Machine]:
    """Clones the project, whose remote is `shared`."""
    origin = tmp_path / "project.git"

    def make(name: str) -> Machine:
        clone = Machine(tmp_path / name)
        if not origin.exists():
            first = Machine(tmp_path / "first")
            first.folder.mkdir()
            first.git("init", "-q", "-b", "main")
            (first.folder / "flow.py").write_text(FLOW)
            (first.folder / "pyproject.toml").write_text(f'[tool.artvcs.remotes]\norigin = "{shared}"\n')
            first.git("add", ".")
            first.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "the project")
            first.git("clone", "-q", "--bare", ".", str(origin))
        subprocess.run(["git", "clone", "-q", str(origin), str(clone.folder)], check=True, capture_output=True)
        return clone

    return make


def move_away(folder: Path) -> Path:
    """Makes a place unreachable."""
    return Path(shutil.move(folder, folder.with_name(f"{folder.name}-away")))


TRUST = """
[tool.artvcs.trust]
signers = "allowed_signers"
results = [{ signer = "ci@example.org", branch = "main" }]
"""


@pytest.fixture
def keys(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a key for somebody."""

    def make(name: str) -> Path:
        path = tmp_path / f"key-{name}"
        if not path.exists():
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@example.org", "-f", str(path)]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path

    return make


@pytest.fixture
def trusting(machine: Callable[[str], Machine], keys: Callable[[str], Path]) -> Callable[..., Machine]:
    """A machine of a project that trusts what the service for its main branch has made."""

    def make(name: str, trust: str = TRUST) -> Machine:
        clone = machine(name)
        lines = [f"{who}@example.org {keys(who).with_suffix('.pub').read_text()}" for who in ("ci", "ada")]
        (clone.folder / "allowed_signers").write_text("".join(lines))
        with (clone.folder / "pyproject.toml").open("a") as file:
            file.write(trust)
        return clone

    return make


@pytest.fixture
def signing(keys: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Pushes with somebody's key."""

    def push(machine: Machine, who: str = "ci", **environment: str) -> Done:
        with monkeypatch.context() as job:
            job.setenv("ARTVCS_SIGNING_KEY", str(keys(who)))
            for name, value in environment.items():
                job.setenv(name, value)
            return machine.art("push")

    return push


def poison(job: Machine) -> None:
    """What the job of a hostile pull request does: it knows the project, and may write to the bucket."""
    job.ran()
    job.python(POISON.format(step="total", value=666))
    job.art("push")


def last(machine: Machine, step: str, what: str) -> str:
    """Something of the output that a step has in the last run."""
    return machine.python(
        f"from artvcs import Client; print(Client().list_pipeline_runs()[0].steps[{step!r}].output.{what})"
    )
