"""Steps on machines that share nothing with this one but a remote: the coordinator's side, for any engine."""

from __future__ import annotations

import contextlib
import contextvars
import itertools
import os
import pickle
import queue
import resource
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from concurrent.futures import Future
from dataclasses import replace
from itertools import islice
from typing import Any, cast

from artvcs.vcs import ArtError, Artifact, Brought, Carrier, Configured, Oid, Remote, now_ms, objects_from, proofs

from ....errors import PipelineError, StepKilled
from ....fingerprint import from_json
from ....record.outcome import Outcome
from ....values import trust
from ...coordinator import Coordinator
from ...execution.task import StepTask
from ...sharing import publish_delivered
from .. import spelling
from ..engine import StepExecutor
from ..processes.channel import Answer, Warned
from ..processes.foreman import GRACE
from ..spelling import Defined
from . import code
from .cluster import Cluster, Shipment
from .messages import Loan, Order, Printed, Question, Report, Stopped
from .orders import Batches, Job
from .post import PATIENCE, Ended, Header
from .session import Session, versions


class ClusterExecutor(StepExecutor):
    """Executes steps on the workers of an engine.

    Args:
        find: Finds the engine, when the first step has to be executed.
        jobs: So many steps at most are handed to it at once; 0 where that is for it to say.
        coordinator: What outposts ask, and where their results go.
        remote: What is shared with the workers.
        configured: How they reach it.
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
        self._carrier = Carrier(coordinator.repository, remote)
        self._known = Defined()
        self._mutex = threading.RLock()
        self._jobs: dict[int, Job] = {}
        self._waiting: dict[int, Job] = {}  # those of them that the engine has not got yet
        self._batches = Batches()
        self._numbers = itertools.count(1)
        self._session = ""
        self._parcel = b""
        self._code = code.AsSent(())
        self._events: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()
        self._interrupting = False
        self._trusted: dict[Oid, bool] = {}
        self._where: dict[Oid, str] = {}  # artifact → the worker that made it

    @property
    def slots(self) -> int:
        """So many steps it takes at once: what the engine executes, and as much ahead: so no worker waits for us."""
        if self._most or self._found is None:
            return self._most or 1
        # Each has a claim on its key, which is an open file, until what it made is published.
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return max(self._found.slots, min(self._found.slots * _AHEAD, files // _SHARE))

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
        task = cast(StepTask, args[0])
        job = Job(task, Future(), now_ms())
        number = next(self._numbers)
        with self._mutex:
            self._jobs[number] = job
            try:
                job.order = self._order(task)
            except ArtError as error:
                self._finish(number, self._failed(job, error))
                return job.future
            self._waiting[number] = job
            self._ship()
        return job.future

    def _ship(self) -> None:
        """Hands to the engine what it can make use of; short uses of one step together, so that its ways cost less."""
        while self._waiting:
            number, first = next(iter(self._waiting.items()))
            together = self._batches.size(first.task)
            busy = len(self._jobs) - len(self._waiting) >= 2 * self._cluster.slots
            if busy and together is None:
                return  # the first that end show how long it takes
            numbers = [number]
            if together is not None and together > 1:
                numbers = [
                    each
                    for each, job in islice(self._waiting.items(), together)
                    if job.task.step is first.task.step and job.task.resources == first.task.resources
                ]
            if busy and together is not None and len(numbers) < together:
                return  # more may come until somebody waits for it
            self._hand_out(numbers)

    def _hand_out(self, numbers: list[int]) -> None:
        jobs = [self._waiting.pop(number) for number in numbers]
        first = jobs[0].task
        header = Header(self._session, versions(), tuple(numbers))
        busy = {job.worker for job in self._jobs.values()}
        near = dict.fromkeys(self._where[oid] for oid in sorted(first.taken) if oid in self._where)
        idle = tuple(worker for worker in near if worker not in busy)
        orders = tuple(job.order for job in jobs)
        try:
            self._cluster.submit(Shipment(header, orders, first.invocation_id, first.resources, idle))
        except ArtError as error:
            for number, job in zip(numbers, jobs, strict=True):
                self._finish(number, self._failed(job, error))

    def _begin(self) -> None:
        repository, run = self._coordinator.repository, os.urandom(16).hex()
        session = Session.of(run, repository, self._configured, self._coordinator.file)
        self._known = session.known()
        self._parcel = pickle.dumps(session)
        self._code = code.AsSent(session.modules.values())
        self._remote.begin_there()
        self._cluster.begin(run, self)
        self._session = run
        _allow_files()
        for work in (self._work, self._say_alive):
            thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _order(self, task: StepTask) -> bytes:
        try:
            return spelling.spell(Order(task, self._lend(sorted(task.taken))), self._known)
        except ArtError:
            raise
        except Exception as error:  # the user's own code has a say
            raise PipelineError(
                f"The step {task.step_name!r} cannot be sent to a worker ({type(error).__name__}: {error}); what it "
                "uses has to be picklable, or be made inside the step."
            ) from error

    def _lend(self, artifacts: Iterable[Oid]) -> Loan:
        with self._mutex:
            lent = self._carrier.lend(artifacts)
        return Loan(lent, frozenset(oid for oid in artifacts if self._is_trusted(oid)))

    def _is_trusted(self, artifact: Oid) -> bool:
        if artifact not in self._trusted:
            self._trusted[artifact] = trust.of(self._coordinator.repository, artifact).given
        return self._trusted[artifact]

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
        for thread in self._threads:
            thread.join()
        if self._session:
            self._session = ""
            self._cluster.everywhere("end")
        self._publish()
        if self._found is not None:
            self._found.close()

    def _publish(self) -> None:
        with self._mutex:
            publish_delivered(self._coordinator.repository, self._remote)

    def _interrupt(self) -> None:
        """Interrupts what runs, and waits for it as long as it may take."""
        with self._mutex:
            self._interrupting = True
            for number in self._waiting:
                self._jobs.pop(number).future.cancel()
            self._waiting.clear()
        self._cluster.cancel([number for number, job in list(self._jobs.items()) if not job.worker])
        self._cluster.everywhere("interrupt")
        deadline = time.monotonic() + GRACE + 1
        while any(job.worker for job in list(self._jobs.values())) and time.monotonic() < deadline:
            time.sleep(0.02)
        for number in list(self._jobs):
            self._jobs.pop(number).future.cancel()

    # Told by the engine, in threads of its own; see `Listener`

    def begun(self, jobs: tuple[int, ...], worker: str) -> None:
        """See `Listener.begun`."""
        self._events.put(lambda: self._note_begun(jobs, worker))

    def ended(self, job: int, result: Ended) -> None:
        """See `Listener.ended`."""
        self._events.put(lambda: self._end(job, result))

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
        published = time.monotonic()
        while not self._over.wait(PATIENCE / 6):
            with contextlib.suppress(Exception):  # that it is gone is heard otherwise
                self._cluster.everywhere("alive")
            if time.monotonic() - published > _LONG:
                self._publish()
                published = time.monotonic()

    def _give_up(self, error: BaseException) -> None:
        for number in list(self._jobs):
            self._jobs.pop(number).future.set_exception(error)

    def _note_begun(self, numbers: tuple[int, ...], worker: str) -> None:
        for number in numbers:
            if (job := self._jobs.get(number)) is None:
                continue
            before, job.worker = job.worker, worker
            if before:
                self._begins_anew(number, job, before, alone=len(numbers) == 1)

    def _begins_anew(self, number: int, job: Job, before: str, *, alone: bool) -> None:
        """The engine has lost a worker, and begins anew on its own: whether that is to be, our policy says."""
        if not alone:
            return  # it may not have begun with it, and what is handed out together is done soon
        lost = self._lost(job, f"the worker {before} was lost")
        retry = job.task.step.options.retry
        if job.task.tried < retry.count:
            job.log += f"Try {job.task.tried + 1} of {retry.count + 1} failed: {lost.error}\n"
            job.task = replace(job.task, tried=job.task.tried + 1)
        else:
            self._cluster.drop(number, job.worker)
            self._finish(number, lost)

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
                for number, job in list(self._jobs.items()) if self._interrupting else ():
                    if job.task.invocation_id == task.invocation_id:
                        self._finish(number, None)

    def _answered(self, message: bytes) -> bytes:
        try:
            question: Question = spelling.read(message, self._known)
            reply = Answer(self._answer(question))
        except Exception as error:  # it is the step's to know
            reply = Answer(error=error)
        return spelling.spell(reply, self._known)

    def _answer(self, question: Question) -> Any:
        if question.what == "differs":
            return self._differs(question.task, *question.arguments)
        arguments = question.arguments
        if question.what == "data":
            return self._lend(arguments[0])
        if question.what == "objects":
            lent = objects_from(self._coordinator.repository, arguments[0])
            artifacts = (item.oid for item in lent.items if item.kind == Artifact.KIND)
            return Loan(lent, frozenset(oid for oid in artifacts if self._is_trusted(oid)))
        if question.what == "deliver":
            brought = self._carried(arguments[0])
            arguments = (replace(brought, seq=self._coordinator.draft.seen.seq),)
        found = self._coordinator.answer(question.task, question.what, arguments)
        return self._coordinator.repository.refs().root if question.what in ("deliver", "catch_up") else found

    def _differs(self, task: StepTask, theirs: Any) -> str | None:
        """Why a worker does not execute a step: what of its code is otherwise there. None where it may, after all.

        What was edited since the run began is there as it was, and as it is in memory here.
        """
        if (edited := self._code.edited()) is not None:
            for job in list(self._jobs.values()):
                if job.task.invocation_id == task.invocation_id:
                    job.edited = edited
            return None
        return code.difference(
            task.step_name, task.step.code().called_with(task.parameters).fingerprint, from_json(theirs)
        )

    def _end(self, number: int, result: Ended) -> None:
        job = self._jobs.get(number)
        if job is None:
            return  # it was given up
        how, told = result
        if how == "done":
            self._reported(number, job, cast(bytes, told))
        elif how == "lost":
            self._finish(number, self._lost(job, cast(str, told)))
        else:
            who, why = f" {job.worker}" if job.worker else "", cast(str, told)
            reason = PipelineError(f"The worker{who} cannot execute the step {job.task.step_name!r}: {why}.")
            self._finish(number, self._failed(job, reason))

    def _reported(self, number: int, job: Job, data: bytes) -> None:
        try:
            report: Report = spelling.read(data, self._known)
            outcome = report.outcome
            if outcome is None:
                self._interrupted(number, job, by_step=report.by_step)
                return
            harmless = {saved.id for saved in outcome.outputs.values() if not saved.is_proven}
            brought = self._carried(report.brought, harmless)
            with self._coordinator.undisturbed():
                self._coordinator.take_in(job.task, replace(brought, seq=self._coordinator.draft.seen.seq))
            if report.brought.packs:
                self._where |= dict.fromkeys((saved.id for saved in outcome.outputs.values()), job.worker)
            self._batches.note(job.task, outcome)
        except Exception as error:
            outcome = self._failed(job, error)
        if job.edited is not None:
            refused = f"{job.edited} was edited after the run began"
            outcome.trace = replace(outcome.trace, refused=(*outcome.trace.refused, refused))
        self._finish(number, outcome)

    def _interrupted(self, number: int, job: Job, *, by_step: bool) -> None:
        if self._interrupting:
            self._finish(number, None)
        elif by_step:  # the step has interrupted itself, and so the run, as it would anywhere
            with self._mutex:
                self._jobs.pop(number)
            job.future.set_exception(KeyboardInterrupt())
        else:
            self._finish(number, self._lost(job, f"the worker {job.worker} has given it up"))

    def _carried(self, brought: Brought, harmless: AbstractSet[Oid] = frozenset()) -> Brought:
        """What is to be taken in here of what an outpost has made, whose data is at the remote, noted as such.

        Args:
            brought: What it has made.
            harmless: Artifacts of which nobody has to know who made them.
        """
        with self._mutex:
            here = self._carrier.take_in(brought)
        if made := {item.oid for item in here.items if item.kind == Artifact.KIND} - harmless:
            proofs.note_made(self._coordinator.repository.layout, *made)  # by us, if not here
        return here

    def _failed(self, job: Job, error: Exception) -> Outcome:
        return Outcome.unseen(job.submitted, error)

    def _lost(self, job: Job, why: str) -> Outcome:
        error = StepKilled(
            f"The step {job.task.step_name!r} was lost: {why}; see whether it was out of memory there, and run again."
        )
        outcome = Outcome.unseen(job.submitted, error)
        outcome.has_died, outcome.tried = True, job.task.tried
        return outcome

    def _finish(self, number: int, outcome: Outcome | None) -> None:
        with self._mutex:
            job = self._jobs.pop(number)
            if not self._interrupting:
                self._ship()
        if outcome is None:
            job.future.cancel()
        else:
            outcome.log = job.log + outcome.log
            job.future.set_result(outcome)


def _allow_files() -> None:
    """Lets this process open as many files as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


_FILES = 1 << 16
"""More open files are not asked for."""

_AHEAD = 128
"""So many steps are taken for each that the engine executes at once: its ways are long."""

_SHARE = 4
"""Of the files that may be open, one of so many is for steps that an engine has."""

_LONG = 1800.0
"""Seconds after which what has come to the remote is published there, also while the run goes on."""
