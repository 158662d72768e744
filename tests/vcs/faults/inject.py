"""Killing a process, or refusing it a system call, at exactly the moment that a test asks for.

The work runs in a forked process that waits until strace is attached to it, so that the n-th call of a kind is the
n-th call of the work and not of some import. What the work says before it dies is what it had promised.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

Say = Callable[[str], None]
Work = Callable[[Path, Say], None]

CALLS = ("rename", "link", "fsync", "write", "pwrite64", "openat", "unlink", "mkdir", "ftruncate", "flock")
"""What changes something on disk, or decides who may."""

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")

_ALLOW_ANY_TRACER = (0x59616D61, ctypes.c_ulong(-1))  # PR_SET_PTRACER, PR_SET_PTRACER_ANY


@dataclass
class Outcome:
    """How a process ended.

    Attributes:
        killed: Whether it was killed.
        injected: Whether it came to the call at which something was to happen.
        said: What it had promised by then.
        error: The type of the exception that ended it, empty when there was none.
    """

    killed: bool
    injected: bool
    said: list[str]
    error: str


def run(work: Callable[[Say], None], injection: str | None = None) -> Outcome:
    """Runs `work` in a process of its own, under an injection such as `fsync:signal=KILL:when=3`."""
    with tempfile.NamedTemporaryFile() as log:
        return _run(work, injection, log)


def _run(work: Callable[[Say], None], injection: str | None, log: IO[bytes]) -> Outcome:
    go_read, go_write = os.pipe()
    said_read, said_write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go_write)
        _be_the_child(work, go_read, said_write)
    os.close(go_read)
    os.close(said_write)
    tracer = None if injection is None else _attach(child, injection, log.name)
    os.write(go_write, b"!")
    os.close(go_write)
    with os.fdopen(said_read) as pipe:
        said = pipe.read().splitlines()
    status = os.waitpid(child, 0)[1]
    if tracer is not None:
        tracer.communicate()
    errors = [line.removeprefix("error ") for line in said if line.startswith("error ")]
    promises = [line for line in said if not line.startswith("error ")]
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return Outcome(killed, killed or b"(INJECTED)" in log.read(), promises, errors[0] if errors else "")


def _be_the_child(work: Callable[[Say], None], go: int, said: int) -> None:
    ctypes.CDLL(None).prctl(*_ALLOW_ANY_TRACER, 0, 0, 0)
    os.read(go, 1)

    def say(line: str) -> None:
        # Not by `write`, which is one of the calls that are counted.
        os.writev(said, [line.encode() + b"\n"])

    try:
        work(say)
    except BaseException as error:
        with suppress(OSError):
            say(f"error {type(error).__name__}")
    os._exit(0)


def _attach(child: int, injection: str, log: str) -> subprocess.Popen[str]:
    call = injection.partition(":")[0]
    command = ["strace", "-f", "-p", str(child), "-o", log, "-e", f"trace={call}", "-e", f"inject={injection}"]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    line = tracer.stderr.readline()
    if "attached" not in line:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.skip(f"strace cannot attach here: {line.strip()}")
    return tracer
