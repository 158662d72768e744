"""Follows code from live objects, for what no file tells: closures, partials, notebooks, `exec`.

Objects are only looked at, never called; attributes are read only where that runs no code of theirs.
"""

from __future__ import annotations

import ast
import functools
import inspect
import os
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

from artvcs.vcs import canonical, values

from . import sources
from .model import Part, Unfollowed, digest
from .module import Module
from .project import Location, is_own
from .reach import Traversal
from .syntax import FunctionNode, Summary, summarise
from .units import Piece, decorators

_TOOL = "artvcs"
Code = types.CodeType


def unwrap(value: Any) -> Iterator[Any]:
    """A callable and what it wraps: a step's function, `__wrapped__`, a bound method's function."""
    seen: set[int] = set()
    while value is not None and id(value) not in seen:
        seen.add(id(value))
        inner = _inner(value)
        if inner is None or isinstance(value, types.FunctionType):
            yield value
        value = inner


def _inner(value: Any) -> Any:
    if isinstance(value, types.MethodType):
        return value.__func__
    if isinstance(value, type | types.ModuleType):
        return None
    if type(value).__module__.partition(".")[0] == _TOOL and callable(getattr(value, "function", None)):
        return value.function
    wrapped = inspect.getattr_static(value, "__wrapped__", None)
    if wrapped is not None and not isinstance(wrapped, types.MemberDescriptorType | property):
        return wrapped
    function = inspect.getattr_static(value, "function", None)
    return function if isinstance(function, types.FunctionType) and not isinstance(value, types.FunctionType) else None


def source_path(function: types.FunctionType) -> str:
    """The file a function was read from; a script's own name may be relative to where it was started."""
    path = function.__code__.co_filename
    if os.path.isabs(path) or path.startswith("<"):
        return path
    stated = function.__globals__.get("__file__")
    if isinstance(stated, str) and os.path.basename(stated) == os.path.basename(path):
        return os.path.abspath(stated)
    return os.path.abspath(path)


class Follower:
    """Adds live objects to a traversal."""

    def __init__(self, traversal: Traversal) -> None:
        self.traversal = traversal
        traversal.fallback = self.fallback
        self._seen: dict[int, Any] = {}

    def fallback(self, module: Module, name: str, rest: str) -> bool:
        """Follows a name that no file binds through the module's namespace."""
        namespace = self.traversal.namespaces.get(module.path)
        if namespace is None or name not in namespace:
            return False
        value = namespace[name]
        if module.path in self.traversal.virtual and name in module.bindings and not _is_telling(value):
            return False
        self.value(value, rest, self.traversal.name(module, name), "constant")
        return True

    def value(self, value: Any, rest: str, where: str, kind: str) -> None:
        """Follows an object that code reaches as `where`."""
        if isinstance(value, types.ModuleType):
            self.module(value, rest, where)
            return
        if isinstance(value, type):
            self.type(value, where)
            return
        try:
            encoded = canonical.dumps(values.encode(value))
        except (TypeError, ValueError, RecursionError):
            self.object(value, where)
            return
        self.traversal.add(Part(where, kind, digest(encoded.decode()), None, 0, _show(value)))

    def module(self, value: types.ModuleType, rest: str, where: str) -> None:
        """Follows attributes of a module object."""
        path = getattr(value, "__file__", None)
        name = value.__name__
        if path is not None and is_own(os.path.abspath(path)) and name.partition(".")[0] != _TOOL:
            folder = os.path.dirname(path) if hasattr(value, "__path__") else None
            location = Location("own", name, os.path.abspath(path), folder)
        elif name.partition(".")[0] in sys.stdlib_module_names:
            location = Location("stdlib", name)
        else:
            location = Location("package", name)
        # The module a name stands for decides what the code does, so it counts as an import does.
        self.traversal.add(Part(where, "import", digest(f"import {name}"), None, 0, f"import {name}"))
        self.traversal.enter(location, rest.split(".") if rest else [], where)

    def type(self, value: type, where: str) -> None:
        """Follows a class by its module's file, or by the cell that defines it."""
        owner = sys.modules.get(value.__module__)
        path = getattr(owner, "__file__", None)
        name = value.__qualname__.partition(".")[0]
        if path is None:
            path = next((m.__code__.co_filename for m in vars(value).values() if inspect.isfunction(m)), None)
            if path is None:
                path = next(iter(_cells_binding(name)), None)
        if value.__module__ == "builtins":
            return
        module = self.open(path, vars(owner) if owner is not None else {}) if path is not None else None
        if module is not None and name in module.bindings:
            self.traversal.follow(module, name)
        elif path is None or is_own(path):
            self.traversal.unfollowed.add(Unfollowed(where, f"class {value.__qualname__}", 0))
        else:
            self.package(value.__module__, where)

    def object(self, value: Any, where: str) -> None:
        """Follows a callable by its function, any other object by its class and what it holds."""
        if id(value) in self._seen:
            return
        self._seen[id(value)] = value
        if isinstance(value, functools.partial):
            self.value(value.func, "", f"{where}.func", "closure")
            for key, argument in (*enumerate(value.args), *value.keywords.items()):
                self.value(argument, "", f"{where}({key})", "closure")
            return
        layers = list(unwrap(value))
        if any(isinstance(layer, types.FunctionType) for layer in layers):
            for layer in layers:
                if isinstance(layer, types.FunctionType):
                    self.function(layer, where)
            return
        module = getattr(value, "__module__", None) if callable(value) else None
        if isinstance(module, str) and not isinstance(sys.modules.get(module), type(None)) and inspect.isroutine(value):
            self.package(module, where)
            return
        self.type(type(value), where)
        held = getattr(value, "__dict__", None)
        if isinstance(held, dict) and is_own(getattr(sys.modules.get(type(value).__module__), "__file__", None) or ""):
            for key, each in sorted(held.items()):
                self.value(each, "", f"{where}.{key}", "closure")
        else:
            what = f"value of type {type(value).__module__}.{type(value).__qualname__}"
            self.traversal.unfollowed.add(Unfollowed(where, what, 0))

    def package(self, module: str, where: str) -> None:
        """Counts an installed package by its version."""
        top = module.partition(".")[0]
        if top not in sys.stdlib_module_names:
            self.traversal.enter(Location("package", top), [], where)

    def open(self, path: str, namespace: Mapping[str, Any]) -> Module | None:
        """The parsed file or cell, None when it is not the user's own or has no text."""
        if os.path.isfile(path):
            if not is_own(os.path.abspath(path)):
                return None
            module = self.traversal.load(os.path.abspath(path))
        else:
            cell = sources.load_cell(path)
            module = cell if isinstance(cell, Module) else None
            if module is not None:
                self.traversal.virtual.add(path)
        if module is not None and namespace:
            self.traversal.namespaces.setdefault(module.path, namespace)
        return module

    # Functions

    def function(self, function: types.FunctionType, where: str | None = None, only: bool = False) -> None:
        """Follows a function; with `only`, nothing that it uses."""
        if id(function) in self._seen and where is None:
            return
        self._seen[id(function)] = function
        path = source_path(function)
        if os.path.isfile(path) and not is_own(path):
            self.package(function.__module__ or "", where or path)
            return
        module = self.open(path, function.__globals__)
        qualname = function.__code__.co_qualname
        if module is None:
            self.bytecode(function, only)
        elif not only and "." not in qualname and any(
            isinstance(binding.node, FunctionNode) for binding in module.bindings.get(qualname, ())
        ):
            # Through the file and not the namespace, which may hold what a decorator made of it.
            self.traversal.take(module, qualname)
        else:
            self.nested(module, function, only)

    def nested(self, module: Module, function: types.FunctionType, only: bool) -> None:
        """Follows a function that is no name of its module: nested, a method, a lambda."""
        node = _find(module, function)
        name = function.__code__.co_qualname
        if node is None:
            self.bytecode(function, only)
            return
        if isinstance(node, ast.Lambda):
            piece = Piece(name, "function", node, summarise([node]))
        else:
            piece = Piece(name, "function", node, summarise([node], bare=node), decorators(node))
        cells = _cells(function)
        free = {**cells, **{f"{key}=": value for key, value in _defaults(function).items()}}
        assert piece.summary is not None
        where = self.traversal.name(module, name)
        uses = piece.summary.refs.union(*(decorator.summary.refs for decorator in piece.decorators))
        self.traversal.add_pieces(module, name, [_without(piece, cells, only)])
        for key, value in sorted(free.items()):
            if only and not _is_telling(value):
                continue
            chains = [ref.partition(".")[2] for ref in uses if ref.partition(".")[0] == key] or [""]
            for rest in chains:
                self.value(value, rest, f"{where}[{key}]", "closure")

    def bytecode(self, function: types.FunctionType, only: bool) -> None:
        """Counts a function without source by its code object."""
        name = f"{function.__module__}::{function.__code__.co_qualname}"
        if function.__module__ == "__main__":
            name = f"<notebook>::{function.__code__.co_qualname}"
        text = repr(_describe(function.__code__))
        self.traversal.add(Part(name, "bytecode", digest(text), None, 0, ""))
        self.traversal.unfollowed.add(Unfollowed(name, "source not available; its bytecode counts", 0))
        if only:
            return
        for key, value in {**_cells(function), **_defaults(function)}.items():
            self.value(value, "", f"{name}[{key}]", "closure")
        for used in sorted(_names(function.__code__)):
            if used in function.__globals__:
                self.value(function.__globals__[used], "", f"{name}.{used}", "constant")


def _is_telling(value: Any) -> bool:
    """Whether an object can be followed by itself, without the statement that made it."""
    if isinstance(value, types.FunctionType | types.ModuleType | type | functools.partial):
        return True
    if any(isinstance(layer, types.FunctionType) for layer in unwrap(value)):
        return True
    try:
        values.encode(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _without(piece: Piece, cells: Mapping[str, Any], only: bool) -> Piece:
    """The piece without the names that its closure answers."""
    summary = piece.summary
    assert summary is not None
    refs = frozenset() if only else frozenset(r for r in summary.refs if r.partition(".")[0] not in cells)
    imports: frozenset[Any] = frozenset() if only else summary.imports
    bare = Summary(summary.digest, refs, imports, summary.writes, summary.dynamic)
    kept = () if only else piece.decorators
    return Piece(piece.qualname, piece.kind, piece.node, bare, kept, piece.conditions)


def _cells(function: types.FunctionType) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not bound yet, as for a function that calls itself while it is being made
            continue
    return found


def _defaults(function: types.FunctionType) -> dict[str, Any]:
    code = function.__code__
    values_ = function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    found = dict(zip(names[len(names) - len(values_) :], values_, strict=True))
    return {**found, **(function.__kwdefaults__ or {})}


def _find(module: Module, function: types.FunctionType) -> FunctionNode | ast.Lambda | None:
    """The node a function was compiled from, by its line and name."""
    code = function.__code__
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, FunctionNode) and node.name == code.co_name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found.append((abs(first - code.co_firstlineno), node))
        elif isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and _covers(node, code):
            found.append((0, node))  # type: ignore[arg-type]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _covers(node: ast.Lambda, code: Code) -> bool:
    body = node.body
    for line, end_line, column, end_column in code.co_positions():
        if None in (line, end_line, column, end_column) or (line == code.co_firstlineno and column == end_column == 0):
            continue
        start, end = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
        if (line, column) < start or (end_line, end_column) > end:
            return False
    return node.lineno == code.co_firstlineno


def _describe(code: Code) -> tuple[object, ...]:
    constants = tuple(
        _describe(each) if isinstance(each, Code) else (type(each).__name__, repr(each))
        for each in code.co_consts
        if not isinstance(each, frozenset)
    )
    sets = tuple(sorted(map(repr, each)) for each in code.co_consts if isinstance(each, frozenset))
    return code.co_code.hex(), code.co_names, code.co_varnames, constants, sets


def _names(code: Code) -> set[str]:
    return set(code.co_names).union(*(_names(each) for each in code.co_consts if isinstance(each, Code)))


def _cells_binding(name: str) -> Iterator[str]:
    import linecache

    for path in reversed(list(linecache.cache)):
        if not os.path.isfile(path):
            cell = sources.load_cell(path)
            if isinstance(cell, Module) and name in cell.bindings:
                yield path


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 1000 else text[:1000] + "..."
