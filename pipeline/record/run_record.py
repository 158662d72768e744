"""Writing down what a run does: commits, versions, cache entries and the run itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from artvcs.vcs import (
    Commit,
    EndStep,
    Judge,
    Oid,
    Output,
    PutRun,
    Repository,
    Run,
    StepRun,
    Transaction,
    now_ms,
    proofs,
    ref_names,
    with_steps,
)
from artvcs.vcs import versions as known

from ..cache.claims import Claims
from ..cache.decide import Decision, results
from ..cache.offer import Offer
from ..cache.vetted import Vetted
from ..define.signature import Output as DeclaredOutput
from ..escaping import storable
from ..fingerprint import Fingerprint
from ..trace.left.kinds import FILES
from ..typing.encode import encode_metadata
from . import commits, publisher, versions
from .models import Models
from .noted import check_noted
from .outcome import Outcome, failure_of

N = TypeVar("N", Run, StepRun)

_MOST_LEFT = 1000
"""So many files that an execution without a commit has left are told in the record, or else none: it stays small."""

_MOST_RESULTS = 8
"""So many results are kept under one key, each with what its execution was seen to use."""


class RunRecord:
    """The record of one run, growing as its steps end.

    Attributes:
        run: The record as it was written last.
    """

    def __init__(
        self, repository: Repository, transaction: Transaction, claims: Claims, judge: Judge, models: Models,
        vetted: Vetted, run: Run,
    ) -> None:  # fmt: skip
        self.run = run
        self._judge = judge
        self._models = models
        self._vetted = vetted
        self._unsaid: dict[str, StepRun] = {}  # what the record is yet to say
        self._again: dict[tuple[str, Oid], tuple[Oid, DeclaredOutput]] = {}  # used, and not looked whether it is there
        self._repository = repository
        self._transaction = transaction
        self._claims = claims
        self._publisher = publisher.Publisher(transaction, self._write_run, self._published)
        self._unwritten: list[EndStep] = []
        self._made: list[Oid] = []  # what is not noted yet to be of our making
        self._is_batch = False
        self._sources: dict[int, tuple[Fingerprint, Oid]] = {}
        self._oid: Oid | None = None
        self._write_run()
        transaction.checkpoint()

    def ended(self, invocation: str) -> StepRun:
        """How a step has ended."""
        return self._unsaid.get(invocation) or self.run.steps[invocation]

    @contextmanager
    def in_one(self) -> Iterator[None]:
        """Steps that end inside the block land together, when it ends: they take less so."""
        self._is_batch = True
        try:
            yield
        finally:
            self._is_batch = False
            self._land()

    def _land(self) -> None:
        """Makes what has ended survive this process."""
        self._note_made()
        with self._transaction.together():
            # The record holds all steps, and is written when it is published: until then each is said by itself.
            self._transaction.checkpoint(self._unwritten)
            self._unwritten = []

    def _note_made(self) -> None:
        """Notes that executions are of our making."""
        made, self._made = self._made, []
        proofs.note_made(self._repository.layout, *made)

    def completed(
        self, decision: Decision, outcome: Outcome, output_names: Mapping[str, str], again: str | None = None
    ) -> StepRun:
        """Notes a step that ran: commit, cache entry and versions land together.

        Args:
            decision: What was decided for it.
            outcome: How it ended.
            output_names: What each output is stored as.
            again: The step that needed what it leaves behind, if only therefore it ran.
        """
        node, transaction = decision.node, self._transaction
        self._check_of_model(decision, encode_metadata(outcome.noted.of_model))
        outputs = {name: Output(saved.id, output_names[name]) for name, saved in outcome.outputs.items()}
        commit = dataclasses.replace(
            self._executed(decision, outcome),
            config=commits.config(decision, outcome.noted.missing) | ({"again": again} if again is not None else {}),
            outputs=outputs,
            cache_key=None if outcome.trace.refused else decision.key,
        )
        oid = transaction.put(commit)
        self._made.append(oid)
        if commit.cache_key is not None:
            self._offer(commit.cache_key, oid, commit)
        facts = {name: saved.facts for name, saved in outcome.outputs.items()}
        self._add_versions(
            node.step.signature.outputs, oid, outputs, facts, outcome.noted.of_outputs, outcome.noted.output_tags
        )
        self._belongs(decision, outputs, commit.of_model)
        return self._ended(decision, "completed", outcome, outputs, oid, commit.log, offer=Offer.of(commit))

    def _executed(self, decision: Decision, outcome: Outcome) -> Commit:
        """The commit of an execution without its outputs; what it noted of its run is noted then."""
        self._note(outcome.noted.notes)
        return commits.executed(self._transaction, self.run, decision, outcome, self._source(decision.code))

    def _offer(self, key: Oid, oid: Oid, commit: Commit) -> None:
        """Keeps a result for later runs, in the place of what saw the same; of too many with one key, the oldest goes.

        What does not count here stays as it is: others may count it.
        """
        transaction, kept = self._transaction, 0
        for ref, other, found in results(transaction, key):
            if self._judge.refusal(transaction, other) is None:
                kept += found.trace != commit.trace
                if found.trace == commit.trace or kept >= _MOST_RESULTS:
                    for each in (ref, *(vouch for vouch, _ in transaction.items(ref_names.vouches(other)))):
                        transaction.set_ref(each, None)
        transaction.set_ref(ref_names.result(key, oid), oid)

    def cached(self, decision: Decision, output_names: Mapping[str, str]) -> StepRun:
        """Notes a step whose earlier result is used."""
        offer = decision.offer
        assert decision.hit is not None
        assert offer is not None
        self._check_of_model(decision, offer.of_model)
        found = offer.outputs
        outputs = {name: Output(found[name].artifact, output_names[name]) for name in found}
        facts = {name: self._facts(output) for name, output in found.items() if output.name != output_names[name]}
        for declared in decision.node.step.signature.outputs:
            made = outputs[declared.name]
            if declared.config.is_about_version or declared.name in facts:
                self._add_versions([declared], decision.hit, outputs, facts, {}, {})
            else:
                self._again[made.name, made.artifact] = decision.hit, declared
                self._transaction.set_ref(ref_names.newest(made.name), made.artifact)
        self._belongs(decision, outputs, offer.of_model)
        return self._ended(decision, "cached", None, outputs, decision.hit, offer.log, took=offer.took, offer=offer)

    def _check_of_model(self, decision: Decision, notes: Mapping[str, Any]) -> None:
        """Refuses notes for which the model that a step works on has no room. Raises Unstorable."""
        if notes and (model := self._models.of(decision.node)) is not None:
            check_noted(f"of the version of {model.name}", {**model.notes, **notes})

    def _belongs(self, decision: Decision, outputs: Mapping[str, Output], notes: Mapping[str, Any] | None) -> None:
        """Says that what a step made belongs to the model that it works on, and what it noted of that."""
        if (model := self._models.of(decision.node)) is not None:
            model.add(outputs.values(), notes)

    def failed(self, decision: Decision, outcome: Outcome) -> StepRun:
        """Notes a step that failed."""
        return self._without_outputs(decision, "failed", outcome)

    def interrupted(self, decision: Decision, outcome: Outcome) -> StepRun:
        """Notes a step that was running when the run was interrupted."""
        return self._without_outputs(decision, "interrupted", outcome)

    def _without_outputs(self, decision: Decision, status: str, outcome: Outcome) -> StepRun:
        attempt = self._executed(decision, outcome)
        return self._ended(decision, status, outcome, {}, None, attempt.log, self._transaction.put(attempt))

    def skipped(self, invocation: str, step: str) -> StepRun:
        """Notes a step that did not run because of another's failure."""
        return self._set(invocation, StepRun(step, "skipped", None, {}, {}, None, None, None, None, None, {}))

    def refused(self, invocation: str, step: str, error: Exception) -> StepRun:
        """Notes a step that could not begin."""
        moment, failure = now_ms(), failure_of(error)
        return self._set(invocation, StepRun(step, "failed", None, {}, {}, None, moment, moment, failure, None, {}))

    def look_again(self) -> None:
        """Publishes what has landed, and sees then what others have published."""
        with self._transaction.together():
            self._write_run()
            self._transaction.refresh(tolerant=True)
            self._published()

    def _published(self) -> None:
        """What has landed is published."""
        self._claims.published()
        self._vetted.look()

    def end(self, status: str) -> str:
        """Notes how the run ended, and publishes all.

        Returns:
            How it ended: `failed` where something could not be published as it was meant.
        """
        self._publisher.stop()  # or it would say last that the run goes on
        with self._transaction.together():
            if status == "completed":
                self._models.settle()
            self.run = dataclasses.replace(self.run, status=status, finished=now_ms())
            self._write_run()
            self._transaction.standing = ()
        self.publish()
        if self._transaction.conflicts and status == "completed":
            return self.end("failed")
        self._vetted.keep(self.run)
        return status

    def publish(self) -> None:
        """Publishes what has landed."""
        self._publisher.now()

    def _ended(
        self, decision: Decision, status: str, outcome: Outcome | None,
        outputs: Mapping[str, Output], commit: Oid | None, log: Oid | None,
        attempt: Oid | None = None, took: int | None = None, offer: Offer | None = None,
    ) -> StepRun:  # fmt: skip
        moment = now_ms()
        started, finished = (outcome.started, outcome.finished) if outcome else (moment, moment)
        failure = outcome.failure() if outcome else None
        left = _few(outcome.trace.left_of(FILES)) if outcome is not None and commit is None else {}
        step = StepRun(
            decision.node.step.name, status, commit, decision.inputs, outputs, decision.key, started, finished,
            failure, log, {}, left, attempt, took,
        )  # fmt: skip
        if offer is not None:
            self._vetted.add(decision.node.id, step, offer)
        return self._set(decision.node.id, step)

    def _set(self, invocation: str, step: StepRun) -> StepRun:
        with self._transaction.together():
            self._unsaid[invocation] = step
            self._unwritten.append(EndStep(self.run.run, invocation, step))
        is_known = step.status == "cached"  # and nothing to lose
        if not is_known and not self._is_batch:
            self._land()
        if step.cache_key is not None:
            self._claims.landed(step.cache_key)
        self._publisher.soon(publisher.LATER if is_known else publisher.DELAY)
        return step

    def _note(self, notes: Mapping[str | None, Mapping[str, Any]]) -> None:
        """Adds what a step noted about its run, or about steps of it that have ended."""
        if not notes:
            return
        with self._transaction.together():
            for step, facts in notes.items():
                if step is None:
                    self.run = _noting(self.run, facts)
                elif (ended := self._unsaid.get(step) or self.run.steps.get(step)) is not None:
                    self._unsaid[step] = _noting(ended, facts)
            self._write_run()

    def settle_versions(self) -> None:
        """Makes the versions again that are used and not there any more, as where somebody has pruned their records.

        So it is before anybody looks for them: another run, once this one is published, or a step of this one.
        """
        if not self._again:
            return
        again, self._again = self._again, {}
        for value in again.keys() - self._transaction.have_versions(again):
            commit, output = again[value]
            newest = self._transaction.get(ref_names.newest(value[0]))
            self._add_versions([output], commit, {output.name: Output(value[1], value[0])}, {}, {}, {})
            self._transaction.set_ref(ref_names.newest(value[0]), newest)

    def _write_run(self) -> None:
        self._note_made()
        with self._transaction.together():
            self.settle_versions()
            run = with_steps(self.run, self._unsaid, self._transaction.store, self._transaction.put)
            self.run = dataclasses.replace(run, models=self._models.write())
            self._unsaid, self._unwritten = {}, []
            base, self._oid = self._oid, self._transaction.put(self.run)
            self._transaction.add(PutRun(base, self._oid))
            # Should this process die, recovery finds a run that was going on.
            self._transaction.standing = (PutRun(self._oid, self._oid),)

    def _source(self, code: Fingerprint) -> Oid:
        """A step's code, stored; a run may have a thousand executions of one step."""
        known = self._sources.get(id(code))
        if known is None:
            known = self._sources[id(code)] = code, commits.put_source(self._transaction, code)
        return known[1]

    def _facts(self, output: Output) -> Mapping[str, Any]:
        """What is known of a value from when it was made under another name."""
        version = known.by_value(self._transaction, output.name, output.artifact)
        return version.metadata if version else {}

    def _add_versions(
        self,
        declared: Sequence[DeclaredOutput],
        commit: Oid,
        outputs: Mapping[str, Output],
        facts: Mapping[str, Mapping[str, Any]],
        noted: Mapping[str, Mapping[str, Any]],
        tags: Mapping[str, Sequence[str]],
    ) -> None:
        for output in declared:
            made, config = outputs[output.name], output.config
            fresh = versions.fresh(
                made.name,
                made.artifact,
                "step",
                label=None if config.version is None else str(config.version),
                commit=commit,
                output=output.name,
                run=self.run.run,
                tags=(*config.tags, *tags.get(output.name, ())),
            )
            metadata = encode_metadata({**(config.run_metadata or {}), **noted.get(output.name, {})})
            versions.add(self._transaction, fresh, facts.get(output.name, {}), metadata)


def _noting(record: N, facts: Mapping[str, Any]) -> N:
    """A record with these facts noted, too.

    Raises:
        Unstorable: It would be too large.
    """
    noted = dataclasses.replace(record, metadata={**record.metadata, **encode_metadata(facts)})
    check_noted("of the run" if isinstance(record, Run) else f"of the step {record.step!r}", noted.metadata)
    return noted


def _few(left: Mapping[str, str]) -> dict[str, str]:
    """What an execution has left in files, as a record takes it; nothing of too many."""
    return {storable(path): storable(what) for path, what in left.items()} if len(left) <= _MOST_LEFT else {}
