"""From a step's function to its fingerprint, kept for as long as no file it depends on changes."""

from __future__ import annotations

import functools
import os
import threading
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import sources
from .model import Fingerprint, Part, Reach, build, digest
from .project import project_root
from .reach import Traversal
from .runtime import Follower, source_path, unwrap


@dataclass(frozen=True, slots=True)
class _Known:
    fingerprint: Fingerprint
    files: dict[str, sources.Stamp | None]

    def is_current(self) -> bool:
        return all(sources.stamp(path) == stamp for path, stamp in self.files.items())


_known: dict[types.CodeType, _Known] = {}
_lock = threading.RLock()


def fingerprint(function: Callable[..., Any], *, reach: Reach = "project") -> Fingerprint:
    """The fingerprint of a step's function.

    Args:
        function: The raw function; a step, partial or wrapped function is followed to what it calls.
        reach: `project` counts everything of the user's own that it reaches, `function` only itself,
            `none` only its qualified name.
    """
    if reach == "none":
        return _by_name(function)
    with _lock:
        if reach == "project" and isinstance(function, types.FunctionType) and _is_plain(function):
            return _remembered(function)
        return _compute(function, reach)[0]


def _remembered(function: types.FunctionType) -> Fingerprint:
    known = _known.get(function.__code__)
    if known is not None and known.is_current():
        return known.fingerprint
    result, files = _compute(function, "project")
    if files:
        _known[function.__code__] = _Known(result, files)
    return result


def _compute(function: Any, reach: Reach) -> tuple[Fingerprint, dict[str, sources.Stamp | None]]:
    layers = [layer for layer in unwrap(function) if isinstance(layer, types.FunctionType)]
    path = source_path(layers[-1]) if layers else ""
    folder = os.path.dirname(path) if os.path.isfile(path) else os.getcwd()
    traversal = Traversal(project_root(folder))
    follower = Follower(traversal)
    if isinstance(function, functools.partial) or not layers:
        follower.value(function, "", _qualname(function), "closure")
    for layer in layers:
        follower.function(layer, only=reach == "function")
    if reach == "project":
        traversal.run()
    packages = traversal.packages if reach == "project" else {}
    result = build(traversal.parts.values(), packages, traversal.unfollowed)
    # What was not found may appear without any known file changing; cells have no stamp.
    settled = not traversal.virtual and not any("was not found" in item.what for item in result.unfollowed)
    return result, traversal.files if settled else {}


def _is_plain(function: types.FunctionType) -> bool:
    """Whether a function says all it does by its file: no closure, nothing wrapped, not nested."""
    return (
        function.__closure__ is None
        and "<" not in function.__code__.co_qualname
        and not hasattr(function, "__wrapped__")
        and os.path.isfile(source_path(function))
    )


def _qualname(function: Any) -> str:
    inner = next(iter(unwrap(function)), function)
    return str(getattr(inner, "__qualname__", None) or type(inner).__qualname__)


def _by_name(function: Any) -> Fingerprint:
    name = _qualname(function)
    return build([Part(name, "function", digest(name), None, 0, "")], {}, ())
