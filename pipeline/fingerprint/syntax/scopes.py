"""Which binding a name in a piece of code means, by Python's own scoping rules.

One `Scope` stands for a module, class, function, lambda or comprehension while it is being read. What a name means is
asked when all has been read, for a later line may bind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ScopeKind = Literal["module", "class", "function", "comprehension"]


@dataclass(frozen=True, slots=True)
class Import:
    """One name that an import statement binds.

    Attributes:
        level: Number of leading dots.
        module: The module the name stands for or is taken from; empty in `from . import x`.
        attribute: The name taken from the module; None when the module itself is bound.
        loaded: The module that the statement loads: `a.b` for `import a.b`, which binds `a`.
    """

    level: int
    module: str
    attribute: str | None
    loaded: str


@dataclass(slots=True)
class Outside:
    """What a piece of code does beside using names, as far as reading has come."""

    imports: list[Import] = field(default_factory=list)
    dynamic: list[tuple[str, int]] = field(default_factory=list)
    mentions: set[str] = field(default_factory=set)
    strings: list[str] = field(default_factory=list)
    sets: list[tuple[Scope, str]] = field(default_factory=list)


class Scope:
    """The names bound in one scope.

    Attributes:
        kind: What it is the scope of.
        number: Which scope of the code it is, in the order of reading.
        parent: The scope in which names are looked for that this one does not bind.
        stores: The names it binds, in any way.
        fixed: Those whose name can be seen from outside: parameters, functions, classes.
        assigned: Those that something else than an import binds.
        imports: Those that imports bind, and what they import.
        classes: Those of parameters that are given a class, as `cls` is.
        writes: The names that stand for what is changed in place.
        rebinds: Those of the module that functions bind anew.
    """

    __slots__ = (
        "assigned", "classes", "fixed", "globals", "imports", "kind", "nonlocals", "number", "parent", "rebinds",
        "spelt", "stores", "top", "writes",
    )  # fmt: skip

    def __init__(self, kind: ScopeKind, parent: Scope | None, number: int = 0) -> None:
        # Names in a class body are invisible to the functions inside it.
        while parent is not None and parent.kind == "class":
            parent = parent.parent
        self.kind: ScopeKind = kind
        self.number = number
        self.parent: Scope | None = parent
        self.top: Scope = self if parent is None else parent.top
        self.stores: set[str] = set()
        self.fixed: set[str] = set()
        self.classes: set[str] = set()
        self.assigned: set[str] = set()
        self.writes: set[str] = set()
        self.rebinds: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.imports: dict[str, list[Import]] = {}
        self.spelt: dict[str, tuple[str, tuple[int, ...]]] = {}

    def store(self, name: str) -> None:
        """Notes that `name` is bound here."""
        if name in self.globals:
            self.top.writes.add(name)
            self.top.rebinds.add(name)
        elif name not in self.nonlocals:
            self.stores.add(name)
            self.assigned.add(name)

    def fix(self, name: str) -> None:
        """Notes that `name` is bound here and can be seen from outside."""
        self.store(name)
        self.fixed.add(name)

    def owner_of_walrus(self) -> Scope:
        """The scope in which `name := ...` binds: that of the function around a comprehension."""
        scope = self
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        return scope

    def bind_import(self, name: str, target: Import) -> None:
        """Notes that an import statement binds `name` here."""
        if name in self.globals or name in self.nonlocals:
            self.store(name)
        else:
            self.stores.add(name)
        self.imports.setdefault(name, []).append(target)

    def owner(self, name: str) -> Scope | None:
        """The scope that binds what `name` means here; None if that is a global name."""
        scope: Scope | None = self
        while scope is not None and scope.kind != "module" and name not in scope.globals:
            if name in scope.stores:
                return scope
            scope = scope.parent
        return None
