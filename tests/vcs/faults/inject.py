"""Killing a process, or refusing it a system call, at exactly the moment that a test asks for.

The work runs in a forked process that waits until strace is attached to it, so that the n-th call of a kind is the
n-th call of the work and not of some import. What the work says before it dies is what it had promised.

Most calls only look, and between two that change something it makes no difference where a process dies. So the work is
watched once, and then killed once in each state of the disk. With ARTVCS_COMPLETE=1 in the environment it is killed
before every call, which takes three times as long. Calls are refused one by one: each is asked for another reason.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from ...conftest import COMPLETE

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
        if injection is None:
            return _run(work, [], log)
        return _run(work, ["-e", f"trace={injection.partition(':')[0]}", "-e", f"inject={injection}"], log)


LOOKS = frozenset((
    *("access", "close", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fcntl", "fgetxattr", "flock", "fstat"),
    *("fstatfs", "getcwd", "getdents64", "getxattr", "ioctl", "lseek", "lstat", "mmap", "newfstatat", "open", "openat"),
    *("poll", "pread64", "read", "readlink", "readlinkat", "readv", "select", "stat", "statfs", "statx"),
))  # fmt: skip
"""Calls that leave a disk as it is; but for one that opens and makes a file."""
SYNCS = frozenset(("fsync", "fdatasync", "sync", "syncfs"))
"""What they change, only a power cut shows."""
_CALL = re.compile(r"(\d+) +(\w+)\((.*)")


@dataclass(frozen=True)
class Moment:
    """Just before a system call.

    Attributes:
        call: Its name.
        number: How many of this name its thread has made, with this one: so strace counts.
        changes: How many calls have changed something by then.
    """

    call: str
    number: int
    changes: int


def watch(work: Callable[[Say], None], *, syncs: bool = False) -> list[Moment]:
    """Runs `work`, which must succeed, and returns what it did; `syncs` where making durable counts as a change."""
    with tempfile.NamedTemporaryFile() as log:
        outcome = _run(work, ["-e", "trace=file,desc"], log)
        log.seek(0)
        lines = log.read().decode(errors="replace").splitlines()
    assert (outcome.killed, outcome.error) == (False, "")
    return list(_moments(lines, LOOKS if syncs else LOOKS | SYNCS))


def _moments(lines: Iterable[str], harmless: frozenset[str]) -> Iterator[Moment]:
    made, changes = Counter[tuple[str, str]](), 0
    for line in lines:
        if found := _CALL.match(line):
            thread, call, rest = found.groups()
            made[thread, call] += 1
            yield Moment(call, made[thread, call], changes)
            looked = call in harmless and not ("O_CREAT" in rest or "O_TRUNC" in rest)
            changes += not looked and " = -1 " not in rest


def killing(moments: Iterable[Moment], calls: Iterable[str]) -> list[str]:
    """Injections that kill before one of these calls: one for each state of the disk in which there is one."""
    chosen: dict[object, Moment] = {}
    for each in moments:
        if each.call in calls:
            chosen.setdefault(each if COMPLETE else each.changes, each)
    return [f"{each.call}:signal=KILL:when={each.number}" for each in chosen.values()]


def nearly_all(killed: int, injections: list[str]) -> bool:
    """Whether so few came to their end as chance explains: it decides whether a pack needs a folder to be made."""
    return killed >= 0.9 * len(injections)


def _run(work: Callable[[Say], None], options: list[str], log: IO[bytes]) -> Outcome:
    go_read, go_write = os.pipe()
    said_read, said_write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go_write)
        _be_the_child(work, go_read, said_write)
    os.close(go_read)
    os.close(said_write)
    tracer = _attach(child, options, log.name) if options else None
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


def _attach(child: int, options: list[str], log: str) -> subprocess.Popen[str]:
    command = ["strace", "-f", "-p", str(child), "-o", log, *options]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    line = tracer.stderr.readline()
    if "attached" not in line:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.skip(f"strace cannot attach here: {line.strip()}")
    return tracer
