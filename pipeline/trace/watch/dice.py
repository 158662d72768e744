"""Functions that seed the common sources of random numbers, or ask the operating system for chance; they note it."""

from __future__ import annotations

import functools
import os
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

from ...fingerprint import SEEDING
from ..chance import FROM_SYSTEM
from ..recording import Recording
from . import frames, making
from .noticing import note


@functools.cache
def _seeding(function: Callable[..., Any], source: str) -> Callable[..., Any]:
    """A function that seeds a source: with what it is given, or with chance."""

    @functools.wraps(function)
    def watched(*args: Any, **kwargs: Any) -> Any:
        def take(recording: Recording) -> None:
            recording.chance.seeds(source)
            if all(each is None for each in (*args, *kwargs.values())):
                recording.unverified.add(FROM_SYSTEM)

        note(take)
        return function(*args, **kwargs)

    return watched


@functools.cache
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
    if a is not None or not frames.asks_own_code() or frames.makes_temporary() or frames.copies():
        return False
    return not making.is_determined()


def _is_asked_by_user(size: int) -> bool:
    return frames.asks_own_code()


def _is_unseeded(size: int) -> bool:
    """Whether chance is what somebody asks for: numpy takes some for an old generator, too, before it is seeded."""
    return not frames.is_within_import() and not making.is_determined()


def watching() -> Iterator[tuple[Any, str, Any]]:
    """The functions that are there now, each with where it is and what is put in its place."""
    for source, names in SEEDING.items():
        for module in (sys.modules.get(source), sys.modules.get(f"{source}.random")):
            for name in names:
                if callable(function := getattr(module, name, None)):
                    yield module, name, _seeding(function, source)
    yield random.Random, "seed", _asking(random.Random.seed, _is_left_to_chance)
    # numpy's generators and `secrets` take it from here, packages that make up a name mostly from there.
    yield random, "_urandom", _asking(os.urandom, _is_unseeded)
    yield os, "urandom", _asking(os.urandom, _is_asked_by_user)
