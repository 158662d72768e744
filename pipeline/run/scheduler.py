"""Running a pipeline: each step as soon as what it waits for has ended, reusing what can be reused."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from artvcs.vcs import (
    ArtError,
    Commit,
    Judge,
    Oid,
    Repository,
    Run,
    StepRun,
    Transaction,
    Unstorable,
    config,
    now_ms,
    ref_names,
    runs,
)

from ..cache.ahead import Ahead
from ..cache.claims import Claims
from ..cache.decide import Decision
from ..cache.vetted import Vetted
from ..define import naming
from ..define.graph import Graph, Node
from ..define.handles import StepOutput
from ..define.options.options import HOOKS, PipelineOptions
from ..errors import DefinitionError, PipelineError
from ..history.finding.run_lookup import LastExecutions
from ..record import commits, versions
from ..record.models import Models
from ..record.noted import Noted
from ..record.outcome import Outcome
from ..record.room import check_room
from ..record.run_record import RunRecord
from ..trace.left import uses
from ..trace.model import Trace
from ..trace.verify import States
from ..typing.encode import encode_all
from ..values.store import Saved
from . import observer
from .again import Again
from .apart import Apart
from .coordinator import Coordinator
from .deciding import Decider, output_names
from .execution import logs
from .execution.task import StepTask
from .executors.opening import choose, open_engine
from .inputs import Ingest
from .machine import Machine
from .side_by_side.begun import Begun
from .side_by_side.capacity import Capacity
from .side_by_side.costs import UNKNOWN, Costs
from .side_by_side.ready import Ready
from .side_by_side.running import Running

_CROWD = 256
"""A map of more items than so many is of very many."""

_MOMENT = 1.0
"""Seconds, as what a step has taken; for less it pays not to ask other machines."""

_LOOK_AGAIN = 0.2
"""Seconds after which a step that another run executes is looked at again, while steps of ours run."""


def run_pipeline(
    repository: Repository,
    graph: Graph,
    name: str,
    options: PipelineOptions,
    params: Mapping[str, Any],
    file: Path | None,
) -> tuple[Run, Exception | None]:
    """Runs the steps of a graph and records it.

    Args:
        repository: Where results go.
        graph: The steps.
        name: The pipeline's name.
        options: The pipeline's options.
        params: Its parameters.
        file: The file that declares it.

    Returns:
        The run's record, and what the first failed step raised.

    Raises:
        DefinitionError: The pipeline cannot work as it is; nothing was run.
        UnknownName: An artifact that it takes does not exist; nothing was run.
        MaterializerError: A value or file that it takes cannot be stored; nothing was run.
        StorageError: The repository cannot be written.
    """
    with repository.transaction(f"run {name}") as transaction, logs.installed():
        runner = _Runner(repository, transaction, graph, name, options, params, file)
        try:
            return runner.run()
        finally:
            # Its parts know each other: else all of it would be in memory until Python looks for such.
            vars(runner).clear()


class _Runner:
    """One run.

    `_ended` holds the steps that have ended and how, `_begun` those that have begun and not ended yet, `_ready` those
    that can begin, and `_elsewhere` those of them that another run executes now.
    """

    def __init__(
        self, repository: Repository, transaction: Transaction, graph: Graph, name: str,
        options: PipelineOptions, params: Mapping[str, Any], file: Path | None,
    ) -> None:  # fmt: skip
        chosen = choose(repository, options)
        self._repository = repository
        self._transaction = transaction
        self._graph = graph
        self._options = options
        self._started = datetime.now(UTC)
        self._previous = runs.latest(transaction, name)
        self._order, self._sorter = graph.order(), graph.sorter()
        self._names = output_names(graph, options, name, self._started)
        check_room(graph.nodes)
        ingest = Ingest(repository, transaction, name)
        ingest.resolve_all(graph)
        self._ended: dict[str, str] = {}
        self._failures: dict[str, Exception] = {}
        self._observer = observer.observer()
        self._claims = Claims(repository.layout)
        judge = Judge(repository, config.read(repository).trust)
        new = self._new_run(name, params, file)
        self._models = Models(repository, transaction, new.run, self._started, options)
        for node in graph.nodes.values():
            self._models.of(node)  # one that there is none of is said before anything runs
        vetted = Vetted(repository, self._previous)
        self._record = RunRecord(repository, transaction, self._claims, judge, self._models, vetted, new)
        self._states = States(repository, shares_memory=chosen.shares_memory)
        self._ahead = Ahead(repository, transaction, self._previous, vetted)
        self._decider = Decider(
            repository, transaction, options, new, ingest, self._models, judge, self._states, self._record.ended,
            self._ahead, vetted,
        )  # fmt: skip
        self._apart = Apart()
        self._here = Coordinator(
            repository, transaction, self._states, graph, self._models, self._record.look_again, file
        )
        self._engine = open_engine(chosen, self._here)
        self._claims.elsewhere = self._engine.elsewhere
        self._costs = None if chosen.jobs == 1 else Costs(repository, transaction, self._previous)
        self._ready, self._elsewhere = Ready(graph, self._costs), list[str]()
        self._in_crowds = {each for items in graph.groups.values() if len(items) > _CROWD for each in items}
        self._machine = Machine.here() if chosen.is_here else None  # else an engine knows what its workers have
        beside_slots = (self._machine.memory, self._machine.gpus) if self._machine is not None else ()
        self._running = Running(self._engine, Capacity(self._engine.slots, *beside_slots))
        self._lacking: set[str] = set()
        self._begun = Begun()
        earlier = LastExecutions(transaction, self._previous, self._order)
        self._again = Again(earlier, self._states, self._observer, self._run_again, self._ran_again)

    def run(self) -> tuple[Run, Exception | None]:
        clock = time.monotonic()
        run_name = self._record.run.name
        self._observer.run_started(run_name, self._order, self._graph.groups)
        status = "interrupted"
        try:
            self._run_steps()
            status = "failed" if self._failure else "completed"
        except BrokenPipeError:
            raise  # nobody reads any more how it goes, as after `| head`
        except Exception:
            status = "failed"
            raise
        finally:
            # Also after Ctrl-C: what has finished is kept, and a second try goes on from there.
            try:
                if self._begun:
                    self._engine.executor.shutdown(cancel_futures=True)
                    self._note_interrupted()
                self._engine.executor.shutdown(wait=False)  # they end while it is written down
                status = self._record.end(status)
                if self._transaction.conflicts and self._failure is None:
                    self._failures[""] = DefinitionError(str(self._transaction.conflicts[0]))
            finally:
                self._claims.close()
                self._engine.executor.shutdown()
            if unseen := list(self._apart.unseen(self._order)):
                self._observer.memory_is_apart(unseen)
            if status == "completed" and (gone := list(self._states.owed.gone())):
                self._observer.files_are_gone(gone)
            if status == "completed" and (stale := list(self._states.owed.stale())):
                self._observer.files_are_stale(stale)
            self._observer.run_ended(run_name, status, time.monotonic() - clock)
        return self._record.run, self._failure

    @property
    def _failure(self) -> Exception | None:
        """What the first step raised that failed, in the order in which they would run one by one."""
        if not self._failures:
            return None
        return next(self._failures[each] for each in (*self._order, "") if each in self._failures)

    def _new_run(self, pipeline: str, params: Mapping[str, Any], file: Path | None) -> Run:
        repository = self._repository
        previous = self._previous
        project = repository.project
        return Run(
            run=os.urandom(16).hex(),
            name=naming.run_name(self._options.run_name, pipeline, self._options.substitutions, self._started),
            pipeline=pipeline,
            file=str(file.relative_to(project)) if file and file.is_relative_to(project) else None,
            status="running",
            params=encode_all(params),
            steps={},
            order=tuple(self._order),
            previous=previous.run if previous else None,
            git=commits.git_state(repository, self._transaction),
            author=repository.author(),
            started=int(self._started.timestamp() * 1000),
            finished=None,
            metadata={},
            tags=tuple(self._options.tags),
        )

    def _note_interrupted(self) -> None:
        """Notes the steps that have begun and will not end."""
        self._running.forget()
        for decision, moment in self._begun.all():
            outcome = self._here.stopped.get(decision.node.id) or Outcome(moment, now_ms())
            self._settle(decision.node, self._record.interrupted(decision, outcome), "")

    # Scheduling

    def _run_steps(self) -> None:
        self._sorter.prepare()
        while self._sorter.is_active():
            self._ready.add(self._sorter.get_ready())
            has_begun = self._begin_next()
            if not has_begun and self._elsewhere and not self._running:
                self._wait_for_other_run(self._graph.nodes[self._elsewhere[0]])
            # What has ended lands before the next begins.
            self._collect(timeout=0.0 if has_begun else _LOOK_AGAIN if self._elsewhere else None)
            if self._running and self._failures and self._options.execution_mode == "fail_fast":
                self._engine.executor.shutdown(cancel_futures=True)
                self._note_interrupted()

    def _begin_next(self) -> bool:
        """Settles or starts one step, if there is room for it should it have to be executed."""
        if self._running.is_full:
            return False
        while (id_ := self._ready.pop(self._running.has_room)) is not None:
            self._ahead.look(id_, self._ready.coming)
            if self._begin(self._graph.nodes[id_]):
                return True
            self._elsewhere.append(id_)
        refusals = self._claims.refusals
        for number, id_ in enumerate(self._elsewhere):
            needs = self._graph.nodes[id_].step.options.resources
            if self._running.has_room(id_, needs) and self._begin(self._graph.nodes[id_]):
                self._elsewhere.pop(number)
                return True
            if self._claims.refusals > refusals:  # asking takes its time: the others come when it is our turn again
                self._elsewhere = [*self._elsewhere[number + 1 :], *self._elsewhere[: number + 1]]
                break
        return False

    def _collect(self, timeout: float | None) -> None:
        """Notes the steps that have ended; waits for one for at most `timeout` seconds, if any runs."""
        ended: list[tuple[Decision, Outcome]] = []
        try:
            for each in self._running.ended(timeout):
                ended.append(each)
        finally:  # also what had ended before somebody interrupted the rest
            if ended:
                with self._record.in_one():
                    for decision, outcome in ended:
                        self._end(decision, outcome)

    def _wait_for_other_run(self, node: Node) -> None:
        """Waits for the run that executes the same step right now: its result will be a hit."""
        key = self._decider.decide(node).key
        self._record.publish()  # that run may be waiting for one of ours
        self._claims.wait(key, functools.partial(self._observer.step_waits, node.id))
        self._record.look_again()

    def _begin(self, node: Node) -> bool:
        """Settles a step without running it, or starts it; False while another run executes it."""
        if self._is_stopped(node):
            self._settle(node, self._record.skipped(node.id, node.step.name), "a step before it failed")
            return True
        try:
            if self._running and self._engine.shares_memory:
                self._states.forget()  # what runs beside may change anything
            decision = self._decider.decide(node)
            if self._again.before(decision):
                return self._begin(node)  # what it finds now may be what it found before
        except PipelineError as error:  # what the step declares cannot be done; others can go on
            self._refuse(node, error)
            return True
        if decision.hit is not None and (undone := self._states.owed.undone(decision.trace)) is not None:
            decision = decision.without_hit(undone)
        if decision.hit is not None:
            self._reuse(decision)
            return True
        uses_cache = self._options.uses_cache(node.step.options)
        if uses_cache and self._begun.executes(decision.key):
            return False  # one of ours executes the same now
        if uses_cache and not self._claims.take(decision.key, shared=self._is_worth_telling(node.id)):
            return False
        if uses_cache and self._came_meanwhile(decision.key):
            self._record.look_again()
            return self._begin(node)
        self._start(decision)
        return True

    def _reuse(self, decision: Decision) -> None:
        """Settles a step by an earlier result."""
        node = decision.node
        self._claims.release(decision.key)
        decision.leave()
        self._note_memory(decision, decision.trace)
        try:
            with self._transaction.together():
                step = self._record.cached(decision, self._names[id(node.step)])
        except Unstorable as error:  # what it noted of its model, beside what others have
            self._refuse(node, error)
        else:
            self._settle(node, step, "")

    def _is_worth_telling(self, step: str) -> bool:
        """Whether other machines are told that a step is executed: not of short ones, or what may be many such."""
        seconds = UNKNOWN if self._costs is None else self._costs.seconds(step)
        return step not in self._in_crowds if seconds == UNKNOWN else seconds > _MOMENT

    def _is_stopped(self, node: Node) -> bool:
        """Whether a step does not run because of another's failure."""
        stopped = bool(self._failures) and self._options.execution_mode != "continue_on_failure"
        return stopped or any(self._ended[id_] in ("failed", "skipped") for id_ in node.upstream)

    def _came_meanwhile(self, key: Oid) -> bool:
        """Whether another run has published a result of a key between our look and our claim."""
        self._claims.bring(key)
        if self._repository.store.refresh().entry.oid == self._transaction.seen.entry.oid:
            return False
        known = dict(self._transaction.items(ref_names.results(key)))
        return any(known.get(ref) != oid for ref, oid in self._repository.refs().items(ref_names.results(key)))

    def _start(self, decision: Decision) -> None:
        node = decision.node
        try:
            self._check_labels(node, {})
        except DefinitionError as error:
            self._refuse(node, error)  # before it costs anything
            return
        with self._transaction.together():
            self._record.settle_versions()
        self._say_lacking(node)
        self._observer.step_started(node.id)
        if (model := self._models.of(node)) is not None:
            model.executes()
        hooks = {name: hook for name in HOOKS if (hook := getattr(self._options, name)) is not None}
        task = self._task(decision, hooks)
        self._begun.begin(decision)
        try:
            self._running.start(decision, task)
        except ArtError:
            self._begun.end(node.id)  # nobody can execute it, nor any other
            raise

    def _say_lacking(self, node: Node) -> None:
        """Says, once of each step, what it needs more than there is here."""
        lacks = "" if self._machine is None else self._machine.lacks(node.step.options.resources)
        if lacks and node.step.name not in self._lacking:
            self._lacking.add(node.step.name)
            self._observer.step_lacks(node.id, lacks)

    def _run_again(self, decision: Decision) -> Outcome:
        """Has a step executed, and waits for it; without the pipeline's hooks."""
        node = decision.node
        if is_ours := self._graph.nodes.get(node.id) is node:
            self._begun.begin(decision)
        try:
            return self._engine.submit(self._task(decision, {})).result()
        finally:
            if is_ours:
                self._begun.end(node.id)

    def _task(self, decision: Decision, hooks: Mapping[str, Any]) -> StepTask:
        node, run = decision.node, self._record.run
        is_ours = self._graph.nodes.get(node.id) is node  # else it is of a pipeline that ran before
        declared = node.step.signature.outputs
        return StepTask(
            run_id=run.run, run_name=run.name, pipeline_name=run.pipeline, invocation_id=node.id, step=node.step,
            code=Oid(decision.code.id), inputs=decision.inputs, lists=node.lists,
            parameters=node.params,
            outputs=self._names[id(node.step)] if is_ours else {each.name: each.name for each in declared},
            extra=self._options.extra_of(node.step.options), extra_of_pipeline=self._options.extra, hooks=hooks,
            uses_cache=self._options.uses_cache(node.step.options),
            has_model=is_ours and self._models.of(node) is not None, resources=node.step.options.resources,
        )  # fmt: skip

    def _refuse(self, node: Node, error: PipelineError | Unstorable) -> None:
        self._failures[node.id] = error
        step = self._record.refused(node.id, node.step.name, error)
        self._settle(node, step, f"{type(error).__name__}: {error}")

    def _check_labels(self, node: Node, made: Mapping[str, Saved]) -> None:
        """Refuses explicit versions that are taken; `made` are the step's outputs, where there are some already."""
        for output in node.step.signature.outputs:
            if output.config.version is not None:
                name, label = self._names[id(node.step)][output.name], str(output.config.version)
                artifact = made[output.name].id if made else None
                versions.check_label(self._transaction, name, label, artifact)

    def _end(self, decision: Decision, outcome: Outcome) -> None:
        self._states.look_at_code()
        self._states.written.add(outcome.trace, decision.world.places)
        self._note_memory(decision, outcome.trace)
        try:
            if self._again.after(decision, outcome):
                if self._is_stopped(decision.node):
                    self._begin(decision.node)
                else:
                    self._start(self._decider.decide(decision.node))
                return
        except PipelineError as error:
            outcome.error = error
        with self._transaction.together():
            if outcome.error is None:
                try:
                    self._check_labels(decision.node, outcome.outputs)
                except DefinitionError as error:
                    outcome.error = error
            try:
                step = self._written(decision, outcome)
            except Unstorable as error:  # what it noted beside what had been, or all that it read
                outcome.error, outcome.noted = outcome.error or error, Noted()
                step = self._written(decision, outcome)
        self._settle(decision.node, step, self._note(decision.node, step, outcome))

    def _written(self, decision: Decision, outcome: Outcome) -> StepRun:
        """Writes down how a step has ended."""
        if outcome.error is None:
            return self._record.completed(decision, outcome, self._names[id(decision.node.step)])
        self._failures[decision.node.id] = outcome.error
        return self._record.failed(decision, outcome)

    def _note_memory(self, decision: Decision, trace: Trace) -> None:
        """Notes what a step uses and leaves in memory, where those after it do not find it there."""
        if not self._engine.shares_memory:
            self._apart.note(decision.node.id, decision.world.code, trace)

    def _note(self, node: Node, step: StepRun, outcome: Outcome) -> str:
        """What is to be said of an execution: why it failed, or why its result cannot be used again."""
        if step.failure is not None:
            return f"{step.failure.type}: {step.failure.message}"
        if not outcome.trace.refused:
            return ""
        return f"its result cannot be used again: {outcome.trace.refused[0]}"

    def _ran_again(self, decision: Decision, outcome: Outcome, used_by: str) -> None:
        """Records a hit of this run that has run again; steps that used what it made otherwise now are decided anew."""
        id_, places = decision.node.id, decision.world.places
        left = uses.changed(decision.world.code, decision.trace, outcome.trace, places)
        returned, ended = set[str](), [*self._ended]
        if self._graph.nodes.get(id_) is decision.node:  # else it is of a pipeline that ran before
            before = self._record.ended(id_).outputs
            with self._transaction.together():
                self._check_labels(decision.node, outcome.outputs)
                step = self._record.completed(decision, outcome, self._names[id(decision.node.step)], again=used_by)
            self._settle(decision.node, step, self._note(decision.node, step, outcome))
            returned |= {id_} if step.outputs != before else set()
            del ended[: ended.index(id_) + 1]
        for node in (self._graph.nodes[each] for each in ended):
            has_run = self._ended[node.id] == "completed"
            if not (returned or left or has_run):
                continue
            code, trace = node.step.code(), self._trace_of(node)
            took = not returned.isdisjoint(_took_from(node)) or not left.isdisjoint(uses.used(code, trace, places))
            if not took and not (has_run and uses.overwrites(outcome.trace, trace, places)):
                continue
            before = self._record.ended(node.id).outputs
            self._redo(node)
            returned |= {node.id} if self._record.ended(node.id).outputs != before else set()
            left |= uses.changed(code, trace, self._trace_of(node), places)

    def _trace_of(self, node: Node) -> Trace:
        """What was seen of a step that has ended."""
        commit = self._record.ended(node.id).commit
        found = Trace.of(self._repository.store, self._transaction.record(commit, Commit)) if commit else None
        return found or Trace()

    def _redo(self, node: Node) -> None:
        """Decides a step anew that has ended, and waits for it."""
        self._states.owed.renew(node.id)
        while not self._begin(node):
            self._wait_for_other_run(node)
        while node.id in self._begun:
            self._collect(timeout=None)

    def _settle(self, node: Node, step: StepRun, note: str) -> None:
        if node.id not in self._ended:
            self._sorter.done(node.id)
        self._ended[node.id] = step.status
        if step.commit is not None:
            self._states.takes.setdefault(step.commit, node.id)
        self._begun.end(node.id)
        seconds = ((step.finished or 0) - (step.started or 0)) / 1000
        self._observer.step_ended(node.id, step.status, seconds, note)


def _took_from(node: Node) -> set[str]:
    """The steps whose outputs a step takes."""
    given = (source for sources in node.sources.values() for source in sources)
    return {source.invocation for source in given if isinstance(source, StepOutput)}
