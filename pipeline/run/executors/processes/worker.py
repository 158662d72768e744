"""A worker: a process that executes one step after another, as long as none leaves it otherwise than it was."""

from __future__ import annotations

import atexit
import multiprocessing.process
import os
import signal
import sys
import threading
import warnings
import weakref
from pathlib import Path
from typing import Any, TextIO

from artvcs.vcs import Repository

from ....fingerprint import is_own, stated
from ....record.outcome import Outcome
from ....trace.left.kinds import ON_DISK
from ...execution.execute import execute
from ...execution.logs import installed
from ...execution.task import StepTask
from .channel import Channel, Execute, Warned
from .place import Place, flush


def work(channel: Channel, repository: Repository, folder: Path, *, is_far: bool = False) -> None:
    """Executes steps until nobody has any more, or this process is not as it was.

    Args:
        channel: The way to the coordinator.
        repository: Where inputs are read.
        folder: For what is not whole yet.
        is_far: See `Place`.
    """
    inherited = _begin_process()
    _redirect()
    with installed(), Place(channel, repository, folder, is_far=is_far) as place:
        _pass_on_warnings(channel)
        goes_on = True
        while goes_on and isinstance(message := place.next(), Execute):
            before = _Memory()
            try:
                outcome = _executed(message.task, place)
            except KeyboardInterrupt:
                break  # it was told how it stood
            flush()
            goes_on = outcome.error is None and before.is_as_now(outcome)
            place.hand_over(outcome, goes_on=goes_on)
    _end_process(inherited)


def _executed(task: StepTask, place: Place) -> Outcome:
    """What comes of a task. What Ctrl-C at the coordinator leads to arrives as a signal while this runs."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return execute(task, place)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Memory:
    """This process as it is before a step is executed."""

    def __init__(self) -> None:
        self._modules = set(sys.modules)
        self._threads = threading.active_count()
        self._folder = os.getcwd()

    def is_as_now(self, outcome: Outcome) -> bool:
        """Whether the step that has just ended has left it so, so that another finds what it would find anywhere."""
        trace = outcome.trace
        return (
            all(kind in ON_DISK for kind, left in trace.left.items() if left)
            and not trace.refused
            and threading.active_count() <= self._threads
            and _folder() == self._folder
            and not any(map(_is_of_the_user, set(sys.modules) - self._modules))
        )


def _is_of_the_user(module: str) -> bool:
    path = stated(sys.modules.get(module), "__file__")
    return isinstance(path, str) and is_own(os.path.abspath(path))


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it is gone
        return ""


def _redirect() -> None:
    """What is printed goes where the coordinator reads it from now on."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _open(1), _open(2)
    for tee, stream in zip(before, (sys.stdout, sys.stderr), strict=True):
        if hasattr(tee, "stream"):  # our stand-in, which handlers of logs may hold
            tee.stream = stream


def _open(handle: int) -> TextIO:
    return open(handle, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _pass_on_warnings(channel: Channel) -> None:
    """Has our own warnings shown by the coordinator; those of others go where what is printed goes."""
    shown = warnings.showwarning

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, *more: Any, **named: Any
    ) -> None:
        if isinstance(message, Warning) and category.__module__.startswith("artvcs."):
            channel.send(Warned(message, filename, lineno))
        else:
            shown(message, category, filename, lineno, *more, **named)

    warnings.showwarning = show


def _begin_process() -> set[Any]:
    """Forgets what the process that was forked is to do at its own end; returns the finalizers among that.

    As `multiprocessing.process.BaseProcess._bootstrap` does.
    """
    atexit._clear()
    if (util := sys.modules.get("multiprocessing.util")) is not None:
        util._finalizer_registry.clear()
        multiprocessing.process._children = set()  # type: ignore[attr-defined]
        atexit.register(util._exit_function)
    return set(weakref.finalize._registry)  # type: ignore[attr-defined]


def _end_process(inherited: set[Any]) -> None:
    """Ends as a process of Python ends, apart from what was inherited."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for each in set(weakref.finalize._registry) - inherited:  # type: ignore[attr-defined]
        if each.atexit:
            each()
    flush()
