"""In an engine's worker: the outposts here, one for each run, and what goes between them and the coordinators.

Nothing of the user's is loaded here. An outpost is started by the first order of its run, and ends when the run says
so, when this process ends, or when nothing is heard of the coordinator any more.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from multiprocessing.connection import Connection
from typing import Any, Literal, Protocol

from . import folders

PATIENCE = 30.0
"""Seconds for which a coordinator may be silent before its steps are ended."""


@cache
def versions() -> tuple[str, str]:
    """What has to be the same on both sides before anything is read: this Python, and this artvcs."""
    return f"{sys.version_info.major}.{sys.version_info.minor}", metadata.version("artvcs")


class Line(Protocol):
    """An engine's way from a worker to the coordinator of a run."""

    worker: str

    def begins(self, header: Header) -> bool:
        """Tells the coordinator that it begins with orders; whether it may. Raises TimeoutError as `session`."""

    def say(self, message: bytes) -> None:
        """Tells the coordinator something of an outpost's."""

    def ask(self, message: bytes, is_wanted: Callable[[], bool]) -> bytes:
        """Has the coordinator answer an outpost. Raises TimeoutError where the answer is wanted no more."""

    def session(self) -> bytes:
        """Has the coordinator tell the session. Raises TimeoutError where it does not in PATIENCE."""


@dataclass(frozen=True)
class Header:
    """What is read of an order before anything else.

    Attributes:
        session: The run's session.
        versions: What the coordinator runs, see `versions`.
        jobs: The numbers of the orders.
        asks: Whether a worker waits until it is told to begin. An engine may begin anew on its own what a worker had
            that was lost; of what takes a moment this is noticed as it goes on.
    """

    session: str
    versions: tuple[str, str]
    jobs: tuple[int, ...]
    asks: bool = True


Ended = tuple[Literal["done"], bytes] | tuple[Literal["lost", "refused"], str]
"""How an order ended: with a report, by the loss of its outpost, or before it began; the latter two in words."""


def perform(header: Header, orders: tuple[bytes, ...], line: Line) -> list[Ended]:
    """Has steps executed on this machine, one after another, and waits for them."""
    try:
        if not line.begins(header):
            return [("lost", "the engine has begun it anew, and it is not to be tried again")] * len(orders)
        if (refusal := _refusal(header)) is not None:
            return [("refused", refusal)] * len(orders)
        post = _post(header.session, line)
    except Refused as error:
        return [("refused", str(error))] * len(orders)
    except EOFError:
        return [("lost", "the process for its steps died as it began")] * len(orders)
    except TimeoutError:
        return [("lost", "the machine that runs the pipeline does not answer")] * len(orders)
    return post.do(header.jobs, orders, line)


def _refusal(header: Header) -> str | None:
    """Why nothing can be executed here."""
    for name, ours, theirs in zip(("Python", "artvcs"), versions(), header.versions, strict=True):
        if ours != theirs:
            return f"it has {name} {ours}, and the machine that runs the pipeline {name} {theirs}; install {theirs}"
    return None


class Refused(Exception):
    """An outpost could not be started."""


class _Post:
    """An outpost, as it is seen from the engine's worker."""

    def __init__(self, session: str, parcel: bytes) -> None:
        self._session = session
        self._folder, lock = folders.make()
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", f"{__package__}.outpost", str(theirs.fileno()), str(self._folder)]
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno(), lock], stdin=subprocess.DEVNULL, start_new_session=True,
                cwd=self._folder,
            )  # fmt: skip
        os.close(lock)  # it has it now, and so have the steps that it forks
        self._connection: Connection[Any, Any] = Connection(ours.detach())
        self._sending = threading.Lock()
        self._waiting: dict[int, Future[Ended]] = {}
        self._line: Line | None = None
        self.heard = time.monotonic()
        self._begin(parcel)
        self._listening = threading.Thread(target=self._listen, name="artvcs-outpost", daemon=True)
        self._listening.start()
        threading.Thread(target=self._watch, name="artvcs-watch", daemon=True).start()

    def _begin(self, parcel: bytes) -> None:
        try:
            self._connection.send_bytes(parcel)
            what, *arguments = self._connection.recv()
        except (EOFError, OSError) as error:
            self.end()
            raise EOFError from error
        if what != "ready":
            self.end()
            raise Refused(str(arguments[0]))

    @property
    def is_there(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def do(self, jobs: tuple[int, ...], orders: tuple[bytes, ...], line: Line) -> list[Ended]:
        """Has it carry out orders, and waits for that."""
        self._line, self.heard = line, time.monotonic()
        futures: dict[int, Future[Ended]] = {job: Future() for job in jobs}
        self._waiting |= futures
        self.tell("do", list(zip(jobs, orders, strict=True)))
        if not self.is_there:
            self._listening.join(_GRACE)  # it may have said that it is done before it ended
            self._lose()
        try:
            return [future.result() for future in futures.values()]
        finally:
            for job in jobs:
                self._waiting.pop(job, None)

    def tell(self, *message: Any) -> None:
        """Tells it something."""
        self.heard = time.monotonic()
        with self._sending, contextlib.suppress(OSError):  # it is gone: that is heard
            self._connection.send(message)

    def _listen(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                what, *arguments = self._connection.recv()
                if what == "done":
                    for job, data in arguments[0]:
                        if (future := self._waiting.get(job)) is not None:
                            _settle(future, ("done", data))
                elif self._line is not None and what == "say":
                    self._line.say(*arguments)
                elif self._line is not None and what == "ask":
                    threading.Thread(target=self._ask, args=(self._line, *arguments), daemon=True).start()
        self._process.wait()
        self._lose()
        self._forget()

    def _ask(self, line: Line, number: int, question: bytes) -> None:
        try:
            self.tell("answer", number, line.ask(question, lambda: self.is_there))
        except Exception:  # nobody is there any more
            self.end()

    def _lose(self) -> None:
        """It has ended: what waits for it waits no more."""
        for future in list(self._waiting.values()):
            _settle(future, ("lost", f"the process for its steps ended with {self._process.poll()}"))

    def _watch(self) -> None:
        """Ends it when nothing is heard of the coordinator any more."""
        while self.is_there:
            time.sleep(PATIENCE / 20)
            if time.monotonic() - self.heard > PATIENCE:
                self.end()

    def end(self) -> None:
        """Ends it, with all that it has started."""
        with contextlib.suppress(OSError):
            self._connection.send(("end",))
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
            self._process.wait()
        self._forget()

    def _forget(self) -> None:
        if _posts.get(self._session) is self:
            del _posts[self._session]
        shutil.rmtree(self._folder, ignore_errors=True)


def _settle(future: Future[Ended], how: Ended) -> None:
    """Says how an order has ended, unless another thread has."""
    with contextlib.suppress(InvalidStateError):
        future.set_result(how)


_GRACE = 10.0
"""Seconds in which an outpost ends that was told so."""

_posts: dict[str, _Post] = {}
_starting: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
"""A run that has to wait for its coordinator holds up no other. They stay: whoever waits has one in its hand."""


def _post(session: str, line: Line) -> _Post:
    with _starting[session]:
        if (found := _posts.get(session)) is None or not found.is_there:
            found = _posts[session] = _Post(session, line.session())
        return found


# What the coordinator has done here, beside orders


def alive(session: str) -> None:
    """The coordinator is still there."""
    if (post := _posts.get(session)) is not None:
        post.heard = time.monotonic()


def drop(session: str, job: int) -> None:
    """Nobody wants this order any more."""
    if (post := _posts.get(session)) is not None:
        post.tell("drop", job)


def interrupt(session: str) -> None:
    """Interrupts all steps of a run here."""
    if (post := _posts.get(session)) is not None:
        post.tell("interrupt")


def end(session: str) -> None:
    """A run is over."""
    if (post := _posts.get(session)) is not None:
        threading.Thread(target=post.end, daemon=True).start()


EVERYWHERE: dict[str, Callable[[str], None]] = {"alive": alive, "interrupt": interrupt, "end": end}
"""What a coordinator can have done on all workers."""
