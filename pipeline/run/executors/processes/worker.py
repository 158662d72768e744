"""A worker: a process that executes one step after another, as long as none leaves it otherwise than it was."""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing.process
import os
import signal
import sys
import threading
import warnings
import weakref
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

from artvcs.vcs import Brought, Input, Output, Repository, Version

from ....define.model import Model
from ....fingerprint import is_own, stated
from ....record.noted import Noted
from ....record.outcome import Outcome
from ....trace.left.kinds import ON_DISK
from ....trace.verify import States
from ...execution.execute import execute
from ...execution.logs import installed
from ...execution.task import StepTask
from .channel import Answer, Ask, Channel, Ended, Execute, Interrupted, Limited, Trying, Warned
from .errors import prepared


def work(channel: Channel, repository: Repository, folder: Path) -> None:
    """Executes steps until nobody has any more, or this process is not as it was.

    Args:
        channel: The way to the coordinator.
        repository: Where inputs are read.
        folder: For what is not whole yet.
    """
    inherited = _begin_process()
    with _streams(), installed(), Place(channel, repository, folder) as place:
        _pass_on_warnings(channel)
        goes_on = True
        while goes_on and isinstance(message := place.next(), Execute):
            before = _Memory()
            try:
                outcome = _executed(message.task, place)
            except KeyboardInterrupt:
                break  # it was told how it stood
            _flush()
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


class Place:
    """A worker as a place where steps are executed. See `Workplace`."""

    def __init__(self, channel: Channel, repository: Repository, folder: Path) -> None:
        self.repository = repository
        self.states = States(repository, shares_memory=False)
        self.draft = repository.contribute(folder, self)
        self._channel = channel
        self._mutex = threading.RLock()
        self._task: StepTask | None = None

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        self.draft.close()

    def next(self) -> Any:
        """The next message; None if there is nobody any more."""
        try:
            message = self._channel.receive()
        except (EOFError, OSError):
            return None
        if isinstance(message, Execute):
            self.draft.begin_anew(message.lent)
            self.states.forget()
            self._task = message.task
        return message

    def hand_over(self, outcome: Outcome, *, goes_on: bool) -> None:
        """Says how an execution has ended, with what it has made."""
        self._send_outcome(Ended(outcome, self.draft.hand_over(), goes_on))

    def _send_outcome(self, message: Ended | Interrupted) -> None:
        outcome = message.outcome
        if outcome.error is not None:
            outcome.reported = outcome.failure()  # here are all lines, and where in them
            outcome.error = prepared(outcome.error, self._channel.there_and_back)
        with self._mutex:
            try:
                spelt = self._channel.spell(message)
            except Exception as error:  # what a step noted has code of its own
                outcome.error = prepared(error, self._channel.there_and_back)
                outcome.noted, outcome.outputs, outcome.reported = Noted(), {}, None
                spelt = self._channel.spell(message)
            self._channel.post(spelt)

    def ask(self, what: str, *arguments: Any) -> Any:
        """Has the coordinator do or tell something. Raises what it raises."""
        with self._mutex:
            self._channel.send(Ask(what, arguments))
            answer = self._channel.receive()
        assert isinstance(answer, Answer)
        if answer.error is not None:
            raise answer.error
        return answer.value

    # What an execution finds here

    def label(self, _: StepTask) -> None:
        """See `Workplace.label`: the coordinator shows whose it is."""

    def trying(self, tried: int) -> None:
        """See `Workplace.trying`."""
        with self._mutex:
            self._channel.send(Trying(tried))

    def limited(self, seconds: float | None) -> None:
        """See `Workplace.limited`."""
        with self._mutex:
            self._channel.send(Limited(seconds))

    def interrupted(self, task: StepTask, outcome: Outcome) -> None:
        """See `Workplace.interrupted`."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _flush()
        self._send_outcome(Interrupted(outcome))

    def model(self, invocation_id: str) -> ModelElsewhere:
        """See `Workplace.model`."""
        return ModelElsewhere(self, invocation_id)

    # The way to the change that this is a part of, see `Link`

    def catch_up(self) -> None:
        """Has published what the run has come to so far."""
        self.ask("catch_up")

    def deliver(self, brought: Brought) -> None:
        """Has something taken in, and published."""
        self.ask("deliver", brought)


class ModelElsewhere:
    """The version of a model that the step works on, as the coordinator has it. See `ModelAtWork`."""

    def __init__(self, place: Place, invocation_id: str) -> None:
        self._place = place
        self._id = invocation_id

    @cached_property
    def _names(self) -> tuple[Model, str]:
        found: tuple[Model, str] = self._ask("names")
        return found

    @property
    def model(self) -> Model:
        """What the pipeline or step says about it."""
        return self._names[0]

    @property
    def name(self) -> str:
        """What the model's versions are stored as."""
        return self._names[1]

    def find(self, name: str, version: str | int | None = None) -> Input:
        """See `ModelAtWork.find`."""
        found: Input = self._ask("find", name, version)
        self._place.draft.catch_up()
        return found

    def version(self) -> Version:
        """See `ModelAtWork.version`."""
        found: Version = self._ask("version")
        self._place.draft.catch_up()
        return found

    def told(self) -> Mapping[str, str]:
        """See `ModelAtWork.told`."""
        found: Mapping[str, str] = self._ask("told")
        return found

    def add(self, outputs: Iterable[Output] = (), notes: Mapping[str, Any] | None = None) -> None:
        """See `ModelAtWork.add`."""
        self._ask("add", tuple(outputs), notes)

    def _ask(self, what: str, *arguments: Any) -> Any:
        return self._place.ask("of_model", self._id, what, *arguments)


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


@contextlib.contextmanager
def _streams() -> Iterator[None]:
    """What is printed goes where the coordinator reads it, in whole lines as far as they are."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _open(1), _open(2)
    for tee, stream in zip(before, (sys.stdout, sys.stderr), strict=True):
        if hasattr(tee, "stream"):  # our stand-in, which handlers of logs may hold
            tee.stream = stream
    yield


def _open(handle: int) -> TextIO:
    return open(handle, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(Exception):  # closed, or somebody else's
            stream.flush()  # type: ignore[union-attr]


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
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for each in set(weakref.finalize._registry) - inherited:  # type: ignore[attr-defined]
            if each.atexit:
                each()
        _flush()
