"""An outpost: the process on a machine of a cluster in which steps of one run are executed, each in one forked from it.

It has the run's code, and a repository of its own whose refs are empty: what steps take comes into it, and what they
make goes from there to the remote. An engine's worker starts it, speaks for it, and ends it; see `post`.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import shutil
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from artvcs.vcs import ArtError, Brought, Lent, Oid, PackName, Repository, Stock, connect, now_ms, proofs

from .....errors import PipelineError, text_of
from .....fingerprint import to_json
from .....record.outcome import Outcome, failure_of
from ....execution.execute import execute
from ....execution.task import StepTask
from ... import errors, spelling
from ...processes.channel import Answer, Warned
from ...processes.pool import ProcessExecutor
from ...spelling import Defined
from ..messages import Loan, Order, Printed, Question, Report, Stopped
from ..sent.session import Session

_SLOTS = 1024
"""Steps side by side: how many there are, the engine decides."""

_SILENCE = 0.1
"""Seconds after which it is said what has ended, of orders that came together."""


class Outpost:
    """Executes steps of one run on this machine, and answers what they ask. See `Answers`.

    Args:
        session: The run.
        folder: For all its files.
        connection: The way to the engine's worker.
    """

    is_far = True

    def __init__(self, session: Session, folder: Path, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._session, self._folder = session, folder
        self._sending = threading.Lock()
        self._known = Defined()
        self.repository = Repository.init(session.enter(folder))
        self.repository.make_temporary()
        self._stock = Stock(self.repository, connect(self.repository, session.remote))
        self._executor: ProcessExecutor | None = None
        self._seeing = threading.Lock()
        self._giving = threading.Lock()
        self._interrupted = False
        self._futures: dict[int, Future[Outcome]] = {}
        self._lent: dict[str, Lent] = {}
        self._brought: dict[str, Brought] = {}
        self._answers: dict[int, Any] = {}
        self._asked = 0

    def serve(self) -> None:
        """Does what the engine's worker says, until it says no more."""
        with contextlib.suppress(EOFError, OSError):  # then nobody is there any more
            while True:
                what, *arguments = self._connection.recv()
                if what == "do":
                    self._begin(arguments[0][0][1])
                    threading.Thread(target=self._do, args=arguments, daemon=True).start()
                elif what == "answer":
                    self._answered(*arguments)
                elif what == "drop":
                    self._drop(*arguments)
                elif what == "interrupt":
                    threading.Thread(target=self._interrupt, daemon=True).start()
                else:
                    break
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    # Orders

    def _do(self, orders: list[tuple[int, bytes]]) -> None:
        done: list[tuple[int, Report]] = []
        try:
            said = time.monotonic()
            # All are read before the first is executed, and said together: so threads wake each other less often.
            for job, order in [(job, self._read(data)) for job, data in orders]:
                done.append((job, self._done(job, order)))
                if time.monotonic() > said + _SILENCE:
                    self._say_done(done)
                    said = time.monotonic()
            self._say_done(done)
        except BaseException:  # a fault of ours: another outpost takes the place of this one
            traceback.print_exc()
            with contextlib.suppress(Exception):
                self._say_done(done)
            os._exit(1)

    def _say_done(self, done: list[tuple[int, Report]]) -> None:
        """Says how orders have ended, and forgets them."""
        self._send("done", [(job, self._spelt(report)) for job, report in done])
        done.clear()

    def _drop(self, job: int) -> None:
        if (future := self._futures.get(job)) is not None:
            future.cancel()

    def _done(self, job: int, order: Order | ArtError) -> Report:
        began = now_ms()
        if self._interrupted:
            return Report(None, Brought())
        try:
            if isinstance(order, ArtError):
                raise order
            task = order.task
            self._trust(order.loan)
            self._lent[task.invocation_id] = self._stock.bring(order.loan.lent, task.taken)
            with self._giving:
                if self._interrupted:
                    return Report(None, Brought())
                future = self._futures[job] = self._pool.submit(execute, task)
            outcome = self._as_there(future.result())
            return Report(outcome, self._stock.hand_over(self._brought.pop(task.invocation_id, Brought())))
        except (CancelledError, KeyboardInterrupt) as interrupt:
            return Report(None, Brought(), by_step=isinstance(interrupt, KeyboardInterrupt))
        except Exception as error:
            if self._pool.is_broken:
                raise
            found = error if isinstance(error, ArtError) else _failed(error)
            return Report(Outcome.unseen(began, found), Brought())
        finally:
            self._futures.pop(job, None)

    def _read(self, data: bytes) -> Order | ArtError:
        """An order, if what it asks to be executed is the same here; else why it is not carried out."""
        try:
            order: Order = spelling.read(data, self._known)
            self._check_code(order.task)
        except ArtError as error:
            return error
        except Exception as error:
            return _unreadable(error)
        return order

    def _begin(self, data: bytes) -> None:
        """With the first order, before there are other threads: loads code, and starts what others are forked from."""
        if self._executor is not None:
            return
        steps = []
        with contextlib.suppress(Exception):  # whoever carries it out says so
            steps.append(spelling.read(data, self._known).task.step)
        self._executor = ProcessExecutor(_SLOTS, self, steps, self._known)
        self._executor.begin()

    @property
    def _pool(self) -> ProcessExecutor:
        assert self._executor is not None, "it began with the first order"
        return self._executor

    def _check_code(self, task: StepTask) -> None:
        """Refuses to execute other code than what was decided about."""
        found = task.step.code().called_with(task.parameters).fingerprint
        if found.id != task.code and (why := self._ask(task, "differs", (to_json(found),))) is not None:
            raise PipelineError(why)

    def _as_there(self, outcome: Outcome) -> Outcome:
        """An outcome that names files as the machine does that runs the pipeline: here they are gone soon."""
        if outcome.error is None:
            return outcome
        reported = outcome.failure() or failure_of(outcome.error)
        text = reported.traceback
        if (note := self._note(outcome.error)) is not None:
            outcome.error.add_note(note)
            text = f"{text}{note}\n"
        outcome.reported = replace(
            reported, message=self._session.parcel.here(reported.message, self._folder),
            traceback=self._session.parcel.here(text, self._folder),
        )  # fmt: skip
        errors.rename_files(outcome.error, lambda path: self._session.parcel.here(path, self._folder))
        outcome.log = self._session.parcel.here(outcome.log, self._folder)
        return outcome

    def _note(self, error: Exception) -> str | None:
        """What is to be said of an error that has to do with what is not here."""
        if isinstance(error, FileNotFoundError) and self._is_of_project(error.filename):
            return _NOT_HERE
        if isinstance(error, NameError) and (name := _named(error)) in self._session.left_out:
            return f"The variable {name!r} {_LEFT_OUT}"
        return None

    def _is_of_project(self, path: object) -> bool:
        return isinstance(path, str) and os.path.abspath(path).startswith(str(self._folder))

    def _interrupt(self) -> None:
        with self._giving:  # or the pool would begin anew with what comes after it has ended
            self._interrupted = True
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    # What steps ask

    def undisturbed(self) -> contextlib.AbstractContextManager[None]:
        """See `Answers.undisturbed`: there are no other threads yet, see `_begin`."""
        return contextlib.nullcontext()

    def lend_inputs(self, task: StepTask) -> Lent:
        """See `Answers.lend_inputs`."""
        return self._lent.pop(task.invocation_id)

    def take_in(self, task: StepTask, brought: Brought) -> None:
        """See `Answers.take_in`: it goes when the step has ended."""
        self._brought[task.invocation_id] = brought

    def sealed(self, name: PackName) -> None:
        """See `Answers.sealed`: it goes to the remote while the step goes on."""
        self._stock.send_ahead(name)

    def interrupted(self, task: StepTask, outcome: Outcome) -> None:
        """See `Answers.interrupted`."""
        self.say(Stopped(task, outcome))

    def answer(self, task: StepTask, what: str, arguments: tuple[Any, ...]) -> Any:
        """See `Answers.answer`: the coordinator knows it."""
        if what == "deliver":
            arguments = (self._stock.hand_over(arguments[0]),)
        found = self._ask(task, what, arguments)
        if what in ("deliver", "catch_up"):
            self._see(found)
        elif what in ("objects", "data"):
            loan: Loan = found
            self._trust(loan)
            return self._stock.bring(loan.lent, arguments[0]) if what == "data" else loan.lent
        return found

    def _see(self, root: Oid | None) -> None:
        """The refs are as the coordinator has them now; what they lead to comes when somebody asks for it."""
        with self._seeing, self.repository.transaction("as the run has it") as transaction:
            transaction.edit_state(lambda _, state: replace(state, refs=root))

    def _trust(self, loan: Loan) -> None:
        if loan.trusted:
            proofs.trust(self.repository.layout, loan.trusted)

    # The way to the coordinator

    def say(self, message: object) -> None:
        """Tells the coordinator something."""
        self._send("say", self._spelt(message))

    def _ask(self, task: StepTask, what: str, arguments: tuple[Any, ...]) -> Any:
        waiting = threading.Event()
        with self._sending:
            self._asked += 1
            number = self._asked
            self._answers[number] = waiting
        self._send("ask", number, self._spelt(Question(task, what, arguments)))
        waiting.wait()
        reply: Answer = spelling.read(self._answers.pop(number), self._known)
        if reply.error is not None:
            raise reply.error
        return reply.value

    def _answered(self, number: int, data: bytes) -> None:
        waiting: threading.Event = self._answers[number]
        self._answers[number] = data
        waiting.set()

    def _send(self, *message: Any) -> None:
        with self._sending, contextlib.suppress(OSError):  # nobody is there any more: that is seen when it is read
            self._connection.send(message)

    def _spelt(self, message: object) -> bytes:
        return spelling.spell(message, self._known)


def _unreadable(error: Exception) -> PipelineError:
    return PipelineError(
        f"The worker cannot read what it is sent ({type(error).__name__}: {text_of(error)}); see whether it has the "
        "same packages as the machine that runs the pipeline."
    )


def _failed(error: Exception) -> PipelineError:
    return PipelineError(
        f"The worker could not execute it ({type(error).__name__}: {text_of(error)}); run it again, and report what is "
        "said if that does not help."
    )


_NOT_HERE = (
    "This file is not on the worker: what Git ignores, or is larger than a megabyte and no code, does not go there. "
    "Add it with `art add`, and let the step take it as an input; if the step writes it, let it make the folder first."
)


_LEFT_OUT = (
    "is not on the worker: its value cannot be pickled, as a lock, a connection or a generator cannot, or is too large "
    "to travel. Make it inside the step, or let the step take it as an input."
)


def _named(error: NameError) -> str:
    """The name that is not defined; an error that has come from another process says it in words alone."""
    return error.name or str(error).partition("'")[2].partition("'")[0]


class _Said(io.TextIOBase):
    """A stream that the coordinator shows."""

    def __init__(self, outpost: Outpost, name: str) -> None:
        self._outpost = outpost
        self._name = name

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """See `io.TextIOBase.write`."""
        self._outpost.say(Printed(self._name, text))
        return len(text)


@contextlib.contextmanager
def _shown(outpost: Outpost) -> Iterator[None]:
    """Inside the block what is printed here and warned of is shown by the coordinator."""

    def show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any) -> None:
        warning = message if isinstance(message, Warning) else category(message)
        outpost.say(Warned(warning, filename, lineno))

    before = sys.stdout, sys.stderr, warnings.showwarning
    sys.stdout, sys.stderr = _Said(outpost, "stdout"), _Said(outpost, "stderr")
    warnings.showwarning = show
    try:
        yield
    finally:
        sys.stdout, sys.stderr, warnings.showwarning = before


def main(handle: int, folder: Path) -> None:
    """Serves one run.

    Args:
        handle: The way to the engine's worker; the session comes first.
        folder: For all files.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # who has started it may block what interrupts steps, as Ray does
    connection: Connection[Any, Any] = Connection(handle)
    try:
        outpost = Outpost(pickle.loads(connection.recv_bytes()), folder / "files", connection)
    except Exception as error:
        with contextlib.suppress(OSError):
            connection.send(("failed", str(error) if isinstance(error, ArtError) else repr(error)))
        return
    connection.send(("ready",))
    try:
        with _shown(outpost):
            outpost.serve()
    finally:
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


if __name__ == "__main__":
    from artvcs.pipelines.run.executors.clusters.worker import outpost as _itself

    _itself.main(int(sys.argv[1]), Path(sys.argv[2]))
