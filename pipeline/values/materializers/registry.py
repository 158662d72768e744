"""Finds the materializer of a value, of a type, or by the name that an artifact recorded.

Built-ins are known by the names of types, so that pandas is imported only when a DataFrame is met. The
most derived type that anything handles decides; on the same type a user's materializer comes before a
built-in one, and a later registration before an earlier one. What nothing handles is pickled.
"""

from __future__ import annotations

import importlib
from typing import Any

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.trust import Trust

from . import table
from .base import Materializer, declared
from .typenames import NO_TRUST, import_class, require_installed, type_name

_by_name = {entry.name: entry for entry in table.BUILTINS}
_by_type: dict[str, list[table.Builtin]] = {}
for _entry in table.BUILTINS:
    for _name in _entry.types:
        _by_type.setdefault(_name, []).append(_entry)


class _Users:
    """What users declared, brought up to date when a class has been declared since."""

    def __init__(self) -> None:
        self.seen = 0
        self.by_type: dict[type, list[type[Materializer]]] = {}
        self.by_name: dict[str, type[Materializer]] = {}
        self.found: dict[type, tuple[type[Materializer], ...]] = {}

    def update(self) -> _Users:
        if len(declared) != self.seen:
            for cls in declared[self.seen :]:
                self._add(cls)
            self.seen = len(declared)
            self.found.clear()
        return self

    def _add(self, cls: type[Materializer]) -> None:
        if is_builtin(cls):
            return  # they are in the table; importing one late must not put it before a user's
        self.by_name[cls.NAME] = cls
        for associated in cls.ASSOCIATED_TYPES:
            self.by_type.setdefault(associated, []).insert(0, cls)


_users = _Users()


def register(cls: type[Materializer]) -> None:
    """Puts `cls` before all others for its ASSOCIATED_TYPES; declaring a class has the same effect."""
    declared.append(cls)


def is_registered(cls: type) -> bool:
    """Whether a user's materializer was declared for exactly this type."""
    return cls in _users.update().by_type


def is_builtin(cls: type[Materializer]) -> bool:
    """Whether a materializer is one of this package's own."""
    return cls.__module__.startswith(f"{__package__}.")


def find_for_value(value: Any) -> type[Materializer]:
    """The materializer that keeps `value` exactly; pickle if no other does."""
    for candidate in _for_type(type(value)):
        if candidate.accepts(value):
            return candidate
    return load_builtin(table.FALLBACK)


def find_builtin(value: Any) -> type[Materializer]:
    """The built-in materializer that keeps `value` exactly, whatever users have declared; pickle if no other does."""
    for candidate in _for_type(type(value)):
        if is_builtin(candidate) and candidate.accepts(value):
            return candidate
    return load_builtin(table.FALLBACK)


def find_for_type(annotation_type: type) -> type[Materializer] | None:
    """The materializer that values of a type get in the normal case, or None if they are pickled."""
    found = _for_type(annotation_type)
    return found[0] if found else None


def by_name(name: str, trust: Trust = NO_TRUST) -> type[Materializer]:
    """The materializer that an artifact recorded; `trust` in the artifact allows to import its module.

    Raises:
        MaterializerError: There is none of that name here.
        UntrustedData: Its module is not imported yet, and there is no trust.
    """
    if name in _by_name:
        for library in {type_.partition(".")[0] for type_ in _by_name[name].types}:
            require_installed(library, trust)
        return _installed_builtin(_by_name[name])
    user = _users.update().by_name.get(name)
    if user is not None:
        return user
    try:
        found = import_class(name, trust)
    except MaterializerError:
        found = object
    if not issubclass(found, Materializer):
        raise MaterializerError(
            f"The materializer {name} is not here; install or upgrade what provides it, or run where its module "
            "can be imported."
        )
    return found


def load_builtin(entry: table.Builtin) -> type[Materializer]:
    """Imports the module of a built-in materializer and returns the class."""
    module = importlib.import_module(f".{entry.module}", __package__)
    found: type[Materializer] = getattr(module, entry.cls)
    return found


def _for_type(cls: type) -> tuple[type[Materializer], ...]:
    found = _users.update().found
    if cls not in found:
        found[cls] = tuple(_look_up(cls))
    return found[cls]


def _look_up(cls: type) -> list[type[Materializer]]:
    found: list[type[Materializer]] = []
    for base in cls.__mro__:
        if base is object and _is_record(cls):
            found.append(load_builtin(table.RECORD))
        found.extend(_users.by_type.get(base, ()))
        found.extend(
            each
            for entry in _builtins_for(base)
            if (base is cls or entry.subclasses) and (each := _load_if_installed(entry, cls))
        )
    return found


def _installed_builtin(entry: table.Builtin) -> type[Materializer]:
    try:
        return load_builtin(entry)
    except ImportError as error:
        raise MaterializerError(f"{entry.name} cannot be used here ({error}); {_how_to_install(entry)}.") from error


def lacking(value: Any) -> list[str]:
    """The types inside a value because of which no materializer of its own type keeps it."""
    return sorted({name for candidate in _for_type(type(value)) for name in candidate.lacking(value)})


def how_to_keep(cls: type) -> str:
    """What to do for values of a type that are stored as pickles."""
    missing = _missing.get(cls)
    return f"{_how_to_install(missing)} to" if missing is not None else "write a Materializer for it to"


_missing: dict[type, table.Builtin] = {}
"""Types whose materializer cannot be loaded here → that one."""


def _load_if_installed(entry: table.Builtin, cls: type) -> type[Materializer] | None:
    """The materializer, unless what it needs beside the library of its types is missing."""
    try:
        return load_builtin(entry)
    except ImportError:
        _missing[cls] = entry
        return None


def _how_to_install(entry: table.Builtin) -> str:
    return f"install artvcs[{entry.extra}]" if entry.extra else "install it"


def _builtins_for(cls: type) -> list[table.Builtin]:
    # Under its public name, or where it was declared if another package shows it as its own.
    return _by_type.get(type_name(cls)) or _by_type.get(f"{cls.__module__}.{cls.__qualname__}", [])


def _is_record(cls: type) -> bool:
    return hasattr(cls, "__dataclass_fields__") or (issubclass(cls, tuple) and hasattr(cls, "_fields"))
