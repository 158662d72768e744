"""A web server that shows a folder as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.processes import apt, free_ports, listens, process, until


def install() -> None:
    """Installs what is not there."""
    apt("nginx-light", has="nginx")


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """The server, and what the environment has to say of it: its address, and the folder that it shows."""
    (port,), log = free_ports(1), folder / "server.log"
    shown = folder / "shown"
    shown.mkdir()
    folder.chmod(0o755)
    folder.parent.chmod(0o755)  # its workers are another user
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port}; root {shown}; }} }}\n"
    )
    with process(["nginx", "-c", str(folder / "nginx.conf"), "-e", "stderr"], log) as server:
        until(lambda: listens(port), server, log)
        yield {"ARTVCS_TEST_WEB": f"http://127.0.0.1:{port}", "ARTVCS_TEST_WEB_FOLDER": str(shown)}
