"""The Azure storage API, as Microsoft's own emulator speaks it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path

from tests.servers.processes import free_ports, listens, npm, process, until

_PACKAGE = "azurite@3.37.0"

ACCOUNT = "devstoreaccount1"
KEY = base64.b64encode(b"not a secret, but the key of tests").decode()
"""The emulator's account here."""

_VERSION = "2021-12-02"


def install() -> None:
    """Installs what is not there."""
    npm(_PACKAGE, "azurite-blob")


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """The emulator, and what the environment has to say of it."""
    (port,), log = free_ports(1), folder / "server.log"
    command = [npm(_PACKAGE, "azurite-blob"), "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    options = ["--location", str(folder), "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    with process([*command, *options], log, AZURITE_ACCOUNTS=f"{ACCOUNT}:{KEY}") as server:
        until(lambda: listens(port), server, log)
        yield {"ARTVCS_TEST_AZURE": f"http://127.0.0.1:{port}/{ACCOUNT}"}


def make_container(endpoint: str, name: str) -> None:
    """Makes a container, signed with the shared key."""
    date = formatdate(usegmt=True)
    headers = f"x-ms-date:{date}\nx-ms-version:{_VERSION}"
    said = ["PUT", *[""] * 4, "text/plain", *[""] * 6]  # the other headers that are signed are not there
    told = "\n".join([*said, headers, f"/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"])
    mac = hmac.new(base64.b64decode(KEY), told.encode(), hashlib.sha256).digest()
    request = urllib.request.Request(f"{endpoint}/{name}?restype=container", method="PUT", data=b"")
    request.add_header("x-ms-date", date)
    request.add_header("x-ms-version", _VERSION)
    request.add_header("Content-Type", "text/plain")
    request.add_header("Authorization", f"SharedKey {ACCOUNT}:{base64.b64encode(mac).decode()}")
    urllib.request.urlopen(request).close()
