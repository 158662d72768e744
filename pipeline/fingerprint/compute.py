"""From a step's function to its fingerprint, kept for as long as no file it depends on changes."""

from __future__ import annotations

import functools
import gc
import os
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from .followed import Followed, Whole, lock
from .live.functions import layers, source_path
from .live.objects import ObjectFollower, follow_callable
from .model import Fingerprint, Part, Reach, build, digest
from .project import sources
from .project.locate import project_root
from .project.resolve import Resolver
from .reach import afterwards
from .reach.identity import Identity, plainly
from .reach.traversal import Traversal

# With its path: code objects that read the same are equal whatever file they come from.
_Key = tuple[str, types.CodeType, tuple[Any, ...]]


_known: dict[_Key, Followed] = {}
_frozen = False


def fingerprint(function: Callable[..., Any], *, reach: Reach = "project") -> Fingerprint:
    """The fingerprint of a step's function; see `follow`."""
    return follow(function, reach=reach).fingerprint


def follow(function: Callable[..., Any], *, reach: Reach = "project", also: tuple[Any, ...] = ()) -> Followed:
    """Follows the code of a step's function.

    Args:
        function: The raw function; a step, partial or wrapped function is followed to what it calls.
        reach: `project` counts everything of the user's own that it reaches, `function` only itself,
            `none` only its qualified name.
        also: Classes and functions whose code counts, too.
    """
    if reach == "none":
        name = _qualname(function)
        part = Part(name, "function", digest(name), None, 0, "")
        named = build(plainly([part], {}), [part], {}, (), ())
        return Followed(named, {}, True, function, None)
    with lock:
        if reach == "project" and isinstance(function, types.FunctionType) and _is_plain(function):
            return _remembered(function, also)
        with _uncollected():
            return _follow(function, reach, also)


def _remembered(function: types.FunctionType, also: tuple[Any, ...]) -> Followed:
    key = (source_path(function), function.__code__, also)
    known = _known.get(key)
    if known is not None and known.is_current():
        # Code that reads the same may belong to two modules, each with values of its own.
        return known if known.function is function else replace(known, function=function)
    with _uncollected():
        result = _follow(function, "project", also)
    if result.settled:
        _known[key] = result
    return result


def _is_frozen() -> bool:
    """Whether somebody has taken objects out of what the collector looks at. To count them takes a while."""
    global _frozen
    _frozen = _frozen or bool(gc.get_freeze_count())
    return _frozen


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pauses the collector: a syntax tree is many small objects that stay, looking at them costs time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting and not _is_frozen():
            # There and back leaves everything with the oldest, or it would all be looked at right now.
            gc.freeze()
            gc.unfreeze()
        if collecting:
            gc.enable()


def _follow(function: Any, reach: Reach, also: tuple[Any, ...]) -> Followed:
    resolver = Resolver(project_root(_folder(function)))
    traversal = Traversal(resolver)
    follower = ObjectFollower(traversal, only=reach == "function")
    follow_callable(follower, function, _qualname(function))
    for code in also:
        follower.refer(code)
    if sys.flags.optimize:
        level = str(sys.flags.optimize)  # Python leaves out assertions then, and docstrings
        traversal.add(Part("<python>::optimize", "constant", digest(level), None, 0, level))
    identity = None
    if reach == "project":
        traversal.run()
        afterwards.finish(traversal)
        identity = Identity(traversal)
        id_ = identity.id
    else:
        traversal.strict = True
        afterwards.add_local_names(traversal)
        id_ = plainly(traversal.parts.values(), {})
    counted = traversal.packages if reach == "project" else {}
    unfollowed = traversal.unfollowed | resolver.broken
    result = build(id_, traversal.parts.values(), counted, unfollowed, traversal.unhashable)
    # A module that was not found may appear without any known file changing.
    found = not any("was not found" in item.what for item in result.unfollowed)
    settled = found and not follower.live and all(map(sources.is_settled, resolver.files.values()))
    whole = None if identity is None else Whole(traversal, identity)
    return Followed(result, resolver.files, settled, function, whole)


def _folder(function: Any) -> str:
    """The folder of the innermost function's file; for a notebook, the current one."""
    while isinstance(function, functools.partial):
        function = function.func
    functions = list(layers(function))
    path = source_path(functions[-1]) if functions else ""
    return os.path.dirname(path) if os.path.isfile(path) else os.getcwd()


def _is_plain(function: types.FunctionType) -> bool:
    """Whether a function says all it does by its file: no closure, nothing wrapped, not nested."""
    nested = (
        function.__closure__ is not None
        or bool(function.__defaults__ or function.__kwdefaults__)
        or "<" in function.__code__.co_qualname
    )
    return not nested and not hasattr(function, "__wrapped__")


def _qualname(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    inner = next(iter(layers(function)), function)
    return str(getattr(inner, "__qualname__", None) or type(inner).__qualname__)
