"""What own code does to packages and to Python's library as it is imported, before any step runs.

A setting, an entry of a registry, a method put in another's place: no name of a step leads there, but the package
acts by it. So such statements of all loaded modules count for the steps that use the package. They are found by their
form: a call of the package's whose result nobody takes, something set in it, a definition that is handed to it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ..model import digest
from ..project.leads import Leads, Name, Target
from ..project.module import DEFINITIONS, Module
from ..syntax.nodes import FunctionNode, chain, imported_names
from ..syntax.summary import Summary, summarise
from . import acting
from .callees import Callees, Method, Place, dotted, innermost
from .feeding import feeding

_DEEPEST = 6
"""Calls of own functions, one within the other, that are looked into."""
_LARGEST = 10_000
"""Entries of a container that is looked through for a class."""
_MAKING = frozenset({"__call__", "__init__", "__init_subclass__", "__new__"})
"""Methods of a base or metaclass that are called when a class is made."""


@dataclass(frozen=True)
class Effect:
    """A statement that does something to a package.

    Attributes:
        top: The package, or the module of Python's library; `acting.VARIABLES` where it sets one.
        name: What is called or set, or the name of the definition.
        node: The statement, or the definition that is handed over.
        place: Where it stands.
    """

    top: str
    name: str
    node: ast.AST
    place: Place

    @property
    def nodes(self) -> list[ast.AST]:
        """It, with what decides whether and how often it runs, and what its function has for it in local names."""
        nodes = [self.node, *self.place.around]
        return nodes if self.place.function is None else [*nodes, *feeding(self.place.function, nodes)]

    @property
    def is_bound(self) -> bool:
        """Whether it is a definition that has a name in its module."""
        return isinstance(self.node, DEFINITIONS) and not self.place.depth

    def summary(self) -> Summary:
        """What the statement says."""
        found = summarise(self.nodes)
        refs = tuple(self.place.ref(ref) if isinstance(ref, str) else ref for ref in found.refs)
        return replace(found, refs=refs)

    def said(self, summary: Summary, leads: Leads) -> str:
        """The hash of what it says, by whatever names it was imported what it uses."""
        used = (
            " ".join(f"{target.said} {target.own[1] if target.own is not None else ''}" for target in found)
            for found in (leads.of(self.place.module, ref) for ref in summary.refs)
        )
        return digest("\n".join((summary.text, *used)))


@dataclass
class Search:
    """Looks for effects in modules.

    Attributes:
        callees: Says what is called.
    """

    callees: Callees
    _called: dict[tuple[Name, bool], tuple[Effect, ...]] = field(default_factory=dict)

    def of(self, module: Module) -> Iterator[Effect]:
        """The effects that a module has when it is loaded, and those of the pipelines in it before their steps run."""
        for node, around in _statements(module.tree.body):
            yield from self._of_statement(Place(module, {}, 0, around=around), node)

    def _of_statement(self, place: Place, node: ast.stmt | ast.withitem) -> Iterator[Effect]:
        if isinstance(node, DEFINITIONS):
            yield from self._of_definition(place, node)
        elif isinstance(node, ast.withitem):
            yield from self._of_call(place, node.context_expr, node, taken=False)
        elif isinstance(node, ast.Expr):
            yield from self._of_call(place, node.value, node, taken=False)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Delete):
            for target in node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]:
                if isinstance(target, ast.Attribute | ast.Subscript):
                    yield from self._on(place, target, node)
            yield from self._of_call(place, getattr(node, "value", None), node, taken=True)

    def _of_call(self, place: Place, call: ast.expr | None, node: ast.AST, *, taken: bool) -> Iterator[Effect]:
        """What a call does; one whose result is taken only if it is called as if it did something."""
        call = call.value if isinstance(call, ast.Await) else call
        if isinstance(call, ast.ListComp | ast.SetComp | ast.GeneratorExp) and not taken:
            call = call.elt
        if not isinstance(call, ast.Call):
            return
        if chain(call.func) == "setattr" and call.args:
            yield from self._on(place, call.args[0], node)
            return
        for argument in call.args:
            yield from self._of_argument(place, argument, node)
        called, handing = innermost(call), bool(call.args or call.keywords)
        for target in self.callees.called(place, called):
            yield from self._of_calling(place, target, node, chain(called) or "", handing=handing)
            of_package, name = target.package is not None, dotted(target)
            if name and acting.does_something(name, of_package=of_package, taken=taken or place.nested):
                yield Effect(acting.is_done_to(name), name, node, place)
        for method in self.callees.methods(place, called):
            yield from (Effect(top, method.node.name, node, place) for top in _tops(self._of_method(method, place)))

    def _of_argument(self, place: Place, argument: ast.expr, node: ast.AST) -> Iterator[Effect]:
        """What becomes of an argument: it is called, as in `typer.run(main)` and `map(package.register, functions)`."""
        for target in self.callees.targets(place, argument.func if isinstance(argument, ast.Call) else argument):
            yield from self._of_called(place, target)
        for target in self.callees.handed(place, argument):
            if acting.does_something(dotted(target), of_package=target.package is not None, taken=True):
                yield Effect(acting.is_done_to(dotted(target)), dotted(target), node, place)

    def _of_method(self, method: Method, place: Place) -> tuple[Effect, ...]:
        key = ((method.module.path, f"{method.cls}.{method.node.name}"), False)
        if key not in self._called and place.depth < _DEEPEST:
            self._called[key] = ()  # should it call itself
            self._called[key] = tuple(self._inside(Place(method.module, {}, place.depth), method.node))
        return self._called.get(key, ())

    def _of_calling(self, place: Place, target: Target, node: ast.AST, name: str, *, handing: bool) -> Iterator[Effect]:
        """The effects of calling one of the user's functions; with what is handed to it, the call is one itself."""
        inside = self._of_called(place, target)
        yield from inside
        if handing:
            yield from (Effect(top, name, node, place) for top in _tops(inside))

    def _on(self, place: Place, owner: ast.expr, node: ast.AST) -> Iterator[Effect]:
        """What it does that something is set in what an expression stands for."""
        while chain(owner) is None and isinstance(owner, ast.Subscript | ast.Call | ast.Attribute):
            owner = owner.func if isinstance(owner, ast.Call) else owner.value
        for target in self.callees.targets(place, owner):
            if name := dotted(target):
                yield Effect(acting.is_done_to(name), name, node, place)

    def _of_definition(self, place: Place, node: Any) -> Iterator[Effect]:
        """What a definition does that a decorator or a base class keeps for a package; and the body of a pipeline."""
        for decorator in node.decorator_list:
            made_by = decorator.func if isinstance(decorator, ast.Call) else decorator
            name = chain(made_by) or ""
            if self.callees.resolver.leads_to_tool(place.module, name):
                if self.callees.resolver.makes_pipelines(place.module, name) and not place.depth:
                    yield from self._inside(place, node)
                return
            for target in self.callees.targets(place, made_by):
                if target.package is not None and acting.keeps(decorator, name):
                    yield Effect(target.package, node.name, node, place)
                for top in _tops(self._of_called(place, target, nested=True)):
                    yield Effect(top, node.name, node, place)
        if isinstance(node, ast.ClassDef):
            is_kept = bool(node.keywords) or self._is_kept(place.module, node.name)
            for top in dict.fromkeys(self._keeping(place, node, is_kept)):
                yield Effect(top, node.name, node, place)

    def _keeping(self, place: Place, node: ast.ClassDef, is_kept: bool, depth: int = 0) -> Iterator[str]:
        """The packages that get hold of a class when it is made: by its bases, also those further up."""
        metaclasses = [each.value for each in node.keywords if each.arg == "metaclass"]
        for target in (target for base in (*node.bases, *metaclasses) for target in self.callees.targets(place, base)):
            if target.package is not None and is_kept:
                yield target.package
            for there, above in self._classes(target) if depth < _DEEPEST else ():
                for method in above.body:
                    if isinstance(method, FunctionNode) and method.name in _MAKING:
                        yield from _tops(self._inside(there, method))
                yield from self._keeping(there, above, is_kept, depth + 1)

    def _classes(self, target: Target) -> Iterator[tuple[Place, ast.ClassDef]]:
        """The definitions of one of the user's classes."""
        module = self.callees.resolver.load(target.own[0]) if target.own is not None and not target.said else None
        if module is not None and target.own is not None:
            for node in module.classes.get(target.own[1], ()):
                yield Place(module, {}, 1, nested=True), node

    def _is_kept(self, module: Module, name: str) -> bool:
        """Whether a package's class, or the module that it is in, keeps one of the user's classes."""
        cls = self.callees.namespaces.get(module.path, {}).get(name)
        for base in cls.__mro__[1:-1] if isinstance(cls, type) else ():
            owner = sys.modules.get(base.__module__)
            for held in (*vars(base).values(), *(vars(owner).values() if owner is not None else ())):
                if type(held) in (dict, list, set) and len(held) <= _LARGEST:
                    found = list(held.values() if type(held) is dict else held)
                    if any(each is cls for each in found):
                        return True
        return False

    def _of_called(self, place: Place, target: Target, *, nested: bool = False) -> tuple[Effect, ...]:
        """The effects of calling one of the user's functions, or of making one of their classes.

        Args:
            place: Where it is called.
            target: What is called.
            nested: Whether functions in it are called, too, as those of a decorator.
        """
        if target.own is None or target.said or place.depth >= _DEEPEST:
            return ()
        key = (target.own, nested)
        if key not in self._called:
            self._called[key] = ()  # should it call itself
            self._called[key] = tuple(self._of_own(target.own, place.depth, nested=nested))
        return self._called[key]

    def _of_own(self, name: Name, depth: int, *, nested: bool) -> Iterator[Effect]:
        module = self.callees.resolver.load(name[0])
        for binding in module.bindings.get(name[1], ()) if module is not None else ():
            node: Any = binding.node
            if isinstance(node, ast.ClassDef):
                node = next((each for each in node.body if getattr(each, "name", "") == "__init__"), None)
            if module is None or any(self.callees.resolver.leads_to_tool(module, each) for each in binding.decorators):
                continue  # a step, or a pipeline, whose body counts by itself
            if isinstance(node, FunctionNode):
                yield from self._inside(Place(module, {}, depth, nested), node)

    def _inside(self, place: Place, function: FunctionNode) -> Iterator[Effect]:
        imports = {
            name: target
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name, target in imported_names(node)
        }
        for statement, around in _statements(function.body, nested=place.nested):
            there = Place(place.module, imports, place.depth + 1, place.nested, around, function)
            yield from self._of_statement(there, statement)


def _statements(
    body: list[ast.stmt], around: tuple[ast.AST, ...] = (), *, nested: bool = False
) -> Iterator[tuple[ast.stmt | ast.withitem, tuple[ast.AST, ...]]]:
    """The statements that are run, with what they stand in, also those inside of others; of functions if `nested`."""
    for node in body:
        yield node, around
        if isinstance(node, DEFINITIONS) and not nested:
            continue
        if isinstance(node, ast.With | ast.AsyncWith):
            yield from ((item, around) for item in node.items)
        inner = (*around, *_head(node))
        for name in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, name, []), inner, nested=nested)
        for part in (*getattr(node, "handlers", []), *getattr(node, "cases", [])):
            yield from _statements(part.body, inner, nested=nested)


def _head(node: ast.stmt) -> list[ast.AST]:
    """What decides whether, how often or under what the statements inside of another are run."""
    match node:
        case ast.If() | ast.While():
            return [node.test]
        case ast.For() | ast.AsyncFor():
            return [node.target, node.iter]
        case ast.With() | ast.AsyncWith():
            return [*node.items]
        case ast.Match():
            return [node.subject]
    return []


def _tops(effects: Iterable[Effect]) -> list[str]:
    """What effects are on, each once."""
    return list(dict.fromkeys(each.top for each in effects))
