"""Who hands tasks to workers, and takes what they say: one thread beside the one that decides what is to be done."""

from __future__ import annotations

import contextlib
import os
import queue
import selectors
import signal
import socket
import threading
import time
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from artvcs.vcs import Brought, Lent, PackName, Repository, now_ms

from ....errors import StepKilled, StepTimeout
from ....record.outcome import Outcome
from ...execution.task import StepTask
from ..spelling import Known
from .channel import Answer, Ask, Channel, Ended, Execute, Interrupted, Limited, Sealed, Trying, Warned
from .link import HostLink
from .printed import Outputs

GRACE = 5.0
"""Seconds that a step has to come to its end after it was interrupted, or is over its time."""


class Answers(Protocol):
    """What workers ask, and where their results go: `run.coordinator`, or `clusters.worker.outpost`.

    Attributes:
        is_far: Whether an answer may take its time.
    """

    is_far: bool

    @property
    def repository(self) -> Repository:
        """The repository."""

    def undisturbed(self) -> AbstractContextManager[None]:
        """Inside the block no other thread changes it."""

    def lend_inputs(self, task: StepTask) -> Lent:
        """What a worker needs to read what a step takes, as far as nobody has published it yet."""

    def take_in(self, task: StepTask, brought: Brought) -> None:
        """Takes in what a worker has made."""

    def sealed(self, name: PackName) -> None:
        """A worker has put a whole pack at its place, and goes on."""

    def interrupted(self, task: StepTask, outcome: Outcome) -> None:
        """Takes how an execution stood when it was interrupted."""

    def answer(self, task: StepTask, what: str, arguments: tuple[Any, ...]) -> Any:
        """Answers a worker. Raises what is its step's to know."""


@dataclass(eq=False)
class Job:
    """A task that somebody waits for.

    Attributes:
        task: The task.
        future: Told how it ends.
        started: When it began, in milliseconds since 1970.
    """

    task: StepTask
    future: Future[Outcome]
    started: int = 0


@dataclass(eq=False)
class _Worker:
    """A worker, as it is seen from here.

    Attributes:
        number: What the host calls it.
        channel: The way to it.
        outputs: What it prints.
        job: What it is at.
        deadline: When it is killed if it is still at it, by the monotonic clock.
        is_late: Whether it was killed since it was.
        is_there: Whether it can be given a task.
        is_dismissed: Whether it was told to end.
    """

    number: int
    channel: Channel
    outputs: Outputs
    job: Job | None = None
    deadline: float | None = None
    is_late: bool = False
    is_there: bool = True
    is_dismissed: bool = False


class Foreman:
    """Hands tasks to workers and takes what they say.

    Args:
        slots: So many workers at once.
        answers: What workers ask, and where their results go.
        known: What workers know already.
        host: The process that workers are forked from.

    Attributes:
        broken: What has ended it, where that was a fault.
    """

    def __init__(self, slots: int, answers: Answers, known: Known, host: HostLink) -> None:
        self._slots = slots
        self._answers = answers
        self._known = known
        self._host = host
        self._selector = selectors.DefaultSelector()
        self._coming: queue.SimpleQueue[Job] = queue.SimpleQueue()  # from any thread
        self._jobs: deque[Job] = deque()
        self._workers: dict[int, _Worker] = {}
        self._count = 0
        self._woken, self._wake = socket.socketpair()
        self._wake.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, self._wakes)
        self._ending = self._interrupting = self._killing = False
        self._has_dropped = self._is_closed = False
        self.broken: BaseException | None = None

    # From any thread

    def begin(self) -> None:
        """Starts the host."""
        self._host.begin()
        self._selector.register(self._host.handle, selectors.EVENT_READ, self._hears)

    def add(self, job: Job) -> None:
        """Takes a task."""
        self._coming.put(job)
        job.future.add_done_callback(self._note_dropped)
        self._notify()
        if self._is_closed:
            self._refuse()

    def _note_dropped(self, future: Future[Outcome]) -> None:
        """Nobody wants the task any more: it is killed."""
        if future.cancelled():
            self._has_dropped = True
            self._notify()

    def _refuse(self) -> None:
        """Ends the tasks that come when no more are taken."""
        for job in self._come():
            self._give_up(job)

    def _give_up(self, job: Job) -> None:
        with contextlib.suppress(InvalidStateError):  # who waited for it has dropped it just now
            if self.broken is None:
                job.future.cancel()
            else:
                job.future.set_exception(self.broken)

    def _come(self) -> Iterator[Job]:
        """The tasks that have come, each given to one thread alone."""
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._coming.get_nowait()

    def end(self, *, interrupt: bool) -> None:
        """No more tasks come; those that run are interrupted, or come to their end."""
        self._ending, self._interrupting = True, interrupt
        self._notify()

    def kill(self) -> None:
        """Nobody wants to wait any more."""
        self._killing = True
        self._notify()

    def _notify(self) -> None:
        with contextlib.suppress(OSError):  # it has ended, or has not yet seen that it was woken before
            self._wake.send(b".")

    # In its own thread

    def run(self) -> None:
        """Works until there is nothing more to do."""
        try:
            self._work()
        except BaseException as error:  # a fault of ours, or of who shows what is said: nobody must wait forever
            self.broken = error
        finally:
            self._is_closed = True
            for job in (*self._jobs, *(each.job for each in self._workers.values())):
                if job is not None:
                    self._give_up(job)
            self._refuse()
            self._close()

    def _work(self) -> None:
        while not self._is_over():
            for key, _ in self._selector.select(self._patience()):
                key.data()
            self._look_at_the_clock()
            self._jobs.extend(self._come())
            if self._has_dropped:
                self._drop()
            if self._ending:
                self._wind_up()
            self._hand_out()

    def _is_over(self) -> bool:
        return self._ending and not self._workers

    def _patience(self) -> float | None:
        """Seconds until something is due, if anything is."""
        moments = [each.deadline for each in self._workers.values() if each.deadline is not None]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _look_at_the_clock(self) -> None:
        now = time.monotonic()
        for each in self._workers.values():
            if each.deadline is not None and each.deadline <= now:
                each.deadline, each.is_late = None, True
                self._host.signal(each.number, signal.SIGKILL)

    def _drop(self) -> None:
        """Ends what nobody wants any more."""
        self._has_dropped = False
        self._jobs = deque(job for job in self._jobs if not job.future.cancelled())
        for each in self._workers.values():
            if each.job is not None and each.job.future.cancelled() and not self._interrupting:
                self._host.signal(each.number, signal.SIGKILL)

    def _wakes(self) -> None:
        self._woken.recv(1 << 12)

    # Handing out

    def _hand_out(self) -> None:
        while self._jobs and not self._interrupting:
            idle = next((each for each in self._workers.values() if each.is_there and each.job is None), None)
            if idle is None:
                # Those that have nothing more to do and still end, as their own threads do, take nobody's place.
                if sum(each.is_there or each.job is not None for each in self._workers.values()) < self._slots:
                    self._fork()
                    continue
                return
            if not (job := self._jobs.popleft()).future.cancelled():
                self._give(idle, job)

    def _fork(self) -> None:
        """Has another worker made."""
        if not self._host.is_there:
            self.begin()
        self._count += 1
        ends = self._host.fork(self._count)
        made = _Worker(self._count, Channel(ends.channel, self._known), Outputs(ends.stdout, ends.stderr))
        self._workers[made.number] = made
        self._selector.register(made.channel, selectors.EVENT_READ, lambda: self._listen(made))
        for each in made.outputs.both:
            self._selector.register(each.handle, selectors.EVENT_READ, lambda each=each: self._show(made, each))

    def _give(self, idle: _Worker, job: Job) -> None:
        idle.job, job.started = job, job.started or now_ms()
        idle.outputs.begin(job.task.invocation_id)
        try:
            spelt = idle.channel.spell(Execute(job.task, self._answers.lend_inputs(job.task)))
        except Exception as error:  # the user's own code, or the store's
            self._finish(idle, Outcome.unseen(job.started, error))
            return
        with contextlib.suppress(OSError):  # it has died: that is heard
            idle.channel.post(spelt)

    # Listening

    def _show(self, who: _Worker, each: Any) -> None:
        if who.number in self._workers and not who.outputs.take(each):
            self._selector.unregister(each.handle)

    def _listen(self, who: _Worker) -> bool:
        """Takes one message; returns whether there was one."""
        if who.number not in self._workers:
            return False  # it has ended, and all that it had said was taken
        try:
            message = who.channel.receive()
        except (EOFError, OSError):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(who.channel)
            who.is_there = False
            return False
        except Exception as error:  # what came cannot be understood: code of the user's is in it
            message = Ended(Outcome.unseen(now_ms(), error), Brought(), False)
        self._take(who, message)
        return True

    def _take(self, who: _Worker, message: object) -> None:
        if isinstance(message, Ask) and who.job is not None:
            who.outputs.drain()
            if self._answers.is_far:  # who asks waits, and others do not
                threading.Thread(target=self._reply, args=(who, who.job.task, message), daemon=True).start()
            else:
                self._reply(who, who.job.task, message)
        elif isinstance(message, Trying) and who.job is not None:
            who.job.task = replace(who.job.task, tried=message.tried)
        elif isinstance(message, Limited) and who.job is not None:
            limit = message.seconds
            who.deadline = None if limit is None else time.monotonic() + limit + GRACE
        elif isinstance(message, Sealed):
            self._answers.sealed(message.name)
        elif isinstance(message, Warned):
            warnings.showwarning(message.message, type(message.message), message.file, message.line)
        elif isinstance(message, Interrupted) and who.job is not None:
            who.outputs.end()
            self._answers.interrupted(who.job.task, message.outcome)
            if self._interrupting:
                who.job.future.cancel()
            else:  # the step has interrupted itself, and so the run, as it would anywhere
                with contextlib.suppress(InvalidStateError):
                    who.job.future.set_exception(KeyboardInterrupt())
            who.job, who.is_there = None, False
        elif isinstance(message, Ended) and who.job is not None:
            who.is_there = message.goes_on
            self._finish(who, self._taken_in(who.job.task, message))
            if not who.is_there:
                who.channel.end()  # where it could not be understood, it waits for more

    def _reply(self, who: _Worker, task: StepTask, ask: Ask) -> None:
        try:
            answer = Answer(self._answers.answer(task, ask.what, ask.arguments))
        except Exception as error:  # it is the step's to know
            answer = Answer(error=error)
        with contextlib.suppress(OSError):
            who.channel.send(answer)

    def _taken_in(self, task: StepTask, message: Ended) -> Outcome:
        try:
            self._answers.take_in(task, message.brought)
        except Exception as error:  # what the step meant cannot be meant any more, or the disk is full
            message.outcome.error = message.outcome.error or error
        return message.outcome

    def _finish(self, who: _Worker, outcome: Outcome) -> None:
        """A task has ended."""
        who.outputs.end()
        job, who.job, who.deadline = who.job, None, None
        assert job is not None
        with contextlib.suppress(InvalidStateError):  # dropped just now
            job.future.set_result(outcome)

    def _hears(self) -> None:
        """Takes what the host tells; if it is gone, all workers are."""
        if (ended := self._host.hear()) is not None:
            self._has_ended(*ended)
            return
        self._selector.unregister(self._host.handle)
        self._host.end(kill=True)
        for number in list(self._workers):
            self._has_ended(number, signal.SIGKILL)

    def _has_ended(self, number: int, status: int) -> None:
        """A worker has ended; `status` as `os.waitpid` has it."""
        who = self._workers[number]
        while self._has_more(who) and self._listen(who):
            pass
        who.outputs.drain()
        del self._workers[number]
        if who.job is not None:
            self._has_died(who, status)
        who.outputs.end()
        handles = (who.channel.fileno(), *(each.handle for each in who.outputs.both))
        for each in handles:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(each)
        who.outputs.close()
        who.channel.close()

    def _has_more(self, who: _Worker) -> bool:
        with contextlib.suppress(OSError, ValueError):
            return who.channel.has_more()
        return False

    def _has_died(self, who: _Worker, status: int) -> None:
        job = who.job
        assert job is not None
        who.outputs.drain()
        if self._interrupting or job.future.cancelled():
            job.future.cancel()
            who.job = None
            return
        name, limit = job.task.step_name, job.task.step.options.timeout
        error: Exception = StepKilled.by(os.waitstatus_to_exitcode(status), name)
        if who.is_late and limit is not None:
            error = StepTimeout.after(limit, name)
        outcome = Outcome.unseen(job.started, error)
        outcome.log, outcome.has_died, outcome.tried = who.outputs.text, True, job.task.tried
        self._finish(who, outcome)

    # Ending

    def _wind_up(self) -> None:
        """Has the workers end that have nothing to do, and interrupts the others, if they are to be."""
        if self._interrupting:
            for job in self._jobs:
                job.future.cancel()
            self._jobs.clear()
        for each in self._workers.values():
            if self._killing:
                self._host.signal(each.number, signal.SIGKILL)
            elif each.job is None or self._interrupting:
                self._dismiss(each)

    def _dismiss(self, who: _Worker) -> None:
        """Has a worker end, soon."""
        if who.is_dismissed:
            return
        who.is_dismissed, who.is_there = True, False
        who.deadline = time.monotonic() + GRACE
        if who.job is None:
            who.channel.end()
        else:
            self._host.signal(who.number, signal.SIGINT)

    def _close(self) -> None:
        self._host.end(kill=bool(self._workers))
        self._selector.close()
        self._woken.close()
        self._wake.close()
