"""Deciding for one step: reuse an earlier result, or run. Nothing is executed here."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from artvcs.vcs import (
    Commit,
    DamagedError,
    Input,
    Judge,
    LookupFailed,
    Oid,
    Refs,
    Repository,
    now_ms,
    ref_names,
    values,
)

from ..define.graph import Node
from ..define.options.policy import CachePolicy
from ..fingerprint import Fingerprint
from ..history import questions
from ..history.finding import lookup
from ..trace.left.kinds import FILES, VALUES
from ..trace.model import Difference, Trace
from ..trace.verify import States, World
from ..typing.encode import to_plain
from .ahead import Before
from .key import KeyParts, available, extras, materializer_names
from .offer import Offer

_NEVER = "never the same again"
_USUAL = CachePolicy()


@dataclass(frozen=True)
class Decision:
    """What to do with a step.

    Attributes:
        node: The step in its pipeline.
        inputs: Input name → where its artifacts came from.
        world: What earlier executions are compared with.
        parts: What its cache key is made of.
        key: The cache key.
        hit: The commit whose outputs can be used instead of running, if any.
        offer: What that execution offers.
        trace: What that execution was seen to use.
        seen: What executions of that key were seen to use that could not be used.
        changed: What is not as the execution of that key saw it whose result was used last, or else the newest.
        against: That execution's commit.
        use_cache: Whether an earlier result may be used.
    """

    node: Node
    inputs: Mapping[str, tuple[Input, ...]]
    world: World
    parts: KeyParts
    key: Oid
    hit: Oid | None = None
    offer: Offer | None = None
    trace: Trace = field(default_factory=Trace)
    seen: tuple[Trace, ...] = ()
    changed: tuple[Difference, ...] = ()
    against: Oid | None = None
    use_cache: bool = True

    def leave(self) -> None:
        """A hit: leaves what it can, as that execution did, and notes that it owes the rest."""
        if self.hit is not None:
            self.world.states.takes.setdefault(self.hit, self.node.id)
        self.world.states.leaves(self.trace)
        self.world.states.owed.leave(self.node.id, self.node.step.name, self, self.world.code, self.trace)

    def without_hit(self, path: str) -> Decision:
        """The step has to run after all: one that ran again has made a path anew that it leaves otherwise."""
        changed = Difference("file", self.world.places.spell(path), "as it left it", "as another step has just made it")
        return dataclasses.replace(self, hit=None, offer=None, changed=(changed,), against=self.hit)

    @property
    def code(self) -> Fingerprint:
        """The fingerprint of the step's code."""
        return self.world.code.fingerprint


def decide(
    node: Node,
    inputs: Mapping[str, tuple[Input, ...]],
    repository: Repository,
    refs: Refs,
    asked: Mapping[str, str],
    states: States,
    *,
    judge: Judge,
    use_cache: bool,
    before: Before = Before(),  # noqa: B008 – it never changes
    here: AbstractSet[Oid] = frozenset(),
) -> Decision:
    """Makes the cache key of a step and looks for a result that can be used.

    Args:
        node: The step in its pipeline.
        inputs: Where its inputs' artifacts came from.
        repository: Where results are.
        refs: Where the key is looked up.
        asked: What the step would be told of its run: `run_id`, `run_name` and the like.
        states: What knows the states that code reaches.
        judge: Says whose results count.
        use_cache: False to run in any case.
        before: What is known of the step from the pipeline's run before.
        here: Commits whose outputs are known to be here.
    """
    policy, environment = node.step.options.cache, node.step.options.environment
    params = {name: values.encode(to_plain(value, f"{name!r}")) for name, value in node.params.items()}
    artifacts = {name: [source.artifact for source in sources] for name, sources in inputs.items()}
    ignored = set(policy.ignore_inputs)
    code = states.code(node.step).called_with(node.params)
    parts = KeyParts(
        code=Oid(code.fingerprint.id),
        params={name: value for name, value in params.items() if name not in ignored},
        # A list of one artifact is not that artifact.
        inputs={
            f"{name}[]" if name in node.lists else name: ids for name, ids in artifacts.items() if name not in ignored
        },
        outputs=materializer_names(
            node.step.options.output_materializers, [output.name for output in node.step.signature.outputs]
        ),
        extras=extras(policy, environment, _counted(node, artifacts)) if environment or policy != _USUAL else {},
    )
    world = World(
        repository,
        code,
        states,
        lambda question: questions.ask(repository, asked["run_id"], question),
        lambda name: asked.get(name, _NEVER),
    )
    decision = Decision(node, inputs, world, parts, parts.key(), use_cache=use_cache)
    candidates = _candidates(refs, decision.key, before)
    return _with_hit(decision, refs, judge, candidates, here) if use_cache else decision


def _counted(node: Node, artifacts: Mapping[str, list[Oid]]) -> dict[str, Any]:
    """What a step is called with, as the key of its policy is told it."""
    ids = {name: found if name in node.lists else found[0] for name, found in artifacts.items()}
    return copy.deepcopy(dict(node.params)) | ids


def results(refs: Refs, key: Oid) -> Iterator[tuple[str, Oid, Commit]]:
    """The executions whose results are kept under a key, the newest first, by their refs; those that can be read."""
    found = []
    for ref, oid in refs.items(ref_names.results(key)):
        try:
            commit = refs.record(oid, Commit)
        except (LookupFailed, DamagedError):
            continue  # collected, never fetched or damaged
        if commit.cache_key == key:  # else a stranger has put another's result here, which may well be signed
            found.append((ref, oid, commit))
    yield from sorted(found, key=lambda each: each[2].finished, reverse=True)


def _candidates(refs: Refs, key: Oid, before: Before) -> Iterator[tuple[Oid, Offer]]:
    """What executions offer whose results are kept under a key.

    First what was used last, with which people compare, and which nearly always can be used again.
    """
    last, offer, is_kept = before
    if last is not None and (offer is None or offer.cache_key == key):
        if is_kept and offer is not None:
            yield last, offer
        elif refs.get(ref_names.result(key, last)) == last:
            with suppress(LookupFailed, DamagedError):
                offer = offer or Offer.of(refs.record(last, Commit))
                if offer.cache_key == key:
                    yield last, offer
    yield from ((oid, Offer.of(commit)) for _, oid, commit in results(refs, key) if oid != last)


def _with_hit(
    decision: Decision, refs: Refs, judge: Judge, candidates: Iterable[tuple[Oid, Offer]], here: AbstractSet[Oid]
) -> Decision:
    refused: dict[Oid, str] = {}
    policy, repository = decision.node.step.options.cache, decision.world.repository
    for oid, offer in candidates:
        if policy.expired(offer.finished, now_ms()) or not (oid in here or available(repository, offer.artifacts)):
            continue
        if (refusal := judge.refusal(refs, oid)) is not None:
            refused[oid] = refusal
            continue
        trace = decision.world.states.trace_of(offer.trace)
        found = _each_once(_changed_since(offer, trace, decision.world, refs, policy))
        taker = decision.world.states.takes.get(oid, decision.node.id)
        if not found and trace is not None and taker != decision.node.id and _is_one_of_several(trace):
            found = (Difference("use", taker, None, None),)
        if not found and trace is not None:
            return dataclasses.replace(decision, hit=oid, offer=offer, trace=trace)
        if trace is not None:
            decision = dataclasses.replace(decision, seen=(*decision.seen, trace))
        if not decision.changed:
            decision = dataclasses.replace(decision, changed=found, against=oid)
    if refused and not decision.changed:
        oid, refusal = next(iter(refused.items()))
        return dataclasses.replace(decision, changed=(Difference("trust", refusal, None, None),), against=oid)
    return decision


def _changed_since(
    offer: Offer, trace: Trace | None, world: World, refs: Refs, policy: CachePolicy
) -> Iterator[Difference]:
    """What is not as an execution saw it."""
    for asked, got in offer.reads.items():
        try:
            now = lookup.find_spec(refs, asked, world.repository.project).artifact
        except (LookupFailed, DamagedError):
            now = None
        if now != got.artifact:
            yield Difference("read", asked, got.artifact, now)
    for asked in offer.missing:
        if _exists(asked, refs, world):
            yield Difference("read", asked, None, "there now")
    if trace is None:
        yield Difference("trace", "what it used", None, None)
        return
    if policy.unverified == "forbid" and trace.unverified:
        yield Difference("unverified", trace.unverified[0], None, None)
    yield from world.states.differences(offer.trace, trace, world)


def _each_once(found: Iterable[Difference]) -> tuple[Difference, ...]:
    """Of what differs in several ways one, with the hash of its content where one of them has it."""
    chosen: dict[tuple[str, str], Difference] = {}
    for each in found:
        subject = each.subject.removeprefix("./")  # a file may have been asked for by its whole path, too
        known = chosen.setdefault((each.kind, subject), each)
        if known.hashed < each.hashed:
            chosen[each.kind, subject] = each
    return tuple(chosen.values())


def _is_one_of_several(trace: Trace) -> bool:
    """Whether two executions make a difference: by what they leave beside their outputs, or by chance."""
    return any(map(trace.left_of, (VALUES, FILES))) or any(each.startswith("chance") for each in trace.unverified)


def _exists(asked: str, refs: Refs, world: World) -> bool:
    try:
        lookup.find_spec(refs, asked, world.repository.project)
    except LookupFailed:
        return False
    except DamagedError:
        return True  # there is one, and nobody can say which
    return True
