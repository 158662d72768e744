"""Running hits again, for what they leave behind, where a step needs it that comes after them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from artvcs.vcs import Refs, Repository, Run

from ..cache import reasons
from ..cache.decide import Decision
from ..define.step import Step
from ..errors import PipelineError
from ..history import lookup
from ..record.outcome import Outcome
from ..trace.left.owed import Debt
from ..trace.model import Trace
from ..trace.verify import States
from .observer import Observer


@dataclass
class Again:
    """Has hits run again.

    Attributes:
        repository: Where results are.
        refs: Where earlier executions are looked up.
        previous: The pipeline's run before, if any.
        states: Knows what hits owe.
        observer: Is told.
        submit: Executes a step.
    """

    repository: Repository
    refs: Refs
    previous: Run | None
    states: States
    observer: Observer
    submit: Callable[[Decision, Step[Any, Any]], Future[Outcome]]

    def before(self, decision: Decision) -> bool:
        """Makes sure that a step finds what it uses; returns whether it has to be decided again.

        Raises:
            PipelineError: A hit that had to run again failed.
        """
        owed = self.states.owed
        if not owed:
            return False
        is_hit = decision.hit is not None
        debts = owed.files_of(decision.trace) if is_hit else owed.needed(decision.world.code, self._seen(decision))
        if debts:
            self._run(debts, decision.node.id)
            return True
        if not is_hit and owed.load():
            self.states.forget()
            return True
        return False

    def after(self, decision: Decision) -> bool:
        """Makes sure that a step that has run found what it should have; returns whether it has to run once more.

        Raises:
            PipelineError: A hit that had to run again failed.
        """
        debts = self.states.owed.missed() if self.states.owed else []
        self._run(debts, decision.node.id)
        return bool(debts)

    def _seen(self, decision: Decision) -> tuple[Trace, ...]:
        """What the step was seen to use before: where its code, parameters or inputs are new, what it used last."""
        if decision.seen:
            return decision.seen
        last = lookup.last_execution(self.refs, self.previous, decision.node.id)
        return () if last is None else (reasons.trace_of(self.repository, last),)

    def _run(self, debts: list[Debt], step: str) -> None:
        for debt in debts:
            self.observer.step_repeats(debt.step, step)
            debt.decision.world.look_again()
            with self.states.owed.paid(debt):
                outcome = self.submit(debt.decision, debt.decision.node.step).result()
            self.states.forget()
            self.states.written.add(outcome.trace)
            if outcome.error is not None:
                raise PipelineError(
                    f"{debt.step!r} had to run again, for what it leaves behind is used by {step!r}, and failed: "
                    f"{type(outcome.error).__name__}: {outcome.error}"
                ) from outcome.error
