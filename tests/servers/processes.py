"""What starting a server needs: packages, free ports, a process that is stopped, waiting until it answers."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

TOOLS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "artvcs-servers"
"""Where servers from npm are installed, once for all clones."""


def apt(*packages: str, has: str) -> None:
    """Installs Debian packages, unless the command `has` is there."""
    if shutil.which(has) is None:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=quiet)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        subprocess.run(install, check=True, env=quiet, stdout=subprocess.DEVNULL)


def npm(package: str, command: str) -> str:
    """Installs a package from npm, unless it is there; returns the path of its command."""
    path = TOOLS / "node_modules" / ".bin" / command
    if not path.exists():
        apt("nodejs", "npm", has="npm")
        TOOLS.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", TOOLS, package], check=True
        )
    return str(path)


def venv(name: str, *packages: str | Path) -> Path:
    """A virtual environment with these packages, made once; returns the folder of its commands.

    Folders are installed editable, each time: they may be another clone's. Several test processes may ask at once.
    """
    folder = TOOLS / name
    programs = folder / "bin"
    TOOLS.mkdir(parents=True, exist_ok=True)
    with open(TOOLS / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, released = folder / "installed", [each for each in packages if isinstance(each, str)]
        pip: list[str | Path] = [programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if not stamp.exists() or stamp.read_text() != " ".join(released):
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            subprocess.run([*pip, *released], check=True)
            stamp.write_text(" ".join(released))
        for place in packages:
            if isinstance(place, Path):
                subprocess.run([*pip, "--editable", place], check=True)
    return programs


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listened on a moment ago, each after the one before."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            start = first.getsockname()[1]
        ports = list(range(start, start + count))
        if all(map(_is_free, ports)):
            return ports


def _is_free(port: int) -> bool:
    with socket.socket() as found:
        try:
            found.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def process(command: Sequence[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server, stopped at the end; what it says goes to a file."""
    with open(log, "ab") as file:
        started = subprocess.Popen(
            command, stdout=file, stderr=file, stdin=subprocess.DEVNULL, env={**os.environ, **environment}
        )
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def until(answers: Callable[[], object], server: subprocess.Popen[bytes], log: Path, seconds: float = 90) -> None:
    """Waits until something that raises `OSError` does not any more; what a server that ended had said is shown."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            answers()
            return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{server.args!r} does not answer:\n{log.read_text()[-3000:]}") from None
            time.sleep(0.1)


def listens(port: int) -> None:
    """Raises `OSError` where nobody listens on a port."""
    socket.create_connection(("127.0.0.1", port), 1).close()
