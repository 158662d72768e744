"""What is asked about many steps, read at once before they are decided one by one."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import suppress

from artvcs.vcs import ArtError, Artifact, Commit, Oid, Repository, Run, worktree

_AHEAD = 1000
"""So many steps at a time."""

_MANY = 10
"""Fewer are not worth it."""


class Ahead:
    """Reads what will be asked about steps of which nothing has changed since the pipeline's run before.

    Nothing is wrong where that is another than expected: it is only read one by one then.

    Args:
        repository: Where results are.
        previous: The pipeline's run before, if any.
    """

    def __init__(self, repository: Repository, previous: Run | None) -> None:
        self._store = repository.store
        self._previous = previous
        self._steps: set[str] = set()
        self._in_vain = 0
        self._stored: set[Oid] = set()
        self._moment = self._now()

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
        before = [found for step in steps if (found := previous.steps.get(step)) is not None]
        made = [output.artifact for step in before for output in step.outputs.values()]
        self._store.read_ahead((step.commit for step in before if step.commit is not None), Commit)
        self._store.read_ahead(made, Artifact)
        folders: dict[Oid, Oid] = {}
        for artifact in made:
            with suppress(ArtError):  # said of the step whose data cannot be read
                folders[artifact] = self._store.record(artifact, Artifact).payload
        now = self._now()
        there = worktree.stored(self._store, folders.values())
        if now != self._moment:
            self._stored, self._moment = set(), now
        self._stored |= {artifact for artifact, folder in folders.items() if folder in there}

    @property
    def stored(self) -> AbstractSet[Oid]:
        """Artifacts whose data is known to be here, as long as nothing is condemned or found damaged."""
        return self._stored if self._moment == self._now() else frozenset()

    def _now(self) -> tuple[int, int]:
        return self._store.snapshot.state.epoch, self._store.soundness.doubts
