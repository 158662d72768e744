"""Modules of libraries while they are loaded: what these draw then from the common sources is no result's.

rich makes up ids of links as it is imported, with numbers of `random`. Nobody has called it for anything yet, so that
nothing of what a step computes comes of them. That a module begins to be loaded Python tells, that it is loaded not.
"""

from __future__ import annotations

import functools
import threading
from _frozen_importlib_external import _LoaderBasics
from collections.abc import Callable, Iterator
from typing import Any

from ...fingerprint import stated
from ..chance import looks
from ..recording import Recording
from . import frames
from .noticing import note

_local = threading.local()


def _loading(function: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """The method of Python's loaders that runs a module's code."""

    def watched(self: Any, module: Any) -> None:
        outermost = not getattr(_local, "loads", False) and _is_of_library(module)
        ended = _begin() if outermost else []
        _local.loads = outermost or getattr(_local, "loads", False)
        try:
            function(self, module)
        finally:
            if outermost:
                _local.loads = False
                for each in ended:
                    each()

    # Warnings and tracebacks pass over the frames of the import system: this one is to be one of them.
    watched.__code__ = watched.__code__.replace(co_filename=function.__code__.co_filename)
    return functools.wraps(function)(watched)


def _is_of_library(module: Any) -> bool:
    path = stated(module, "__file__")
    return isinstance(path, str) and not frames.is_user_code(path)


def _begin() -> list[Callable[[], None]]:
    """A module of a library is about to be loaded; what is to be called when it is, for each recording."""
    ended = list[Callable[[], None]]()

    def take(recording: Recording) -> None:
        before, others = looks(), frames.others_are_at_work()
        entered = _entered(recording)

        def loaded(recording: Recording) -> None:
            # What of the user's own runs meanwhile, as a plugin or in a thread, may have drawn as well.
            if not others and entered == _entered(recording) and not frames.others_are_at_work():
                recording.chance.loaded(before)

        ended.append(lambda: note(loaded))

    note(take)
    return ended


def _entered(recording: Recording) -> tuple[int, int]:
    """How much of the user's own code has been run, as far as Python tells: modules, and since 3.12 functions.

    Libraries make functions from texts as they are imported, as for dataclasses: these are nobody's own.
    """
    return len(recording.modules), sum(not code.co_filename.startswith("<string") for code in list(recording.entered))


def watching() -> Iterator[tuple[Any, str, Any]]:
    """The method that is there now, with where it is and what is put in its place."""
    yield _LoaderBasics, "exec_module", _watched


_watched = _loading(_LoaderBasics.exec_module)
