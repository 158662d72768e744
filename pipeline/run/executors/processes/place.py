"""A worker as a place where steps are executed: what they find there, and what only the coordinator can tell or do."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from artvcs.vcs import Brought, Input, Oid, Output, PackName, Repository, UnknownName, Version

from ....define.model import Model
from ....record.noted import Noted
from ....record.outcome import Outcome
from ....trace.verify import States
from ...execution.task import StepTask
from ...execution.timeouts import Undisturbed
from ..errors import prepared
from .channel import Answer, Ask, Channel, Ended, Execute, Interrupted, Limited, Sealed, Trying


class Place:
    """A worker as a place where steps are executed. See `Workplace`.

    Args:
        channel: The way to the coordinator.
        repository: Where inputs are read.
        folder: For what is not whole yet.
        is_far: Whether that repository is an outpost, and has nothing but what steps take.
    """

    def __init__(self, channel: Channel, repository: Repository, folder: Path, *, is_far: bool = False) -> None:
        self.repository = repository
        self._is_far = is_far
        if is_far:
            repository.supplied_by(self)
            repository.make_temporary()
        self.states = States(repository, shares_memory=False)
        self.draft = repository.contribute(folder, self)
        self._channel = channel
        self._mutex = threading.RLock()

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        self.draft.close()

    def next(self) -> Any:
        """The next message; None if there is nobody any more."""
        loaded = len(sys.modules)
        try:
            message = self._channel.receive()
        except (EOFError, OSError):
            return None
        if isinstance(message, Execute):
            self.draft.begin_anew(message.lent)
            # Else all is as it was looked at after the step before this one, which would not have been given here.
            if len(sys.modules) != loaded:
                self.states.forget()
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
        # An answer that nobody waits for any more would be taken for the next.
        with self._mutex, Undisturbed():
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
        flush()
        self._send_outcome(Interrupted(outcome))

    def model(self, invocation_id: str) -> ModelElsewhere:
        """See `Workplace.model`."""
        return ModelElsewhere(self, invocation_id)

    # What an outpost has not, see `Supplier`

    def bring_object(self, oid: Oid) -> bool:
        """See `Supplier.bring_object`."""
        try:
            self.draft.borrow(self.ask("objects", oid))
        except UnknownName:
            return False
        return True

    def bring_data(self, artifacts: Iterable[Oid]) -> None:
        """See `Supplier.bring_data`."""
        self.draft.borrow(self.ask("data", tuple(artifacts)))

    # The way to the change that this is a part of, see `Link`

    def catch_up(self) -> None:
        """Has published what the run has come to so far."""
        self.ask("catch_up")

    def deliver(self, brought: Brought) -> None:
        """Has something taken in, and published."""
        self.ask("deliver", brought)

    def sealed(self, name: PackName) -> None:
        """See `Link.sealed`: an outpost can send it on its way."""
        if self._is_far:
            with self._mutex:
                self._channel.send(Sealed(name))


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


def flush() -> None:
    """Hands on what was printed so far."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(Exception):  # closed, or somebody else's
            stream.flush()  # type: ignore[union-attr]
