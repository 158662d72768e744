"""What every intent does, and the simplest: setting a ref."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeVar

from ...objects.oid import Oid
from ...objects.records import Record, record
from ..view import View

T = TypeVar("T")


@record
class Intent(Record):
    """Something that is meant to be changed."""

    NAME: ClassVar[str] = ""

    def replay(self, view: View) -> None:
        """Makes the change in a view, or nothing of it.

        Raises:
            Conflict: It cannot be meant any more, as things are in this view.
        """
        raise NotImplementedError

    def yielding(self) -> Intent | None:
        """What is left of it when it gives way in a conflict, if anything is."""
        return None

    def targets(self) -> Iterable[Oid]:
        """The objects that it makes the refs lead to."""
        return ()


@record
class SetRef(Intent):
    """Sets a ref, whatever it was, or deletes it: a result in the cache, data given up or kept."""

    NAME: ClassVar[str] = "set-ref"
    ref: str
    target: Oid | None

    def replay(self, view: View) -> None:
        """See `Intent.replay`."""
        if view.get(self.ref) != self.target:
            view.set(self.ref, self.target)

    def targets(self) -> Iterable[Oid]:
        """See `Intent.targets`."""
        return () if self.target is None else (self.target,)


def union(first: tuple[T, ...], second: tuple[T, ...]) -> tuple[T, ...]:
    """The tags, or what else, of both, each once."""
    return tuple(dict.fromkeys((*first, *second)))
