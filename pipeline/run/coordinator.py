"""The process that coordinates a run, as a place where steps are executed, and as what workers elsewhere ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from artvcs.vcs import Artifact, Brought, Lent, PackName, Repository, Transaction

from ..define.graph import Graph
from ..define.options.options import HOOKS
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
        file: The file that declares the pipeline, if one does.
        stopped: Invocation id → how an execution stood when it was interrupted.
        side_by_side: Whether several steps are executed at once in this process.
        is_far: Whether an answer takes its time: here it does not.
    """

    repository: Repository
    draft: Transaction
    states: States
    graph: Graph
    models: Models
    catch_up: Callable[[], None]
    file: Path | None = None
    stopped: dict[str, Outcome] = field(default_factory=dict)
    side_by_side: bool = False
    is_far: bool = False

    def label(self, task: StepTask) -> str | None:
        """See `Workplace.label`."""
        return task.invocation_id if self.side_by_side else None

    def trying(self, tried: int) -> None:
        """See `Workplace.trying`."""

    def limited(self, seconds: float | None) -> None:
        """See `Workplace.limited`."""

    def interrupted(self, task: StepTask, outcome: Outcome) -> None:
        """See `Workplace.interrupted`."""
        self.stopped[task.invocation_id] = outcome

    def model(self, invocation_id: str) -> WorkedOn | None:
        """See `Workplace.model`."""
        return self.models.of(self.graph.nodes[invocation_id])

    # For workers in other processes

    def known(self) -> Iterator[object]:
        """What tasks refer to, and what a process knows already that was forked from this one."""
        nodes = [*self.graph.nodes.values(), *self.states.owed.nodes()]
        yield from (each for node in nodes for each in (node.step, node.params))
        yield from (hook for name in HOOKS if (hook := getattr(self.graph.options, name)) is not None)

    def undisturbed(self) -> AbstractContextManager[None]:
        """Inside the block no other thread changes anything in the repository."""
        return self.draft.together()

    def lend_inputs(self, task: StepTask) -> Lent:
        """What a worker needs to read what a step takes, as far as it is not published yet."""
        # What is known of an artifact may be published, and its data be made anew, since that was pruned.
        payloads = {self.repository.store.record(oid, Artifact).payload for oid in task.taken}
        return self.draft.lend([*task.taken, *payloads])

    def take_in(self, _: StepTask, brought: Brought) -> None:
        """Takes in what a worker has made. Raises Conflict where that cannot be meant any more."""
        self.draft.take_in(brought)

    def sealed(self, name: PackName) -> None:
        """See `Answers.sealed`: it is here already."""

    def answer(self, task: StepTask, what: str, arguments: tuple[Any, ...]) -> Any:
        """Answers a worker: `catch_up`, `deliver`, or a question about a step's model.

        Raises:
            ArtError: What the step is told instead.
        """
        if what == "catch_up":
            return self.catch_up()
        if what == "deliver":
            with self.draft.together():
                self.take_in(task, *arguments)
                return self.draft.publish(tolerant=True)
        invocation_id, method, *given = arguments
        model = self.model(invocation_id)
        assert model is not None, "else nobody asks"
        questions: dict[str, Callable[..., Any]] = {
            "names": lambda: (model.model, model.name), "find": model.find, "version": model.version,
            "told": model.told, "add": model.add,
        }  # fmt: skip
        return questions[method](*given)
