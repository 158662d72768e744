"""A second host, as far as its network goes: a namespace with a link to this one, which can be cut."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

CAN_BE_MADE = os.geteuid() == 0 and shutil.which("ip") is not None


class Host:
    """Another host.

    Attributes:
        near: The address of this host, as the other reaches it.
        far: The other's address.
        command: What is put before a command that is to run there.
    """

    def __init__(self) -> None:
        number = random.SystemRandom().randrange(1 << 14)
        net = f"10.{192 + (number >> 8)}.{number & 255}"
        self._name, self._link = f"artvcs-{number}", f"art{number}"
        self.near, self.far = f"{net}.1", f"{net}.2"
        self.command = ("ip", "netns", "exec", self._name)
        _ip("netns", "add", self._name)
        _ip("link", "add", self._link, "type", "veth", "peer", "name", "far", "netns", self._name)
        _ip("addr", "add", f"{self.near}/24", "dev", self._link)
        _ip("link", "set", self._link, "up")
        self._there("addr", "add", f"{self.far}/24", "dev", "far")
        self._there("link", "set", "lo", "up")
        self.mend()

    def cut(self) -> None:
        """Nothing comes through any more, and neither side is told."""
        self._there("link", "set", "far", "down")

    def mend(self) -> None:
        """What was cut is whole again."""
        self._there("link", "set", "far", "up")

    def close(self) -> None:
        """There is no such host any more."""
        _ip("netns", "del", self._name)

    def _there(self, *command: str) -> None:
        _ip("-n", self._name, *command)


@contextmanager
def another_host() -> Iterator[Host]:
    """Makes one."""
    host = Host()
    try:
        yield host
    finally:
        host.close()


def _ip(*command: str) -> None:
    subprocess.run(["ip", *command], check=True)
