"""Names that stand for the same plain value or function as when they were last looked at, told at a glance.

A step may reach thousands of them, and nearly all stay what they are for as long as the process lives.
"""

from __future__ import annotations

import types
import weakref
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..project.module import Module
from .compiled import is_as_written

SCALARS = frozenset({int, float, bool, str, bytes, complex, type(None)})
"""Types of values that never change."""

_NOTHING = object()


class Settled(NamedTuple):
    """A plain value or function as it was when it was last looked at, and what was noted of it then.

    Attributes:
        value: The value.
        code: A function's code.
        defaults: A function's defaults, plain values all of them.
        noted: What is put behind its name → identity.
    """

    value: Any
    code: types.CodeType | None
    defaults: tuple[Any, ...] | None
    noted: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, module: Module, value: Any, noted: tuple[tuple[str, str], ...]) -> Settled | None:
        """What can be told to be the same by looking at what it is made of; None for anything else."""
        if type(value) in SCALARS:
            return cls(value, None, None, noted)
        if type(value) is not types.FunctionType or not is_as_written(module, value.__code__):
            return None
        settled = cls(value, value.__code__, value.__defaults__, noted)
        return settled if set(map(type, value.__defaults__ or ())) <= SCALARS and settled.is_same(value) else None

    def is_same(self, value: Any) -> bool:
        """Whether it is that value, unchanged."""
        if value is not self.value or self.code is None:
            return value is self.value
        made_of = value.__code__ is self.code and value.__defaults__ is self.defaults
        return made_of and not (value.__kwdefaults__ or value.__closure__ or value.__dict__)


_known: weakref.WeakKeyDictionary[Module, dict[str, Settled]] = weakref.WeakKeyDictionary()


def noted(module: Module, name: str, namespace: Mapping[str, Any]) -> tuple[tuple[str, str], ...] | None:
    """What was noted of a name, if it stands for what it stood for then: what is put behind the name → identity."""
    known = _known.get(module, {}).get(name)
    return known.noted if known is not None and known.is_same(namespace.get(name, _NOTHING)) else None


def note(module: Module, name: str, value: Any, found: tuple[tuple[str, str], ...]) -> None:
    """Keeps what was found of a value that has a name in a module, if it can be told again at a glance."""
    if (settled := Settled.of(module, value, found)) is not None:
        _known.setdefault(module, {})[name] = settled
