"""What a run would do, without running: which steps would be reused, which would run, and why.

A step after one that would run is undecided: should that one return the value it returned before, and leave behind what
it left, it is reused, if all else is as it was.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Mapping
from datetime import UTC, datetime

from artvcs.vcs import (
    Commit,
    DamagedError,
    Input,
    Judge,
    LookupFailed,
    Oid,
    Output,
    Repository,
    Transaction,
    config,
    runs,
)

from ..cache import reasons
from ..cache.ahead import Before
from ..cache.decide import Decision, decide
from ..define.graph import Graph, Node
from ..define.handles import ModelArtifact, ModelFact, StepOutput
from ..define.options.options import PipelineOptions
from ..history.finding import run_lookup
from ..record import commits
from ..record.models import Models
from ..trace import chance
from ..trace.left import whereabouts
from ..trace.left.uses import Uses, changed, on_disk, used
from ..trace.model import Trace
from ..trace.verify import States
from .again import due
from .execution.context import told
from .executors.opening import choose
from .inputs import Ingest
from .machine import cores_here
from .plan import Plan, PlannedStep
from .side_by_side.costs import UNKNOWN, Costs

_MOST_NAMED = 8
"""Steps that are named of those that one waits for."""


def preview(repository: Repository, graph: Graph, pipeline: str, options: PipelineOptions) -> Plan:
    """Says what running a graph now would do. Nothing is executed and nothing is kept.

    Args:
        repository: Where earlier results are.
        graph: The steps.
        pipeline: The pipeline's name.
        options: The pipeline's options.

    Raises:
        DefinitionError: The pipeline cannot work as it is.
        MaterializerError: A value from outside cannot be stored.
    """
    order = graph.order()
    transaction = repository.transaction(f"plan {pipeline}")
    try:
        planner = _Planner(repository, transaction, pipeline, options, graph)
        with chance.kept(), whereabouts.kept():
            return planner.plan([graph.nodes[id_] for id_ in order])
    finally:
        transaction.close()  # unpublished: values from outside were stored only to know their ids


class _Planner:
    """Goes through the steps in order.

    `_made` holds the outputs of those that would be reused; of the others, `_assumed` holds those of the run before,
    and `_left` what they left behind when they were last executed → which step did, the first of them by its number.
    """

    def __init__(
        self,
        repository: Repository,
        transaction: Transaction,
        pipeline: str,
        options: PipelineOptions,
        graph: Graph,
    ) -> None:
        self._repository = repository
        self._transaction = transaction
        self._options = options
        self._pipeline = pipeline
        self._graph = graph
        self._ingest = Ingest(repository, transaction, pipeline)
        self._previous = runs.latest(transaction, pipeline)
        self._earlier = run_lookup.LastExecutions(transaction, self._previous, tuple(graph.nodes))
        self._made: dict[str, tuple[Oid, Mapping[str, Output]]] = {}
        self._assumed: dict[str, tuple[Oid, Mapping[str, Output]]] = {}
        self._left: dict[Uses, tuple[int, str]] = {}
        self._again: dict[str, str] = {}
        self._chosen = choose(repository, options)
        self._shares_memory = self._chosen.shares_memory
        self._costs = Costs(self._repository, transaction, self._previous)
        self._states = States(repository, shares_memory=self._shares_memory, tried=True)
        self._judge = Judge(repository, config.read(repository).trust)
        self._models = Models(repository, transaction, "", datetime.now(UTC), options)

    def plan(self, nodes: list[Node]) -> Plan:
        found = [self._plan(node) for node in nodes]
        found = [
            PlannedStep(each.step, "again", f"It would be reused, but {self._again[each.step]!r} uses what it leaves.")
            if each.action == "reuse" and each.step in self._again
            else each
            for each in found
        ]
        return Plan(map(self._costing, found), self._seconds(nodes, found), self._graph.groups)

    def _costing(self, planned: PlannedStep) -> PlannedStep:
        """A step with what it would cost."""
        if planned.action == "reuse":
            return planned
        seconds = self._costs.seconds(planned.step)
        size = self._costs.size(planned.step)
        return dataclasses.replace(planned, seconds=None if seconds == UNKNOWN else seconds, size=size)

    def _seconds(self, nodes: list[Node], planned: list[PlannedStep]) -> float:
        """How long the steps would take: each begins as soon as what it waits for has ended and there is room.

        Source: R. L. Graham, Bounds on Multiprocessing Timing Anomalies, 1969 (list scheduling).
        """
        slots, ends = [0.0] * (self._chosen.jobs or cores_here()), dict[str, float]()
        for node, each in zip(nodes, planned, strict=True):
            ends[node.id] = max((ends[id_] for id_ in node.upstream), default=0.0)
            seconds = self._costs.seconds(node.id)
            if each.action != "reuse" and seconds != UNKNOWN:
                ends[node.id] = max(ends[node.id], heapq.heappop(slots)) + seconds
                heapq.heappush(slots, ends[node.id])
        return max(ends.values(), default=0.0)

    def _plan(self, node: Node) -> PlannedStep:
        sources = [
            source.invocation for each in node.sources.values() for source in each if isinstance(source, StepOutput)
        ]
        undecided = sorted({*sources} - self._made.keys())
        unless = f"It runs if {self._any_of(undecided)} returns another value than before."
        if not self._assume(undecided):
            return PlannedStep(node.id, "maybe", unless)
        inputs = {
            name: tuple(self._input(node, name, source) for source in sources) for name, sources in node.sources.items()
        }
        self._states.owed.begin(node.step.function)
        use_cache = self._options.uses_cache(node.step.options)
        extra = self._options.extra_of(node.step.options)
        asked = told("", "", self._pipeline, node, extra, self._models.of(node))
        decision = decide(
            node, inputs, self._repository, self._transaction, asked, self._states,
            judge=self._judge, use_cache=use_cache, before=Before(run_lookup.last_commit(self._previous, node.id)),
        )  # fmt: skip
        for debt in due(decision, self._earlier):
            self._again[debt.step] = node.id
            self._states.owed.forgive(debt)
        unsure = self._unsure(decision)
        if decision.hit is None or undecided or unsure is not None:
            self._note_left(decision)
        if decision.hit is not None and undecided:
            return PlannedStep(node.id, "maybe", unless)
        if decision.hit is not None and unsure is not None:
            return PlannedStep(node.id, "maybe", f"It runs if {unsure!r} leaves something else behind than before.")
        if decision.hit is not None and decision.offer is not None:
            self._made[node.id] = decision.hit, decision.offer.outputs
            if (model := self._models.of(node)) is not None:
                model.add(decision.offer.outputs.values())
            decision.leave()
            return PlannedStep(
                node.id, "reuse", "Its code, inputs and all that it used are those of an earlier execution."
            )
        if not use_cache:
            return PlannedStep(node.id, "run", "Caching is off for it.")
        return self._explain(decision)

    def _any_of(self, steps: list[str]) -> str:
        """Steps in words, items of a `step.map` by its name."""
        alike: dict[str, list[str]] = {}
        for id_ in steps:
            alike.setdefault(self._graph.nodes[id_].group or id_, []).append(id_)
        named = [
            f"one of '{first} ×{len(items):,}'" if len(items) > 1 else repr(items[0]) for first, items in alike.items()
        ]
        return " or ".join(named[:_MOST_NAMED]) + (" or another" if len(named) > _MOST_NAMED else "")

    def _unsure(self, decision: Decision) -> str | None:
        """A step before that may run, and left behind what this one uses."""
        code, places = decision.world.code, decision.world.places
        found = (self._left[each] for each in used(code, decision.trace, places) if each in self._left)
        return min(found, default=(0, None))[1]

    def _note_left(self, decision: Decision) -> None:
        """Notes what a step that may run left behind in its last execution."""
        before = self._earlier.of(decision.node.id)
        trace = None if before is None else Trace.of(self._repository.store, before)
        if trace is not None:
            trace = trace if self._shares_memory else on_disk(trace)
            for each in changed(decision.world.code, trace, Trace(), decision.world.places):
                self._left.setdefault(each, (len(self._left), decision.node.id))

    def _assume(self, undecided: list[str]) -> bool:
        """Takes for what steps will return what they returned in the run before; False where that is not known."""
        for id_ in undecided:
            commit = run_lookup.last_commit(self._previous, id_)
            if commit is None:
                return False
            try:
                self._assumed[id_] = commit, self._transaction.record(commit, Commit).outputs
            except (LookupFailed, DamagedError):
                return False
        return True

    def _input(self, node: Node, name: str, source: object) -> Input:
        if isinstance(source, (ModelArtifact, ModelFact)):
            return self._ingest.of_model(self._models, node, name, source)
        if isinstance(source, StepOutput):
            commit, outputs = self._made.get(source.invocation) or self._assumed[source.invocation]
            output = outputs[str(source.output)]
            return Input(output.artifact, output.name, commit, source.output)
        return self._ingest.resolve(source, node.step.name, name)  # type: ignore[arg-type]  # only sources are given

    def _without_result(self, step: str) -> str:
        """Why a step runs of which there is no result."""
        last = self._previous.steps.get(step) if self._previous is not None else None
        if last is None or last.execution is None:
            return "It has not run before."
        return f"It has no result yet: it {'failed' if last.status == 'failed' else 'was interrupted'} in the last run."

    def _explain(self, decision: Decision) -> PlannedStep:
        before = self._earlier.of(decision.node.id)
        if before is None:
            return PlannedStep(decision.node.id, "run", self._without_result(decision.node.id))
        source = commits.put_source(self._transaction, decision.code)
        planned = commits.unmade(decision, source, self._transaction.put_blob(Trace().encode()))
        planned = dataclasses.replace(planned, reads=before.reads)  # what it will ask for nobody knows before it runs
        found = list(reasons.reasons_between(self._repository, before, planned))
        found += map(reasons.of, decision.changed)
        others = [each for each in found if each.kind != "trust"]
        if found and not others:
            summary = f"Nothing changed, but its earlier result does not count: {found[0].subject}."
            return PlannedStep(decision.node.id, "run", summary)
        found = others
        if not found and (refused := (Trace.of(self._repository.store, before) or Trace()).refused):
            summary = f"Its result cannot be used again: {refused[0]}."
            return PlannedStep(decision.node.id, "run", summary)
        if not found:
            summary = "Nothing changed, but its earlier result has expired, is gone, or read something that is new."
            return PlannedStep(decision.node.id, "run", summary)
        return PlannedStep(
            decision.node.id, "run", f"Since its last execution {reasons.in_words(found)} changed.", found
        )
