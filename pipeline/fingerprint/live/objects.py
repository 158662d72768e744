"""Follows live objects, for what no file tells: closures, partials, bound methods, notebooks, `exec`."""

from __future__ import annotations

import ast
import linecache
import os
import reprlib
import sys
import types
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...values.identity import Identifier, held_by
from ...values.parts import Unhashable
from ..model import Part, Unfollowed, digest
from ..project import sources
from ..project.locate import TOOL, Location, is_own
from ..project.module import Module
from ..project.resolve import belongs_to_tool
from ..project.units import Piece, decorators
from ..reach.traversal import Traversal
from ..syntax.nodes import FunctionNode
from ..syntax.summary import Summary, summarise, summarise_hints
from .classes import fields_of
from .functions import describe_code, find_node, global_names, layers, source_path
from .single import is_foreign, is_made_by_call

_SHOWN = 1000


class ObjectFollower:
    """Adds live objects to a traversal: values by their identity, the code that they hold by its text.

    Attributes:
        only: Whether functions count by themselves alone, without what they use.
        live: Whether anything was taken from the state of the process rather than from files.
    """

    def __init__(self, traversal: Traversal, *, only: bool = False) -> None:
        self.traversal = traversal
        self.only = only
        self.live = False
        self._identifier = Identifier(self.refer, lambda cls: not is_foreign(cls), traversal.resolver.root)
        self._seen: dict[int, Any] = {}
        self._opened: dict[str, Module | None] = {}
        self._installed: dict[str, bool] = {}
        traversal.fallback = self.fallback

    def fallback(self, module: Module, name: str, rest: str) -> bool:
        """Follows a name through its module's namespace, when it has one and holds the name."""
        namespace = self.traversal.resolver.namespaces.get(module.path)
        if namespace is None or name not in namespace:
            return False
        self.live = True
        self.value(namespace[name], rest, self.traversal.name(module, name), "constant")
        return True

    def value(self, value: Any, rest: str, where: str, kind: str = "closure") -> None:
        """Follows an object, and the attributes `rest` that code reads from it.

        Args:
            value: The object.
            rest: Dotted attributes, empty for the object itself.
            where: The name for the part that stands for it.
            kind: The kind of that part.
        """
        if issubclass(type(value), types.ModuleType):
            self._module(value, rest, where)
            return
        identity = self.identify(value, where)
        if identity is not None:
            self.traversal.add(Part(where, kind, identity, None, 0, _shown(value)))

    def identify(self, value: Any, where: str) -> str | None:
        """The identity of a value; None if it has none, which is noted."""
        try:
            return self._identifier.identify(value)
        except Unhashable as error:
            self.traversal.unhashable.add(Unfollowed(where, str(error), 0))
            return None

    def remembered(self, function: Any, where: str) -> dict[str, str] | None:
        """What a cached function remembers; None if that has no identity, which is noted."""
        try:
            return self._identifier.remembered(function)
        except Unhashable as error:
            self.traversal.unhashable.add(Unfollowed(where, str(error), 0))
            return None

    def refer(self, code: Any, named: str = "") -> str:
        """Follows a function or class that a value holds; returns its name.

        Args:
            code: The function or class.
            named: The name of the part that the value stands for: by its own name nobody gets hold of a function.
        """
        if isinstance(code, type):
            return self._class(code)
        path = source_path(code)
        if self._is_installed(path):
            owner = _module_of(code)
            self._package(owner, code.__qualname__)
            return f"{owner}::{code.__code__.co_qualname}"
        node = self._node(code)
        label = self.traversal.resolver.label(path)
        name = f"{label}::{code.__code__.co_qualname}"
        if isinstance(node, ast.Lambda) and named.startswith(f"{label}::"):
            name = named  # it has no other
        spelt, module = self.traversal.spell(name), self.open(path, code.__globals__)
        if spelt != name and module is not None and _is_all_of(module, name.partition("::")[2], node):
            # Its text counts with the step's, and what that uses.
            hints = summarise_hints(node) if name != named and isinstance(node, FunctionNode) else None
            return spelt if hints is None else f"{spelt} {hints.digest}"
        if id(code) not in self._seen and not self.only:
            self.function(code, named or code.__qualname__)
            self._hold(code, module)
        # With its text: what is in a function's place may have its name.
        text = summarise([node], bare=node).digest if node is not None else digest(repr(describe_code(code.__code__)))
        return f"{spelt} {text}"

    def _module(self, module: types.ModuleType, rest: str, where: str) -> None:
        name, path = str(vars(module).get("__name__")), vars(module).get("__file__")
        # Which module a name stands for decides what the code does, so it counts as an import does.
        self.traversal.add(Part(where, "import", digest(f"import {name}"), None, 0, f"import {name}"))
        if name.partition(".")[0] in sys.stdlib_module_names or self.only:
            return
        location = Location("package", name)
        if isinstance(path, str) and path.endswith(".py") and is_own(os.path.abspath(path)):
            path = os.path.abspath(path)
            location = Location("own", name, path, os.path.dirname(path) if "__path__" in vars(module) else None)
        self.traversal.enter(location, rest.split(".") if rest else [], where)

    def _class(self, cls: type) -> str:
        """Follows a class through the file or the cell that defines it; returns its name."""
        name = f"{cls.__module__}::{cls.__qualname__}"
        if self.only or belongs_to_tool(cls) or (cls.__module__ in sys.stdlib_module_names and is_foreign(cls)):
            return name
        binding = cls.__qualname__.partition(".")[0]
        by_call = is_made_by_call(cls)
        owner = sys.modules.get(cls.__module__) if not by_call else None
        namespace = vars(owner) if owner is not None else {}
        path = namespace.get("__file__") or _cell_binding(binding)
        own = path is not None and (not os.path.isfile(path) or is_own(os.path.abspath(path)))
        if not own and (path is not None or cls.__module__ != "__main__") and not by_call:
            self._package(cls.__module__, name)
            return name
        module = self.open(path, namespace) if path is not None else None
        if module is not None:
            name = self.traversal.spell(f"{self.traversal.resolver.label(module.path)}::{cls.__qualname__}")
        if id(cls) in self._seen:
            return name
        self._seen[id(cls)] = cls
        if module is not None and binding in module.bindings:
            self.traversal.take(module, binding)
        if module is None or binding not in module.bindings or "<locals>" in cls.__qualname__:
            self._members(cls, name)
        return name

    def _members(self, cls: type, where: str) -> None:
        """Follows a class that no module binds, as one made in a function, by what it holds."""
        self.live = True
        for base in cls.__bases__:
            self._class(base)
        for key, member in vars(cls).copy().items():
            if not (key.startswith("__") and key.endswith("__")) or isinstance(member, types.FunctionType):
                self.value(member, "", f"{where}.{key}")
        for name, kept in fields_of(cls).items():
            self.value(kept, "", f"{where}.{name} (field)")

    def _package(self, module: str, where: str) -> None:
        top = module.partition(".")[0]
        if top not in sys.stdlib_module_names and top != TOOL and not self.only:
            self.traversal.enter(Location("package", top), [], where)

    def open(self, path: str, namespace: Mapping[str, Any]) -> Module | None:
        """The parsed file or cell, None when there is no text."""
        if path not in self._opened:
            self._opened[path] = self._open(path)
        module = self._opened[path]
        if module is not None:
            self.traversal.resolver.namespaces.setdefault(module.path, namespace)
        return module

    def _is_installed(self, path: str) -> bool:
        """Whether a file is none of the user's own."""
        if path not in self._installed:
            self._installed[path] = os.path.isfile(path) and not is_own(path)
        return self._installed[path]

    def _open(self, path: str) -> Module | None:
        resolver = self.traversal.resolver
        if os.path.isfile(path):
            module = resolver.load(os.path.abspath(path))
        else:
            cell = sources.load_cell(path)
            module = cell if isinstance(cell, Module) else None
            if module is not None:
                self.live = True
                resolver.virtual.add(path)
        return module

    # Functions

    def function(self, function: types.FunctionType, where: str) -> None:
        """Follows the code of a function through the file or cell that it was read from; not what it holds."""
        self._seen[id(function)] = function
        path = source_path(function)
        if self._is_installed(path):
            self._package(_module_of(function), where)
            return
        module = self.open(path, function.__globals__)
        owner = function.__code__.co_qualname.partition(".")[0]
        is_method = "<locals>" not in function.__code__.co_qualname
        if module is None:
            self._bytecode(function, where)
        elif not self.only and is_method and _defines(module, owner):
            # Through the file and not the namespace, which may hold what a decorator made of it.
            self.traversal.take(module, owner)
        else:
            self._nested(module, function)

    def _hold(self, function: types.FunctionType, module: Module | None) -> None:
        """Notes that somebody holds a function or method of a module, and not only calls it."""
        owner = function.__code__.co_qualname.partition(".")[0]
        if module is not None and "<locals>" not in function.__code__.co_qualname and _defines(module, owner):
            self.traversal.held.add((module.path, owner))

    def held(self, function: types.FunctionType, where: str) -> None:
        """Follows what a function holds: its closure, its defaults, its attributes."""
        node = self._node(function)
        used = summarise([node], bare=node).refs if node is not None else ()
        refs = [ref for ref in used if isinstance(ref, str)]
        for key, value in sorted(held_by(function).items()):
            name = key.strip("[]")
            chains = sorted(ref.partition(".")[2] for ref in refs if ref.partition(".")[0] == name)
            for rest in chains if isinstance(value, types.ModuleType) and chains else [""]:
                self.value(value, rest, f"{where}{key}")

    def _node(self, function: types.FunctionType) -> ast.AST | None:
        module = self.open(source_path(function), function.__globals__)
        return find_node(module, function) if module is not None else None

    def _nested(self, module: Module, function: types.FunctionType) -> None:
        """Follows a function by itself: one inside another, or a lambda."""
        node = find_node(module, function)
        if node is None:
            self._bytecode(function)
            return
        name = function.__code__.co_qualname
        summary = summarise([node], bare=node)
        outer = () if self.only or isinstance(node, ast.Lambda) else decorators(node)
        piece = Piece(name, "function", node, self._without(summary, function.__code__.co_freevars), outer)
        self.traversal.add_pieces(module, name, [piece])

    def _without(self, summary: Summary, held: tuple[str, ...]) -> Summary:
        """The summary without the names that the closure answers; without any, if they do not count."""
        if self.only:
            return replace(summary, refs=())
        refs = [ref for ref in summary.refs if not isinstance(ref, str) or ref.partition(".")[0] not in held]
        return replace(summary, refs=tuple(refs))

    def _bytecode(self, function: types.FunctionType, where: str = "") -> None:
        """Counts a function without source by its code object."""
        code = function.__code__
        name = f"<notebook>::{code.co_qualname}"
        if "::" in where:
            name = where  # as those that dataclasses make
        elif function.__module__ not in (None, "__main__"):
            name = f"{function.__module__}::{code.co_qualname}"
        self.live = True
        self.traversal.add(Part(name, "bytecode", digest(repr(describe_code(code))), None, 0, ""))
        self.traversal.unfollowed.add(Unfollowed(name, "no source: its bytecode counts", 0))
        for used in () if self.only else sorted(global_names(code)):
            if used in function.__globals__:
                self.value(function.__globals__[used], "", f"{name}.{used}", "constant")


def follow_callable(follower: ObjectFollower, callable_: Any, name: str) -> None:
    """Follows what a step calls: functions by their code and what they hold, any other callable as a value."""
    if isinstance(callable_, types.MethodType):
        follower.value(callable_.__self__, "", f"{name}.__self__")
    functions = list(layers(callable_))
    if not (isinstance(callable_, types.FunctionType | types.MethodType) or (functions and belongs_to_tool(callable_))):
        follower.value(callable_, "", name)
        return
    for function in functions:
        follower.function(function, name)
        module = follower.traversal.resolver.label(source_path(function))
        follower.held(function, f"{module}::{function.__code__.co_qualname}")


def _defines(module: Module, name: str) -> bool:
    bindings = module.bindings.get(name, ())
    return any(isinstance(binding.node, FunctionNode | ast.ClassDef) for binding in bindings)


def _is_all_of(module: Module, name: str, node: ast.AST | None) -> bool:
    """Whether a definition or lambda is the only thing that binds a module-level name."""
    match [binding.node for binding in module.bindings.get(name, ())]:
        case [ast.Assign(targets=[ast.Name()], value=found)] | [found]:
            return found is node
    return False


def _module_of(function: types.FunctionType) -> str:
    """The module in which a function was made; what it says itself may be copied from what it wraps."""
    return str(function.__globals__.get("__name__") or function.__module__ or "")


def _shown(value: Any) -> str:
    """A value in a few words: as it would be typed, or by its type."""
    if type(value).__module__ != "builtins":
        return f"a {type(value).__qualname__}"
    shown = reprlib.repr(value)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."


def _cell_binding(name: str) -> str | None:
    """The newest notebook cell that binds a name."""
    for path in reversed(list(linecache.cache)):
        cell = sources.load_cell(path) if not os.path.isfile(path) else None
        if isinstance(cell, Module) and name in cell.bindings:
            return path
    return None
