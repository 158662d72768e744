"""The process that workers are forked from. It is as the coordinator was when it was forked itself, and runs no step.

The coordinator goes on: it has threads, and what it decides changes what it has in memory. A fork of it in the midst of
that might wait forever for a lock that one of its threads held. This process has no threads and does nothing but fork.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from ....trace.hearing import family

_LONGEST = 256
_SET_DEATH_SIGNAL = 1
"""`PR_SET_PDEATHSIG`, see prctl(2)."""
_ADOPT = 36
"""`PR_SET_CHILD_SUBREAPER`, likewise."""

Work = Callable[["Connection[Any, Any]"], None]


def serve(commands: socket.socket, work: Work) -> NoReturn:
    """Forks workers as long as the coordinator is there, and tells it when one has ended.

    Commands are `fork NUMBER`, with the worker's ends of its channel, standard output and standard error; `signal
    NUMBER SIGNAL`; and `end`. What is told is `ended NUMBER STATUS`, as `os.waitpid` has it.

    Args:
        commands: The way to the coordinator, by which messages come whole.
        work: What a worker does, with its end of its channel.
    """
    os.setpgid(0, 0)  # a Ctrl-C in the terminal is for the coordinator alone
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    ctypes.CDLL(None).prctl(_ADOPT, 1)  # what steps start and leave is ours to end, should they be interrupted
    gc.freeze()  # what is there now stays where it is: a worker shares its pages
    workers, ended_by_us = dict[int, int](), set[int]()
    ending = is_interrupted = False
    listening = select.poll()  # which takes any handle, however many are open
    listening.register(woken, select.POLLIN)
    listening.register(commands.fileno(), select.POLLIN)
    while not (ending and not workers):
        readable = {handle for handle, _ in listening.poll()}
        if woken in readable:
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 1 << 10)
            _tell_ended(commands, workers, ended_by_us)
            if is_interrupted and not workers:
                _kill_all_below()
        if commands.fileno() not in readable:
            continue
        message, handles, _, _ = socket.recv_fds(commands, _LONGEST, 3)
        what, *numbers = message.decode().split() or [""]
        if what == "fork":
            pid = _fork(handles, work, (commands.fileno(), woken, wake))
            for handle in handles:
                os.close(handle)
            workers[pid] = int(numbers[0])
        elif what == "signal":
            for pid in (pid for pid, number in workers.items() if number == int(numbers[0])):
                _signal(pid, int(numbers[1]))
                ended_by_us.add(pid)
                is_interrupted |= int(numbers[1]) == signal.SIGINT
        elif what == "end":
            ending = True
            listening.unregister(commands.fileno())
        else:  # the coordinator is gone
            for pid in workers:
                _signal(pid, signal.SIGKILL)
            _kill_all_below()
            os._exit(1)
    os._exit(0)


def _fork(handles: list[int], work: Work, ours: tuple[int, ...]) -> int:
    """Forks a worker; returns its process id."""
    host = os.getpid()
    if pid := os.fork():
        with contextlib.suppress(OSError):  # it does so itself, too: whoever comes first
            os.setpgid(pid, pid)
        return pid
    try:
        os.setpgid(0, 0)  # so that it can be killed with all that it has started
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != host:
            os._exit(1)  # it died before that was said
        for handle in ours:
            os.close(handle)
        channel, *outputs = (fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, 3) for handle in handles)
        for number, handle in enumerate([os.open(os.devnull, os.O_RDONLY), *outputs]):
            os.dup2(handle, number)
            os.close(handle)
        work(Connection(channel))
    except BaseException:  # a fault of ours: nobody else says it
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def _signal(pid: int, number: int) -> None:
    """Sends a signal: to a worker, or to all that it has started as well, if that is to end them."""
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if number == signal.SIGKILL else os.kill)(pid, number)


def _tell_ended(commands: socket.socket, workers: dict[int, int], ended_by_us: set[int]) -> None:
    """Tells which workers have ended; what an interrupted one has started is ended with it."""
    while workers:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        if pid not in workers:
            continue  # started by a step, and left: it came to be ours
        if pid in ended_by_us:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(OSError):  # nobody is there any more: that is seen when it is read
            commands.send(f"ended {workers.pop(pid)} {status}".encode())


def _kill_all_below() -> None:
    """Ends all that workers have started, also what is in a session of its own."""
    for _ in range(_GENERATIONS):
        if not (started := family.below(os.getpid())):
            return
        for pid in started:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


_GENERATIONS = 10
"""So often it is looked for what was started meanwhile."""
