"""Follows live objects, for what no file tells: closures, partials, notebooks, `exec`."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import os
import sys
import types
from collections.abc import Mapping
from typing import Any

from artvcs.vcs import canonical, values

from . import sources
from .functions import cells, defaults, describe_code, find_node, global_names, layers, source_path
from .model import Part, Unfollowed, digest
from .module import Module
from .nodes import FunctionNode
from .project import TOOL, Location, is_own
from .reach import Traversal
from .syntax import Summary, summarise
from .units import Piece, decorators

# Modules whose values are told apart by their repr.
_PRINTED = frozenset({"datetime", "decimal", "fractions", "pathlib", "re", "uuid", "zoneinfo"})
_PRINTED_TYPES = (complex, range, slice, types.EllipsisType, types.NotImplementedType)
_CONTAINERS = (list, tuple, dict, set, frozenset)
_SHOWN = 1000


class ObjectFollower:
    """Adds live objects to a traversal.

    Attributes:
        only: Whether functions count by themselves alone, without what they use.
        live: Whether anything was taken from the state of the process rather than from files.
    """

    def __init__(self, traversal: Traversal, *, only: bool = False) -> None:
        self.traversal = traversal
        self.only = only
        self.live = False
        traversal.fallback = self.fallback
        self._seen: dict[int, Any] = {}

    def fallback(self, module: Module, name: str, rest: str) -> bool:
        """Follows a name through its module's namespace, when it has one and holds the name."""
        resolver = self.traversal.resolver
        namespace = resolver.namespaces.get(module.path)
        if namespace is None or name not in namespace:
            return False
        value = namespace[name]
        if module.path in resolver.virtual and name in module.bindings and not _is_telling(value):
            return False  # the statement in the cell says more than the object
        self.live = True
        self.value(value, rest, self.traversal.name(module, name), "constant")
        return True

    def value(self, value: Any, rest: str, where: str, kind: str = "closure") -> None:
        """Follows an object, and the attributes `rest` that code reads from it.

        Args:
            value: The object.
            rest: Dotted attributes, empty for the object itself.
            where: The name for the part that stands for it.
            kind: The kind of that part.
        """
        if isinstance(value, types.ModuleType):
            self._module(value, rest, where)
        elif isinstance(value, type):
            self._class(value, where)
        elif _is_printed(value):
            self._add(where, kind, f"{type(value).__qualname__} {value!r}", repr(value))
        else:
            try:
                encoded = canonical.dumps(values.encode(value)).decode()
            except (TypeError, ValueError, RecursionError):
                self._object(value, where, kind)
            else:
                self._add(where, kind, encoded, repr(value))

    def _add(self, where: str, kind: str, text: str, shown: str) -> None:
        shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."
        self.traversal.add(Part(where, kind, digest(text), None, 0, shown))

    def _unfollowed(self, where: str, what: str) -> None:
        self.traversal.unfollowed.add(Unfollowed(where, what, 0))

    def _module(self, module: types.ModuleType, rest: str, where: str) -> None:
        name = module.__name__
        # Which module a name stands for decides what the code does, so it counts as an import does.
        self._add(where, "import", f"import {name}", f"import {name}")
        path = os.path.abspath(getattr(module, "__file__", None) or "")
        if name.partition(".")[0] in sys.stdlib_module_names or self.only:
            return
        if getattr(module, "__file__", None) and is_own(path) and path.endswith(".py"):
            location = Location("own", name, path, os.path.dirname(path) if hasattr(module, "__path__") else None)
        else:
            location = Location("package", name)
        self.traversal.enter(location, rest.split(".") if rest else [], where)

    def _class(self, value: type, where: str) -> None:
        """Follows a class through the file or the cell that defines it."""
        if value.__module__ in sys.stdlib_module_names:
            self._add(where, "import", f"{value.__module__}.{value.__qualname__}", value.__qualname__)
            return
        name = value.__qualname__.partition(".")[0]
        owner = sys.modules.get(value.__module__)
        path = getattr(owner, "__file__", None) or _cell_binding(name)
        if path is not None and os.path.isfile(path) and not is_own(os.path.abspath(path)):
            self._package(value.__module__, where)
            return
        module = self.open(path, vars(owner) if owner is not None else {}) if path is not None else None
        if module is None or name not in module.bindings:
            self._unfollowed(where, f"class {value.__qualname__}")
        else:
            self._add(where, "import", f"class {value.__qualname__}", value.__qualname__)
            self.traversal.take(module, name)

    def _object(self, value: Any, where: str, kind: str) -> None:
        """Follows a callable by its function, any other object by its class and what it holds."""
        if id(value) in self._seen:
            return
        self._seen[id(value)] = value
        functions = list(layers(value))
        if isinstance(value, functools.partial):
            self.value(value.func, "", f"{where}.func", kind)
            for key, argument in (*enumerate(value.args), *sorted(value.keywords.items())):
                self.value(argument, "", f"{where}({key})", kind)
        elif functions:
            for function in functions:
                self.function(function, where)
        elif isinstance(value, _CONTAINERS):
            self._container(value, where, kind)
        elif inspect.isroutine(value) or type(value).__name__ == "ufunc":
            self._add(where, "import", f"{getattr(value, '__qualname__', value.__name__)}", value.__name__)
            self._package(str(getattr(value, "__module__", None) or type(value).__module__), where)
        else:
            self._instance(value, where, kind)

    def _container(self, value: Any, where: str, kind: str) -> None:
        self._add(where, kind, f"{type(value).__qualname__} {len(value)}", type(value).__qualname__)
        if isinstance(value, set | frozenset):
            self._unfollowed(where, f"the order of {type(value).__qualname__} elements that are no plain values")
            return
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            self.value(item, "", f"{where}[{key!r}]" if isinstance(key, str | int) else f"{where}[?]", kind)

    def _instance(self, value: Any, where: str, kind: str) -> None:
        kind_of = type(value)
        self._class(kind_of, f"{where}.__class__")
        owner = getattr(sys.modules.get(kind_of.__module__), "__file__", None)
        held = getattr(value, "__dict__", None)
        if isinstance(held, dict) and (kind_of.__module__ == "__main__" or (owner and is_own(os.path.abspath(owner)))):
            for key, each in sorted(held.items()):
                self.value(each, "", f"{where}.{key}", kind)
        else:
            self._unfollowed(where, f"value of type {kind_of.__module__}.{kind_of.__qualname__}")

    def _package(self, module: str, where: str) -> None:
        top = module.partition(".")[0]
        if top not in sys.stdlib_module_names and top != TOOL and not self.only:
            self.traversal.enter(Location("package", top), [], where)

    def open(self, path: str, namespace: Mapping[str, Any]) -> Module | None:
        """The parsed file or cell, None when there is no text."""
        resolver = self.traversal.resolver
        if os.path.isfile(path):
            module = resolver.load(os.path.abspath(path))
        else:
            cell = sources.load_cell(path)
            module = cell if isinstance(cell, Module) else None
            if module is not None:
                self.live = True
                resolver.virtual.add(path)
        if module is not None:
            resolver.namespaces.setdefault(module.path, namespace)
        return module

    # Functions

    def function(self, function: types.FunctionType, where: str) -> None:
        """Follows a function through the file or cell that it was read from."""
        self._seen[id(function)] = function
        path = source_path(function)
        if os.path.isfile(path) and not is_own(path):
            self._package(function.__module__ or "", where)
            return
        module = self.open(path, function.__globals__)
        owner = function.__code__.co_qualname.partition(".")[0]
        is_method = "<locals>" not in function.__code__.co_qualname
        if module is None:
            self._bytecode(function)
        elif not self.only and is_method and _defines(module, owner):
            # Through the file and not the namespace, which may hold what a decorator made of it.
            self.traversal.take(module, owner)
        else:
            self._nested(module, function)

    def _nested(self, module: Module, function: types.FunctionType) -> None:
        """Follows a function by itself: one inside another, or a lambda."""
        node = find_node(module, function)
        if node is None:
            self._bytecode(function)
            return
        name = function.__code__.co_qualname
        held = cells(function)
        summary = summarise([node], bare=node)
        outer = () if self.only or isinstance(node, ast.Lambda) else decorators(node)
        piece = Piece(name, "function", node, self._without(summary, held), outer)
        self.traversal.add_pieces(module, name, [piece])
        where = self.traversal.name(module, name)
        for key, value in sorted(held.items()):
            chains = sorted(ref.partition(".")[2] for ref in summary.refs if ref.partition(".")[0] == key)
            for rest in chains if isinstance(value, types.ModuleType) and chains else [""]:
                self.value(value, rest, f"{where}[{key}]")
        for key, value in sorted(defaults(function).items()):
            self.value(value, "", f"{where}[{key}=]")

    def _without(self, summary: Summary, held: Mapping[str, Any]) -> Summary:
        """The summary without the names that the closure answers; without any, if they do not count."""
        if self.only:
            return Summary(summary.digest, frozenset(), frozenset(), summary.writes, summary.dynamic)
        refs = frozenset(ref for ref in summary.refs if ref.partition(".")[0] not in held)
        return Summary(summary.digest, refs, summary.imports, summary.writes, summary.dynamic)

    def _bytecode(self, function: types.FunctionType) -> None:
        """Counts a function without source by its code object."""
        code = function.__code__
        name = f"<notebook>::{code.co_qualname}"
        if function.__module__ not in (None, "__main__"):
            name = f"{function.__module__}::{code.co_qualname}"
        self.live = True
        self._add(name, "bytecode", repr(describe_code(code)), "")
        self._unfollowed(name, "no source: its bytecode counts")
        for key, value in (*cells(function).items(), *defaults(function).items()):
            self.value(value, "", f"{name}[{key}]")
        for used in () if self.only else sorted(global_names(code)):
            if used in function.__globals__:
                self.value(function.__globals__[used], "", f"{name}.{used}", "constant")


def _defines(module: Module, name: str) -> bool:
    bindings = module.bindings.get(name, ())
    return any(isinstance(binding.node, FunctionNode | ast.ClassDef) for binding in bindings)


def _is_printed(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] in _PRINTED or isinstance(value, _PRINTED_TYPES)


def _is_telling(value: Any) -> bool:
    """Whether an object can be followed by itself, without the statement that made it."""
    if isinstance(value, types.ModuleType | type | functools.partial) or any(True for _ in layers(value)):
        return True
    try:
        values.encode(value)
    except (TypeError, ValueError, RecursionError):
        return _is_printed(value)
    return True


def _cell_binding(name: str) -> str | None:
    """The newest notebook cell that binds a name."""
    for path in reversed(list(linecache.cache)):
        cell = sources.load_cell(path) if not os.path.isfile(path) else None
        if isinstance(cell, Module) and name in cell.bindings:
            return path
    return None
