"""Two machines that run the same at the same time, and share nothing but a remote: each step is executed once."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from artvcs import Client
from artvcs.vcs import FarClaims
from tests.servers.clusters import wait_until

from .conftest import Art, write

FLOW = """
    import socket
    from typing import Annotated
    from artvcs import pipeline, step


    def answer(name: str) -> str:
        with socket.create_connection(("127.0.0.1", {port})) as asked:
            asked.sendall(name.encode())
            return asked.recv(10).decode()


    @step
    def first() -> Annotated[int, "first"]:
        if answer("first") == "fail":
            raise ValueError("this once")
        return 20


    @step
    def second(number: int) -> Annotated[int, "second"]:
        answer("second")
        return number + 1


    @pipeline
    def flow() -> None:
        second(first())
"""


class Foreman:
    """Whom the steps ask as they are executed, wherever that is."""

    def __init__(self) -> None:
        self.executed: list[str] = []
        self.answers = {"first": "wait", "second": "go"}
        self._waiting: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                asked, _ = self._server.accept()
            except OSError:
                return
            name = asked.recv(100).decode()
            self.executed.append(name)
            if (answer := self.answers[name]) == "wait":
                self._waiting.append(asked)
            else:
                with asked:
                    asked.sendall(answer.encode())

    def say(self, answer: str) -> None:
        """Answers who waits."""
        while self._waiting:
            with self._waiting.pop() as asked:
                asked.sendall(answer.encode())

    def close(self) -> None:
        self.say("fail")
        self._server.close()


@pytest.fixture
def foreman() -> Iterator[Foreman]:
    found = Foreman()
    yield found
    found.close()


@pytest.fixture
def machines(shared: Path, foreman: Foreman, art: Art) -> tuple[Path, Path]:
    """Two clones of a project, each with a repository of its own, and the same remote."""
    write(shared / "flow.py", FLOW.format(port=foreman.port))
    other = shared.parent / "other"
    shutil.copytree(shared, other, ignore=shutil.ignore_patterns(".artifacts"))
    for command in (["init"], ["remote", "add", "origin", str(shared.parent / "remote")]):
        subprocess.run([str(Path(sys.executable).with_name("art")), *command], cwd=other, check=True)
    return shared, other


Begin = Callable[[Path], subprocess.Popen[str]]


@pytest.fixture
def begin(dask: str) -> Iterator[Begin]:
    """Begins a run on one of the machines."""
    started: list[subprocess.Popen[str]] = []

    def run(machine: Path) -> subprocess.Popen[str]:
        command = [str(Path(sys.executable).with_name("art")), "run", "flow.py", "--executor", dask]
        started.append(subprocess.Popen(
            command, cwd=machine, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        ))  # fmt: skip
        return started[-1]

    yield run
    for each in started:
        if each.poll() is None:
            os.killpg(each.pid, signal.SIGKILL)
        each.communicate()


def at_remote(machines: tuple[Path, Path], what: str) -> list[Path]:
    """The files there that tell who executes something."""
    return [path for path in (machines[0].parent / "remote" / "executing" / what).rglob("*") if path.is_file()]


def ended(running: subprocess.Popen[str]) -> str:
    said, _ = running.communicate(timeout=100)
    assert running.returncode == 0, said
    return said


def both_begin(machines: tuple[Path, Path], foreman: Foreman, begin: Begin) -> list[subprocess.Popen[str]]:
    """Begins a run on one machine, and then on the other, which waits for the first one's step."""
    ours = begin(machines[0])
    wait_until(lambda: foreman.executed == ["first"], "the step has not begun")
    theirs = begin(machines[1])
    wait_until(lambda: len(at_remote(machines, "wanted")) == 1, "nobody waits")
    return [ours, theirs]


@pytest.mark.long
def test_the_second_waits_and_takes_the_first_ones_results(
    machines: tuple[Path, Path], foreman: Foreman, begin: Begin
) -> None:
    ours, theirs = both_begin(machines, foreman, begin)
    foreman.say("go")
    assert "2 steps, " in ended(ours)
    said = ended(theirs)
    assert "waiting for another run that executes it" in said
    assert "first   cached" in said
    assert sorted(foreman.executed) == ["first", "second"]
    assert Client(path=machines[1]).get_artifact_version("second").load() == 21
    assert at_remote(machines, "") == []


@pytest.mark.clusters
def test_what_fails_at_the_first_is_tried_by_the_second(
    machines: tuple[Path, Path], foreman: Foreman, begin: Begin
) -> None:
    ours, theirs = both_begin(machines, foreman, begin)
    foreman.answers["first"] = "go"
    foreman.say("fail")
    said, _ = ours.communicate(timeout=60)
    assert "ValueError: this once" in said
    ended(theirs)
    assert foreman.executed == ["first", "first", "second"]


@pytest.mark.clusters
def test_the_lease_of_one_that_died_lapses(machines: tuple[Path, Path], foreman: Foreman, begin: Begin) -> None:
    ours, theirs = both_begin(machines, foreman, begin)
    foreman.answers["first"] = "go"
    os.killpg(ours.pid, signal.SIGKILL)
    [holder] = at_remote(machines, "holders")
    long_ago = holder.stat().st_mtime - FarClaims.LAPSE  # as it will be
    os.utime(holder, (long_ago, long_ago))
    ended(theirs)
    assert foreman.executed == ["first", "first", "second"]


@pytest.mark.clusters
def test_who_waits_can_be_interrupted(machines: tuple[Path, Path], foreman: Foreman, begin: Begin) -> None:
    ours, theirs = both_begin(machines, foreman, begin)
    theirs.send_signal(signal.SIGINT)
    said, _ = theirs.communicate(timeout=60)
    assert "Interrupted; what had finished is kept" in said
    assert at_remote(machines, "wanted") == []
    foreman.say("go")
    ended(ours)
    assert at_remote(machines, "") == []
