"""What is asked about many steps, read at once before they are decided one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from artvcs.vcs import Commit, Oid, Refs, Repository, Run, StepRun, ref_names, some_steps

from .offer import Offer
from .vetted import Vetted

_AHEAD = 4000
"""So many steps at a time."""

_MANY = 10
"""Fewer are not worth it."""


class Before(NamedTuple):
    """What is known of a step from the run before.

    Attributes:
        commit: The commit whose outputs that run has of it, if it has any.
        offer: What that execution offers, where it is known.
        is_kept: Whether its result is known to be kept under the key that it offers.
    """

    commit: Oid | None = None
    offer: Offer | None = None
    is_kept: bool = False


class Ahead:
    """Reads what will be asked about steps of which nothing has changed since the pipeline's run before.

    Nothing is wrong where that is another than expected: it is only read one by one then.

    Args:
        repository: Where results are.
        refs: Where they are looked up.
        previous: The pipeline's run before, if any.
        vetted: What is known of executions already.
    """

    def __init__(self, repository: Repository, refs: Refs, previous: Run | None, vetted: Vetted) -> None:
        self._store = repository.store
        self._refs = refs
        self._previous = previous
        self._vetted = vetted
        self._steps: set[str] = set()
        self._in_vain = 0
        self._before: dict[str, Before] = {}
        self._moment = vetted.moment

    def look(self, step: str, coming: Callable[[int], list[str]]) -> None:
        """Reads ahead, unless that is done for a step that is next.

        Args:
            step: The step.
            coming: Tells so many steps that come then.
        """
        if self._previous is None or step in self._steps:
            return
        if self._in_vain:
            self._in_vain -= 1
            return
        fresh = [each for each in (step, *coming(_AHEAD)) if each not in self._steps]
        if len(fresh) < _MANY:
            self._in_vain = _MANY
            return
        self._steps.update(fresh)
        self._read(self._previous, fresh)

    def _read(self, previous: Run, steps: list[str]) -> None:
        self._forget_what_was()
        before = {step: self._told(step, ended) for step, ended in some_steps(previous, steps).items()}
        unknown = [each.commit for each in before.values() if each.commit is not None and each.offer is None]
        if unknown:
            self._store.read_ahead(unknown, Commit)
            self._vetted.see(unknown)
        results = {
            step: ref_names.result(each.offer.cache_key, each.commit)
            for step, each in before.items()
            if each.offer is not None and each.offer.cache_key is not None and each.commit is not None
        }
        there = self._refs.first_of_each(results.values())
        for step, each in before.items():
            is_kept = step in results and there.get(results[step]) == (results[step], each.commit)
            self._before[step] = Before(each.commit, each.offer, is_kept)

    def _forget_what_was(self) -> None:
        """Something was condemned, or found damaged, meanwhile: what was read before says nothing."""
        if self._moment != self._vetted.moment:
            self._before.clear()
            self._moment = self._vetted.moment

    def _told(self, step: str, ended: StepRun) -> Before:
        return Before(ended.commit, self._vetted.offer(step, ended))

    def before(self, step: str) -> Before:
        """What is known of a step from the run before."""
        self._forget_what_was()
        found = self._before.pop(step, None)  # each is asked about once, as good as always
        if found is not None:
            return found
        ended = None if self._previous is None else self._previous.steps.get(step)
        return Before() if ended is None else self._told(step, ended)
