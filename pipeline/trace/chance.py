"""The common sources of random numbers: whether an execution drew from them, and what from.

One that was seeded before it began gives the same numbers always: then its state counts, as an input does. One that
nobody has seeded is left to chance, which cannot be compared, only said. Where the execution seeds it by itself, what
it was before makes no difference. What it leaves behind is kept, so that those that come after it find the source as
it would be, had it run again.
"""

from __future__ import annotations

import base64
import binascii
import os
import random
import re
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import FrameType
from typing import Any, NamedTuple, Protocol

from artvcs.vcs import hash_bytes

from ..fingerprint import is_own, stated

UNSEEDED = "left to chance"
FROM_SYSTEM = "chance, from the operating system"

_TWISTER = struct.Struct("<624II?d")
"""The state of a Mersenne Twister: its words, the position in them, and a normal number that is left over, if any."""
_WORDS = struct.Struct("<624I")
_BLOCK = 624
_LONGEST = 5_000_000
"""Numbers after which it is not looked any further whether one state came of another."""
_SMALL_SEED = 1 << 32
"""A seed that somebody chose; torch takes one of 53 random bits if nobody does."""


class Look(NamedTuple):
    """A source as it was once.

    Attributes:
        state: Its state; of a Mersenne Twister the words, as numbers or as bytes, the position in them, and the normal
            number left over.
        chosen: What it was started with, where it tells.
    """

    state: Any
    chosen: Any = None


class Source(Protocol):
    """A common source of random numbers; `name` is its module."""

    name: str

    def look(self) -> Look | None:
        """It as it is now, None where it is not loaded."""
        ...

    def first(self, look: Look) -> Look | None:
        """It as it was when it was loaded, if nobody had seeded it then; None if somebody has, or it cannot be told."""
        ...

    def is_seeded(self, look: Look) -> bool:
        """Whether somebody had seeded it when it was looked at."""
        ...

    def restore(self, state: bytes) -> None:
        """Puts it into a state that `packed` gave; loads it first, as the execution did that left it so."""
        ...


class Chance:
    """The common sources as they were when an execution began, and what becomes of them."""

    def __init__(self) -> None:
        self._before = {source.name: source.look() for source in SOURCES}
        self._undrawn: dict[str, bool] = {}
        self._shared = False

    def seeds(self, name: str) -> None:
        """The execution is about to seed a source: what it was before counts only if numbers were drawn from it."""
        self._undrawn.setdefault(name, _is_same(_BY_NAME[name].look(), self._before[name]))

    def fork(self) -> None:
        """A child begins: it draws from copies of the sources where nobody sees it."""
        self._shared = True

    def end(self, seeds: Callable[[str], bool]) -> tuple[dict[str, str], dict[str, str]]:
        """What became of the sources, when the execution has just ended.

        Args:
            seeds: Says whether code uses a name by which it may seed a source, unseen.

        Returns:
            The sources that it drew from as it found them: what a trace calls each → its state then. And those that
            it leaves behind in another state, where that is none of chance: source → state.
        """
        drawn, left = {}, {}
        for source in SOURCES:
            before, now = self._before[source.name], source.look()
            if self._is_drawn(source, before, now, seeds):
                drawn[f"{_STATE_OF}{source.name}"] = _told(source, before)
            if now is not None and not _is_same(now, before) and source.is_seeded(now):
                left[source.name] = base64.b64encode(_packed(now)).decode()
        return drawn, left

    def _is_drawn(self, source: Source, before: Look | None, now: Look | None, seeds: Callable[[str], bool]) -> bool:
        undrawn = self._undrawn.get(source.name)
        if self._shared and undrawn is not True and before is not None and source.is_seeded(before):
            return True
        if undrawn is not None or now is None or _is_same(now, before):
            return undrawn is False
        if before is None or not source.is_seeded(before):
            # It was loaded or seeded meanwhile; or chance it was, and chance it is.
            return not source.is_seeded(now) and not _is_same(now, before or source.first(now))
        return _came_of(before, now) or not seeds(source.name)


def answer(name: str) -> str | None:
    """The state now of what a trace calls so; None if that is no source of random numbers."""
    source = _BY_NAME.get(name.removeprefix(_STATE_OF))
    return None if source is None else _told(source, source.look())


def is_source(name: str) -> bool:
    """Whether a trace calls a source of random numbers so."""
    return name.removeprefix(_STATE_OF) in _BY_NAME


def unseeded(drawn: Mapping[str, str]) -> Iterator[str]:
    """Those of the drawn sources that nobody had seeded."""
    return (name.removeprefix(_STATE_OF) for name, state in drawn.items() if state == UNSEEDED)


def leave(left: Mapping[str, str]) -> None:
    """Puts the sources into the states in which an execution left them."""
    for name, text in left.items():
        source = _BY_NAME.get(name)
        if source is not None:
            try:
                source.restore(base64.b64decode(text, validate=True))
            except (binascii.Error, struct.error, ImportError, ValueError, RuntimeError):
                continue  # nobody's state, or nobody's any more


@contextmanager
def kept() -> Iterator[None]:
    """Whatever becomes of the sources in the block, they are as before after it."""
    before = {source: look for source in SOURCES if (look := source.look()) is not None}
    try:
        yield
    finally:
        for source, look in before.items():
            if not _is_same(source.look(), look):
                source.restore(_packed(look))


_STATE_OF = "the state of "


def _told(source: Source, look: Look | None) -> str:
    return UNSEEDED if look is None or not source.is_seeded(look) else hash_bytes(_packed(look), "chance")


def _packed(look: Look) -> bytes:
    """A state as bytes."""
    if isinstance(look.state, bytes):
        return look.state
    words, position, left_over = look.state
    return _TWISTER.pack(*_numbers(words), position, left_over is not None, left_over or 0.0)


def _numbers(words: tuple[int, ...] | bytes) -> tuple[int, ...]:
    return _WORDS.unpack(words) if isinstance(words, bytes) else words


def _unpacked(state: bytes) -> tuple[tuple[int, ...], int, float | None]:
    *words, position, is_left_over, left_over = _TWISTER.unpack(state)
    return tuple(words), position, left_over if is_left_over else None


def _is_same(one: Look | None, other: Look | None) -> bool:
    return one is not None and other is not None and one.state == other.state


def _came_of(before: Look, after: Look) -> bool:
    """Whether a Mersenne Twister gets from one state into another by numbers' being drawn, as far as it is looked."""
    if isinstance(before.state, bytes) or isinstance(after.state, bytes):
        return True
    words, position, _ = before.state
    later, _, _ = after.state
    if words == later:
        return True
    stream, goal = random.Random(), random.Random()
    stream.setstate((3, (*_numbers(words), position), None))
    goal.setstate((3, (*_numbers(later), 0), None))
    sought = goal.getrandbits(32 * 8).to_bytes(4 * 8, "little")
    if position < _BLOCK:
        stream.getrandbits(32 * (_BLOCK - position))
    size = 32 * _BLOCK * 100
    return any(sought in stream.getrandbits(size).to_bytes(size // 8, "little") for _ in range(0, _LONGEST, size // 32))


class _Python:
    """The source behind `random`'s functions. It does not tell what it was started with: its first state is kept."""

    name = "random"

    def __init__(self) -> None:
        self._first = self.look()
        self._texts = _TextsBefore()

    def look(self) -> Look:
        _, words, left_over = random.getstate()
        return Look((words[:-1], words[-1], left_over))

    def first(self, look: Look) -> Look | None:
        return None if self._texts.may_seed() else self._first

    def is_seeded(self, look: Look) -> bool:
        if self._texts.may_seed() or not _came_of(self._first, look):
            return True
        self._first = look
        return False

    def restore(self, state: bytes) -> None:
        words, position, left_over = _unpacked(state)
        random.setstate((3, (*words, position), left_over))


class _TextsBefore:
    """The user's code that had run when this module was imported: it may have seeded a source by then."""

    def __init__(self) -> None:
        self._modules = tuple(sys.modules)
        self._cells = tuple(map(str, getattr(sys.modules["__main__"], "In", ())))
        self._lines: dict[str, int] = {}
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            self._lines.setdefault(frame.f_code.co_filename, frame.f_lineno)
            frame = frame.f_back

    @cache  # noqa: B019  # there is one
    def may_seed(self) -> bool:
        """Whether any of it speaks of seeds."""
        return any(map(_SEEDS.search, (*self._cells, *self._files())))

    def _files(self) -> Iterator[str]:
        for name in self._modules:
            path = stated(sys.modules.get(name), "__file__")
            if isinstance(path, str) and path.endswith(".py") and is_own(os.path.abspath(path)):
                try:
                    with open(path, encoding="utf-8", errors="ignore") as file:
                        yield "".join(file.readlines()[: self._lines.get(path)])
                except OSError:
                    yield "seed"  # who knows


class _Numpy:
    """The source behind `numpy.random`'s functions; it keeps what it was started with until it is seeded."""

    name = "numpy.random"

    def look(self) -> Look | None:
        source = self._source()
        if source is None:
            return None
        told = source.get_state(legacy=False)
        if told["bit_generator"] != "MT19937":
            return Look(repr(told).encode())  # somebody has put another there
        words, left_over = told["state"]["key"].astype("<u4").tobytes(), told["gauss"] if told["has_gauss"] else None
        entropy = getattr(source._bit_generator, "_seed_seq", None)
        return Look((words, int(told["state"]["pos"]), left_over), entropy)

    def first(self, look: Look) -> Look | None:
        if not hasattr(look.chosen, "generate_state"):
            return None
        words = look.chosen.generate_state(_BLOCK)
        words[0] = 1 << 31
        return Look((words.astype("<u4").tobytes(), _BLOCK - 1, None))

    def is_seeded(self, look: Look) -> bool:
        first = self.first(look)
        return first is None or not _came_of(first, look)

    def restore(self, state: bytes) -> None:
        import numpy

        words, position, left_over = _unpacked(state)
        key = numpy.array(words, dtype=numpy.uint32)
        numpy.random.mtrand._rand.set_state(("MT19937", key, position, int(left_over is not None), left_over or 0.0))

    def _source(self) -> Any:
        return getattr(sys.modules.get("numpy.random.mtrand"), "_rand", None)


class _Torch:
    """torch's source on the CPU; it takes a seed of 53 random bits if nobody gives it one."""

    name = "torch"

    def look(self) -> Look | None:
        source = getattr(sys.modules.get("torch"), "default_generator", None)
        return None if source is None else Look(source.get_state().numpy().tobytes(), source.initial_seed())

    def first(self, look: Look) -> Look | None:
        return None

    def is_seeded(self, look: Look) -> bool:
        return bool(look.chosen < _SMALL_SEED)

    def restore(self, state: bytes) -> None:
        import numpy
        import torch

        torch.default_generator.set_state(torch.from_numpy(numpy.frombuffer(state, dtype=numpy.uint8).copy()))


_SEEDS = re.compile("seed|setstate")

SOURCES: tuple[Source, ...] = (_Python(), _Numpy(), _Torch())
_BY_NAME = {source.name: source for source in SOURCES}
