"""A store that speaks S3 and ignores every condition: whatever races there, everybody wins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.processes import free_ports, listens, npm, process, until

_PACKAGE = "s3rver@3.7.1"


def install() -> None:
    """Installs what is not there."""
    npm(_PACKAGE, "s3rver")


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """The store, and what the environment has to say of it."""
    (port,), log = free_ports(1), folder / "server.log"
    command = [npm(_PACKAGE, "s3rver"), "-d", str(folder), "-a", "127.0.0.1", "-p", str(port)]
    with process([*command, "--configure-bucket", "lying"], log) as server:
        until(lambda: listens(port), server, log)
        yield {"ARTVCS_TEST_LYING_S3": f"http://127.0.0.1:{port}"}
