"""What a run's repository lends to outposts, answers them, and takes in of what they have made."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from typing import Any

from artvcs.vcs import (
    Artifact,
    Brought,
    Carrier,
    Commit,
    DamagedError,
    LookupFailed,
    Oid,
    Remote,
    Version,
    fetch,
    objects_from,
    proofs,
    push,
    ref_names,
    versions,
)

from ....record.outcome import Outcome
from ....values import trust
from ...coordinator import Coordinator
from ...execution.task import StepTask
from ...sharing import publish_delivered
from .messages import Loan, Question


class Exchange:
    """What goes in and out, from any thread.

    Args:
        coordinator: What outposts ask, and where their results go.
        remote: What is shared with them.
    """

    def __init__(self, coordinator: Coordinator, remote: Remote) -> None:
        self._coordinator = coordinator
        self._repository = coordinator.repository
        self._remote = remote
        self._carrier = Carrier(self._repository, remote)
        self._mutex = threading.Lock()
        self._trusted: dict[Oid, bool] = {}

    def lend(self, artifacts: Iterable[Oid]) -> Loan:
        """What an outpost needs to read artifacts. Raises RemoteError where it cannot be sent to the remote."""
        artifacts = list(artifacts)
        with self._mutex:
            lent = self._carrier.lend(artifacts)
        return Loan(lent, self._trusted_of(artifacts))

    def _trusted_of(self, artifacts: Iterable[Oid]) -> frozenset[Oid]:
        """Those of some artifacts that may run code as they are loaded."""
        return frozenset(oid for oid in artifacts if self._is_trusted(oid))

    def _is_trusted(self, artifact: Oid) -> bool:
        if artifact not in self._trusted:
            self._trusted[artifact] = trust.of(self._repository, artifact).given
        return self._trusted[artifact]

    def answer(self, question: Question) -> Any:
        """Answers an outpost. Raises ArtError, which the step is told instead."""
        what, arguments = question.what, question.arguments
        match what:
            case "data":
                return self.lend(arguments[0])
            case "objects":
                lent = objects_from(self._repository, arguments[0])
                return Loan(lent, self._trusted_of(item.oid for item in lent.items if item.kind == Artifact.KIND))
            case "deliver":
                brought = self._carried(arguments[0])
                with self._coordinator.undisturbed():
                    self._coordinator.answer(question.task, what, (self._up_to_date(brought),))
            case "catch_up":
                self._coordinator.answer(question.task, what, arguments)
            case _:
                return self._coordinator.answer(question.task, what, arguments)
        return self._repository.refs().root

    def take_in(self, task: StepTask, outcome: Outcome, brought: Brought) -> None:
        """Takes in what an outpost has made. Raises ArtError."""
        harmless = {saved.id for saved in outcome.outputs.values() if not saved.is_proven}
        here = self._carried(brought, harmless)
        with self._coordinator.undisturbed():
            self._coordinator.take_in(task, self._up_to_date(here))

    def _carried(self, brought: Brought, harmless: AbstractSet[Oid] = frozenset()) -> Brought:
        """What is to be taken in here of what an outpost has made, whose data is at the remote, noted as such.

        Args:
            brought: What it has made.
            harmless: Artifacts of which nobody has to know who made them.
        """
        with self._mutex:
            here = self._carrier.take_in(brought)
        if made := {item.oid for item in here.items if item.kind == Artifact.KIND} - harmless:
            proofs.note_made(self._repository.layout, *made)  # by us, if not here
        return here

    def _up_to_date(self, brought: Brought) -> Brought:
        """As if it had been made on the state that is seen here: nobody there has looked at another."""
        return replace(brought, seq=self._coordinator.draft.seen.seq)

    def publish(self) -> None:
        """Publishes at the remote what outposts have brought there, as far as versions here say what it is."""
        with self._mutex:
            publish_delivered(self._repository, self._remote)

    def publish_results(self, keys: Iterable[Oid]) -> None:
        """Publishes at the remote what has been made under some cache keys. Raises RemoteError."""
        refs, made = self._repository.refs(), list[Version]()
        for oid in (oid for key in keys for _, oid in refs.items(ref_names.results(key))):
            with suppress(LookupFailed, DamagedError):  # collected, or damaged: nobody can have it
                outputs = refs.record(oid, Commit).outputs.values()
                found = [versions.by_value(refs, output.name, output.artifact) for output in outputs]
                made += filter(None, found)
        if made:
            with self._mutex:
                push(self._repository, self._remote, made)

    def bring(self) -> None:
        """Brings here what others have published at the remote. Raises RemoteError."""
        with self._mutex:
            fetch(self._repository, self._remote)
