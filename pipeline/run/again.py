"""Running hits again, for what they leave behind, where a step needs it that comes after them.

That is an execution as any other: what it returns and what it was seen to use are recorded.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from ..cache.decide import Decision
from ..cache.given import paths_given
from ..errors import PipelineError
from ..history.finding.run_lookup import LastExecutions
from ..record.outcome import Outcome
from ..trace.left.debt import Debt
from ..trace.left.kinds import FILES
from ..trace.model import Trace
from ..trace.verify import States
from .observer import Observer


@dataclass
class Again:
    """Has hits run again.

    Attributes:
        earlier: The steps' executions before this run.
        states: Knows what hits owe.
        observer: Is told.
        execute: Executes a step.
        ran: Is given what has run again, its outcome, and the step that needed it.
    """

    earlier: LastExecutions
    states: States
    observer: Observer
    execute: Callable[[Decision], Outcome]
    ran: Callable[[Decision, Outcome, str], None]

    def before(self, decision: Decision) -> bool:
        """Makes sure that a step finds what it uses; returns whether it has to be decided again.

        Raises:
            PipelineError: A hit that had to run again failed.
        """
        if not self.states.owed:
            return False
        debts = due(decision, self.earlier)
        if debts:
            self._run(debts, decision.node.id)
            return True
        if decision.hit is None and self.states.owed.load():
            self.states.forget()
            return True
        return False

    def after(self, decision: Decision, outcome: Outcome) -> bool:
        """Makes sure that a step that has run, or failed, found what it should have; else it has to run once more.

        Raises:
            PipelineError: A hit that had to run again failed.
        """
        debts = self.states.owed.due.missed(outcome.trace, decision.world.places) if self.states.owed else []
        self._run(debts, decision.node.id)
        if debts:
            importlib.invalidate_caches()  # it may have looked for a module that is there now
        return bool(debts)

    def _run(self, debts: list[Debt], step: str) -> None:
        for debt in debts:
            if not self.states.owed.has(debt):
                continue  # decided anew meanwhile, for one before it returned something else
            self.observer.step_repeats(debt.step, step)
            debt.decision.world.look_again()
            with self.states.owed.paid(debt):
                outcome = self.execute(debt.decision)
            self.states.forget()
            self.states.owed.ran_again(debt, outcome.trace)
            if outcome.error is not None:
                raise PipelineError(
                    f"{debt.step!r} had to run again, for what it leaves behind is used by {step!r}, and failed: "
                    f"{type(outcome.error).__name__}: {outcome.error}"
                ) from outcome.error
            self.ran(debt.decision, outcome, step)


def due(decision: Decision, earlier: LastExecutions) -> list[Debt]:
    """The hits that have to run again before a step, in order: they owe what it uses, or the files that it has read.

    Args:
        decision: What is decided for the step.
        earlier: The steps' executions before.
    """
    owed = decision.world.states.owed
    if not owed:
        return []
    if decision.hit is not None:
        return owed.due.files_of(decision.trace)
    seen = decision.seen
    if not seen and (last := earlier.of(decision.node.id)) is not None:
        # Code, parameters or inputs are new: what it used last.
        seen = (Trace.of(decision.world.repository.store, last) or Trace(),)
    ended = earlier.run.steps.get(decision.node.id) if earlier.run is not None else None
    if ended is not None and ended.left:  # it failed: what it changed then is to be as it found it
        seen = (*seen, Trace(left={FILES: ended.left}))
    return owed.due.needed(decision.world.code, seen, paths_given(decision))
