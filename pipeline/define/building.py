"""The pipeline that is being built in this thread, if one is: what a step is called into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar


class Building(Protocol):
    """Takes the steps that are called while a `@pipeline` function runs: a `Graph`.

    Attributes:
        name: The pipeline's name.
        options: Its options.
    """

    name: str
    options: Any

    def add(self, step: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, id: Any, after: Any) -> Any:  # noqa: A002
        """Adds one use of a step; returns what its caller gets."""

    def add_all(self, step: Any, calls: Sequence[dict[str, Any]], *, id: Any, after: Any) -> list[Any]:  # noqa: A002
        """Adds a use of a step for each of some inputs; returns what `add` would of each."""


class Reached(BaseException):
    """A file that is only loaded for what it defines has come to where it runs a pipeline; the rest does not count."""


loading: ContextVar[bool] = ContextVar("artvcs_loading", default=False)
"""Whether files are only loaded for what they define, as workers do that execute steps of a run elsewhere."""

B = TypeVar("B", bound=Building)

_building: ContextVar[Building | None] = ContextVar("artvcs_building", default=None)


def current() -> Building | None:
    """What is being built, if a `@pipeline` function is running right now."""
    return _building.get()


@contextmanager
def entered(what: B) -> Iterator[B]:
    """Inside the block, steps that are called are added to `what`."""
    token = _building.set(what)
    try:
        yield what
    finally:
        _building.reset(token)
