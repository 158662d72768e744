"""Dask as an engine, see https://distributed.dask.org.

Its own retries count for nothing: a step that it begins anew on its own is given up, and what our policy says is done.
Messages from workers come as events of a topic of the run's, answers go by `Client.run`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import queue
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal
from urllib.parse import urlsplit

import dask
import distributed
from distributed import Client, Future, LocalCluster
from distributed.comm.core import connect

from artvcs.vcs.tracebacks import warn

from ......define.options.resources import USUAL, Resources, spelt
from ......errors import NoWorkersWarning, PipelineError
from ...worker import post
from ..cluster import Listener, Shipment
from ..reaching import PATIENCE, why_unreachable
from .worker import answered, do_here, perform

_Done = tuple[tuple[int, ...], Future[Any]]
"""The numbers of orders, and what has become of them."""

_PORT = 8786
"""Where Dask's scheduler listens, if nothing else is said."""

_LOOKS, _BETWEEN = 4, 0.5
"""So often it is looked whether a worker can execute a step, or whether any is left, and seconds between the former."""

_LOOK = 2.0
"""Seconds between two looks whether any worker is left."""

_NO_LOG = {"distributed.admin.low-level-log-length": 0}
"""Else a client keeps the last thousand messages, with all orders in them."""


class DaskCluster:
    """Workers of Dask. See `Cluster`.

    Args:
        address: Where its scheduler is; None for one of this machine, that ends with the run.
        jobs: So many workers on this machine, without an address.

    Raises:
        PipelineError: It cannot be reached.
    """

    name = "Dask"

    def __init__(self, address: str | None, jobs: int) -> None:
        self._local: LocalCluster | None = None
        address = address or os.environ.get("DASK_SCHEDULER_ADDRESS")
        self._silence = contextlib.ExitStack()
        with self._silence:
            self._silence.enter_context(_quiet())
            try:
                with warnings.catch_warnings(), dask.config.set(_NO_LOG):
                    warnings.simplefilter("ignore")  # of ports that are taken, and the like
                    if address is not None:
                        address = _whole(address)
                        _greet(address)
                    else:
                        self._local = LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None)
                    self._client = Client(self._local or address, set_as_default=False, timeout=PATIENCE)
            except Exception as error:  # who answers may be anything
                if self._local is not None:
                    self._local.close(timeout=PATIENCE)
                raise PipelineError(
                    f"No scheduler of Dask can be reached at {address} ({_said(error)}); start one there, as `dask "
                    "scheduler` does, or correct the address."
                ) from error
            self._silence = self._silence.pop_all()
        self._address = address if self._local is None else self._local.scheduler_address
        self.slots = max(1, sum(self._client.nthreads().values()))
        self._futures: dict[int, Future[Any]] = {}
        self._finished: queue.SimpleQueue[_Done | None] = queue.SimpleQueue()
        self._gathering: threading.Thread | None = None
        self._in_vain: set[Resources] = set()  # what no worker had
        self._topic = ""
        self._session = ""

    def begin(self, session: str, listener: Listener) -> None:
        """See `Cluster.begin`."""
        if not self._client.nthreads():
            raise PipelineError(
                f"The Dask scheduler at {self._address} has no workers; start some, as `dask worker {self._address}` "
                "does."
            )
        self._session, self._topic, self._listener = session, f"artvcs-{session}", listener
        self._client.subscribe_topic(self._topic, self._hear)
        self._gathering = threading.Thread(target=self._gather, name="artvcs-dask", daemon=True)
        self._gathering.start()

    def submit(self, shipment: Shipment) -> None:
        """See `Cluster.submit`."""
        numbers = shipment.header.jobs
        key = f"{shipment.label}-{self._session[:8]}-{numbers[0]}"
        future = self._client.submit(
            perform, shipment.header, shipment.orders, self._topic, key=key, pure=False, retries=0,
            priority=-numbers[0], **self._where(shipment),
        )  # fmt: skip
        self._futures |= dict.fromkeys(numbers, future)
        future.add_done_callback(lambda done: self._finished.put((numbers, done)))

    def _where(self, shipment: Shipment) -> dict[str, Any]:
        """Which workers can execute a step, or had better, as `Client.submit` takes it."""
        needs = shipment.needs
        if needs == USUAL:
            there = self._client.nthreads() if shipment.near else {}
            near = [each for each in shipment.near if each in there]
            return {"workers": near, "allow_other_workers": True} if near else {}
        # A worker that has just come, or comes again, is told of a little later: it is waited for, once.
        for look in range(1 if needs in self._in_vain else _LOOKS):
            time.sleep(_BETWEEN if look else 0)
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
            if able := [address for address, each in workers.items() if _is_able(each, needs)]:
                break
        if not able:
            self._in_vain.add(needs)
            raise PipelineError(
                f"The step {shipment.label!r} needs {spelt(needs)}, and no worker of Dask has that; start one that "
                f"does, as with `{_worker_with(needs)}`, or let it need less."
            )
        counted = {name for each in workers.values() for name in each["resources"]}
        asked = {name: amount for name, amount in _amounts(needs).items() if amount and name in counted}
        return {"workers": able, "resources": asked or None}

    def _hear(self, event: tuple[float, Any]) -> None:
        """Takes an event of the run's topic, in the client's loop."""
        _, (what, worker, *arguments) = event
        if what == "begun":
            self._listener.begun(arguments[0], worker)
        elif what == "begins":
            number, jobs = arguments
            self._listener.begun(jobs, worker, lambda reply: self._reply(worker, number, reply))
        elif what == "said":
            self._listener.said(worker, arguments[0])
        elif what == "asked":
            number, message = arguments
            self._listener.asked(worker, message, lambda reply: self._reply(worker, number, reply))
        elif what == "session":
            self._reply(worker, arguments[0], self._listener.session())

    def _reply(self, worker: str, number: int, reply: bytes) -> None:
        loop: Any = self._client.loop
        call = self._client._run(answered, self._topic, number, reply, workers=[worker], on_error="ignore")
        asyncio.run_coroutine_threadsafe(call, loop.asyncio_loop)  # also from the loop itself

    def _gather(self) -> None:
        """Takes what has ended, all that is there at once."""
        while (first := self._next()) is not None:
            found = [first, *self._at_hand()]
            done = [(numbers, future) for numbers, future in found if future.status == "finished"]
            for numbers, future in found:
                if future.status != "finished":
                    self._fail(numbers, future)
            if done:
                self._take(done)

    def _next(self) -> _Done | None:
        """What has ended; meanwhile it is looked whether there is anybody who could bring something to an end."""
        looks = 0
        while True:
            with contextlib.suppress(queue.Empty):
                return self._finished.get(timeout=_LOOK)
            looks = looks + 1 if self._futures and self._is_deserted() else 0
            if looks == _LOOKS:  # before that somebody may be coming in the place of who is gone
                warn(
                    f"No worker of Dask is left, and the run waits for one: start one, as `dask worker "
                    f"{self._address}` does, or press Ctrl-C.",
                    NoWorkersWarning,
                )

    def _is_deserted(self) -> bool:
        try:
            return not self._client.nthreads()
        except Exception:  # the scheduler itself is gone, perhaps for a moment: that is heard
            return False

    def _at_hand(self) -> Iterator[_Done]:
        with contextlib.suppress(queue.Empty):
            while (each := self._finished.get_nowait()) is not None:
                yield each
            self._finished.put(None)

    def _take(self, done: list[_Done]) -> None:
        try:
            results = self._client.gather([future for _, future in done])
        except Exception:  # a worker was lost with what it had
            for numbers, future in done:
                self._fail(numbers, future)
            return
        for (numbers, _), ended in zip(done, results, strict=True):
            for number in numbers:
                self._futures.pop(number, None)
            self._listener.ended([*zip(numbers, ended, strict=True)])

    def _fail(self, numbers: tuple[int, ...], future: Future[Any]) -> None:
        wanted = [number for number in numbers if self._futures.pop(number, None) is not None]
        if not wanted:
            return
        if self._client.status != "running" or future.status == "lost":
            self._listener.is_gone(_gone())
        elif future.status == "error":
            error: Any = future.exception()
            how: Literal["lost", "refused"] = "lost" if isinstance(error, distributed.KilledWorker) else "refused"
            self._end_all(wanted, (how, f"{type(error).__name__}: {error}"))
        else:
            self._end_all(wanted, ("lost", "Dask has cancelled it"))

    def _end_all(self, numbers: Iterable[int], result: post.Ended) -> None:
        self._listener.ended([(number, result) for number in numbers])

    def everywhere(self, what: str) -> None:
        """See `Cluster.everywhere`."""
        with contextlib.suppress(OSError, RuntimeError):  # it is gone: that is heard
            self._client.run(do_here, what, self._session, on_error="ignore")

    def drop(self, job: int, worker: str) -> None:
        """See `Cluster.drop`."""
        if (future := self._futures.pop(job, None)) is not None:
            self._client.cancel([future], force=True)
        self._client.run(post.drop, self._session, job, workers=[worker], on_error="ignore")

    def cancel(self, jobs: Iterable[int]) -> None:
        """See `Cluster.cancel`."""
        futures = [future for job in jobs if (future := self._futures.pop(job, None)) is not None]
        with contextlib.suppress(OSError, RuntimeError):  # it is gone: that is heard
            self._client.cancel(futures, force=True)

    def close(self) -> None:
        """See `Cluster.close`."""
        self._finished.put(None)
        if self._gathering is not None:
            self._gathering.join()
        with self._silence, contextlib.suppress(Exception):  # it is gone
            self._client.close(timeout=PATIENCE)
            if self._local is not None:
                self._local.close(timeout=PATIENCE)
        vars(self).pop("_listener", None)  # which knows all of the run: Dask's own client outlives it


def _amounts(needs: Resources) -> dict[str, float]:
    """What a step needs, as workers of Dask are usually told to count it."""
    return {"CPU": needs.cpus, "MEMORY": needs.memory, "GPU": needs.gpus}


def _is_able(worker: dict[str, Any], needs: Resources) -> bool:
    """Whether a worker has what is needed: as it counts it, or else by its threads and the limit of its memory."""
    has = {"CPU": worker["nthreads"], "MEMORY": worker.get("memory_limit") or float("inf"), **worker["resources"]}
    return all(has.get(name, 0) >= amount for name, amount in _amounts(needs).items())


def _worker_with(needs: Resources) -> str:
    """How a worker is started that has what is needed."""
    said = f"dask worker --nthreads {math.ceil(needs.cpus)}"
    said += f" --memory-limit {needs.memory / 1e9:g}GB" if needs.memory else ""
    return said + (f" --resources GPU={math.ceil(needs.gpus)}" if needs.gpus else "")


def _whole(address: str) -> str:
    """An address with its protocol, and with the port at which Dask's scheduler listens where none is said."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.scheme not in ("tcp", "tls"):
        return address
    return f"{parts.scheme}://{parts.netloc}" + ("" if parts.port else f":{_PORT}")


def _greet(address: str) -> None:
    """Sees whether a scheduler answers: a client would wait for ever for what else may be there."""
    if why := why_unreachable(address):
        raise ConnectionError(why)

    async def greet() -> None:
        comm = await connect(address, **distributed.Security().get_connection_args("client"))
        await comm.close()

    with ThreadPoolExecutor(1) as apart:  # a notebook has a loop of its own in this thread
        apart.submit(asyncio.run, asyncio.wait_for(greet(), PATIENCE)).result()


def _said(error: Exception) -> str:
    if isinstance(error, (TimeoutError, MemoryError)):  # its answer has no end, or seems to be that large
        return "who answers is no scheduler"
    return str(error) or type(error).__name__


def _gone() -> PipelineError:
    return PipelineError(
        "The connection to the Dask scheduler was lost; start it again if it has ended, and run again: what has "
        "finished is kept."
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What Dask logs of its ways and of lost connections is no news, or is said by us."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.scheduler", "distributed.client")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
