"""Messages between the processes of a run, spelt as bytes: errors come with their tracebacks, and code by its name."""

from __future__ import annotations

import io
import pickle
import sys
import threading
import types
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from importlib import import_module
from pathlib import PurePath
from typing import Any, Protocol

import cloudpickle

from ...define.step import Step
from ...fingerprint import own_file, stated
from . import errors


class Known(Protocol):
    """What both ends have: it does not travel, but goes by a name.

    Attributes:
        is_code: Whether all of it are functions, classes and steps, so that nobody has to ask about anything else.
    """

    is_code: bool

    def name(self, obj: object) -> Any:
        """What an object is called at the other end; None of one that is not known there."""

    def find(self, name: Any) -> object:
        """The object that is called so."""

    def home(self, function: types.FunctionType) -> str | None:
        """The module in whose namespace a function that has no name is made anew; None of one that travels whole."""


class Inherited:
    """Objects that both ends have, since one was forked from the other. See `Known`.

    Args:
        objects: The objects.
    """

    is_code = False

    def __init__(self, objects: Iterable[object]) -> None:
        self._objects = {id(each): each for each in objects}

    def name(self, obj: object) -> int | None:
        """See `Known.name`."""
        return id(obj) if id(obj) in self._objects else None

    def find(self, name: int) -> object:
        """See `Known.find`."""
        return self._objects[name]

    def home(self, _: types.FunctionType) -> None:
        """See `Known.home`."""


class Defined:
    """Functions, classes and steps that files of the user's define, which both ends load. See `Known`.

    Args:
        programs: Modules of which the other end loads only what they define → the names that this is.
    """

    is_code = True

    def __init__(self, programs: Mapping[str, AbstractSet[str]] | None = None) -> None:
        self._programs = programs or {}

    def name(self, obj: object) -> tuple[str, str, bool] | None:
        """See `Known.name`: the module, the name in it, and whether it is the function of the step of that name."""
        if not isinstance(obj, (types.FunctionType, type, Step)):
            return None
        module, qualname = getattr(obj, "__module__", None), getattr(obj, "__qualname__", None)
        if not isinstance(module, str) or not isinstance(qualname, str) or "<" in qualname:
            return None
        if own_file(sys.modules.get(module)) is None:
            return None
        if (defined := self._programs.get(module)) is not None and qualname.partition(".")[0] not in defined:
            return None
        found = _found(sys.modules[module], qualname)
        if found is obj:
            return module, qualname, False
        return (module, qualname, True) if isinstance(found, Step) and found.function is obj else None

    def find(self, name: tuple[str, str, bool]) -> object:
        """See `Known.find`. Raises AttributeError where a file does not define it."""
        module, qualname, is_function = name
        found = _found(import_module(module), qualname)
        if found is None:
            raise AttributeError(f"module {module!r} does not define {qualname!r} as it is loaded here")
        return found.function if is_function and isinstance(found, Step) else found

    def home(self, function: types.FunctionType) -> str | None:
        """See `Known.home`."""
        module = sys.modules.get(function.__module__ or "")
        if module is None or function.__globals__ is not vars(module):
            return None
        is_typed = function.__module__ == "__main__" and stated(module, "__file__") is None  # as in a notebook
        return function.__module__ if is_typed or own_file(module) is not None else None


class Placed(Defined):
    """As `Defined`, with paths of files that lie elsewhere at the other end. See `Known`.

    Args:
        programs: See `Defined`.
        away: Says where a path is in what was sent, if it is: which folder, and where in it.
        back: Says where that is here.
    """

    is_code = False

    def __init__(
        self,
        programs: Mapping[str, AbstractSet[str]],
        away: Callable[[str], tuple[int, str] | None],
        back: Callable[[int, str], str],
    ) -> None:
        super().__init__(programs)
        self._away = away
        self._back = back

    def name(self, obj: object) -> Any:
        """See `Known.name`."""
        if type(obj) is str and (found := self._away(obj)) is not None:
            return _PATH, *found
        if isinstance(obj, PurePath) and (found := self._away(str(obj))) is not None:
            return type(obj), *found
        return super().name(obj)

    def find(self, name: Any) -> object:
        """See `Known.find`."""
        kind, *rest = name
        if kind == _PATH:
            return self._back(*rest)
        return kind(self._back(*rest)) if isinstance(kind, type) else super().find(name)


_PATH = "a path"


def _found(module: Any, qualname: str) -> Any:
    found = module
    for name in qualname.split("."):
        found = getattr(found, name, None)
    return found


def spell(message: object, known: Known) -> bytes:
    """A message as it is sent. Raises whatever the code of what cannot be sent raises."""
    with io.BytesIO() as buffer:
        (_Pickler if known.is_code else _Naming)(buffer, known).dump(message)
        return buffer.getvalue()


def read(data: bytes, known: Known) -> Any:
    """The message that was spelt so. Raises whatever its code raises."""
    before, _reading.known = getattr(_reading, "known", known), known
    try:
        return pickle.loads(data) if known.is_code else _Unpickler(io.BytesIO(data), known).load()
    finally:
        _reading.known = before


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Asks about code alone whether the other end knows it: this is not called for numbers, texts and lists."""

    def __init__(self, file: io.BytesIO, known: Known) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._known = known

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, (types.FunctionType, type, Step)):
            if isinstance(obj, type) and obj.__module__.startswith(_OURS):
                return NotImplemented  # as nearly all are that come here
            if (name := self._known.name(obj)) is not None:
                return _known_there, (name,)
            if type(obj) is types.FunctionType and (home := self._known.home(obj)) is not None:
                return _reduced_function(obj, home)
            return super().reducer_override(obj)
        if isinstance(obj, BaseException):
            return errors.reduced(obj)
        if isinstance(obj, types.TracebackType):
            return errors.reduced_traceback(obj)
        return NotImplemented  # as cloudpickle has it


class _Naming(_Pickler):
    """Asks about everything whether the other end knows it."""

    def persistent_id(self, obj: Any) -> Any:
        return self._known.name(obj)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, known: Known) -> None:
        super().__init__(file)
        self._known = known

    def persistent_load(self, pid: Any) -> Any:
        return self._known.find(pid)


class _Reading(threading.local):
    """What a thread is reading.

    Attributes:
        known: What it and who has spelt it both have.
    """

    known: Known


_reading = _Reading()


def _known_there(name: Any) -> object:
    """What goes by a name, where it is read."""
    return _reading.known.find(name)


_OURS = f"{__name__.partition('.')[0]}."


def _reduced_function(function: types.FunctionType, home: str) -> tuple[Any, ...]:
    """How a function is made anew in its module, with what it closes over. See `object.__reduce__`."""
    cells = function.__closure__ or ()
    state = {
        "cells": [_content(cell) for cell in cells],
        "set": {name: getattr(function, name) for name in _SET},
        "dict": dict(function.__dict__),
    }
    return _made, (home, function.__code__, function.__code__.co_filename, len(cells)), state, None, None, _fill


_SET = ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__", "__kwdefaults__", "__annotations__")


def _made(home: str, code: types.CodeType, path: str, cells: int) -> types.FunctionType:
    module = import_module(home)
    there = stated(module, "__file__")
    closure = tuple(types.CellType() for _ in range(cells))
    # cloudpickle gives code of a notebook's cells another name, by which nobody finds their text.
    placed = _placed(code, {path, code.co_filename}, there if isinstance(there, str) else path)
    return types.FunctionType(placed, vars(module), code.co_name, None, closure)


def _placed(code: types.CodeType, paths: AbstractSet[str], there: str) -> types.CodeType:
    """Code of a file that lies elsewhere here, with all code in it."""
    constants = tuple(
        _placed(each, paths, there) if isinstance(each, types.CodeType) and each.co_filename in paths else each
        for each in code.co_consts
    )
    return code.replace(co_filename=there, co_consts=constants)


def _fill(function: types.FunctionType, state: dict[str, Any]) -> None:
    for cell, content in zip(function.__closure__ or (), state["cells"], strict=True):
        if content:
            cell.cell_contents = content[0]
    for name, value in state["set"].items():
        setattr(function, name, value)
    function.__dict__.update(state["dict"])


def _content(cell: types.CellType) -> tuple[Any, ...]:
    """What a cell holds; nothing where that is not there yet."""
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()
