"""Executions that were looked at: what they offer is known, and that all data of their outputs is here.

A run of ten thousand steps that are all reused would spend most of its time on reading each commit, each artifact and
what is below. So what was found out is kept for the pipeline's next run, as long as the packs that it was found in are
the files that they were.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field

from artvcs.vcs import (
    ArtError,
    Artifact,
    Commit,
    DamagedError,
    Oid,
    PackName,
    Repository,
    Run,
    StepRun,
    canonical,
    is_oid,
    worktree,
)

from .offer import Offer

_MOST_TRACES = 1 << 10
"""Of more different ones only the first are told: a number below this, and a moment times this, are one number."""


@dataclass(frozen=True)
class _Told:
    """What a run tells the next.

    Attributes:
        steps: Step → when its execution ended, and the number of its trace, in one: there may be a hundred thousand.
        traces: The traces.
        packs: The packs that all of that was found in.
    """

    steps: Mapping[str, int] = field(default_factory=dict)
    traces: Sequence[Oid] = ()
    packs: frozenset[PackName] = frozenset()

    @classmethod
    def by(cls, repository: Repository, run: Run | None) -> _Told:
        """What a run has told; nothing where that does not hold any more."""
        known = None if run is None or run.parts is None else repository.vetted.of(run.parts.steps)
        if known is None:
            return cls()
        data, packs = known
        try:
            match canonical.loads(data, checked=True):
                case {"steps": dict(steps), "traces": list(traces)} if (
                    all(isinstance(each, str) and is_oid(each) for each in traces)
                    and set(map(type, steps.values())) <= {int}
                    and all(number >= 0 and number % _MOST_TRACES < len(traces) for number in steps.values())
                ):
                    return cls(steps, traces, packs)
        except DamagedError:
            pass
        return cls()

    def keep(self, repository: Repository, run: Run) -> None:
        """Tells it the next run."""
        if run.parts is None:
            return
        with suppress(ValueError):  # there are too many
            data = canonical.dumps({"steps": self.steps, "traces": self.traces}, checked=True)
            repository.vetted.note(run.parts.steps, self.packs, data)


class Vetted:
    """What is known of the executions that a run uses, or has made. Safe to use from several threads.

    Nothing is known any more once something here is condemned, or found damaged.

    Args:
        repository: Where they are.
        previous: The pipeline's run before, if any.
    """

    def __init__(self, repository: Repository, previous: Run | None) -> None:
        self._repository = repository
        self._store = repository.store
        self._mutex = threading.RLock()
        self._moment = self._now()
        self._told = _Told.by(repository, previous)
        self._here: set[Oid] = set()
        self._packs: set[PackName] = set(self._told.packs)
        self._traces: dict[Oid, int] = {}
        self._steps: dict[str, int] = {}
        self._unseen: dict[str, tuple[Oid, frozenset[Oid]]] = {}

    @property
    def moment(self) -> object:
        """Is another one when what was known before is not known any more."""
        return self._now()

    @property
    def here(self) -> AbstractSet[Oid]:
        """Commits whose outputs are known to be here."""
        return self._here if self._moment == self._now() else frozenset()

    def offer(self, step: str, ended: StepRun) -> Offer | None:
        """What the execution offers that the run before has used, or made, for a step; None where that is not known."""
        told = self._told.steps.get(step)
        if told is None or ended.commit is None or self._moment != self._now():
            return None
        self._here.add(ended.commit)
        return Offer.told_by(ended, self._told.traces[told % _MOST_TRACES], told // _MOST_TRACES)

    def see(self, commits: Iterable[Oid]) -> None:
        """Looks whether what some executions have made is here."""
        outputs: dict[Oid, frozenset[Oid]] = {}
        for oid in commits:
            with suppress(ArtError):  # said of the step whose execution cannot be read
                made = self._store.record(oid, Commit).outputs.values()
                outputs[oid] = frozenset(output.artifact for output in made)
        self._here |= self._seen(outputs)

    def _seen(self, outputs: Mapping[Oid, frozenset[Oid]]) -> set[Oid]:
        """Those of some commits that are here with their outputs."""
        store = self._store
        artifacts = set[Oid]().union(*outputs.values())
        store.read_ahead(artifacts, Artifact)
        folders: dict[Oid, Oid] = {}
        for artifact in artifacts:
            with suppress(ArtError):  # said of the step whose data cannot be read
                folders[artifact] = store.record(artifact, Artifact).payload
        with self._mutex:
            if (now := self._now()) != self._moment:
                self._moment, self._told = now, _Told()
                for known in (self._here, self._packs, self._traces, self._steps):
                    known.clear()
        stored = worktree.stored(store, folders.values())
        kept = store.kept(outputs.keys() | artifacts)
        packs, found = set[PackName](), set[Oid]()
        for oid, made in outputs.items():
            if oid in kept and all(each in kept and folders.get(each) in stored for each in made):
                found.add(oid)
                packs.update(kept[oid], *(kept[each] for each in made), *(stored[folders[each]] for each in made))
        self._packs |= packs
        return found

    # For the next run

    def add(self, step: str, ended: StepRun, offer: Offer) -> None:
        """Notes an execution that a step of this run has used, or was.

        Args:
            step: The step's invocation id.
            ended: What the run says of it.
            offer: What the execution offers.
        """
        with self._mutex:
            self._steps.pop(step, None)
            if ended.commit is None or Offer.told_by(ended, offer.trace, offer.finished) != offer:
                return  # there is more to say of it
            number = self._traces.setdefault(offer.trace, len(self._traces))
            if number < _MOST_TRACES:
                self._steps[step] = offer.finished * _MOST_TRACES + number
                if ended.commit not in self._here:
                    self._unseen[step] = ended.commit, frozenset(offer.artifacts)

    def look(self) -> None:
        """Looks whether what has been published since it was looked last is here with its data, or elsewhere."""
        with self._mutex:
            unseen, self._unseen = self._unseen, {}
            there = self._seen(dict(unseen.values())) if unseen else set()
            for step, (commit, _) in unseen.items():
                if commit not in there:
                    self._steps.pop(step, None)

    def keep(self, run: Run) -> None:
        """Keeps what is known for the run after this one, which has ended and is published; here it is forgotten."""
        self.look()
        with self._mutex:
            if self._steps and self._moment == self._now():
                _Told(self._steps, tuple(self._traces), frozenset(self._packs)).keep(self._repository, run)
            self._told, self._steps, self._here = _Told(), {}, set()

    def _now(self) -> tuple[int, int]:
        return self._store.snapshot.state.epoch, self._store.soundness.doubts
