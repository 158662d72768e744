"""Steps on machines that share nothing with this one but a remote: the coordinator's side, for any engine."""

from __future__ import annotations

import contextlib
import contextvars
import os
import pickle
import queue
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, cast

from artvcs.vcs import ArtError, Configured, Remote

from ....errors import PipelineError, StepKilled
from ....fingerprint import from_json
from ....record.outcome import Outcome
from ...coordinator import Coordinator
from ...execution.task import StepTask
from .. import spelling
from ..engine import StepExecutor
from ..processes.channel import Answer, Warned
from ..processes.foreman import GRACE
from ..spelling import Defined
from .claiming import Claiming
from .engines.cluster import Cluster, Shipment
from .exchange import Exchange
from .messages import Order, Printed, Question, Report, Stopped
from .orders import Job, Orders
from .sent import code
from .sent.session import Session
from .worker.post import PATIENCE, Ended, Header, versions


class ClusterExecutor(StepExecutor):
    """Executes steps on the workers of an engine.

    Args:
        find: Finds the engine, when the first step has to be executed.
        jobs: So many steps at most are handed to it at once; 0 where that is for it to say.
        coordinator: What outposts ask, and where their results go.
        remote: What is shared with the workers.
        configured: How they reach it.

    Attributes:
        claiming: Who keeps other machines from executing the same.
    """

    def __init__(
        self,
        find: Callable[[], Cluster],
        jobs: int,
        coordinator: Coordinator,
        remote: Remote,
        configured: Configured,
    ) -> None:
        self._find = find
        self._found: Cluster | None = None
        self._most = jobs
        self._coordinator = coordinator
        self._remote = remote
        self._configured = configured
        self._exchange = Exchange(coordinator, remote)
        self.claiming = Claiming(self._exchange, remote)
        self._known = Defined()
        self._mutex = threading.RLock()  # of the orders
        self._orders = Orders()
        self._session = ""
        self._parcel = b""
        self._code = code.AsSent(())
        self._events: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()
        self._interrupting = False

    @property
    def slots(self) -> int:
        """So many steps it takes at once: what the engine executes, and as much ahead: so no worker waits for us."""
        if self._most or self._found is None:
            return self._most or 1
        return self._found.slots * _AHEAD

    @property
    def _cluster(self) -> Cluster:
        """The engine."""
        if self._found is None:
            self._found = self._find()
        return self._found

    # From the thread that decides

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        """Executes a step: `fn` is `execution.execute.execute`, the first of `args` its task.

        Raises:
            PipelineError: The engine cannot be reached, or the code is too large to travel.
            RemoteError: The remote cannot be reached, or nothing can be pushed there.
        """
        if not self._session:
            self._begin()
        with self._mutex:
            job = self._orders.add(cast(StepTask, args[0]))
        try:
            job.order = self._order(job.task)
        except ArtError as error:
            self._finish(job, Outcome.unseen(job.submitted, error))
        else:
            with self._mutex:
                self._orders.queue(job)
                self._ship()
        return job.future

    def _order(self, task: StepTask) -> bytes:
        try:
            return spelling.spell(Order(task, self._exchange.lend(sorted(task.taken))), self._known)
        except ArtError:
            raise
        except Exception as error:  # the user's own code has a say
            raise PipelineError(
                f"The step {task.step_name!r} cannot be sent to a worker ({type(error).__name__}: {error}); what it "
                "uses has to be picklable, or be made inside the step."
            ) from error

    def _ship(self) -> None:
        """Hands to the engine what it can make use of."""
        while jobs := self._orders.next(self._cluster.slots):
            numbers = tuple(job.number for job in jobs)
            header = Header(self._session, versions(), numbers, asks=self._orders.may_take_long(jobs[0].task))
            orders, first = tuple(job.order for job in jobs), jobs[0].task
            near = self._orders.near(first)
            try:
                self._cluster.submit(Shipment(header, orders, first.invocation_id, first.resources, near))
            except ArtError as error:
                for job in jobs:
                    self._tell(job, Outcome.unseen(job.submitted, error))

    def _begin(self) -> None:
        repository, run = self._coordinator.repository, os.urandom(16).hex()
        session = Session.of(run, repository, self._configured, self._coordinator.file)
        self._known = session.known()
        self._parcel = pickle.dumps(session)
        self._code = code.AsSent(session.modules.values())
        self._remote.begin_there()
        self._cluster.begin(run, self)
        self._session = run
        for work in (self._work, self._say_alive, self._publish_meanwhile):
            thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the run on all workers, and publishes at the remote what they have brought there.

        Args:
            wait: Whether to do so now.
            cancel_futures: Whether only to interrupt the steps that run, and wait for that: what they have made is
                written down before this is called again.
        """
        if cancel_futures:
            if self._session:
                self._interrupt()
            return
        if not wait or self._over.is_set():
            return
        self._over.set()
        self._events.put(None)
        try:
            for thread in self._threads:
                thread.join()
            if self._session:
                self._session = ""
                self._cluster.everywhere("end")
            self._exchange.publish()
        finally:
            self.claiming.close()
            if self._found is not None:
                self._found.close()
                self._found = None  # which knows this, and so all of the run

    def _interrupt(self) -> None:
        """Interrupts what runs, and waits for it as long as it may take."""
        with self._mutex:
            self._interrupting = True
            for job in self._orders.withdraw():
                job.future.cancel()
        self._cluster.cancel([job.number for job in self._orders.all() if not job.worker])
        self._cluster.everywhere("interrupt")
        deadline = time.monotonic() + GRACE + 1
        while any(job.worker for job in self._orders.all()) and time.monotonic() < deadline:
            time.sleep(0.02)
        for job in self._orders.all():
            self._finish(job, None)

    # Told by the engine, in threads of its own; see `Listener`

    def begun(self, jobs: tuple[int, ...], worker: str, reply: Callable[[bytes], None] | None = None) -> None:
        """See `Listener.begun`."""
        self._events.put(lambda: self._note_begun(jobs, worker, reply))

    def ended(self, results: Sequence[tuple[int, Ended]]) -> None:
        """See `Listener.ended`."""
        self._events.put(lambda: self._end(results))

    def said(self, worker: str, message: bytes) -> None:
        """See `Listener.said`."""
        self._events.put(lambda: self._hear(message))

    def asked(self, worker: str, message: bytes, reply: Callable[[bytes], None]) -> None:
        """See `Listener.asked`."""
        self._events.put(lambda: reply(self._answered(message)))

    def session(self) -> bytes:
        """See `Listener.session`."""
        return self._parcel

    def is_gone(self, error: Exception) -> None:
        """See `Listener.is_gone`."""
        self._events.put(lambda: self._give_up(error))

    # In a thread of ours

    def _work(self) -> None:
        while (event := self._events.get()) is not None:
            try:
                event()
            except BaseException as error:  # a fault of ours, or of who shows what is said: nobody must wait forever
                self._give_up(error)

    def _say_alive(self) -> None:
        while not self._over.wait(PATIENCE / 6):
            with contextlib.suppress(Exception):  # that it is gone is heard otherwise
                self._cluster.everywhere("alive")

    def _publish_meanwhile(self) -> None:
        while not self._over.wait(LONG):
            self._exchange.publish()

    def _give_up(self, error: BaseException) -> None:
        with self._mutex:
            for job in self._orders.all():
                if self._orders.end(job):
                    job.future.set_exception(error)

    def _note_begun(self, numbers: tuple[int, ...], worker: str, reply: Callable[[bytes], None] | None) -> None:
        for job in filter(None, map(self._orders.job, numbers)):
            before, job.worker = job.worker, worker
            if before:
                self._begins_anew(job, before, alone=len(numbers) == 1)
        if reply is not None:
            reply(b"begin" if any(map(self._orders.job, numbers)) else b"")

    def _begins_anew(self, job: Job, before: str, *, alone: bool) -> None:
        """The engine has lost a worker, and begins anew on its own: whether that is to be, our policy says."""
        if not alone:
            return  # it may not have begun with it, and what is handed out together is done soon
        lost = _lost(job, f"the worker {before} was lost")
        retry = job.task.step.options.retry
        if job.task.tried < retry.count:
            job.log += f"Try {job.task.tried + 1} of {retry.count + 1} failed: {lost.error}\n"
            job.task = replace(job.task, tried=job.task.tried + 1)
        else:
            self._cluster.drop(job.number, job.worker)
            self._finish(job, lost)

    def _hear(self, message: bytes) -> None:
        match spelling.read(message, self._known):
            case Printed(stream, text):
                shown = getattr(sys, stream)
                shown.write(text)
                shown.flush()
            case Warned(warning, file, line):
                warnings.showwarning(warning, type(warning), file, line)
            case Stopped(task, outcome):
                self._coordinator.interrupted(task, outcome)
                for job in self._orders.all() if self._interrupting else ():
                    if job.task.invocation_id == task.invocation_id:
                        self._finish(job, None)

    def _answered(self, message: bytes) -> bytes:
        try:
            question: Question = spelling.read(message, self._known)
            if question.what == "differs":
                reply = Answer(self._differs(question.task, *question.arguments))
            else:
                reply = Answer(self._exchange.answer(question))
        except Exception as error:  # it is the step's to know
            reply = Answer(error=error)
        return spelling.spell(reply, self._known)

    def _differs(self, task: StepTask, theirs: Any) -> str | None:
        """Why a worker does not execute a step: what of its code is otherwise there. None where it may, after all.

        What was edited since the run began is there as it was, and as it is in memory here.
        """
        jobs = [job for job in self._orders.all() if job.task.invocation_id == task.invocation_id]
        if (edited := self._code.edited()) is not None:
            for job in jobs:
                job.edited = edited
            return None
        task = jobs[0].task if jobs else task  # a step that no file defines has come back as it is there
        return code.difference(task.step_name, task.step.code().called_with(task.parameters), from_json(theirs))

    def _end(self, results: Sequence[tuple[int, Ended]]) -> None:
        """Takes what orders have come to, all of it before somebody who waits for them goes on: that costs less so."""
        found = [(job, self._outcome(job, *result)) for job, result in self._wanted(results)]
        with self._mutex:
            for job, outcome in found:
                self._tell(job, outcome)
            if not self._interrupting:
                self._ship()

    def _wanted(self, results: Sequence[tuple[int, Ended]]) -> Iterator[tuple[Job, Ended]]:
        """Those of them that were not given up."""
        for number, result in results:
            if (job := self._orders.job(number)) is not None:
                yield job, result

    def _outcome(self, job: Job, how: str, told: bytes | str) -> Outcome | BaseException | None:
        """What an order has come to; None where it was interrupted, and else what ends the run."""
        if how == "done":
            return self._reported(job, cast(bytes, told))
        if how == "lost":
            return _lost(job, cast(str, told))
        who, why = f" {job.worker}" if job.worker else "", cast(str, told)
        reason = PipelineError(f"The worker{who} cannot execute the step {job.task.step_name!r}: {why}.")
        return Outcome.unseen(job.submitted, reason)

    def _reported(self, job: Job, data: bytes) -> Outcome | BaseException | None:
        try:
            report: Report = spelling.read(data, self._known)
            outcome = report.outcome
            if outcome is None:
                return self._interrupted(job, by_step=report.by_step)
            outcome.worker = job.worker
            self._exchange.take_in(job.task, outcome, report.brought)
            with self._mutex:
                if report.brought.packs:
                    self._orders.note_made(job, outcome)
                self._orders.note_done(job, outcome)
        except Exception as error:
            outcome = Outcome.unseen(job.submitted, error)
        if job.edited is not None:
            refused = f"{job.edited} was edited after the run began"
            outcome.trace = replace(outcome.trace, refused=(*outcome.trace.refused, refused))
        return outcome

    def _interrupted(self, job: Job, *, by_step: bool) -> Outcome | BaseException | None:
        if self._interrupting:
            return None
        if by_step:  # the step has interrupted itself, and so the run, as it would anywhere
            return KeyboardInterrupt()
        return _lost(job, f"the worker {job.worker} has given it up")

    def _finish(self, job: Job, outcome: Outcome | None) -> None:
        """An order has ended, so that another can go; without an outcome it was interrupted."""
        with self._mutex:
            self._tell(job, outcome)
            if not self._interrupting:
                self._ship()

    def _tell(self, job: Job, outcome: Outcome | BaseException | None) -> None:
        """Tells who waits for an order how it has ended, once."""
        if not self._orders.end(job):
            return
        if outcome is None:
            job.future.cancel()
        elif isinstance(outcome, BaseException):
            job.future.set_exception(outcome)
        else:
            outcome.log = job.log + outcome.log
            job.future.set_result(outcome)


def _lost(job: Job, why: str) -> Outcome:
    error = StepKilled(
        f"The step {job.task.step_name!r} was lost: {why}; see whether it was out of memory there, and run again."
    )
    outcome = Outcome.unseen(job.submitted, error)
    outcome.has_died, outcome.tried = True, job.task.tried
    return outcome


_AHEAD = 128
"""So many steps are taken for each that the engine executes at once: its ways are long."""

LONG = 1800.0
"""Seconds after which what has come to the remote is published there, also while the run goes on."""
