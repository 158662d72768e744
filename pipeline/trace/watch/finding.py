"""Functions that tell whether a module or a distribution is there, or load what one offers; they note which."""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from ..recording import Recording
from . import frames
from .noticing import note


@functools.cache
def _finding(function: Callable[..., Any]) -> Callable[..., Any]:
    """`importlib.util.find_spec`, which also notes where a module was looked for."""

    @functools.wraps(function)
    def watched(name: str, package: str | None = None) -> Any:
        def take(recording: Recording) -> None:
            if frames.asks_own_code() and not name.startswith("."):
                note_places(recording, name.partition(".")[0], sys.path)
                recording.packages.add(name.partition(".")[0])
                if found is None and "." not in name:
                    recording.missing.add(name)

        found = function(name, package)
        note(take)
        return found

    return watched


def looked_in_vain(recording: Recording, error: BaseException) -> None:
    """An execution failed: if that is because a module was not found, notes where it may appear."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        note_places(recording, error.name.partition(".")[0], sys.path)


def note_places(recording: Recording, top: str, folders: list[str]) -> None:
    """Notes where a module of the user's may appear: in folders that are searched for modules."""
    for folder in folders:
        for name in (f"{top}.py", os.path.join(top, "__init__.py")):
            recording.files.probe(os.path.join(folder or ".", name), "kind", direct=False)


@functools.cache
def _naming(function: Any, owner: type) -> Any:
    """`importlib.metadata.Distribution.from_name`, which also notes what is asked for, and what is not installed."""

    def watched(cls: type, name: str) -> Any:
        try:
            found = function.__get__(None, cls)(name)
        except ModuleNotFoundError:
            note(lambda recording: recording.missing.add(name) if frames.asks_own_code() else None)
            raise
        note(lambda recording: None if frames.asks_artvcs() else recording.packages.add(name))
        return found

    watched.__wrapped__ = function  # type: ignore[attr-defined]  # a class method says of itself what it wraps
    return types.MethodType(watched, owner)


@functools.cache
def _offering(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`importlib.metadata.EntryPoint.load`, which also notes whose entry point is loaded."""

    @functools.wraps(function)
    def watched(self: Any) -> Any:
        note(lambda recording: recording.packages.add(str(self.value).partition(":")[0].partition(".")[0]))
        return function(self)

    return watched


def watching() -> Iterator[tuple[Any, str, Any]]:
    """The functions that are there now, each with where it is and what is put in its place."""
    yield importlib.util, "find_spec", _finding(importlib.util.find_spec)
    for name in ("importlib.metadata", "importlib_metadata"):
        metadata = sys.modules.get(name)
        cls = getattr(metadata, "Distribution", None)  # another thread may be importing it
        if metadata is not None and cls is not None and hasattr(metadata, "EntryPoint"):
            yield cls, "from_name", _naming(vars(cls)["from_name"], cls)
            yield metadata.EntryPoint, "load", _offering(metadata.EntryPoint.load)
