"""Which of the user's files a name leads to: loads files, finds imports, looks through star imports."""

from __future__ import annotations

import os
import types
from collections.abc import Iterator, Mapping
from typing import Any

from ..model import Unfollowed
from ..syntax.scopes import Import
from . import sources
from .locate import TOOL, Location, label, locate, stated
from .module import Binding, Module

IMPLICIT = {"__annotations__", "__builtins__", "__cached__", "__class__", "__debug__", "__dict__", "__doc__"}
IMPLICIT |= {"__file__", "__loader__", "__module__", "__name__", "__package__", "__path__", "__qualname__", "__spec__"}
"""What every module has, or every class."""
_NOTEBOOK = "<notebook>"
MAX_HOPS = 20


class Resolver:
    """Finds code for one project, and remembers which files it depended on.

    Attributes:
        root: The project's folder, which names are relative to.
        files: Each file that was looked into, with its stamp.
        virtual: Names of notebook cells, which are no files.
        namespaces: Globals at run time, by module, where a function brought them along.
        broken: Files that could not be read.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.files: dict[str, sources.Stamp | None] = {}
        self.virtual: set[str] = set()
        self.namespaces: dict[str, Mapping[str, Any]] = {}
        self.broken: set[Unfollowed] = set()
        self._labels: dict[str, str] = {}
        self._located: dict[tuple[str, int, str], Location] = {}

    def label(self, path: str) -> str:
        """The name of a file, the same on every machine."""
        if path in self.virtual:
            return _NOTEBOOK
        known = self._labels.get(path)
        if known is None:
            known = self._labels[path] = label(self.root, path)
        return known

    def load(self, path: str) -> Module | None:
        """The parsed file; one that cannot be read is listed and skipped."""
        if path not in self.files:
            self.files[path] = sources.stamp(path)
        loaded = sources.load(path)
        if isinstance(loaded, str):
            self.broken.add(Unfollowed(self.label(path), loaded, 0))
            return None
        return loaded

    def locate(self, module: Module, target: Import) -> Location:
        """The module that an import in `module` leads to."""
        importer = os.path.join(self.root, "__main__.py") if module.path in self.virtual else module.path
        key = (os.path.dirname(importer), target.level, target.module)
        known = self._located.get(key)
        if known is None:
            known = self._located[key] = locate(importer, self.root, target.level, target.module)
        return known

    def describe(self, module: Module, target: Import) -> str:
        """What an import binds, in words that are the same on every machine."""
        location = self.locate(module, target)
        place = self.label(location.file) if location.file is not None else location.dotted
        return f"import {place} {target.attribute or ''}"

    def is_foreign(self, module: Module, name: str | None) -> bool:
        """Whether a global name is nothing but an import from a package or from Python's library.

        What is called or set in it is an effect on that package, and no other value of the name (see `reach.effects`).
        """
        found = [binding.imported for binding in module.bindings.get(name or "", ()) if not binding.changes]
        located = [each and self.locate(module, each) for each in found]
        return bool(found) and all(each and each.kind in ("package", "stdlib") and each.top != TOOL for each in located)

    def own(self, module: Module, target: Import) -> Module | None:
        """The user's module that an import leads to, None when it is no file of the user's."""
        location = self.locate(module, target)
        return self.load(location.file) if location.kind == "own" and location.file is not None else None

    def binds(self, module: Module, name: str) -> bool:
        """Whether a module has a name, by itself or through a star import."""
        bindings = module.bindings.get(name)
        if bindings is None:
            return next(self.stars_binding(module, name), None) is not None
        return not all(self._is_own_child(module, name, binding) for binding in bindings)

    def _is_own_child(self, module: Module, name: str, binding: Binding) -> bool:
        """Whether a binding is a package's import of its own submodule: `from . import sub`."""
        target = binding.imported
        if target is None or target.attribute != name or os.path.basename(module.path) != "__init__.py":
            return False
        return self.locate(module, target).file == module.path

    def stars_binding(self, module: Module, name: str, seen: frozenset[str] = frozenset()) -> Iterator[Module]:
        """The user's own modules from which a star import takes `name`."""
        for star in module.stars if module.path not in seen else ():
            source = self.own(module, star)
            if source is None or not _exports(source, name):
                continue
            deeper = self.stars_binding(source, name, seen | {module.path})
            if name in source.bindings or next(deeper, None) is not None:
                yield source

    def leads_to_tool(self, module: Module, ref: str, hops: int = 0) -> bool:
        """Whether a global name is one of artvcs's own, through any number of the user's modules."""
        name, _, rest = ref.partition(".")
        bindings = module.bindings.get(name)
        namespace = self.namespaces.get(module.path, {})
        if bindings is None and name in namespace:
            return belongs_to_tool(namespace[name])
        if bindings is None:
            targets = [Import(star.level, star.module, name, star.module) for star in module.stars]
        else:
            targets = [binding.imported for binding in bindings if binding.imported is not None]
        return hops < MAX_HOPS and any(self._target_is_tool(module, each, rest, hops) for each in targets)

    def makes_pipelines(self, module: Module, decorator: str) -> bool:
        """Whether a decorator is artvcs's own that makes a pipeline of a function."""
        return decorator.rpartition(".")[2] == "pipeline" and self.leads_to_tool(module, decorator)

    def _target_is_tool(self, module: Module, target: Import, rest: str, hops: int) -> bool:
        location = self.locate(module, target)
        if location.kind == "package":
            return location.top == TOOL
        onward = ".".join(part for part in (target.attribute, rest) if part)
        source = self.own(module, target)
        if source is not None and onward and self.binds(source, onward.partition(".")[0]):
            return self.leads_to_tool(source, onward, hops + 1)
        child = location.child(onward.partition(".")[0]) if onward else None
        if child is None or child.kind != "own" or child.file is None or "." not in onward:
            return False
        inner = self.load(child.file)
        return inner is not None and self.leads_to_tool(inner, onward.partition(".")[2], hops + 1)


def belongs_to_tool(value: Any) -> bool:
    """Whether an object is a module of artvcs or defined in one."""
    if issubclass(type(value), types.ModuleType):
        name = stated(value, "__name__")
    else:
        name = value.__module__ if issubclass(type(value), type | types.FunctionType) else type(value).__module__
    return isinstance(name, str) and name.partition(".")[0] == TOOL


def _exports(module: Module, name: str) -> bool:
    exports = module.exports
    return not name.startswith("_") if exports is None else name in exports
