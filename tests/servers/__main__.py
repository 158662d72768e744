"""Installs shells, starts the servers, runs a command that finds them in its environment, and stops them.

python -m tests.servers pytest -m remotes
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.servers import azurite, ceph, nginx, openssh, s3rver
from tests.servers.processes import apt

SERVERS = (ceph, azurite, s3rver, openssh, nginx)


def main(command: list[str]) -> int:
    """Returns what the command returned."""
    for shell in ("zsh", "fish"):
        apt(shell, has=shell)
    with tempfile.TemporaryDirectory(prefix="artvcs-servers-") as folder, ExitStack() as running:
        environment = dict(os.environ)
        for server in SERVERS:
            server.install()
            place = Path(folder) / server.__name__.rpartition(".")[2]
            place.mkdir()
            environment |= running.enter_context(server.running(place))
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
