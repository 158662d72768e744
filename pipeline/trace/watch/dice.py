"""Functions that seed the common sources of random numbers, or ask the operating system for chance; they note it."""

from __future__ import annotations

import functools
import os
import random
import re
import sys
from collections.abc import Callable
from typing import Any

from ..chance import FROM_SYSTEM
from ..recording import Recording
from . import frames
from .noticing import note

_SEEDING = (
    *(("random", "random", name) for name in ("seed", "setstate")),
    *(("numpy.random", "numpy.random", name) for name in ("seed", "set_state")),
    *(
        ("torch", module, name)
        for module in ("torch", "torch.random")
        for name in ("manual_seed", "seed", "set_rng_state")
    ),
)
"""Source, module and name of a function."""

_patched: list[tuple[Any, str, Any]] = []


def _seeding(function: Callable[..., Any], source: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def watched(*args: Any, **kwargs: Any) -> Any:
        note(lambda recording: recording.chance.seeds(source))
        return function(*args, **kwargs)

    return watched


def _asking(function: Callable[..., Any], counts: Callable[..., bool]) -> Callable[..., Any]:
    """A function that asks the operating system for chance, where its arguments and who asks say that it counts."""

    @functools.wraps(function)
    def watched(*args: Any, **kwargs: Any) -> Any:
        def take(recording: Recording) -> None:
            if counts(*args, **kwargs):
                recording.unverified.add(FROM_SYSTEM)

        note(take)
        return function(*args, **kwargs)

    return watched


def _is_left_to_chance(self: Any, a: Any = None, version: int = 2) -> bool:
    return a is None and frames.asks_own_code() and not frames.makes_temporary()


def _is_unseeded() -> bool:
    """Whether chance is what somebody asks for: numpy takes some for an old generator, too, before it is seeded."""
    return not frames.is_within_import() and not _SEEDED.search(frames.calling())


_SEEDED = re.compile(r"(RandomState|MT19937)\(\s*[^\s)]")
"""A generator that is given a seed."""


def patch() -> None:
    """Puts the watching functions in their places."""
    for source, module, name in _SEEDING:
        function = getattr(sys.modules.get(module), name, None)
        if function is not None:
            _put(sys.modules[module], name, _seeding(function, source))
    _put(random.Random, "seed", _asking(random.Random.seed, _is_left_to_chance))
    # numpy's generators and `secrets` take it from here, packages that make up a name mostly from there.
    _put(random, "_urandom", _asking(os.urandom, lambda size: _is_unseeded()))
    _put(os, "urandom", _asking(os.urandom, lambda size: frames.asks_own_code()))


def unpatch() -> None:
    """Takes them away, where nobody has put others there."""
    while _patched:
        owner, name, function = _patched.pop()
        if getattr(getattr(owner, name), "__wrapped__", None) is function:
            setattr(owner, name, function)


def _put(owner: Any, name: str, watched: Any) -> None:
    _patched.append((owner, name, getattr(owner, name)))
    setattr(owner, name, watched)
