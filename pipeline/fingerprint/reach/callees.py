"""What a call calls: through imports, other names, computed names and methods, as far as the text tells it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ..project.leads import Leads, Target
from ..project.locate import TOOL
from ..project.module import DEFINITIONS, Module
from ..project.resolve import Resolver
from ..syntax.nodes import FunctionNode, chain
from ..syntax.scopes import Import
from ..syntax.summary import Ref
from .feeding import feeding

_LOADING = frozenset({"__import__", "import_module", "importlib.import_module"})


class Place(NamedTuple):
    """Where a statement stands.

    Attributes:
        module: The module.
        imports: What the function around it imports by itself.
        depth: How many calls led there from the top level of a module.
        nested: Whether functions in functions are looked into: there, only what acts by its name counts.
        around: The tests and the like of the statements that it stands in.
        function: The function that it is in.
    """

    module: Module
    imports: Mapping[str, Import]
    depth: int
    nested: bool = False
    around: tuple[ast.AST, ...] = ()
    function: FunctionNode | None = None

    def ref(self, name: str) -> Ref:
        """A name as what a function's own import makes of it."""
        first, _, rest = name.partition(".")
        return (self.imports[first], rest) if first in self.imports else name


class Method(NamedTuple):
    """A method of one of the user's classes."""

    module: Module
    cls: str
    node: FunctionNode


@dataclass
class Callees:
    """Says what expressions call.

    Attributes:
        resolver: Finds files.
        leads: Says where names lead.
        namespaces: What loaded modules hold, by file.
    """

    resolver: Resolver
    leads: Leads
    namespaces: Mapping[str, Mapping[str, Any]]

    def targets(self, place: Place, node: ast.expr) -> tuple[Target, ...]:
        """What a name with attributes stands for, outside of artvcs."""
        name = chain(node)
        return () if name is None else self._of(place, place.ref(name))

    def called(self, place: Place, called: ast.expr) -> Iterator[Target]:
        """What an expression stands for that is called, also by what a name was bound to, or by a computed name."""
        if isinstance(called, ast.Call):  # `getattr(package, name)`
            yield from self.targets(place, called.args[0])
            return
        if isinstance(called, ast.Attribute) and (loaded := _loaded_module(called.value)) is not None:
            yield from self._of(place, (Import(0, loaded, None, loaded), called.attr))
        for target in self.targets(place, called):
            yield target
            yield from self._behind(target)
        if isinstance(called, ast.Name) and place.function is not None:
            for bound in feeding(place.function, [called]):
                yield from self.handed(place, bound)

    def _behind(self, target: Target) -> Iterator[Target]:
        """What a name of the user's was bound to: `register = functools.partial(package.register, "name")`."""
        module = self.resolver.load(target.own[0]) if target.own is not None and not target.said else None
        for binding in module.bindings.get(target.own[1], ()) if module is not None and target.own is not None else ():
            if module is not None and binding.imported is None and not isinstance(binding.node, DEFINITIONS):
                yield from self.handed(Place(module, {}, 0), binding.node)

    def handed(self, place: Place, node: ast.AST) -> Iterator[Target]:
        """What of packages and of Python's library an expression holds or hands on, and does not call."""
        todo = [node]
        while todo:
            here = todo.pop()
            if isinstance(here, ast.Attribute | ast.Name) and chain(here) is not None:
                yield from (each for each in self.targets(place, here) if dotted(each))
            else:
                todo += [each for each in ast.iter_child_nodes(here) if each is not getattr(here, "func", None)]

    def methods(self, place: Place, called: ast.expr) -> list[Method]:
        """The user's methods that are called so; on what is not known before it runs."""
        if not isinstance(called, ast.Attribute) or any(each.own is None for each in self.targets(place, called)):
            return []
        return self._methods.get(called.attr, [])

    @cached_property
    def _methods(self) -> dict[str, list[Method]]:
        """The methods of the loaded modules' classes, by name."""
        found: dict[str, list[Method]] = {}
        for module in filter(None, map(self.resolver.load, sorted(self.namespaces))):
            for cls, nodes in module.classes.items():
                for method in (each for node in nodes for each in node.body if isinstance(each, FunctionNode)):
                    found.setdefault(method.name, []).append(Method(module, cls, method))
        return found

    def _of(self, place: Place, ref: Ref) -> tuple[Target, ...]:
        return tuple(each for each in self.leads.of(place.module, ref) if each.package != TOOL)


def dotted(target: Target) -> str:
    """The name of what a target is in a package or in Python's library; nothing for anything else."""
    kind, _, name = target.said.partition(" ")
    return name if target.own is None and kind in ("package", "stdlib") else ""


def innermost(call: ast.Call) -> ast.expr:
    """What is called first: `register` in `register("name")(cls)`, or `getattr(package, name)`."""
    called = call.func
    while isinstance(called, ast.Call) and not (chain(called.func) == "getattr" and len(called.args) > 1):
        called = called.func
    return called


def _loaded_module(node: ast.expr) -> str | None:
    """The module that an expression loads by its name: `importlib.import_module("package")`."""
    if isinstance(node, ast.Call) and chain(node.func) in _LOADING and node.args:
        name = node.args[0]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return name.value
    return None
