"""Steps in processes: a `concurrent.futures.Executor` whose workers can be killed one by one."""

from __future__ import annotations

import contextlib
import contextvars
import os
import shutil
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from artvcs.vcs import Repository

from ....define.step import Step
from ....errors import PipelineError
from ....fingerprint import following
from ....record.outcome import Outcome
from ....trace import chance
from ....trace.hearing import opened
from ....trace.hearing.kin import Others
from ....values import materializers
from ...execution.task import StepTask
from ..engine import StepExecutor
from ..spelling import Inherited, Known
from . import host, openmp, worker
from .channel import Channel
from .foreman import Answers, Foreman, Job
from .link import HostLink


class ProcessExecutor(StepExecutor):
    """Executes steps in processes that are forked from one that is as this one is when the first step is submitted.

    What a step finds in memory is therefore what it would find here: modules, values, random numbers. What it leaves
    there is lost with its process. One that dies takes nothing with it but its step, which is tried again as often as
    its `retry` says.

    Args:
        slots: So many processes at once.
        answers: What workers ask, and where their results go.
        objects: What tasks refer to, and what is here already.
        known: How tasks refer to what is here; by default as objects.
    """

    def __init__(self, slots: int, answers: Answers, objects: Iterable[object], known: Known | None = None) -> None:
        self._slots = slots
        self._answers = answers
        self._objects = [*objects]
        self._known = known or Inherited(self._objects)
        self._foreman: Foreman | None = None
        self._thread: threading.Thread | None = None
        self._folder: Path | None = None

    @property
    def slots(self) -> int:
        """See `StepExecutor.slots`."""
        return self._slots

    @property
    def is_broken(self) -> bool:
        """Whether it can execute nothing any more."""
        return self._foreman is not None and self._foreman.broken is not None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        """Executes a step: `fn` is `execution.execute.execute`, the first of `args` its task.

        Raises:
            PipelineError: There can be no processes here.
        """
        task = cast(StepTask, args[0])
        self.begin()
        assert self._foreman is not None
        future: Future[Outcome] = Future()
        self._foreman.add(Job(task, future))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends all processes.

        Args:
            wait: Whether to wait for that.
            cancel_futures: Whether to interrupt the steps that run; else they come to their end.
        """
        if self._foreman is None or self._thread is None:
            return
        self._foreman.end(interrupt=cancel_futures)
        if not wait:
            return
        try:
            self._thread.join()
        except KeyboardInterrupt:
            self._foreman.kill()
            self._thread.join()
            raise
        finally:
            self._foreman = self._thread = None
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)

    def begin(self) -> None:
        """Starts what processes are forked from, if that has not been: they will be as this process is now.

        Raises:
            PipelineError: There can be no processes here.
        """
        if self._foreman is not None:
            return
        if not hasattr(os, "fork"):
            raise PipelineError("This system cannot fork processes; use another executor, as threads.")
        for each in self._objects:
            if isinstance(each, Step):
                with contextlib.suppress(Exception):  # whoever decides it says so
                    each.code()  # which no worker has to follow again
        layout = self._answers.repository.layout
        self._folder = layout.tmp / f"workers-{os.getpid()}-{os.urandom(4).hex()}"
        self._folder.mkdir(parents=True)
        self._foreman = Foreman(self._slots, self._answers, self._known, HostLink(self._start_host))
        self._foreman.begin()
        self._thread = threading.Thread(
            target=contextvars.copy_context().run, args=(self._foreman.run,), name="artvcs-processes", daemon=True
        )
        self._thread.start()

    def _start_host(self) -> tuple[int, socket.socket]:
        """Forks a host; returns its process id, and the way to it."""
        coordinator = os.getpid()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        folder, known, is_far = self._answers.repository.layout.folder, self._known, self._answers.is_far
        scratch = self._folder
        assert scratch is not None
        drawn = chance.looks()
        openmp.pause()
        # Nor does another thread follow code: its lock would never be given back there.
        with self._answers.undisturbed(), following, warnings.catch_warnings():
            # Python warns where there are threads: of ours none is in the midst of something, and all that a worker
            # uses of ours is made anew.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid:
            theirs.close()
            return pid, ours
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            ours.close()
            others = Others.beside(coordinator, os.getpid())
            repository = Repository(folder)
            _warm_up(self._objects)

            def work(connection: Connection[Any, Any]) -> None:
                chance.put_back(drawn)
                if self._slots > 1:
                    opened.apart_from(others)
                worker.work(Channel(connection, known), repository, scratch, is_far=is_far)

            host.serve(theirs, work)
        except BaseException:  # a fault of ours: nobody else says it
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(1)


def _warm_up(objects: Iterable[object]) -> None:
    """In a host: loads and looks at what nearly every step needs, so that no worker has to do it for itself."""
    materializers.find_for_value("")
    first = next((each for each in objects if isinstance(each, Step)), None)
    with contextlib.suppress(Exception):  # whoever needs it says so
        if first is not None:
            first.code().state()
