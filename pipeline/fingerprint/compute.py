"""From a step's function to its fingerprint, kept for as long as no file it depends on changes."""

from __future__ import annotations

import functools
import gc
import os
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from . import sources
from .functions import layers, source_path
from .model import Fingerprint, Part, Reach, build, digest
from .objects import ObjectFollower
from .project import project_root
from .reach import Traversal
from .resolve import Resolver

# With its path: code objects that read the same are equal whatever file they come from.
_Key = tuple[str, types.CodeType]


@dataclass(frozen=True, slots=True)
class _Known:
    fingerprint: Fingerprint
    files: dict[str, sources.Stamp | None]

    def is_current(self) -> bool:
        return all(sources.stamp(path) == stamp for path, stamp in self.files.items())


_known: dict[_Key, _Known] = {}
_lock = threading.RLock()


def fingerprint(function: Callable[..., Any], *, reach: Reach = "project") -> Fingerprint:
    """The fingerprint of a step's function.

    Args:
        function: The raw function; a step, partial or wrapped function is followed to what it calls.
        reach: `project` counts everything of the user's own that it reaches, `function` only itself,
            `none` only its qualified name.
    """
    if reach == "none":
        name = _qualname(function)
        return build([Part(name, "function", digest(name), None, 0, "")], {}, ())
    with _lock:
        if reach == "project" and isinstance(function, types.FunctionType) and _is_plain(function):
            return _remembered(function)
        with _uncollected():
            return _compute(function, reach)[0]


def _remembered(function: types.FunctionType) -> Fingerprint:
    key = (source_path(function), function.__code__)
    known = _known.get(key)
    if known is not None and known.is_current():
        return known.fingerprint
    with _uncollected():
        result, files = _compute(function, "project")
    if files:
        _known[key] = _Known(result, files)
    return result


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pauses the collector: a syntax tree is many small objects that stay, looking at them costs time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting and not gc.get_freeze_count():
            # There and back leaves everything with the oldest, or it would all be looked at right now.
            gc.freeze()
            gc.unfreeze()
        if collecting:
            gc.enable()


def _compute(function: Any, reach: Reach) -> tuple[Fingerprint, dict[str, sources.Stamp | None]]:
    """The fingerprint, and the files it depends on; none when it also depends on anything else."""
    resolver = Resolver(project_root(_folder(function)))
    traversal = Traversal(resolver)
    follower = ObjectFollower(traversal, only=reach == "function")
    if isinstance(function, types.FunctionType):
        for layer in layers(function):
            follower.function(layer, _qualname(function))
    else:
        follower.value(function, "", _qualname(function))
    if reach == "project":
        traversal.run()
    counted = traversal.packages if reach == "project" else {}
    result = build(traversal.parts.values(), counted, traversal.unfollowed | resolver.broken)
    # A module that was not found may appear without any known file changing.
    found = not any("was not found" in item.what for item in result.unfollowed)
    settled = found and not follower.live and all(map(sources.is_settled, resolver.files.values()))
    return result, resolver.files if settled else {}


def _folder(function: Any) -> str:
    """The folder of the innermost function's file; for a notebook, the current one."""
    while isinstance(function, functools.partial):
        function = function.func
    functions = list(layers(function))
    path = source_path(functions[-1]) if functions else ""
    return os.path.dirname(path) if os.path.isfile(path) else os.getcwd()


def _is_plain(function: types.FunctionType) -> bool:
    """Whether a function says all it does by its file: no closure, nothing wrapped, not nested."""
    nested = function.__closure__ is not None or "<" in function.__code__.co_qualname
    return not nested and not hasattr(function, "__wrapped__")


def _qualname(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    inner = next(iter(layers(function)), function)
    return str(getattr(inner, "__qualname__", None) or type(inner).__qualname__)
