"""A module-level name as the pieces of code that stand behind it, read when it is first reached."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass, replace

from ..syntax.nodes import Definition, FunctionNode, chain, has_plain_hints, line_of, root
from ..syntax.scopes import Import
from ..syntax.summary import Ref, Summary, summarise, summarise_hints
from .module import DEFINITIONS, Binding, Condition, Module

_PLAIN = frozenset({"abc.abstractmethod", "abstractmethod", "classmethod", "property", "staticmethod"})
"""Decorators that keep nothing of what they are given."""


@dataclass(frozen=True, slots=True)
class Decorator:
    """A decorator: where its name leads decides whether it counts."""

    name: str | None
    summary: Summary


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of code as it stands in a file.

    Attributes:
        qualname: What it defines, as Python writes it: `Net.forward`.
        kind: `function`, `class`, `constant` or `import`.
        node: Its statement, for its source.
        summary: What it says, without its decorators; None for an import.
        decorators: Its decorators.
        conditions: What it runs under.
        imported: What it imports, when it is an import.
        hints: The type hints of a helper, where they are none of its summary: nothing happens when they are evaluated,
            and whoever reads them has to get hold of the helper first.
    """

    qualname: str
    kind: str
    node: ast.AST
    summary: Summary | None
    decorators: tuple[Decorator, ...] = ()
    conditions: tuple[Condition, ...] = ()
    imported: Import | None = None
    hints: Summary | None = None

    @property
    def line(self) -> int:
        """Where it starts."""
        return line_of(self.node)


class Units:
    """The pieces behind each name of one module."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._pieces: dict[str, tuple[Piece, ...]] = {}

    def pieces(self, name: str) -> tuple[Piece, ...]:
        """Everything that binds `name`; methods are pieces of their own."""
        known = self._pieces.get(name)
        if known is None:
            bindings = self.module.bindings.get(name, [])
            if _only_definitions(bindings):
                # Calls on a function or class, as `train.with_options()`, do not change what it does.
                bindings = [binding for binding in bindings if not binding.called]
            known = self._pieces[name] = tuple(piece for binding in bindings for piece in _read(name, binding))
        return known


def decorators(node: Definition, local: Collection[str | None] = ()) -> tuple[Decorator, ...]:
    """The decorators of a definition; those that start from a `local` name are of its own class."""
    found = []
    for expression in node.decorator_list:
        name = chain(expression.func if isinstance(expression, ast.Call) else expression)
        start = root(expression)
        summary = summarise([expression])
        if start in local:
            summary = replace(summary, refs=tuple(_inside(ref, local) for ref in summary.refs))
        found.append(Decorator(name, summary))
    return tuple(found)


def _is_called_by_name(method: FunctionNode) -> bool:
    """Whether nobody is told of a method as its class is made, so that the order makes no difference."""
    for decorator in method.decorator_list:
        name = chain(decorator) or ""
        if name not in _PLAIN and name not in {f"{method.name}.{each}" for each in ("setter", "deleter", "getter")}:
            return False
    return True


def _inside(ref: Ref, local: Collection[str | None]) -> Ref:
    """A reference, marked by a point before it if it leads to a name of the class itself."""
    return f".{ref}" if isinstance(ref, str) and ref.partition(".")[0] in local else ref


def _only_definitions(bindings: list[Binding]) -> bool:
    return all(isinstance(binding.node, DEFINITIONS) for binding in bindings if not binding.called)


def _read(name: str, binding: Binding) -> list[Piece]:
    node, conditions = binding.node, binding.conditions
    if binding.imported is not None:
        return [Piece(name, "import", node, None, (), conditions, binding.imported)]
    if isinstance(node, ast.ClassDef):
        return read_class(node, conditions)
    if isinstance(node, FunctionNode):
        hints = summarise_hints(node) if not node.decorator_list and has_plain_hints(node) else None
        body = summarise([node], bare=node, hints=hints is None)
        return [Piece(name, "function", node, body, decorators(node), conditions, hints=hints)]
    return [Piece(name, "constant", node, summarise(binding.header or [node]), (), conditions)]


def read_class(node: ast.ClassDef, conditions: tuple[Condition, ...] = ()) -> list[Piece]:
    """A class as one piece for itself and one for each of its methods."""
    methods = [each for each in node.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
    local = {method.name for method in methods}
    shell = summarise([node], omit=methods, bare=node)
    if all(_is_called_by_name(method) for method in methods):
        shell = replace(shell, local=(*shell.local, *(method.name for method in methods)))  # for who sees the order
        methods.sort(key=lambda method: method.name)  # of one name the last counts: they keep their order
    pieces = [Piece(node.name, "class", node, shell, decorators(node), conditions)]
    for method in methods:
        body = summarise([method], bare=method)
        found = decorators(method, local)
        pieces.append(Piece(f"{node.name}.{method.name}", "function", method, body, found))
    return pieces
