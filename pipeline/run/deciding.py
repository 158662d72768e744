"""Deciding what becomes of a step of a run, now that all before it has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from artvcs.vcs import Input, Judge, Repository, Run, StepRun, Transaction

from ..cache.ahead import Ahead
from ..cache.decide import Decision, decide
from ..cache.vetted import Vetted
from ..define import naming
from ..define.graph import Graph, Node
from ..define.handles import ModelArtifact, ModelFact, StepOutput
from ..define.options.options import PipelineOptions
from ..errors import DefinitionError
from ..record.models import Models
from ..trace.verify import States
from .execution.context import told
from .inputs import Ingest


@dataclass(frozen=True)
class Decider:
    """Decides the steps of one run.

    Attributes:
        repository: Where results are.
        transaction: That of the run.
        options: The pipeline's options.
        run: The run, as far as it is the same for all its steps.
        ingest: Knows what comes from outside.
        models: The versions of models that the run works on.
        judge: Says whose results count.
        states: Knows the states that code reaches.
        ended: Tells how a step has ended.
        ahead: What is read already of what is asked.
        vetted: What is known of executions already.
    """

    repository: Repository
    transaction: Transaction
    options: PipelineOptions
    run: Run
    ingest: Ingest
    models: Models
    judge: Judge
    states: States
    ended: Callable[[str], StepRun]
    ahead: Ahead
    vetted: Vetted

    def decide(self, node: Node) -> Decision:
        """What is to be done with a step.

        Raises:
            PipelineError: What it declares cannot be done.
        """
        inputs = {
            name: tuple(self._input(node, name, source) for source in sources) for name, sources in node.sources.items()
        }
        self.states.owed.begin(node.step.function)
        extra = self.options.extra_of(node.step.options)
        asked = told(self.run.run, self.run.name, self.run.pipeline, node, extra, self.models.of(node))
        return decide(
            node, inputs, self.repository, self.transaction, asked, self.states,
            judge=self.judge, use_cache=self.options.uses_cache(node.step.options),
            before=self.ahead.before(node.id), here=self.vetted.here,
        )  # fmt: skip

    def _input(self, node: Node, name: str, source: Any) -> Input:
        if isinstance(source, (ModelArtifact, ModelFact)):
            return self.ingest.of_model(self.models, node, name, source)
        if not isinstance(source, StepOutput):
            return self.ingest.resolve(source, node.step.name, name)
        assert source.output is not None
        made = self.ended(source.invocation)
        output = made.outputs[source.output]
        return Input(output.artifact, output.name, made.commit, source.output)


def output_names(graph: Graph, options: PipelineOptions, pipeline: str, started: datetime) -> dict[int, dict[str, str]]:
    """What each output of each step is stored as in a run: `id` of the step → output → name; many items are of one.

    Args:
        graph: The steps.
        options: The pipeline's options.
        pipeline: The pipeline's name.
        started: When the run began, for placeholders.

    Raises:
        DefinitionError: A placeholder has no value, or two outputs of a step get one name.
        InvalidName: What the placeholders make is no name.
    """
    found: dict[int, dict[str, str]] = {}
    for node in graph.nodes.values():
        if id(node.step) not in found:
            found[id(node.step)] = _output_names(node, options, pipeline, started)
    return found


def _output_names(node: Node, options: PipelineOptions, pipeline: str, started: datetime) -> dict[str, str]:
    substitutions = {**options.substitutions, **node.step.options.substitutions}
    found = {}
    for output in node.step.signature.outputs:
        name = naming.substitute(output.name, substitutions, started)
        if not output.named:
            name = naming.default_artifact_name(pipeline, node.step.name, name)
        found[output.name] = naming.check_artifact_name(name)
    if len(set(found.values())) < len(found):
        names = ", ".join(f"{output!r} → {name!r}" for output, name in found.items())
        raise DefinitionError(f"Two outputs of the step {node.id!r} get one name ({names}); keep them apart.")
    return found
