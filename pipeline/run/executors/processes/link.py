"""The coordinator's end of the way to the host, see `host`: what it is told, and what is heard of it."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from artvcs.vcs import storage_errors

_LONGEST = 256


class Ends(NamedTuple):
    """Our ends of what leads to a worker.

    Attributes:
        channel: The way to it.
        stdout: What it prints.
        stderr: What it prints there.
    """

    channel: Connection[Any, Any]
    stdout: int
    stderr: int


class HostLink:
    """The host, as it is seen from here. It is started when it is first needed, and again if it is lost.

    Args:
        start: Starts it; returns its process id, and the way to it.
    """

    def __init__(self, start: Callable[[], tuple[int, socket.socket]]) -> None:
        self._start = start
        self._pid = 0
        self._commands: socket.socket | None = None

    @property
    def is_there(self) -> bool:
        """Whether it runs, as far as was heard."""
        return self._commands is not None

    @property
    def handle(self) -> int:
        """What tells when something is to be heard."""
        assert self._commands is not None, "it was begun"
        return self._commands.fileno()

    def begin(self) -> None:
        """Starts it."""
        self._pid, self._commands = self._start()

    def fork(self, number: int) -> Ends:
        """Has it fork a worker, which it calls by a number; that it is gone is heard.

        Raises:
            StorageError: Too many files are open.
        """
        with storage_errors("starting a process for a step"):
            (ours, theirs), (out, printed), (err, complained) = Pipe(), os.pipe(), os.pipe()
        handles = [theirs.fileno(), printed, complained]
        with contextlib.suppress(OSError):
            if self._commands is not None:
                socket.send_fds(self._commands, [f"fork {number}".encode()], handles)
        theirs.close()
        os.close(printed)
        os.close(complained)
        return Ends(ours, out, err)

    def signal(self, number: int, signal: int) -> None:
        """Has it send a signal to a worker."""
        with contextlib.suppress(OSError):  # it is gone: that is heard
            if self._commands is not None:
                self._commands.send(f"signal {number} {signal}".encode())

    def hear(self) -> tuple[int, int] | None:
        """Which worker has ended, with its status as `os.waitpid` has it; None if the host is gone."""
        assert self._commands is not None, "else nothing is to be heard"
        with contextlib.suppress(OSError):
            match self._commands.recv(_LONGEST).decode().split():
                case ["ended", number, status]:
                    return int(number), int(status)
        return None

    def end(self, *, kill: bool = False) -> None:
        """Ends it, and waits for it.

        Args:
            kill: Whether to end all workers that still run.
        """
        if self._commands is None:
            return
        if not kill:
            with contextlib.suppress(OSError):
                self._commands.send(b"end")
        self._commands.close()  # which ends all that still runs
        self._commands = None
        with contextlib.suppress(ChildProcessError):  # somebody else has waited for it
            os.waitpid(self._pid, 0)
