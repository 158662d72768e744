"""Dask and Ray as their users start them: in processes of their own, in folders that have nothing of any project."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from .networks import Host
from .processes import free_ports

_PATIENCE = 60.0


class Started:
    """Processes in a session of their own, which are killed with all that they have started."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, folder: Path, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        """Starts a command in a folder, which is made; what it prints goes to `log` there."""
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(
                command, cwd=folder, env=_elsewhere(folder, environment), stdout=log, stderr=log, start_new_session=True
            )
        self._started.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kills one, with all that is in its session."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process in self._started:
            self._started.remove(process)

    def kill_all(self) -> None:
        """Kills all of them."""
        for each in [*self._started]:
            self.kill(each)


def _elsewhere(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """An environment that says nothing of a project, with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ARTVCS", "PYTHON", "XDG"))}
    return {**kept, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), **more}


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Waits until something is so."""
    give_up = time.monotonic() + _PATIENCE
    while not is_so():
        assert time.monotonic() < give_up, what
        time.sleep(0.05)


class Dask:
    """A scheduler of Dask with workers, each in a process and a folder of its own.

    Args:
        folder: Where all of them are.
        address: Where others reach the scheduler.
        environment: Variables of all of them.

    Attributes:
        executor: What `art run --executor` is told.
        folder: Where all of them are.
    """

    def __init__(self, folder: Path, address: str = "127.0.0.1", **environment: str) -> None:
        self.folder = folder
        self._started = Started()
        (self._port,) = free_ports(1)
        self._address, self._environment = address, environment
        self.executor = f"dask://tcp://{address}:{self._port}"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.start_scheduler()

    def start_scheduler(self) -> None:
        """Starts the scheduler."""
        self.scheduler = self._start("scheduler", "scheduler", "--port", str(self._port), "--host", self._address)
        wait_until(lambda: b"Scheduler at" in self._log("scheduler"), "the scheduler has not begun")

    def add_worker(self, *options: str, host: Host | None = None, **environment: str) -> subprocess.Popen[bytes]:
        """Starts another worker, here or on another host."""
        name = f"worker-{len(self.workers)}"
        there = self._address if host is None else host.far
        command = ("worker", f"tcp://{self._address}:{self._port}", "--nthreads", "1", "--host", there, *options)
        worker = self._start(name, *command, before=() if host is None else host.command, **environment)
        self.workers.append(worker)
        wait_until(lambda: b"Starting established connection" in self._log(name), "the worker has not begun")
        return worker

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kills the scheduler or a worker, as a machine that breaks does."""
        self._started.kill(process)

    def close(self) -> None:
        """Kills all."""
        self._started.kill_all()

    def _start(
        self, name: str, *command: str, before: tuple[str, ...] = (), **environment: str
    ) -> subprocess.Popen[bytes]:
        dask = (*before, str(Path(sys.executable).with_name("dask")))
        variables = {**self._environment, **environment}
        return self._started.start(self.folder / name, *dask, *command, "--no-dashboard", **variables)

    def _log(self, name: str) -> bytes:
        return (self.folder / name / "log").read_bytes()


@contextmanager
def ray_head(folder: Path) -> Iterator[str]:
    """Ray, as `ray start --head` starts it; yields what `art run --executor` is told.

    There is one on a machine at a time: the servers that it starts for its clients have ports that are always the same.
    """
    with open(Path(tempfile.gettempdir()) / "artvcs-tests-ray.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield from _ray_head(folder)


def _ray_head(folder: Path) -> Iterator[str]:
    ray, started, (own, port) = str(Path(sys.executable).with_name("ray")), Started(), free_ports(2)
    ports = ("--port", str(own), "--ray-client-server-port", str(port))
    place = ("--node-ip-address", "127.0.0.1", "--num-cpus", "2", "--include-dashboard", "false")
    try:
        head = started.start(folder, ray, "start", "--head", "--block", "--disable-usage-stats", *ports, *place)
        wait_until(lambda: b"Ray runtime started" in (folder / "log").read_bytes(), "Ray has not begun")
        time.sleep(2)  # who is the first to connect at once may find that the server for him does not start
        yield f"ray://127.0.0.1:{port}"
    finally:
        head.terminate()  # which ends all that it has started
        with suppress(subprocess.TimeoutExpired):
            head.wait(_PATIENCE)
        started.kill_all()


@contextmanager
def ray_with_a_node(folder: Path, host: Host) -> Iterator[tuple[str, Callable[[], None]]]:
    """Ray whose only node that executes anything is on another host; a way to start one here comes along."""
    ray, started, (own, port) = str(Path(sys.executable).with_name("ray")), Started(), free_ports(2)
    usual, count = ("--block", "--disable-usage-stats"), 0
    soon = {"RAY_health_check_period_ms": "500", "RAY_health_check_timeout_ms": "1000"}
    proxies = {f"{name}_proxy": "" for name in ("http", "https", "grpc")}  # what is near needs none

    def start(*command: str) -> None:
        nonlocal count
        count += 1
        place = folder / str(count)
        started.start(place, *command, *usual, **soon, **proxies)
        wait_until(lambda: b"Ray runtime started" in (place / "log").read_bytes(), "Ray has not begun")

    def node(address: str) -> tuple[str, ...]:
        return (ray, "start", "--address", f"{host.near}:{own}", "--node-ip-address", address, "--num-cpus", "1")

    try:
        start(
            ray, "start", "--head", "--port", str(own), "--ray-client-server-port", str(port), "--num-cpus", "0",
            "--node-ip-address", host.near, "--include-dashboard", "false",
        )  # fmt: skip
        start(*host.command, *node(host.far))
        yield f"ray://{host.near}:{port}", lambda: start(*node(host.near))
    finally:
        started.kill_all()
