"""Follows code from one name to everything of the user's own that it reaches.

Names are followed through files, not through objects: what counts is what the text says, so that it is
the same in every process that reads the same files.
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import packages, sources
from .model import Part, Unfollowed, digest
from .module import Condition, Module
from .project import Location, label, locate
from .scopes import Import
from .syntax import Summary
from .units import Decorator, Piece, Units

_TOOL = "artvcs"
_IMPLICIT = frozenset(
    "__annotations__ __builtins__ __cached__ __class__ __debug__ __dict__ __file__ __loader__ __name__"
    " __package__ __path__ __qualname__ __spec__".split()
)
_units: dict[Module, Units] = {}


def units_of(module: Module) -> Units:
    """The pieces of a module, read once for as long as the file stays the same."""
    known = _units.get(module)
    if known is None:
        known = _units[module] = Units(module)
    return known


class Traversal:
    """One walk from a step through everything it reaches.

    Attributes:
        root: The project's folder, which names are relative to.
        parts: What counts so far, by name.
        files: Each file that was looked into, with its stamp.
        fallback: Asked for a name that no file binds: a module's namespace at run time.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.parts: dict[str, Part] = {}
        self.packages: dict[str, str] = {}
        self.unfollowed: set[Unfollowed] = set()
        self.files: dict[str, sources.Stamp | None] = {}
        self.namespaces: dict[str, Mapping[str, Any]] = {}
        self.fallback: Callable[[Module, str, str], bool] = lambda module, name, rest: False
        self.virtual: set[str] = set()
        self._todo: list[tuple[Module, str]] = []
        self._seen: set[tuple[str, str]] = set()
        self._taken: set[tuple[str, str]] = set()

    # Names

    def follow(self, module: Module, ref: str) -> None:
        """Notes that a global name of `module`, with attributes, is reached."""
        key = (module.path, ref)
        if key not in self._seen:
            self._seen.add(key)
            self._todo.append((module, ref))

    def run(self) -> None:
        """Follows until nothing new is reached."""
        while self._todo:
            module, ref = self._todo.pop()
            name, _, rest = ref.partition(".")
            if module.path in self.virtual and self.fallback(module, name, rest):
                continue
            if name in module.bindings:
                self.take(module, name)
                for binding in module.bindings[name]:
                    if binding.imported is not None:
                        self._import(module, binding.imported, rest, self.name(module, name))
            elif not self._from_star(module, name, rest):
                self._unbound(module, name, rest)

    def name(self, module: Module, qualname: str) -> str:
        """The name of a part."""
        return f"{self.label(module)}::{qualname}"

    def label(self, module: Module) -> str:
        """The name of a file, the same on every machine."""
        return "<notebook>" if module.path in self.virtual else label(self.root, module.path)

    def take(self, module: Module, name: str) -> None:
        """Adds the parts behind a name, once, and follows what they use."""
        if (module.path, name) in self._taken:
            return
        self._taken.add((module.path, name))
        units = units_of(module)
        writers, calls = units.changes(name)
        for writer in writers:
            self.follow(module, writer)
        grouped: dict[str, list[Piece]] = {}
        for piece in (*units.pieces(name), *calls):
            grouped.setdefault(piece.qualname, []).append(piece)
        for qualname, pieces in grouped.items():
            self.add_pieces(module, qualname, pieces)

    def add_pieces(self, module: Module, qualname: str, pieces: Iterable[Piece]) -> None:
        """Makes one part of everything that binds one name, and follows what it uses."""
        pieces = list(pieces)
        name = self.name(module, qualname)
        hashes = [self._hash(module, name, piece) for piece in pieces]
        nodes = list(dict.fromkeys(piece.node for piece in pieces))
        self.add(
            Part(
                name,
                pieces[0].kind,
                hashes[0] if len(hashes) == 1 else digest("\n".join(hashes)),
                None if module.path in self.virtual else self.label(module),
                min(node.lineno for node in nodes),  # type: ignore[attr-defined]
                "\n".join(module.source(node) for node in nodes),
            )
        )

    def add(self, part: Part) -> None:
        """Adds a part; a second one of the same name and another hash gets a number."""
        name, number = part.name, 1
        while name in self.parts and self.parts[name].hash != part.hash:
            number += 1
            name = f"{part.name}#{number}"
        if name != part.name:
            part = Part(name, part.kind, part.hash, part.file, part.line, part.source)
        self.parts[name] = part

    def _hash(self, module: Module, where: str, piece: Piece) -> str:
        hashes = []
        for condition in piece.conditions:
            hashes.append(self._condition(module, where, condition))
        for decorator in piece.decorators:
            if not self._is_ours(module, decorator):
                self.use(module, where, decorator.summary)
                hashes.append("@" + decorator.summary.digest)
        if piece.imported is not None:
            hashes.append(self._target(module, piece.imported))
        if piece.summary is not None:
            self.use(module, where, piece.summary)
            hashes.append(piece.summary.digest)
        return hashes[0] if len(hashes) == 1 and piece.summary is not None else digest("\n".join(hashes))

    def _condition(self, module: Module, where: str, condition: Condition) -> str:
        self.use(module, where, condition.summary)
        return f"{condition.label} {condition.summary.digest}"

    def use(self, module: Module, where: str, summary: Summary) -> None:
        """Follows what a piece of code uses."""
        for ref in summary.refs:
            self.follow(module, ref)
        for target, rest in summary.imports:
            self._import(module, target, rest, where)
        for what, line in summary.dynamic:
            self.unfollowed.add(Unfollowed(where, what, line))

    def _is_ours(self, module: Module, decorator: Decorator) -> bool:
        return decorator.name is not None and self.leads_to_tool(module, decorator.name)

    # Modules

    def load(self, path: str) -> Module | None:
        """The parsed file; one that cannot be read is listed and skipped."""
        if path not in self.files:
            self.files[path] = sources.stamp(path)
        loaded = sources.load(path)
        if isinstance(loaded, str):
            self.unfollowed.add(Unfollowed(label(self.root, path), loaded, 0))
            return None
        return loaded

    def locate(self, module: Module, target: Import) -> Location:
        """The module that an import leads to."""
        return locate(self.importer(module), self.root, target.level, target.module)

    def importer(self, module: Module) -> str:
        """The file whose folder imports of `module` start from."""
        return os.path.join(self.root, "__main__.py") if module.path in self.virtual else module.path

    def _target(self, module: Module, target: Import) -> str:
        location = self.locate(module, target)
        place = label(self.root, location.file) if location.file is not None else location.dotted
        return f"import {place} {target.attribute or ''}"

    def _import(self, module: Module, target: Import, rest: str, where: str) -> None:
        attributes = [target.attribute] if target.attribute is not None else []
        self.enter(self.locate(module, target), attributes + (rest.split(".") if rest else []), where)

    def enter(self, location: Location, attributes: list[str], where: str) -> None:
        """Follows attributes of a module: names in it, then submodules; the whole of it if there are none."""
        if location.kind == "package":
            self.packages.update(packages.distributions(location.top))
        elif location.kind == "missing":
            self.unfollowed.add(Unfollowed(where, f"module {location.dotted} was not found", 0))
        elif location.kind == "binary":
            self._binary(location, where)
        elif location.kind == "own":
            self._enter_own(location, attributes, where)

    def _enter_own(self, location: Location, attributes: list[str], where: str) -> None:
        module = self.load(location.file) if location.file is not None else None
        if not attributes:
            if module is not None:
                self._whole(module)
            return
        head, rest = attributes[0], attributes[1:]
        if module is not None and self._binds(module, head, set()):
            self.follow(module, ".".join(attributes))
            return
        child = location.child(head)
        if child is not None:
            self.enter(child, rest, where)
        elif module is not None and "__getattr__" in module.bindings:
            self.follow(module, "__getattr__")
        elif module is not None and head not in _IMPLICIT and head != "__doc__":
            self._whole(module)

    def _whole(self, module: Module) -> None:
        """Counts all of a module, for it is used as an object or imported for its effects."""
        key = (module.path, "")
        if key in self._taken:
            return
        self._taken.add(key)
        for name in module.bindings:
            self.follow(module, name)
        for star in module.stars:
            self._import(module, Import(star.level, star.module, None, star.module), "", self.label(module))
        loose = [Piece("", "module", b.node, b_summary(b), (), b.conditions) for b in module.loose]
        if loose:
            self.add_pieces(module, "<module>", loose)

    def _binary(self, location: Location, where: str) -> None:
        self.unfollowed.add(Unfollowed(where, f"compiled module {location.dotted}", 0))
        path = location.file or ""
        self.files[path] = sources.stamp(path)
        try:
            with open(path, "rb") as file:
                content = digest(file.read().hex())
        except OSError:
            return
        # Not by its file name, which names the Python and the machine it was built for.
        name = f"{os.path.dirname(label(self.root, path)) or '.'}/{location.dotted.rpartition('.')[2]}"
        self.add(Part(name, "file", content, label(self.root, path), 0, ""))

    # Star imports and names nothing binds

    def _binds(self, module: Module, name: str, seen: set[str]) -> bool:
        if name in module.bindings:
            return True
        return any(True for _ in self._stars_binding(module, name, seen))

    def _stars_binding(self, module: Module, name: str, seen: set[str]) -> Iterable[Module]:
        """The user's own modules that a star import takes `name` from."""
        if module.path in seen:
            return
        seen.add(module.path)
        for star in module.stars:
            location = self.locate(module, Import(star.level, star.module, None, star.module))
            source = self.load(location.file) if location.kind == "own" and location.file is not None else None
            if source is not None and _exports(source, name) and self._binds(source, name, seen):
                yield source

    def _from_star(self, module: Module, name: str, rest: str) -> bool:
        found = list(self._stars_binding(module, name, set()))
        for source in found:
            self.follow(source, f"{name}.{rest}" if rest else name)
        return bool(found)

    def _unbound(self, module: Module, name: str, rest: str) -> None:
        if name == "__doc__":
            self._docstring(module)
        elif hasattr(builtins, name) or name in _IMPLICIT or self.fallback(module, name, rest):
            return
        for star in module.stars:
            location = self.locate(module, Import(star.level, star.module, None, star.module))
            if location.kind != "own":
                self.enter(location, [], self.label(module))

    def _docstring(self, module: Module) -> None:
        import ast

        text = ast.get_docstring(module.tree, clean=False) or ""
        where = self.label(module)
        self.add(Part(f"{where}::__doc__", "constant", digest(text), where, 1, text))

    def leads_to_tool(self, module: Module, ref: str, depth: int = 0) -> bool:
        """Whether a global name is one of artvcs's own, through any number of the user's modules."""
        name, _, rest = ref.partition(".")
        if depth > 20:
            return False
        namespace = self.namespaces.get(module.path)
        if name not in module.bindings and namespace is not None and name in namespace:
            return str(getattr(namespace[name], "__module__", None) or "").partition(".")[0] == _TOOL
        targets = [binding.imported for binding in module.bindings.get(name, ()) if binding.imported is not None]
        if name not in module.bindings:
            targets = [Import(star.level, star.module, name, star.module) for star in module.stars]
        for target in targets:
            location = self.locate(module, target)
            if location.kind == "package":
                if location.top == _TOOL:
                    return True
                continue
            source = self.load(location.file) if location.kind == "own" and location.file is not None else None
            onward = ".".join(part for part in (target.attribute, rest) if part)
            if source is not None and onward and self.leads_to_tool(source, onward, depth + 1):
                return True
        return False


def b_summary(binding: Any) -> Summary:
    from .syntax import summarise

    return summarise(binding.header or [binding.node])


def _exports(module: Module, name: str) -> bool:
    exports = module.exports
    return not name.startswith("_") if exports is None else name in exports
