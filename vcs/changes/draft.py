"""A change that is being made: objects and intents, on top of the moment at which it began."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from ..catalog.catalog import Catalog
from ..maps import ref_names
from ..objects.oid import Oid
from ..objects.records import Record
from ..storage.layout import Layout
from ..storage.snapshot import Snapshot
from ..storage.store import ObjectStore
from .intents import Intent, SetRef
from .putting import G, Putting
from .view import View

R = TypeVar("R", bound=Record)


class Draft(Putting[G], ABC):
    """Objects and intents that are to become visible together.

    It can be read like a `RefMap`: the state that it began with, with its own changes on top. Numbers of its own
    versions are provisional until it was published.

    Args:
        store: Where objects are read.
        layout: The paths on this machine.
        gathering: Makes what new objects go into.
        view: The refs of a moment, to be changed.
    """

    def __init__(
        self, store: ObjectStore, layout: Layout, gathering: Callable[[], G], view: Callable[[Snapshot], View]
    ) -> None:
        super().__init__(store, layout, gathering)
        self._view_of = view
        self._view = view(self._seen)
        self._intents: list[Intent] = []
        self._afterwards: list[Callable[[], object]] = []

    # Reading

    def get(self, ref: str) -> Oid | None:
        """The id of a ref."""
        return self._viewed().get(ref)

    def items(self, prefix: str = "", *, reverse: bool = False, after: str = "") -> Iterator[tuple[str, Oid]]:
        """All refs that start with `prefix` and are greater than `after`, in order."""
        return self._viewed().items(prefix, reverse=reverse, after=after)

    def first_of_each(self, prefixes: Iterable[str]) -> dict[str, tuple[str, Oid]]:
        """The first ref that starts with each of some prefixes, where there is one; quicker than one by one."""
        return self._viewed().first_of_each(prefixes)

    def record(self, oid: Oid, cls: type[R]) -> R:
        """A record that a ref leads to."""
        return self._viewed().record(oid, cls)

    def need(self, name: str, artifact: Oid) -> str | None:
        """Why the version of `name` that has this artifact is needed, and what to do first; None where it is not."""
        return self._viewed().need(name, artifact)

    def have_versions(self, values: Collection[tuple[str, Oid]]) -> set[tuple[str, Oid]]:
        """Those of many values whose versions are here, with their records, and not given up; quicker than one by one.

        Args:
            values: Each as its name and its artifact.
        """
        view = self._viewed()
        marks = view.first_of_each(ref_names.values(*value) for value in values)
        numbered = {
            value: ref_names.version(value[0], ref_names.number_of(marks[prefix][0]))
            for value in values
            if (prefix := ref_names.values(*value)) in marks
        }
        refs = view.first_of_each(numbered.values())
        records = {value: refs[ref][1] for value, ref in numbered.items() if ref in refs}
        there = self._store.sound((oid for oid in records.values() if oid not in view.made), self._seen)
        given_up = view.first_of_each(ref_names.pruned(artifact) for _, artifact in records)
        return {
            value
            for value, oid in records.items()
            if (oid in there or oid in view.made) and ref_names.pruned(value[1]) not in given_up
        }

    @property
    def catalog(self) -> Catalog:
        """The catalog of the state that it began with, without its own changes."""
        return self._viewed().catalog

    def _viewed(self) -> View:
        """The refs as they will be."""
        return self._view

    # Meaning

    def put(self, record: Record) -> Oid:
        """See `Putting.put`; what the changes so far made for it is stored with it."""
        for made in self._view.made_for(record):
            super().put(made)
        return super().put(record)

    def add(self, intent: Intent) -> None:
        """Means something.

        Raises:
            Conflict: It cannot be meant, as things are now.
        """
        with self._mutex:
            self._check_usable()
            intent.replay(self._viewed())
            self._intents.append(intent)

    def set_ref(self, ref: str, oid: Oid | None) -> None:
        """Sets a ref, or deletes it where `oid` is None."""
        self.add(SetRef(ref, oid))

    def together(self) -> AbstractContextManager[Any]:
        """Inside the block no other thread lands or publishes: what is put and meant there lands as one."""
        # The lock itself: who is interrupted as it comes to a block of a generator's may leave that locked for ever.
        return self._mutex

    @abstractmethod
    def publish(self, *, tolerant: bool = False) -> None:
        """Makes everything visible, as far as that is for who makes this change to decide.

        Args:
            tolerant: Whether what cannot be meant any more is left out, instead of publishing nothing.
        """

    def when_published(self, call: Callable[[], object]) -> None:
        """Calls this once, when all that was put so far has been published."""
        self._afterwards.append(call)

    def _tell(self) -> None:
        """All that was put so far has been published."""
        calls, self._afterwards = self._afterwards, []
        for call in calls:
            call()

    def _look_again(self) -> None:
        super()._look_again()
        self._view = self._view_of(self._seen)
