"""Where a global name leads in the end, through any number of imports.

What it stands for is the same wherever that is, and under whatever name it was imported.
"""

from __future__ import annotations

import builtins
import os
from dataclasses import dataclass, replace

from ..syntax.expressions import ADDITION, ANY
from ..syntax.scopes import Import
from ..syntax.summary import Ref
from .locate import Location
from .module import Binding, Module
from .resolve import IMPLICIT, MAX_HOPS, Resolver

THE_MODULE = "the module"
"""What is said of a name that stands for one of the user's modules."""
Name = tuple[str, str]
"""A module's file and a name in it."""


_SAYING = frozenset({"bool", "float", "format", "int", "isinstance", "len", "print", "repr", "round", "str", "type"})
_SAYING |= {name for name, each in vars(builtins).items() if isinstance(each, type) and issubclass(each, BaseException)}
"""Builtins whose call does nothing to what others use."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a name stands for.

    Attributes:
        said: What it is, in words that are the same wherever it stands; for the user's own the attributes read from it.
        own: The name that is bound to it, where it is the user's own.
        passed: The names on the way that only import it.
        copied: The names on the way that an import copied: they may be something else when they are rebound.
        module: Whether it may be a module.
        package: The package it is of.
        place: The file whose place counts for it.
        busy: A file on the way whose import does something; then it is nothing else.
        plain: Whether it is nothing of the user's, told by its words alone.
    """

    said: str
    own: Name | None = None
    passed: frozenset[Name] = frozenset()
    copied: frozenset[Name] = frozenset()
    module: bool = False
    package: str | None = None
    place: str = ""
    busy: str = ""
    plain: bool = False


class Leads:
    """Follows names to what they stand for.

    Args:
        resolver: Finds the files.
    """

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self._known: dict[tuple[str, Ref], tuple[Target, ...]] = {}
        self._places: dict[str, str] = {}
        self._open: set[tuple[str, Ref]] = set()
        self._circles = 0

    def of(self, module: Module, ref: Ref) -> tuple[Target, ...]:
        """What a name stands for in a module; several where it depends, nothing that is left to chance."""
        known = module.inside.get(ref)
        if known is None:
            known = self._known.get((module.path, ref))
        if known is not None:
            return known
        key = (module.path, ref)
        if key in self._open:
            self._circles += 1
            return (Target(f"in a circle {ref}", place=self.resolver.label(module.path)),)
        self._open.add(key)
        before, found = self._circles, tuple(dict.fromkeys(self._find(module, ref)))
        self._open.discard(key)
        if _is_inside(module, ref):
            module.inside[ref] = found
        elif self._circles == before or not self._open:
            self._known[key] = found  # and not what depends on where the circle was entered
        return found

    def place(self, module: Module) -> str:
        """What counts of a module's place: its label if the import of it does more than to define names, else nothing.

        Which modules are imported would not count otherwise, where names lead past them.
        """
        known = self._places.get(module.path)
        if known is None:
            around = self._around(os.path.dirname(module.path))
            busy = any(self._is_done_to_users(each, name) for each in (module, *around) for name in each.acting)
            known = self._places[module.path] = self.resolver.label(module.path) if busy else ""
        return known

    def _is_done_to_users(self, module: Module, name: str | None) -> bool:
        """Whether what is called or set at the top of a module may be of the user's.

        A pipeline only makes a run, and a run is only looked at.
        """
        if name is None:
            return True
        if name in _SAYING and name not in module.bindings and not module.stars:
            return False
        resolver = self.resolver
        if resolver.is_foreign(module, name) or self._is_pipeline(module, name):
            return False
        if (pipeline := module.made_by(name, of="values")) is not None and self._is_pipeline(module, pipeline):
            return False
        return not any(resolver.is_foreign(module, made_by) for made_by in [module.made_by(name)] if made_by)

    def _is_pipeline(self, module: Module, name: str, hops: int = 0) -> bool:
        """Whether a name is a pipeline's, here or where it is imported from."""
        bindings = [binding for binding in module.bindings.get(name, ()) if not binding.called]
        return bool(bindings) and all(self._binds_pipeline(module, each, hops) for each in bindings)

    def _binds_pipeline(self, module: Module, binding: Binding, hops: int) -> bool:
        target = binding.imported
        if target is None:
            return any(self.resolver.makes_pipelines(module, each) for each in binding.decorators)
        source = self.resolver.own(module, target) if target.attribute is not None and hops < MAX_HOPS else None
        return source is not None and self._is_pipeline(source, target.attribute or "", hops + 1)

    def _around(self, folder: str) -> list[Module]:
        """The packages that a folder is in."""
        found = []
        while os.path.isfile(path := os.path.join(folder, "__init__.py")):
            module = self.resolver.load(path)
            if module is not None:
                found.append(module)
            folder = os.path.dirname(folder)
        return found

    def _find(self, module: Module, ref: Ref) -> list[Target]:
        if not isinstance(ref, str):
            target, rest = ref
            return self._imported(module, target, rest)
        name, _, rest = ref.partition(".")
        if not name:
            return [Target(f"of its class {rest}")]
        bindings = module.bindings.get(name)
        if bindings is None:
            return self._unbound(module, name, rest)
        if self.resolver.is_foreign(module, name):
            bindings = [binding for binding in bindings if not binding.changes]
        if self._is_passed(module, bindings):
            assert bindings[0].imported is not None
            passed = frozenset([(module.path, name)])
            found = self._imported(module, bindings[0].imported, rest)
            return [replace(target, passed=target.passed | passed, plain=False) for target in found]
        found = [Target(rest, (module.path, name))]
        for binding in bindings:
            if binding.imported is not None:
                found += self._imported(module, binding.imported, rest)
        return found

    def _is_passed(self, module: Module, bindings: list[Binding]) -> bool:
        """Whether a name is nothing but another one's, always."""
        imported = {
            None if each is None or binding.conditions else (each.level, each.module, each.attribute)
            for binding in bindings
            for each in [binding.imported]
        }
        return len(imported) == 1 and None not in imported and module.path not in self.resolver.virtual

    def _imported(self, module: Module, target: Import, rest: str) -> list[Target]:
        attributes = [target.attribute] if target.attribute is not None else []
        onward = attributes + (rest.split(".") if rest else [])
        return self._enter(self.resolver.locate(module, target), onward, copied=bool(attributes))

    def _enter(self, location: Location, attributes: list[str], *, copied: bool) -> list[Target]:
        if location.kind != "own":
            dotted = f"{location.kind} {'.'.join([location.dotted, *attributes])}"
            package = location.top if location.kind == "package" else None
            return [Target(dotted, module=True, package=package, plain=True)]
        module = self.resolver.load(location.file) if location.file is not None else None
        where = self.resolver.label(location.file) if location.file is not None else location.dotted
        place = self.place(module) if module is not None else ""
        past = [Target("", busy=place)] if place else []
        if not attributes or attributes[0] == ANY:
            return [Target(THE_MODULE, module=True, place=where)]
        head = attributes[0].removeprefix(ADDITION)
        child = location.child(head)
        if module is not None and self.resolver.binds(module, head):
            found = self.of(module, ".".join([head, *attributes[1:]]))
            copies = frozenset([(module.path, head)]) if copied else frozenset[Name]()
            return past + [replace(target, copied=target.copied | copies, plain=False) for target in found]
        if child is not None:
            return past + self._enter(child, attributes[1:], copied=False)
        if module is not None and "__getattr__" in module.bindings and head not in IMPLICIT:
            said = Target(f"by __getattr__ {'.'.join(attributes)}")
            return [*past, said, *self.of(module, "__getattr__")]
        return [Target(f"{'.'.join(attributes)} of the module", place=where)]

    def _unbound(self, module: Module, name: str, rest: str) -> list[Target]:
        """What a name leads to that a module does not bind."""
        ref = f"{name}.{rest}" if rest else name
        starred = list(self.resolver.stars_binding(module, name))
        if starred:
            past = [Target("", busy=self.place(source)) for source in starred if self.place(source)]
            passed = frozenset([(module.path, name)])
            return past + [
                replace(found, passed=found.passed | passed, copied=found.copied | {(source.path, name)}, plain=False)
                for source in starred
                for found in self.of(source, ref)
            ]
        stars = [self.resolver.locate(module, star) for star in module.stars]
        foreign = " ".join(star.dotted for star in stars if star.kind != "own")
        if hasattr(builtins, name) and name not in IMPLICIT:
            return [Target(f"builtin {ref} {foreign}", plain=True)]
        if name in IMPLICIT:
            return [Target(ref, place=self.resolver.label(module.path))]
        return [Target(f"{rest} {foreign}", (module.path, name))]  # some other code may have set it


def _is_inside(module: Module, ref: Ref) -> bool:
    """Whether a module alone says where a name leads."""
    if not isinstance(ref, str):
        return False
    name = ref.partition(".")[0]
    bindings = module.bindings.get(name)
    if bindings is None:
        return hasattr(builtins, name) and name not in IMPLICIT and not module.stars
    return all(binding.imported is None for binding in bindings)
