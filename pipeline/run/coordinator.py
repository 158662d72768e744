"""The process that coordinates a run, as a place where steps are executed, and as what workers elsewhere ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from artvcs.vcs import Repository, Transaction

from ..define.graph import Graph
from ..record.models import Models, WorkedOn
from ..record.outcome import Outcome
from ..trace.verify import States
from .execution.task import StepTask


@dataclass
class Coordinator:
    """The process that coordinates a run. It alone decides, numbers, records and publishes.

    Attributes:
        repository: Where inputs are read.
        draft: The run's transaction.
        states: Knows the states that code reaches.
        graph: The steps of the run.
        models: The versions of models that the run works on.
        catch_up: Makes visible what has ended in the run so far.
        stopped: Invocation id → how an execution stood when it was interrupted.
    """

    repository: Repository
    draft: Transaction
    states: States
    graph: Graph
    models: Models
    catch_up: Callable[[], None]
    stopped: dict[str, Outcome] = field(default_factory=dict)

    def interrupted(self, task: StepTask, outcome: Outcome) -> None:
        """See `Workplace.interrupted`."""
        self.stopped[task.invocation_id] = outcome

    def model(self, invocation_id: str) -> WorkedOn | None:
        """See `Workplace.model`."""
        return self.models.of(self.graph.nodes[invocation_id])
