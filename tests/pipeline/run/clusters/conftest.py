"""A project with a remote, and engines whose workers have nothing of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.clusters import Dask, ray_head

Art = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two workers of Dask that no test breaks; what `art run --executor` is told."""
    cluster = Dask(tmp_path_factory.mktemp("dask"))
    try:
        cluster.add_worker()
        cluster.add_worker()
        yield cluster.executor
    finally:
        cluster.close()


@pytest.fixture(scope="module")  # there is one at a time: another test may wait for it
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Ray, likewise."""
    with ray_head(tmp_path_factory.mktemp("ray")) as executor:
        yield executor


@pytest.fixture(params=["dask", pytest.param("ray", marks=pytest.mark.clusters)])
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def breakable(tmp_path: Path) -> Iterator[Dask]:
    """A scheduler of Dask without workers, which a test may break."""
    cluster = Dask(tmp_path.parent / f"{tmp_path.name}-dask")
    yield cluster
    cluster.close()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without a remote, as the working directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.delenv("ARTVCS_DIR", raising=False)
    monkeypatch.chdir(folder)
    subprocess.run(["git", "init", "--quiet"], check=True)
    return folder


@pytest.fixture
def shared(place: Path, art: Art) -> Path:
    """A project with a remote."""
    art("init")
    art("remote", "add", "origin", str(place.parent / "remote"))
    return place


@pytest.fixture
def art(place: Path) -> Art:
    """Runs `art` in the project: `art("run", "flow.py")`."""

    def run(*arguments: str, check: bool = True, timeout: float = 120, **environment: str) -> Any:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("art")), *arguments], cwd=place, env={**os.environ, **environment},
            capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def begun_art(place: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `art` in the project, in a session of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("art")), *arguments], cwd=place, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for each in started:
        if each.poll() is None:
            os.killpg(each.pid, signal.SIGKILL)
        each.wait()
        if each.stdout is not None:
            each.stdout.close()


def write(path: Path, text: str) -> None:
    """Writes a file of code."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
