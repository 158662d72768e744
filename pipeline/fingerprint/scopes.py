"""Which names a piece of code takes from outside, by Python's own scoping rules.

One `Scope` stands for a module, class, function, lambda or comprehension while it is being read. When it
is closed, what it could not answer itself goes to the scope around it.
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
    """What a piece of code takes from outside itself, as far as reading has come."""

    imports: set[tuple[Import, str]] = field(default_factory=set)
    dynamic: list[tuple[str, int]] = field(default_factory=list)
    mentions: set[str] = field(default_factory=set)


class Scope:
    """The names stored and loaded in one scope."""

    __slots__ = ("globals", "imports", "kind", "loads", "nonlocals", "parent", "stores", "top", "writes")

    def __init__(self, kind: ScopeKind, parent: Scope | None) -> None:
        # Names in a class body are invisible to the functions inside it.
        while parent is not None and parent.kind == "class":
            parent = parent.parent
        self.kind: ScopeKind = kind
        self.parent: Scope | None = parent
        self.top: Scope = self if parent is None else parent.top
        self.stores: set[str] = set()
        self.loads: set[str] = set()
        self.writes: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.imports: dict[str, list[Import]] = {}

    def store(self, name: str) -> None:
        """Notes that `name` is bound here."""
        if name in self.globals:
            self.top.writes.add(name)
            self.top.loads.add(name)
        elif name not in self.nonlocals:
            self.stores.add(name)

    def store_walrus(self, name: str) -> None:
        """Notes `name := ...`, which binds in the function around a comprehension."""
        scope = self
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        scope.store(name)

    def bind_import(self, name: str, target: Import) -> None:
        """Notes that an import statement binds `name` here."""
        self.store(name)
        self.imports.setdefault(name, []).append(target)

    def close(self, outside: Outside) -> None:
        """Hands on to the scope around it what this one cannot answer."""
        if self.parent is None:
            return
        used: set[str] = set()
        for ref in self.loads:
            root, _, rest = ref.partition(".")
            if root in self.globals:
                self.top.loads.add(ref)
                continue
            if root in self.imports:
                used.add(root)
                outside.imports.update((target, rest) for target in self.imports[root])
            if root not in self.stores or self.kind == "class":
                # A class body may read a global of the same name before it binds its own.
                self.parent.loads.add(ref)
        for root in self.writes:
            if root in self.globals:
                self.top.writes.add(root)
            elif root not in self.stores:
                self.parent.writes.add(root)
        for name in self.imports.keys() - used:
            # Imported for its effects alone, so all of the module counts.
            for target in self.imports[name]:
                outside.imports.add((Import(target.level, target.loaded, target.attribute, target.loaded), ""))
