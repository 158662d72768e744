"""What stands for a record that cannot be read, so that it hides none of the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from ..errors import DamagedError, UnknownName
from ..objects.oid import Oid
from ..objects.records import Record
from . import steps
from .refs import Refs

R = TypeVar("R", bound=Record)
T = TypeVar("T")


@dataclass(frozen=True)
class Damaged:
    """A record that is damaged or lost.

    Attributes:
        ref: The ref that leads to it.
        why: What is wrong with it.
    """

    ref: str
    why: str


def read(refs: Refs, ref: str, oid: Oid, cls: type[R]) -> R | Damaged:
    """The record that a ref leads to, or what stands for it; of a run, those of its steps that can be read."""
    try:
        return steps.forgiving(refs.record(oid, cls))
    except (DamagedError, UnknownName) as error:
        return Damaged(ref, str(error))


def whole(found: Iterator[T | Damaged]) -> Iterator[T]:
    """Those that can be read."""
    return (each for each in found if not isinstance(each, Damaged))
