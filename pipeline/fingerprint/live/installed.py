"""What the user has changed in modules and classes that are not theirs, looked for without looking at all of it again.

There are thousands of loaded modules and hundreds of members in a class of a package; nearly always nothing of them
has changed since they were last looked at. What other threads may change meanwhile is copied before it is gone through:
a dictionary is copied at once, where a list of its `items()` is not, for objects may be collected in between.
"""

from __future__ import annotations

import functools
import operator
import os
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..project.locate import is_own
from .functions import source_path

_loaded: list[Any] = []
"""All modules, as they were loaded when they were last looked at; and of these the user's, by file."""
_own: dict[str, Mapping[str, Any]] = {}

_own_files: dict[str, str | None] = {}
"""What modules say of their files → the file if it is one of the user's; relative names stay what they were first."""


class _Known(NamedTuple):
    """A class of a package as it was when it was last looked at."""

    members: list[Any]
    functions: list[types.FunctionType]
    codes: list[types.CodeType]
    changed: dict[str, Any]

    def holds(self, members: list[Any]) -> bool:
        """Whether these still are its members, and the functions among them have the code that they had."""
        return (
            len(members) == len(self.members)
            and all(map(operator.is_, members, self.members))
            and all(map(operator.is_, map(_CODE, self.functions), self.codes))
        )


_CODE = operator.attrgetter("__code__")
_known_classes: dict[type, _Known] = {}


def own_namespaces() -> dict[str, Mapping[str, Any]]:
    """The namespaces of the user's loaded modules by file; what is run as a script comes after what is imported."""
    global _loaded
    # Compared as a whole, and not by `id`: that is an audit event, of which thousands are felt.
    now = sys.modules.copy()
    modules = list(now.values())
    if len(modules) != len(_loaded) or not all(map(operator.is_, modules, _loaded)):
        found = _look_through(now)
        _own.clear()
        _own.update(found)
        _loaded = modules
    return dict(_own)


def own_modules() -> dict[str, str]:
    """The user's loaded modules by name, in the order in which their loading began → their files."""
    return {name: path for name, path, _ in _own_among(sys.modules.copy())}


def _own_among(loaded: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The user's modules among some by name: each with its file, and its namespace."""
    for name, module in loaded.items():
        if (path := own_file(module)) is not None:
            yield name, path, vars(module)


def own_file(module: object) -> str | None:
    """The file of a loaded module, if it is one of the user's."""
    said = vars(module).get("__file__") if isinstance(module, types.ModuleType) else None
    if not isinstance(said, str):
        return None
    if said not in _own_files:
        _own_files[said] = _own_file(said)
    return _own_files[said]


def _look_through(loaded: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    main: tuple[str, Mapping[str, Any]] | None = None
    found: dict[str, Mapping[str, Any]] = {}
    for name, path, namespace in _own_among(loaded):
        if name == "__main__":
            main = path, namespace
        else:
            found[path] = namespace
    if main is not None:
        found.setdefault(*main)
    return found


def _own_file(said: str) -> str | None:
    """The file that a module says it is of, if that is one of the user's."""
    path = os.path.abspath(said)
    return path if said.endswith(".py") and is_own(path) else None


def changed_members(cls: type) -> Mapping[str, Any]:
    """The members of a package's class that the user has put there."""
    members, known = list(vars(cls).values()), _known_classes.get(cls)
    if known is None or not known.holds(members):
        held = vars(cls).copy()
        members = list(held.values())
        functions = [member for member in members if type(member) is types.FunctionType]
        changed = {key: member for key, member in held.items() if _is_changed(member)}
        known = _known_classes[cls] = _Known(members, functions, list(map(_CODE, functions)), changed)
    return known.changed


def is_users(function: types.FunctionType) -> bool:
    """Whether a function was read from one of the user's files."""
    path = function.__code__.co_filename
    return is_own(path) if os.path.isabs(path) else is_own(source_path(function))


def functions_of(member: Any) -> Iterator[types.FunctionType]:
    """The functions that a member of a class calls."""
    if issubclass(type(member), types.FunctionType):
        yield member
    elif issubclass(type(member), staticmethod | classmethod):
        yield from functions_of(member.__func__)
    elif issubclass(type(member), property):
        for accessor in (member.fget, member.fset, member.fdel):
            yield from functions_of(accessor)
    elif issubclass(type(member), functools.cached_property):
        yield from functions_of(member.func)


def _is_changed(member: Any) -> bool:
    return is_users(member) if type(member) is types.FunctionType else any(map(is_users, functions_of(member)))
