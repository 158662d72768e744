"""Random numbers: whether an execution drew them from one of the common sources, and what from.

One that was seeded before it began gives the same numbers always: then its state counts, as an input does. One that
nobody has seeded is left to chance, which cannot be compared, only said. Where the execution seeds it by itself, what
it was before makes no difference. What it leaves behind is kept, so that those that come after it find the source as
it would be, had it run again.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from artvcs.vcs import hash_bytes

from ..fingerprint import SEEDING
from .generators import SOURCES, Look, Source

UNSEEDED = "left to chance"
FROM_SYSTEM = "chance, from the operating system"
_STATE_OF = "the state of "
_BY_NAME = {source.name: source for source in SOURCES}


class Chance:
    """The common sources as they were when an execution began, and what becomes of them."""

    def __init__(self) -> None:
        self._before = looks()
        self._reached = dict(self._before)  # what it is when nothing but modules of libraries has drawn from it
        self._undrawn: dict[str, bool] = {}
        self._shared = False

    def seeds(self, name: str) -> None:
        """The execution is about to seed a source: what it was before counts only if numbers were drawn from it."""
        self._undrawn.setdefault(name, _is_same(_BY_NAME[name].look(), self._reached[name]))

    def loaded(self, before: Mapping[str, Look | None]) -> None:
        """A module of a library has just been loaded: what it drew meanwhile is nothing that a result comes of.

        Args:
            before: What `looks` said when it began to be.
        """
        for source in SOURCES:
            reached, began = self._reached[source.name], before[source.name]
            if _is_same(reached, began) or (reached is None and began is None):
                self._reached[source.name] = source.look()

    def fork(self) -> None:
        """A child begins: it draws from copies of the sources where nobody sees it."""
        self._shared = True

    def end(self, uses: Callable[[str, str], bool]) -> tuple[dict[str, str], dict[str, str]]:
        """What became of the sources, when the execution has just ended.

        Args:
            uses: Says whether its code uses a name of a module: it may have seeded a source by it, unseen.

        Returns:
            The sources that it drew from as it found them: what a trace calls each → its state then. And those that
            it leaves behind in another state, where that is none of chance: source → state.
        """
        drawn, left = {}, {}
        for source in SOURCES:
            before, now = self._before[source.name], source.look()
            if self._is_drawn(source, before, now, uses):
                drawn[f"{_STATE_OF}{source.name}"] = _told(before)
            if now is not None and now.seeded and not _is_same(now, before):
                left[source.name] = _packed(now)
        return drawn, left

    def _is_drawn(
        self, source: Source, before: Look | None, now: Look | None, uses: Callable[[str, str], bool]
    ) -> bool:
        undrawn = self._undrawn.get(source.name)
        if self._shared and before is not None and before.seeded and undrawn is not True:
            return True
        if undrawn is not None or now is None or _is_same(now, self._reached[source.name]):
            return undrawn is False
        if before is None or not before.seeded:
            # It was seeded meanwhile; or chance it was, and chance it is.
            return not now.seeded and not (before is None and source.is_as_loaded(now))
        if isinstance(before.state, bytes) or isinstance(now.state, bytes) or before.state.leads_to(now.state):
            return True
        return not any(uses(source.name, name) for name in SEEDING[source.name])


def looks() -> dict[str, Look | None]:
    """Each source as it is now, None where it is not loaded."""
    return {source.name: source.look() for source in SOURCES}


def seeded() -> dict[str, str]:
    """The sources that somebody has seeded: source → its state, as `leave` takes it."""
    return {name: _packed(look) for name, look in looks().items() if look is not None and look.seeded}


def answer(name: str) -> str | None:
    """The state now of what a trace calls so; None if that is no source of random numbers."""
    source = _BY_NAME.get(name.removeprefix(_STATE_OF))
    return None if source is None else _told(source.look())


def is_source(name: str) -> bool:
    """Whether a trace calls a source of random numbers so."""
    return source(name) is not None


def source(name: str) -> str | None:
    """The source of random numbers that a trace calls so, if it is one."""
    found = name.removeprefix(_STATE_OF)
    return found if found in _BY_NAME else None


def unseeded(drawn: Mapping[str, str]) -> Iterator[str]:
    """Those of the drawn sources that nobody had seeded."""
    return (name.removeprefix(_STATE_OF) for name, state in drawn.items() if state == UNSEEDED)


def leave(left: Mapping[str, str]) -> None:
    """Puts the sources into the states in which an execution left them; passes over what is no state."""
    for name, text in left.items():
        source = _BY_NAME.get(name)
        if source is not None:
            try:
                source.restore(base64.b64decode(text, validate=True))
            except (binascii.Error, struct.error, ImportError, ValueError, RuntimeError):
                continue  # a stranger's, or of a library that is not here: the steps after it are compared all the same


def _put_back(source: Source, look: Look) -> None:
    """Has a source be as it was: in its state, if somebody had seeded it, else unseeded."""
    if look.seeded:
        source.restore(look.pack())
    else:
        source.renew()


def put_back(before: Mapping[str, Look | None]) -> None:
    """Has sources be as they were: in their states where somebody had seeded them, the others unseeded.

    So in a forked process, too: Python seeds its own anew there, and all others are copies that draw the same numbers.

    Args:
        before: What `looks` said then.
    """
    for source in SOURCES:
        if (look := before[source.name]) is not None:
            _put_back(source, look)


@contextmanager
def kept() -> Iterator[None]:
    """Whatever becomes of the sources in the block, they are as before after it."""
    before = {source: look for source in SOURCES if (look := source.look()) is not None}
    try:
        yield
    finally:
        for source, look in before.items():
            if not _is_same(source.look(), look):
                _put_back(source, look)


def _packed(look: Look) -> str:
    return base64.b64encode(look.pack()).decode()


def _told(look: Look | None) -> str:
    return hash_bytes(look.pack(), "chance") if look is not None and look.seeded else UNSEEDED


def _is_same(one: Look | None, other: Look | None) -> bool:
    return one is not None and other is not None and one.state == other.state
