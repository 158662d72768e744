"""Walks over syntax once, writing its normalised text and keeping track of scopes.

The walk keeps its own stack: deep expressions cannot exhaust Python's, and it is several times faster
than `ast.dump`. What each kind of node says is told by readers, in `expressions` and `definitions`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .scopes import Import, Outside, Scope, ScopeKind

_IGNORED_FIELDS = {"ctx", "kind", "type_comment", "type_ignores"}
_LAYOUTS: dict[type, tuple[str, tuple[tuple[str, str], ...]]] = {}

Mention = tuple[Scope, str, bool]
"""A name that is used, with attributes read from it: in which scope, and whether it is called or asked for only."""
Loading = tuple[Scope, str, Import]
"""An import inside a function: in which scope, the name that it binds there, what it imports."""


class Leave:
    """Marks on the stack where the current scope ends."""


class Hint:
    """Marks on the stack where a type hint begins and ends: what it names, nobody gets hold of."""


LEAVE, HINT = Leave(), Hint()


class Walk:
    """One walk: a stack of what is still to be read, and the text so far.

    The stack holds nodes, text and names to write, scopes to enter and `LEAVE`; the last one pushed is read first.

    Attributes:
        out: The text so far, in pieces; a name stays a mention until all is read, for then it is known what it means.
        scope: The scope that is being read.
        top: The module's scope.
        scopes: All scopes so far.
        outside: What the code does beside using names.
        omit: Ids of the functions to leave out.
        bare: A definition to read without its decorators.
        hints: Whether the type hints of that definition are read, too.
        hinting: Whether a type hint is being read.
        compared: Ids of the calls whose result is only compared, called, or asked for an attribute.
    """

    def __init__(
        self, readers: Mapping[type, Reader], omit: frozenset[int], bare: ast.AST | None, hints: bool = True
    ) -> None:
        self.readers = readers
        self.omit = omit
        self.bare = bare
        self.hints = hints
        self.hinting = False
        self.compared: set[int] = set()
        self.out: list[str | Mention | Loading] = []
        self.stack: list[Any] = []
        self.top = Scope("module", None)
        self.scope = self.top
        self.scopes = [self.top]
        self.outside = Outside()
        self._open: list[Scope] = []

    def run(self, nodes: Sequence[ast.AST]) -> None:
        """Reads `nodes` and all they hold, in the order of the source."""
        stack, append = self.stack, self.out.append
        stack.extend(reversed(nodes))
        pop, get = stack.pop, self.readers.get
        while stack:
            item = pop()
            kind = item.__class__
            if kind is str or kind is tuple:
                append(item)
            elif kind is ast.Name:
                if item.ctx.__class__ is ast.Load:
                    append((self.scope, item.id, self.hinting))
                else:
                    self.store(item.id)
            else:
                reader = get(kind)
                if reader is not None:
                    reader(self, item)
                else:
                    self.read_fields(item)

    def store(self, name: str) -> None:
        """Reads a name that is bound; at module level it is what the code is about, in a class an attribute."""
        scope = self.scope
        scope.store(name)
        if scope is self.top or (scope.kind == "class" and name in scope.stores):
            self.out.append(f"n{scope.number}.{name}")
        else:
            self.out.append((scope, name, False))

    def read_fields(self, item: ast.AST) -> None:
        """Reads a node that needs no care: its kind, then each field that is not empty.

        Empty fields are left out because newer Pythons add some.
        """
        kind = item.__class__
        opening, fields = _LAYOUTS.get(kind) or _layout(kind)
        self.out.append(opening)
        if not fields:
            return
        stack = self.stack
        stack.append(")")
        for name, label in fields:
            value = getattr(item, name)
            if value.__class__ is list:
                if not value:
                    continue
                stack.extend(reversed(value))
            elif value is None:
                continue
            else:
                stack.append(value if isinstance(value, ast.AST) else str(value))
            stack.append(label)

    def enter(self, scope: Scope) -> None:
        """Goes into a scope that was met on the stack."""
        self._open.append(self.scope)
        self.scope = scope

    def leave(self) -> None:
        """Goes back to the scope around."""
        self.scope = self._open.pop()

    def inside(self, kind: ScopeKind, around: Scope | None = None, names: Iterable[str] = ()) -> Scope:
        """A new scope in another one, to be put on the stack.

        Args:
            kind: What it is the scope of.
            around: The other one, by default the current.
            names: Names that it binds for all to see.
        """
        scope = Scope(kind, around or self.scope, len(self.scopes))
        self.scopes.append(scope)
        for name in names:
            scope.fix(name)
        return scope


Reader = Callable[[Walk, Any], None]


def _layout(kind: type[ast.AST]) -> tuple[str, tuple[tuple[str, str], ...]]:
    fields = [name for name in kind._fields if name not in _IGNORED_FIELDS]
    _LAYOUTS[kind] = kind.__name__, tuple((name, "." + name) for name in reversed(fields))
    return _LAYOUTS[kind]
