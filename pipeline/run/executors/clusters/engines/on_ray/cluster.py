"""Ray as an engine, see https://docs.ray.io.

Its own retries are off. Messages from workers go through an actor of the run's, which a thread here listens at; where
it is gone, so is the run, and outposts end.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import ray
from ray.exceptions import (
    GetTimeoutError,
    OutOfMemoryError,
    RayError,
    RayTaskError,
    TaskCancelledError,
    WorkerCrashedError,
)

from ......define.options.resources import USUAL, spelt
from ......errors import PipelineError
from ...worker import post
from ..cluster import Listener, Shipment
from ..reaching import why_unreachable
from .switchboard import Switchboard
from .worker import DIGITS, perform

_HEAD, _A_TRIFLE = "node:__internal_head__", 0.001
"""A resource that only the head node has, and so little of it that there is always as much."""


_PORT = 10001
"""Where Ray listens for programs from elsewhere."""

_LOOK = 5.0
"""Seconds between two looks whether nodes are there."""

_Results = list[tuple[int, post.Ended]]
"""Orders, and how they have ended."""


class RayCluster:
    """Workers of Ray. See `Cluster`.

    Args:
        address: Where it is: `HOST:PORT` of its client's server; None for the one of this machine, or else one that
            ends with the run.
        jobs: So many steps side by side, where there is none yet.

    Raises:
        PipelineError: It cannot be reached.
    """

    name = "Ray"

    def __init__(self, address: str | None, jobs: int) -> None:
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            try:
                _connect(address, jobs)
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise _unreachable(address, _first_line(error)) from error
        self.slots = max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._refs: dict[int, Any] = {}
        self._begun: dict[int, str] = {}  # orders, each with its node
        self._heard = 0  # so many messages
        self._early: list[tuple[int, _Results]] = []  # what has ended before all was heard that was said before
        self._mutex = threading.Lock()  # of these two
        self._over = threading.Event()
        self._listening: threading.Thread | None = None
        self._perform = ray.remote(perform)

    def begin(self, session: str, listener: Listener) -> None:
        """See `Cluster.begin`."""
        self._session, self._listener = session, listener
        # Where Ray itself is: with any other node only what was executed there is lost.
        where = {_HEAD: _A_TRIFLE} if _HEAD in ray.cluster_resources() else {}
        actor: Any = ray.remote(Switchboard).options(num_cpus=0, max_concurrency=10_000, resources=where)
        self._switch = actor.remote(listener.session())
        self._listening = threading.Thread(target=self._listen, name="artvcs-ray", daemon=True)
        self._listening.start()

    def submit(self, shipment: Shipment) -> None:
        """See `Cluster.submit`."""
        numbers, needs = shipment.header.jobs, shipment.needs
        if needs != USUAL:
            self._check_able(shipment)
        options: dict[str, Any] = dict(num_cpus=needs.cpus, num_gpus=needs.gpus, max_retries=0, name=shipment.label)
        if needs.memory:
            options["memory"] = needs.memory
        ref = self._perform.options(**options).remote(shipment.header, shipment.orders, self._switch)
        self._refs |= dict.fromkeys(numbers, ref)
        ref.future().add_done_callback(lambda done: self._ended(numbers, done))

    def _check_able(self, shipment: Shipment) -> None:
        needs = shipment.needs
        asked = {"CPU": needs.cpus, "memory": needs.memory, "GPU": needs.gpus}
        nodes = [each["Resources"] for each in ray.nodes() if each["Alive"]]
        if not any(all(node.get(name, 0) >= amount for name, amount in asked.items()) for node in nodes):
            raise PipelineError(
                f"The step {shipment.label!r} needs {spelt(needs)}, and no node of Ray has that; add one that does, or "
                "let it need less."
            )

    def _ended(self, numbers: tuple[int, ...], done: Any) -> None:
        wanted = {number for number in numbers if self._forget(number)}
        error = done.exception()
        if error is None:
            said, results = done.result()
            self._tell_when_heard(said, [each for each in zip(numbers, results, strict=True) if each[0] in wanted])
        elif isinstance(error, RayError):
            self._listener.ended([(number, _result(error)) for number in wanted])
        elif wanted:
            self._listener.is_gone(_gone())

    def _tell_when_heard(self, said: int, results: _Results) -> None:
        """Tells how orders have ended, after as many messages: these come another way, and were said before."""
        with self._mutex:
            if said > self._heard:
                self._early.append((said, results))
                return
        self._listener.ended(results)

    def _note_heard(self, count: int) -> None:
        with self._mutex:
            self._heard += count
            due = [results for said, results in self._early if said <= self._heard]
            self._early = [each for each in self._early if each[0] > self._heard]
        for results in due:
            self._listener.ended(results)

    def _forget(self, number: int) -> bool:
        """An order has ended; whether somebody waited for it."""
        self._begun.pop(number, None)
        return self._refs.pop(number, None) is not None

    def _listen(self) -> None:
        """Takes what workers say, until the run is over."""
        looked = time.monotonic()
        while not self._over.is_set():
            try:
                messages = ray.get(self._switch.listen.remote())
                if self._begun and time.monotonic() > looked + _LOOK:
                    self._give_up_lost()
                    looked = time.monotonic()
            except GetTimeoutError:
                continue
            except (RayError, ConnectionError, RuntimeError):
                if not self._over.is_set():
                    self._listener.is_gone(_gone())
                return
            for what, worker, *arguments in messages:
                self._take(what, worker, *arguments)
            self._note_heard(len(messages))

    def _give_up_lost(self) -> None:
        """Gives up what was executed on nodes that are no more: of that Ray itself hears after minutes, if ever."""
        there = {each["NodeID"][:DIGITS] for each in ray.nodes() if each["Alive"]}
        for number, node in [*self._begun.items()]:
            if node not in there and self._forget(number):
                self._listener.ended([(number, ("lost", "its node is gone"))])

    def _take(self, what: str, worker: str, *arguments: Any) -> None:
        if what == "begun":
            self._begun |= {number: worker[:DIGITS] for number in arguments[0] if number in self._refs}
            self._listener.begun(arguments[0], worker)
        elif what == "said":
            self._listener.said(worker, arguments[0])
        else:
            number, message = arguments
            self._listener.asked(worker, message, lambda reply: self._switch.reply.remote(number, reply))

    def everywhere(self, what: str) -> None:
        """See `Cluster.everywhere`."""
        if what != "alive":  # the actor is alive as long as we are
            self._switch.tell.remote(what)

    def drop(self, job: int, worker: str) -> None:
        """See `Cluster.drop`: Ray begins nothing twice."""

    def cancel(self, jobs: Iterable[int]) -> None:
        """See `Cluster.cancel`."""
        for ref in (ref for job in jobs if (ref := self._refs.get(job)) is not None and self._forget(job)):
            with contextlib.suppress(Exception):  # it has begun or ended meanwhile
                ray.cancel(ref, force=False)

    def close(self) -> None:
        """See `Cluster.close`."""
        self._over.set()
        with _quiet():
            if self._listening is not None:
                with contextlib.suppress(RayError, ConnectionError, RuntimeError):  # it is gone
                    ray.get(self._switch.tell.remote("end"))
                    self._listening.join()
                    ray.kill(self._switch)
            if self._is_ours:
                ray.shutdown()


def _connect(address: str | None, jobs: int) -> None:
    said: dict[str, Any] = dict(logging_level=logging.ERROR, log_to_driver=False)
    if address:
        found = f"ray://{address}" if ":" in address else f"ray://{address}:{_PORT}"
        if why := why_unreachable(found):
            raise _unreachable(address, why)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is raised, too
            try:
                ray.init(address=found, **said)
            except ConnectionAbortedError:  # the server for us did not start, as where Ray itself has only just begun
                ray.init(address=found, **said)
        return
    try:
        ray.init(address="auto", **said)
    except ConnectionError:
        ray.init(num_cpus=jobs, include_dashboard=False, **said)


def _unreachable(address: str | None, why: str) -> PipelineError:
    where = f"at {address}" if address else "here"
    return PipelineError(
        f"No Ray can be reached {where} ({why}); start one there, as `ray start --head` does, or correct the address; "
        "if it asks for a token, set RAY_AUTH_MODE=token."
    )


def _gone() -> PipelineError:
    return PipelineError(
        "The connection to Ray was lost; start it again if it has ended, and run again: what has finished is kept."
    )


def _result(error: RayError) -> post.Ended:
    """How an order has ended of which Ray says so."""
    match error:
        case TaskCancelledError():
            return "lost", "it was cancelled"
        case RayTaskError():
            return "refused", _first_line(error.cause)
        case OutOfMemoryError():
            return "lost", "Ray has ended its worker, for there was no memory left"
        case WorkerCrashedError():
            return "lost", "its worker has ended"
    return "lost", _first_line(error)


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[-1] if str(error).strip() else ''}".rstrip(": ")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("ray")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
