"""OpenSSH's own server, with a key of ours, for whoever runs the tests."""

from __future__ import annotations

import getpass
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.processes import apt, free_ports, listens, process, until

SSHD = "/usr/sbin/sshd"


def install() -> None:
    """Installs what is not there."""
    apt("openssh-server", "openssh-client", has=SSHD)


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """The server, and what the environment has to say of it: a command in place of `ssh` that reaches it."""
    (port,), log = free_ports(1), folder / "server.log"
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "authorized_keys").write_bytes((folder / "user.pub").read_bytes())
    programs = f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin"
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nStrictModes no\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPasswordAuthentication no\nPermitRootLogin yes\n"
        f"SetEnv PATH={programs}\n"
    )
    Path("/run/sshd").mkdir(parents=True, exist_ok=True)  # where it separates its privileges
    with process([SSHD, "-D", "-e", "-f", str(folder / "config")], log) as server:
        until(lambda: listens(port), server, log)
        options = ["-F", "none", "-i", f"{folder}/user", "-o", f"UserKnownHostsFile={folder}/known"]
        options += ["-o", "StrictHostKeyChecking=accept-new", "-o", "BatchMode=yes"]
        yield {
            "ARTVCS_TEST_SSH": f"ssh://{getpass.getuser()}@127.0.0.1:{port}",
            "ARTVCS_TEST_SSH_COMMAND": shlex.join(["ssh", *options]),
        }
