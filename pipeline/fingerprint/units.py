"""A module-level name as the pieces of code that stand behind it, read when it is first reached."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from .module import DEFINITIONS, Binding, Condition, Module
from .nodes import Definition, chain, line_of, root
from .scopes import Import
from .syntax import Summary, summarise


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
    """

    qualname: str
    kind: str
    node: ast.AST
    summary: Summary | None
    decorators: tuple[Decorator, ...] = ()
    conditions: tuple[Condition, ...] = ()
    imported: Import | None = None

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

    def changes(self, name: str) -> tuple[tuple[str, ...], tuple[Piece, ...]]:
        """What changes the value of `name` from elsewhere in the module.

        Returns:
            The names of functions that rebind it by `global` or change it in place, and of definitions that
            are registered by it or by such a function (`@name.add`, `@add`, a base class); and the
            statements that call such a function.
        """
        bindings = self.module.bindings.get(name, [])
        if _only_definitions(bindings) or any(binding.imported is not None for binding in bindings):
            return (), ()
        writers = self._writers.get(name, [])
        registered = [each for registrar in (name, *writers) for each in self._registered.get(registrar, [])]
        calls = [
            piece
            for writer in writers
            for binding in self.module.bindings[writer]
            if binding.called
            for piece in _read(name, binding)
        ]
        return (*writers, *registered), tuple(calls)

    @cached_property
    def effects(self) -> tuple[Import, ...]:
        """What the module imports and never mentions: imported for what running it does, as registering.

        The imports of an `__init__.py` are there for others to use.
        """
        if os.path.basename(self.module.path) == "__init__.py":
            return ()
        return tuple(
            binding.imported
            for name, bindings in self.module.bindings.items()
            for binding in bindings
            if binding.imported is not None and not binding.conditions and self._is_mentioned_once(name)
        )

    def _is_mentioned_once(self, name: str) -> bool:
        mentions = re.finditer(rf"\b{re.escape(name)}\b", self.module.text)
        return len(list(islice(mentions, 2))) == 1

    @cached_property
    def _definitions(self) -> list[tuple[str, Piece]]:
        """Every function, class and method by the name it is reached under."""
        names = (name for name, found in self.module.bindings.items() if _has_definition(found))
        return [(name, piece) for name in names for piece in self.pieces(name) if piece.summary is not None]

    @cached_property
    def _writers(self) -> dict[str, list[str]]:
        writers: dict[str, list[str]] = {}
        for name, piece in self._definitions:
            for written in piece.summary.writes if piece.summary is not None else ():
                if written in self.module.bindings and written != name:
                    writers.setdefault(written, []).append(name)
        return writers

    @cached_property
    def _registered(self) -> dict[str, list[str]]:
        registered: dict[str, list[str]] = {}
        for name, piece in self._definitions:
            registrars = [decorator.name for decorator in piece.decorators]
            if isinstance(piece.node, ast.ClassDef):
                registrars += [chain(base) for base in piece.node.bases]
            for registrar in registrars:
                if registrar is not None:
                    registered.setdefault(registrar.partition(".")[0], []).append(name)
        return registered


def decorators(node: Definition, local: Collection[str | None] = ()) -> tuple[Decorator, ...]:
    """The decorators of a definition; those that start from a `local` name are of its own class."""
    found = []
    for expression in node.decorator_list:
        name = chain(expression.func if isinstance(expression, ast.Call) else expression)
        start = root(expression)
        summary = summarise([expression])
        if start in local:
            kept = frozenset(ref for ref in summary.refs if ref.partition(".")[0] not in local)
            summary = replace(summary, refs=kept)
        found.append(Decorator(name, summary))
    return tuple(found)


def _only_definitions(bindings: list[Binding]) -> bool:
    return all(isinstance(binding.node, DEFINITIONS) for binding in bindings if not binding.called)


def _has_definition(bindings: list[Binding]) -> bool:
    return any(isinstance(binding.node, DEFINITIONS) for binding in bindings)


def _read(name: str, binding: Binding) -> list[Piece]:
    node, conditions = binding.node, binding.conditions
    if binding.imported is not None:
        return [Piece(name, "import", node, None, (), conditions, binding.imported)]
    if isinstance(node, ast.ClassDef):
        return read_class(node, conditions)
    if isinstance(node, Definition):
        return [Piece(name, "function", node, summarise([node], bare=node), decorators(node), conditions)]
    return [Piece(name, "constant", node, summarise(binding.header or [node]), (), conditions)]


def read_class(node: ast.ClassDef, conditions: tuple[Condition, ...] = ()) -> list[Piece]:
    """A class as one piece for itself and one for each of its methods."""
    methods = [each for each in node.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
    local = {method.name for method in methods}
    shell = summarise([node], omit=methods, bare=node)
    pieces = [Piece(node.name, "class", node, shell, decorators(node), conditions)]
    for method in methods:
        body = summarise([method], bare=method)
        found = decorators(method, local)
        pieces.append(Piece(f"{node.name}.{method.name}", "function", method, body, found))
    return pieces
