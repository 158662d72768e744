"""Follows code from one name to everything of the user's own that it reaches.

Names are followed through files, not through objects: what counts is what the text says, so that it is
the same in every process that reads the same files.
"""

from __future__ import annotations

import ast
import builtins
import os
from collections.abc import Callable
from dataclasses import replace

from . import looking, packages, sources
from .expressions import ADDITION
from .model import Part, Unfollowed, digest
from .module import Binding, Module
from .nodes import Definition, chain, line_of
from .project import TOOL, Location
from .identity import Identity, Node, Said, plainly
from .leads import Leads, Name
from .resolve import IMPLICIT, Resolver
from .scopes import Import
from .syntax import Ref, Summary, summarise
from .units import Piece, Units

_units: dict[str, Units] = {}

_OF_ANY = frozenset(f"{name}() with a computed name" for name in ("import_module", "__import__"))
_OF_ITS_OWN = frozenset(f"{name}()" for name in ("exec", "eval", "globals"))
_COMPUTING = {("sys", "modules"), ("pydoc", "locate"), ("pkgutil", "resolve_name"), ("runpy", "run_module")}
_DOC_READERS = {("inspect", "getdoc"), ("pydoc", "getdoc"), ("inspect", "cleandoc")}
_PLACE_READERS = {("sys", "_getframe"), ("inspect", "currentframe"), ("inspect", "stack")}

Fallback = Callable[[Module, str, str], bool]


class Traversal:
    """One walk from a step through everything it reaches.

    Attributes:
        parts: What counts so far, by name.
        packages: Distributions reached so far, with their versions.
        unfollowed: What could not be followed so far.
        unhashable: Values that count and have no identity.
        taken: Module-level names that the code uses when it runs, in order.
        taken_at_import: Those that only the import of a module uses, as to make a constant; with that module.
        read: Those whose value is read, each with its module's file; others are only added to.
        foreign: Names of packages that were reached so far: a module, and the attributes read from it.
        mentions: Special attributes, as `__subclasses__`, that are read from anything.
        writes: Module-level names that code rebinds or changes in place, each with its module's file.
        held: The names of functions and classes that live objects hold, each with its module's file.
        fallback: Asked to follow a name that no file binds; says whether it could.
        spell: The name under which a part is known to those who hold it.
    """

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.parts: dict[str, Part] = {}
        self.packages: dict[str, str] = {}
        self.unfollowed: set[Unfollowed] = set()
        self.unhashable: set[Unfollowed] = set()
        self.taken: list[tuple[Module, str]] = []
        self.taken_at_import: list[tuple[Module, Module, str]] = []
        self.foreign: set[tuple[str, str]] = set()
        self.mentions: set[str] = set()
        self._documented: list[tuple[str, Definition, bool]] = []
        self.read: set[tuple[str, str]] = set()
        self.writes: set[tuple[str, str]] = set()
        self.held: set[Name] = set()
        self.fallback: Fallback = lambda module, name, rest: False
        self.spell: Callable[[str], str] = lambda name: name
        self.strict = False
        self._builtins: set[str] = set()
        self._has_modules = False
        self._leads = Leads(resolver)
        self._nodes: dict[Name, Node] = {}
        self._roots: list[Name] | None = None
        self._hints: dict[Name, tuple[Module, str, Summary]] = {}
        self._spoken: list[tuple[str, Summary]] = []
        self._handed: set[tuple[Module, Ref]] = set()
        self._sets: set[tuple[Module, Ref]] = set()
        self._todo: list[tuple[Module, str]] = []
        self._at_import: list[tuple[Module, Module, str]] = []
        self._importing: Module | None = None
        self._evaluating: Module | None = None
        self._seen: set[tuple[str, str]] = set()
        self._taken: set[tuple[str, str]] = set()

    def beyond(self) -> Traversal:
        """A traversal that starts with nothing, and takes nothing that this one has taken."""
        onward = Traversal(self.resolver)
        onward.mentions |= self.mentions
        onward.strict = True
        onward._leads = self._leads
        onward.spell = self.identity.short
        onward.read |= self.read
        used = {(module.path, name) for module, name in self.taken}
        onward._seen |= {key for key in self._seen if (key[0], key[1].partition(".")[0]) in used}
        onward._taken |= used | {key for key in self._taken if not key[1]}
        return onward

    def computes_names_of(self, label: str) -> bool:
        """Whether code finds names of a module by computing them."""
        if not _COMPUTING.isdisjoint(self.foreign):
            return True
        return any(
            gap.what in _OF_ANY or (gap.what in _OF_ITS_OWN and gap.where.partition("::")[0] == label)
            for gap in self.unfollowed
        )

    def finish(self) -> None:
        """Adds what counts only because of what has been reached: docstrings and type hints that are read, lines and
        names of local variables that are told.
        """
        self._add_hints()
        readers = "__doc__" in self.mentions or not _DOC_READERS.isdisjoint(self.foreign)
        for name, node, shown in self._documented:
            text = ast.get_docstring(node, clean=False) if readers or shown else None
            if text:
                self.add(
                    Part(f"{name}.__doc__", "constant", digest(text), name.partition("::")[0], line_of(node), text)
                )
        if not _PLACE_READERS.isdisjoint(self.foreign):
            for module in {module.path: module for module, _ in self.taken}.values():
                self.add(Part(self.name(module, "<lines>"), "file", digest(module.text), None, 0, ""))
        self.add_local_names()

    def looks_at_code(self) -> bool:
        """Whether code that is reached may see how code is written, beside what it says."""
        return (
            looking.at_code(self.mentions, self.foreign, self._builtins)
            or self._has_modules  # whoever has a module can do anything to it
            or self._rebinds()
        )

    def looks_at_anything(self) -> bool:
        """Whether code that is reached may see anything of how code is written."""
        return self.looks_at_code() or looking.at_hints(self.mentions, self.foreign)

    def depends_on_names_of(self, other: Traversal) -> bool:
        """Whether code that is reached may see how another's is written, or rebinds a name on its ways."""
        return self.looks_at_anything() or not self.writes.isdisjoint(other.identity.copied)

    def identify(self) -> None:
        """Numbers what has been reached; to be called when all has been."""
        told = looking.at_classes(self.mentions, self.foreign)
        held = self._held()
        for name, node in self._nodes.items():
            classes = [
                each.node for each in node.module.bindings.get(node.name, ()) if isinstance(each.node, ast.ClassDef)
            ]
            node.placed = bool(classes) and (
                told or name in held or any(self._is_given_away(node.module, each) for each in classes)
            )
        self.identity = Identity(self._roots or (), self._nodes, self._leads, self.writes)
        for label in self.identity.places:
            self.add(Part(f"{label}::<place>", "file", digest(label), label, 0, ""))

    def id(self) -> str:
        """The id of what has been reached."""
        return self.identity.id(self.parts, self.packages, names=self.looks_at_code())

    def names(self) -> str:
        """An id of what has been reached as it is written."""
        return plainly(self.parts.values(), self.packages)

    def _rebinds(self) -> bool:
        """Whether attributes of modules are set: what has been imported from them is something else then."""
        return any(target.module for module, ref in self._sets for target in self._leads.of(module, ref))

    def _held(self) -> set[Name]:
        """The names of what somebody gets hold of, and does not only call."""
        found = (target.own for module, ref in self._handed for target in self._leads.of(module, ref))
        return self.held | {own for own in found if own is not None}

    def _is_given_away(self, module: Module, node: ast.ClassDef) -> bool:
        """Whether a class is given to the user's code as it is made: to a decorator, or a metaclass."""
        names = [chain(each.func if isinstance(each, ast.Call) else each) for each in node.decorator_list]
        targets = (target for name in names if name is not None for target in self._leads.of(module, name))
        return bool(node.keywords) or None in names or any(target.own is not None for target in targets)

    def _add_hints(self) -> None:
        """Adds the type hints that are read, or may be by whoever gets hold of a function."""
        while self._hints:
            if self.strict or self.looks_at_anything():
                due = list(self._hints)
            else:
                held = self._held()
                due = [name for name in self._hints if name in held]
            if not due:
                return
            for name in due:
                module, where, summary = self._hints.pop(name)
                self.add(Part(f"{where}.__annotations__", "constant", summary.digest, None, 0, ""))
                self.use(module, where, summary)
            self.run()

    def add_local_names(self) -> None:
        """Adds the names of local variables that somebody may look up: by a frame, or by a text that holds them."""
        everywhere = self.strict or self.looks_at_code()
        known = (
            frozenset[str]()
            if everywhere
            else frozenset[str]().union(*(each.words for _, each in self._spoken if each.words))
        )
        told: dict[str, list[str]] = {}
        for where, summary in self._spoken:
            if summary.local and (
                everywhere or looking.at_callers(summary.mentions) or not known.isdisjoint(summary.local)
            ):
                told.setdefault(where, []).extend(summary.local)
        for where, names in told.items():
            text = " ".join(names)
            self.add(Part(f"{where}.<names>", "constant", digest(text), None, 0, text))

    def name(self, module: Module, qualname: str) -> str:
        """The name of a part."""
        return f"{self.resolver.label(module.path)}::{qualname}"

    def follow(self, module: Module, ref: str) -> None:
        """Notes that a global name of `module`, with attributes read from it, is reached."""
        if self._evaluating is not None:
            self._at_import.append((self._evaluating, module, ref))
            return
        key = (module.path, ref)
        if key not in self._seen:
            self._seen.add(key)
            self._todo.append((module, ref))

    def run(self) -> None:
        """Follows until nothing new is reached."""
        if self._roots is None:
            self._roots = [(module.path, name) for module, name in self.taken]
        while self._todo or self._at_import:
            if self._todo:
                module, ref = self._todo.pop()
            else:
                self._importing, module, ref = self._at_import.pop()
                if (module.path, ref) in self._seen:
                    continue
                self._seen.add((module.path, ref))
            name, _, rest = ref.partition(".")
            if not rest.startswith(ADDITION) and self._importing is None:
                self.read.add((module.path, name))
            # In a notebook, a name means what the cells have made of it, in whatever order they ran.
            if module.path in self.resolver.virtual and self.fallback(module, name, rest):
                continue
            if name not in module.bindings:
                self._follow_unbound(module, name, rest)
                continue
            self.take(module, name)
            for binding in module.bindings[name]:
                if binding.imported is not None:
                    self._import(module, binding.imported, rest, self.name(module, name))

    # Parts

    def take(self, module: Module, name: str) -> None:
        """Adds the parts behind a name, once, and follows what they use."""
        if (module.path, name) in self._taken:
            return
        self._taken.add((module.path, name))
        self._note_taken(module, name)
        grouped: dict[str, list[Piece]] = {}
        node = self._nodes[module.path, name] = Node(module, name)
        for piece in _units_of(module).pieces(name):
            grouped.setdefault(piece.qualname, []).append(piece)
            if piece.hints is not None:
                self._take_hints(module, name, piece.hints)
        for qualname, pieces in grouped.items():
            node.parts.append(self.add_pieces(module, qualname, pieces, node.said))

    def _take_hints(self, module: Module, name: str, hints: Summary) -> None:
        """Takes classes and packages that type hints name: what a helper is given may be of them."""
        self._hints[module.path, name] = (module, self.name(module, name), hints)
        for target in (target for ref in hints.refs for target in self._leads.of(module, ref)):
            if target.package is not None:
                self.packages.update(packages.distributions(target.package))
            found = self.resolver.load(target.own[0]) if target.own is not None else None
            if target.own is not None and found is not None and _binds_class(found, target.own[1]):
                self.follow(found, target.own[1])

    def _note_taken(self, module: Module, name: str) -> None:
        if self._importing is None:
            self.taken.append((module, name))
        else:
            self.taken_at_import.append((self._importing, module, name))

    def add_pieces(self, module: Module, qualname: str, pieces: list[Piece], said: list[Said] | None = None) -> str:
        """Makes one part of everything that binds one name, and follows what it uses; returns the name of the part.

        Args:
            module: Where they are.
            qualname: The name that they bind.
            pieces: The pieces.
            said: What they say is added to it.
        """
        said = [] if said is None else said
        label = self.resolver.label(module.path)
        name = f"{label}::{qualname}"
        file = None if module.path in self.resolver.virtual else label
        first = pieces[0]
        code, line, source = self._use_piece(module, name, first, said), first.line, module.source(first.node)
        if len(pieces) > 1:
            code = digest("\n".join([code, *(self._use_piece(module, name, piece, said) for piece in pieces[1:])]))
            line = min(piece.line for piece in pieces)
            source = "\n".join(module.source(node) for node in dict.fromkeys(piece.node for piece in pieces))
        added = self.add(Part(name, first.kind, code, file, line, source))
        for piece in pieces:
            if isinstance(piece.node, Definition):
                shown = self._is_shown_to_a_package(module, piece)
                self._documented += [(name, piece.node, shown)]
        return added

    def _is_shown_to_a_package(self, module: Module, piece: Piece) -> bool:
        """Whether a definition is handed to somebody who may read its docstring: a decorator, or a package's class."""
        if any(self._leads_to_package(module, each.name) for each in piece.decorators):
            return True
        bases = piece.node.bases if isinstance(piece.node, ast.ClassDef) and "." not in piece.qualname else []
        return any(self._leads_to_package(module, chain(base)) for base in bases)

    def _leads_to_package(self, module: Module, name: str | None) -> bool:
        bindings = module.bindings.get((name or "").partition(".")[0], ())
        targets = [binding.imported for binding in bindings if binding.imported is not None]
        located = [self.resolver.locate(module, target) for target in targets]
        return any(each.kind == "package" and each.top != TOOL for each in located)

    def add(self, part: Part) -> str:
        """Adds a part; another one of the same name and a different hash gets a number. Returns its name."""
        name, number = part.name, 1
        while name in self.parts and self.parts[name].hash != part.hash:
            number += 1
            name = f"{part.name}#{number}"
        self.parts[name] = part if number == 1 else replace(part, name=name)
        return name

    def _use_piece(self, module: Module, where: str, piece: Piece, said: list[Said]) -> str:
        """Follows what a piece uses; returns its hash under its conditions and decorators."""
        hashes = []
        said.append((piece.qualname, None))
        for condition in piece.conditions:
            self.use(module, where, condition.summary)
            hashes.append(f"{condition.label} {condition.summary.digest}")
            said.append((condition.label, condition.summary))
        for decorator in piece.decorators:
            # The options of artvcs's own decorators enter the cache key by themselves.
            if decorator.name is None or not self.resolver.leads_to_tool(module, decorator.name):
                self.use(module, where, decorator.summary)
                hashes.append(f"@ {decorator.summary.digest}")
                said.append(("@", decorator.summary))
        if piece.imported is not None:
            hashes.append(self.resolver.describe(module, piece.imported))
            said.append(("import", piece.imported))
        if piece.summary is not None:
            said.append((piece.kind, piece.summary))
            # A constant is looked at as it is: what made it counts by its text, or where it is still to be made.
            self._evaluating = module if piece.kind in ("constant", "module") else self._importing
            self.use(module, where, piece.summary)
            self._evaluating = None
            hashes.append(piece.summary.digest)
        return hashes[0] if piece.summary is not None and len(hashes) == 1 else digest("\n".join(hashes))

    def use(self, module: Module, where: str, summary: Summary) -> None:
        """Follows what a piece of code uses."""
        for ref in summary.refs:
            if not isinstance(ref, str):
                self._import(module, *ref, where)
            elif ref[0] != ".":
                self.follow(module, ref)
        self.mentions |= summary.mentions
        if summary.local or summary.words:
            self._spoken.append((where, summary))
        if summary.handed:
            self._handed.update([(module, ref) for ref in summary.handed])
        if summary.sets:
            self._sets.update([(module, ref) for ref in summary.sets])
        self.writes.update((module.path, name) for name in summary.writes)
        for what, line in summary.dynamic:
            self.unfollowed.add(Unfollowed(where, what, line))

    # Modules

    def _import(self, module: Module, target: Import, rest: str, where: str) -> None:
        attributes = [target.attribute] if target.attribute is not None else []
        self.enter(self.resolver.locate(module, target), attributes + (rest.split(".") if rest else []), where)

    def enter(self, location: Location, attributes: list[str], where: str) -> None:
        """Follows attributes of a module: names in it, then submodules; all of it when there are none."""
        if location.kind in ("package", "stdlib"):
            self.foreign.add((location.dotted, ".".join(attributes)))
        if location.kind == "package":
            self.packages.update(packages.distributions(location.top))
        elif location.kind == "missing":
            self.unfollowed.add(Unfollowed(where, f"module {location.dotted} was not found", 0))
        elif location.kind == "binary":
            self._add_binary(location, where)
        elif location.kind == "own":
            self._enter_own(location, attributes, where)

    def _enter_own(self, location: Location, attributes: list[str], where: str) -> None:
        if attributes and attributes[0].startswith(ADDITION):
            attributes = [attributes[0].removeprefix(ADDITION), *attributes[1:]]
        module = self.resolver.load(location.file) if location.file is not None else None
        if not attributes:
            self._has_modules = True
            if module is not None:
                self.take_whole(module)
            return
        head = attributes[0]
        child = location.child(head)
        if module is not None and self.resolver.binds(module, head):
            self.follow(module, ".".join(attributes))
        elif child is not None:
            self.enter(child, attributes[1:], where)
        elif module is not None and head == "__doc__":
            self._add_docstring(module)
        elif module is not None and "__getattr__" in module.bindings:
            self.follow(module, "__getattr__")
        elif module is not None and head not in IMPLICIT:
            self._has_modules = True
            self.take_whole(module)

    def take_whole(self, module: Module) -> None:
        """Counts all of a module, for it is used as an object or imported for its effects."""
        if (module.path, "") in self._taken:
            return
        self._taken.add((module.path, ""))
        for name in module.bindings:
            self.follow(module, name)
        for star in module.stars:
            self._import(module, replace(star, attribute=None), "", self.resolver.label(module.path))
        if module.loose:
            self.add_pieces(module, "<module>", [_loose_piece(binding) for binding in module.loose])

    def _add_binary(self, location: Location, where: str) -> None:
        """Counts a compiled module by its bytes; what it calls is out of sight."""
        self.unfollowed.add(Unfollowed(where, f"compiled module {location.dotted}", 0))
        path = location.file or ""
        self.resolver.files[path] = sources.stamp(path)
        try:
            with open(path, "rb") as file:
                content = digest(file.read().hex())
        except OSError:
            return
        label = self.resolver.label(path)
        # Without its suffix, which names the Python and the machine it was built for.
        name = os.path.join(os.path.dirname(label), location.dotted.rpartition(".")[2])
        self.add(Part(name, "file", content, label, 0, ""))

    # Names that a file uses and does not bind

    def _follow_unbound(self, module: Module, name: str, rest: str) -> None:
        starred = list(self.resolver.stars_binding(module, name))
        for source in starred:
            self.follow(source, f"{name}.{rest}" if rest else name)
        if starred:
            self._note_taken(module, name)
            said = "\n".join(f"from {self.resolver.label(source.path)} import *" for source in starred)
            node = self._nodes[module.path, name] = Node(module, name)
            label = self.resolver.label(module.path)
            node.parts.append(self.add(Part(f"{label}::{name}", "import", digest(said), label, 0, said)))
            return
        if name == "__doc__":
            self._add_docstring(module)
        elif name in IMPLICIT:
            return
        elif hasattr(builtins, name):
            self._builtins.add(name)
            self._note_taken(module, name)  # somebody may have put another function there
        elif not self.fallback(module, name, rest):
            self._note_taken(module, name)  # some other code may have set it
            # It can only come from a star import of a package.
            for star in module.stars:
                location = self.resolver.locate(module, star)
                if location.kind != "own":
                    self.enter(location, [], self.resolver.label(module.path))

    def _add_docstring(self, module: Module) -> None:
        text = ast.get_docstring(module.tree, clean=False) or ""
        self.add(
            Part(self.name(module, "__doc__"), "constant", digest(text), self.resolver.label(module.path), 1, text)
        )


def _units_of(module: Module) -> Units:
    """The pieces of a module, read once for as long as the file stays the same."""
    known = _units.get(module.path)
    if known is None or known.module is not module:
        known = _units[module.path] = Units(module)
    return known


def _binds_class(module: Module, name: str) -> bool:
    return any(isinstance(binding.node, ast.ClassDef) for binding in module.bindings.get(name, ()))


def _loose_piece(binding: Binding) -> Piece:
    return Piece("<module>", "module", binding.node, summarise([binding.node]), (), binding.conditions)
