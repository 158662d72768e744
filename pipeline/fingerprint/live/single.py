"""What a single live value is made of: what it holds by name, whose it is, whether a definition tells it."""

from __future__ import annotations

import ast
import os
import sys
import types
from typing import Any

from artvcs.vcs import values

from ...values.identity import held_by
from ..project.locate import is_own, stated
from ..project.module import DEFINITIONS, Module
from ..project.resolve import belongs_to_tool
from .functions import source_path
from .installed import is_users
from .settled import SCALARS

NOTHING = object()
_SHOWN = 20
"""Entries of a dictionary that are noted one by one."""


def spread(value: Any) -> tuple[Any, dict[str, Any]] | None:
    """A value as the function or class that makes it what it is, and what it holds by name."""
    cls = type(value)
    if cls in SCALARS:
        return None
    if cls is types.FunctionType and "registry" not in vars(value):
        return value, held_by(value)
    if cls is types.MethodType and type(value.__func__) is types.FunctionType:
        return value.__func__, {**held_by(value.__func__), ".__self__": value.__self__}
    if cls is dict and len(value) <= _SHOWN:
        entries = value.copy()  # at once: other threads may change it
        if entries and all(type(key) is str for key in entries):
            return None, {f"[{key!r}]": each for key, each in entries.items()}
    own_ways = ("__reduce__", "__reduce_ex__", "__getstate__", "__slots__", "__getattribute__")
    plain = not any(name in vars(base) for base in cls.__mro__[:-1] for name in own_ways)
    if plain and not is_foreign(cls) and not issubclass(cls, type) and cls.__base__ is not None:
        held = getattr(value, "__dict__", None)
        if type(held) is dict:
            return cls, {f".{key}": each for key, each in held.copy().items()}
    return None


def attribute(owner: Any, name: str) -> Any:
    """What a module or class holds under a name, by itself or from its bases; nothing of anything else."""
    holders = owner.__mro__ if issubclass(type(owner), type) else (owner,)
    modules_and_classes = (each for each in holders if issubclass(type(each), types.ModuleType | type))
    found = (vars(each).get(name, NOTHING) for each in modules_and_classes)
    return next((each for each in found if each is not NOTHING), NOTHING)


def is_pythons(value: Any) -> bool:
    """Whether what stands among the builtins is none of the user's functions."""
    return not issubclass(type(value), types.FunctionType) or not is_users(value)


def is_plain(value: Any) -> bool:
    """Whether a value is one of text and numbers, or code."""
    if issubclass(type(value), types.FunctionType | type):
        return True
    try:
        values.encode(value)
    except (TypeError, ValueError):
        return False
    except RuntimeError:
        return True  # another thread has just changed it, or it is nested deeply: whoever looks closer finds out
    return True


def holds(function: types.FunctionType) -> bool:
    """Whether a function has anything beside its code that counts."""
    return bool(function.__closure__ or function.__defaults__ or function.__kwdefaults__ or vars(function))


def is_put_around(layer: Any) -> bool:
    """Whether what is around a function is of a package, and holds nothing that others may have put there."""
    if issubclass(type(layer), types.FunctionType):
        return not is_users(layer) and "registry" not in vars(layer)
    return belongs_to_tool(layer) or is_foreign(layer)


def is_made_by_call(cls: type) -> bool:
    """Whether a class was made by `types.new_class` for nobody in particular, as `make_dataclass` does."""
    return cls.__module__ == "types" and getattr(types, cls.__name__, None) is not cls


def is_foreign(cls: type) -> bool:
    """Whether a class is of Python's library or of a package."""
    if is_made_by_call(cls):
        return False
    owner = sys.modules.get(cls.__module__)
    path = stated(owner, "__file__") if owner is not None else None
    return cls.__module__ != "__main__" and (not isinstance(path, str) or not is_own(os.path.abspath(path)))


def is_definition(module: Module, function: types.FunctionType, node: ast.AST) -> bool:
    """Whether a function was made by a definition of its module."""
    return (
        isinstance(node, DEFINITIONS)
        and source_path(function) == module.path
        and function.__code__.co_qualname == node.name
    )
