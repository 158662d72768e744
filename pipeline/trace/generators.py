"""The common sources of random numbers: the state that each is in, and whether somebody has seeded it.

Python's own and numpy's are Mersenne Twisters (Matsumoto and Nishimura, 1998): from one state they get into another
only by numbers' being drawn, which can be told by drawing them.
"""

from __future__ import annotations

import functools
import os
import random
import re
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from types import FrameType
from typing import Any, NamedTuple, Protocol, TypeVar

from ..fingerprint import is_own, stated

S = TypeVar("S")
R = TypeVar("R")

_WORDS = 624
_PACKED = struct.Struct(f"<{_WORDS}II?d")
_LONGEST = 5_000_000
"""Numbers after which it is not looked any further whether one state came of another."""
_SMALL_SEED = 1 << 32
"""Below this a seed was chosen by somebody; torch takes one of 53 random bits if nobody does."""


class Twister(NamedTuple):
    """The state of a Mersenne Twister.

    Attributes:
        words: Its 624 words of 32 bits.
        position: How many of them have been used.
        left_over: The second of two normal numbers, where only the first has been asked for.
    """

    words: tuple[int, ...]
    position: int
    left_over: float | None

    def pack(self) -> bytes:
        """The state as bytes."""
        return _PACKED.pack(*self.words, self.position, self.left_over is not None, self.left_over or 0.0)

    @classmethod
    def unpack(cls, data: bytes) -> Twister:
        """What `pack` wrote.

        Raises:
            struct.error: It is of another length.
        """
        *words, position, is_left_over, left_over = _PACKED.unpack(data)
        return cls(tuple(words), position, left_over if is_left_over else None)

    def leads_to(self, later: Twister) -> bool:
        """Whether numbers drawn from this state lead to that one, as far as it is looked."""
        if self.words == later.words:
            return True
        stream, goal = random.Random(), random.Random()
        stream.setstate((3, (*self.words, self.position), None))
        goal.setstate((3, (*later.words, 0), None))
        sought = goal.getrandbits(32 * 8).to_bytes(4 * 8, "little")
        if self.position < _WORDS:
            stream.getrandbits(32 * (_WORDS - self.position))
        at_once = _WORDS * 100
        drawn = (stream.getrandbits(32 * at_once).to_bytes(4 * at_once, "little") for _ in range(0, _LONGEST, at_once))
        return any(sought in each for each in drawn)


class Look(NamedTuple):
    """A source as it was once: its state, and whether somebody had seeded it."""

    state: Twister | bytes
    seeded: bool

    def pack(self) -> bytes:
        """The state as bytes."""
        return self.state if isinstance(self.state, bytes) else self.state.pack()


class Source(Protocol):
    """A common source of random numbers; `name` is its module."""

    name: str

    def look(self) -> Look | None:
        """It as it is now, None where it is not loaded."""
        ...

    def is_as_loaded(self, look: Look) -> bool:
        """Whether nobody had drawn from it since it was loaded."""
        ...

    def restore(self, state: bytes) -> None:
        """Puts it into a state that `Look.pack` gave; loads it first, as the execution did that left it so.

        Raises:
            struct.error, ValueError, RuntimeError: It is no state.
            ImportError: There is no such library here.
        """
        ...

    def renew(self) -> None:
        """Has it draw other numbers than any other process, as one does that nobody has seeded; it is loaded."""
        ...


_looking = threading.RLock()
os.register_at_fork(before=_looking.acquire, after_in_parent=_looking.release, after_in_child=_looking.release)


def _alone(look: Callable[[S], R]) -> Callable[[S], R]:
    """A look at a source by a thread at a time: an older state does not follow from a newer one."""

    @functools.wraps(look)
    def alone(self: S) -> R:
        with _looking:
            return look(self)

    return alone


class _Unseeded:
    """The states of a source that nobody has seeded: they come of the one that it began with."""

    def __init__(self, first: Twister | None) -> None:
        self.first = first
        self._last = first

    def has(self, state: Twister) -> bool:
        """Whether it is one of them; after one that is not, none is."""
        known = self._last is not None and self._last.leads_to(state)
        self._last = state if known else None
        return known


class _Python:
    """The source behind `random`'s functions. It does not tell what it was started with: its first state is kept."""

    name = "random"

    def __init__(self) -> None:
        self._first = self._state()
        self._before = _TextsBefore()

    @cached_property
    def _unseeded(self) -> _Unseeded:
        return _Unseeded(None if self._before.may_seed() else self._first)

    @_alone
    def look(self) -> Look:
        state = self._state()
        return Look(state, not self._unseeded.has(state))

    def is_as_loaded(self, look: Look) -> bool:
        return look.state == self._unseeded.first

    def restore(self, state: bytes) -> None:
        words, position, left_over = Twister.unpack(state)
        random.setstate((3, (*words, position), left_over))

    def renew(self) -> None:
        random.seed()
        self._unseeded = _Unseeded(self._state())

    def _state(self) -> Twister:
        _, words, left_over = random.getstate()
        return Twister(words[:-1], words[-1], left_over)


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

    def may_seed(self) -> bool:
        """Whether any of it speaks of seeds, or cannot be read."""
        return any(text is None or _SEEDS.search(text) for text in (*self._cells, *self._files()))

    def _files(self) -> Iterator[str | None]:
        for name in self._modules:
            path = stated(sys.modules.get(name), "__file__")
            if isinstance(path, str) and path.endswith(".py") and is_own(os.path.abspath(path)):
                try:
                    with open(path, encoding="utf-8", errors="ignore") as file:
                        yield "".join(file.readlines()[: self._lines.get(path)])
                except OSError:
                    yield None


_SEEDS = re.compile("seed|setstate")


class _Numpy:
    """The source behind `numpy.random`'s functions; it keeps what it was started with until it is seeded."""

    name = "numpy.random"

    def __init__(self) -> None:
        self._began_with: Any = None
        self._unseeded = _Unseeded(None)
        self._last: tuple[tuple[Any, ...], Look] | None = None

    @_alone
    def look(self) -> Look | None:
        source = getattr(sys.modules.get("numpy.random.mtrand"), "_rand", None)
        if source is None:
            return None
        told = source.get_state(legacy=False)
        if told["bit_generator"] != "MT19937":
            return Look(repr(told).encode(), seeded=True)  # somebody has put another there
        inner, began_with = told["state"], getattr(source._bit_generator, "_seed_seq", None)
        left_over = float(told["gauss"]) if told["has_gauss"] else None
        seen = inner["key"].tobytes(), inner["pos"], left_over, id(began_with)
        if self._last is not None and self._last[0] == seen:
            return self._last[1]  # which is nearly always so, and quickly said
        state = Twister(tuple(inner["key"].tolist()), int(inner["pos"]), left_over)
        self._notice(began_with)
        look = Look(state, not self._unseeded.has(state))
        self._last = seen, look
        return look

    def is_as_loaded(self, look: Look) -> bool:
        return look.state == self._unseeded.first

    def restore(self, state: bytes) -> None:
        import numpy

        words, position, left_over = Twister.unpack(state)
        key = numpy.array(words, dtype=numpy.uint32)
        numpy.random.mtrand._rand.set_state(("MT19937", key, position, int(left_over is not None), left_over or 0.0))

    def renew(self) -> None:
        import numpy

        inner = numpy.random.MT19937().state["state"]
        first = Twister(tuple(inner["key"].tolist()), int(inner["pos"]), None)
        self.restore(first.pack())
        self._unseeded = _Unseeded(first)

    def _notice(self, began_with: Any) -> None:
        """Notes the seed sequence that it began with; there is none any more once it is seeded."""
        if began_with is not self._began_with:
            self._began_with, first = began_with, None
            if hasattr(began_with, "generate_state"):
                words = began_with.generate_state(_WORDS).tolist()
                first = Twister((1 << 31, *words[1:]), _WORDS - 1, None)
            self._unseeded = _Unseeded(first)


class _Torch:
    """torch's source on the CPU."""

    name = "torch"

    @_alone
    def look(self) -> Look | None:
        source = getattr(sys.modules.get("torch"), "default_generator", None)
        if source is None:
            return None
        return Look(source.get_state().numpy().tobytes(), source.initial_seed() < _SMALL_SEED)

    def is_as_loaded(self, look: Look) -> bool:
        import torch

        fresh = torch.Generator().manual_seed(torch.default_generator.initial_seed())
        return bool(look.state == fresh.get_state().numpy().tobytes())

    def restore(self, state: bytes) -> None:
        import numpy
        import torch

        torch.default_generator.set_state(torch.from_numpy(numpy.frombuffer(state, dtype=numpy.uint8).copy()))

    def renew(self) -> None:
        import torch

        torch.default_generator.seed()


SOURCES: tuple[Source, ...] = (_Python(), _Numpy(), _Torch())
