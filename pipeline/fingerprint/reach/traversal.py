"""Follows code from one name to everything of the user's own that it reaches.

Names are followed through files, not through objects: what counts is what the text says, so that it is
the same in every process that reads the same files.
"""

from __future__ import annotations

import ast
import builtins
import os
from collections.abc import Callable, Collection, KeysView
from dataclasses import dataclass, field, replace
from functools import cached_property

from ..model import Part, Unfollowed, digest
from ..project import packages, sources
from ..project.leads import THE_MODULE, Leads, Name
from ..project.locate import Location
from ..project.module import Binding, Module
from ..project.resolve import IMPLICIT, Resolver
from ..project.units import Piece, Units
from ..syntax.expressions import ADDITION, ANY, BY_METHOD
from ..syntax.nodes import Definition
from ..syntax.scopes import Import
from ..syntax.summary import Ref, Summary, summarise

_units: dict[str, Units] = {}

_OF_ANY = frozenset(f"{name}() with a computed name" for name in ("import_module", "__import__"))
_OF_ITS_OWN = frozenset(f"{name}()" for name in ("exec", "eval", "globals"))
_COMPUTING = {("sys", "modules"), ("pydoc", "locate"), ("pkgutil", "resolve_name"), ("runpy", "run_module")}

Fallback = Callable[[Module, str, str], bool]

Said = tuple[str, Summary | Import | None]
"""A piece of code under a label that says what it is there for."""


@dataclass(slots=True)
class Node:
    """A module-level name that is reached.

    Attributes:
        module: Where it is.
        name: The name.
        said: All that binds it says.
        parts: The names of its parts.
    """

    module: Module
    name: str
    said: list[Said] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)


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
        writers: Module-level names that code rebinds or changes in place, each with its module's file → the parts
            that do.
        rebinds: Those among them that code rebinds.
        builtins: Names of Python's own functions that were reached so far.
        nodes: What has been taken, by name.
        roots: The names that it starts from.
        leads: Says where names lead.
        held: The names of functions and classes that live objects hold, each with its module's file.
        handed: Names that code hands on or keeps, and does not only call or ask for.
        sets: Names that code sets attributes of.
        has_modules: Whether modules are used as objects.
        hints: Type hints of helpers that nobody has read so far.
        spoken: What pieces of code say, each with the name of its part, as far as it has local variables or texts.
        documented: The pieces that are definitions, each with its module and the name of its part.
        strict: Whether all that code says counts, seen or not.
        before: The one that this one goes beyond, if any: names of local variables count as far as either sees them.
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
        self.documented: list[tuple[Module, str, Piece]] = []
        self.read: set[tuple[str, str]] = set()
        self.writers: dict[Name, set[str]] = {}
        self.rebinds: set[Name] = set()
        self.held: set[Name] = set()
        self.fallback: Fallback = lambda module, name, rest: False
        self.spell: Callable[[str], str] = lambda name: name
        self.strict = False
        self.before: Traversal | None = None
        self.builtins: set[str] = set()
        self.has_modules = False
        self.leads = Leads(resolver)
        self.nodes: dict[Name, Node] = {}
        self.roots: list[Name] = []
        self.hints: dict[Name, tuple[Module, str, Summary]] = {}
        self.spoken: list[tuple[str, Summary]] = []
        self.handed: set[tuple[Module, Ref]] = set()
        self.sets: set[tuple[Module, Ref]] = set()
        self._todo: list[tuple[Module, str]] = []
        self._at_import: list[tuple[Module, Module, str]] = []
        self._importing: Module | None = None
        self._evaluating: Module | None = None
        self._seen: set[tuple[str, str]] = set()
        self._taken: set[tuple[str, str]] = set()

    @property
    def writes(self) -> KeysView[Name]:
        """Module-level names that code rebinds or changes in place, each with its module's file."""
        return self.writers.keys()

    @cached_property
    def words(self) -> frozenset[str]:
        """The words in the texts of all code that is reached; to be asked for when it has run."""
        mine = frozenset[str]().union(*(each.words for _, each in self.spoken if each.words))
        return mine if self.before is None else mine | self.before.words

    def beyond(self, spell: Callable[[str], str]) -> Traversal:
        """A traversal that starts with nothing, and takes nothing that this one has taken.

        Args:
            spell: The name under which a part of this one is known.
        """
        onward = Traversal(self.resolver)
        onward.mentions |= self.mentions
        onward.strict = True
        onward.before = self
        onward.leads = self.leads
        onward.spell = spell
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

    def asks(self, attributes: Collection[str]) -> bool:
        """Whether code reads one of these attributes from a name that it reaches."""
        return any(ref.rpartition(".")[2] in attributes for _, ref in self._seen)

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
        self._importing = None
        self.roots = self.roots or [(module.path, name) for module, name in self.taken]
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
        node = self.nodes[module.path, name] = Node(module, name)
        foreign = self.resolver.is_foreign(module, name)
        for piece in _units_of(module).pieces(name):
            if foreign and piece.imported is None:
                continue
            grouped.setdefault(piece.qualname, []).append(piece)
            if piece.hints is not None:
                self._take_hints(module, name, piece.hints)
        for qualname, pieces in grouped.items():
            node.parts.append(self.add_pieces(module, qualname, pieces, node.said))

    def _take_hints(self, module: Module, name: str, hints: Summary) -> None:
        """Takes classes and packages that type hints name: what a helper is given may be of them."""
        self.hints[module.path, name] = (module, self.name(module, name), hints)
        for target in (target for ref in hints.refs for target in self.leads.of(module, ref)):
            if target.package is not None:
                self.packages.update(packages.distributions(target.package))
            found = self.resolver.load(target.own[0]) if target.own is not None else None
            if target.own is not None and found is not None and target.own[1] in found.classes:
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
        self.documented += [(module, name, piece) for piece in pieces if isinstance(piece.node, Definition)]
        return added

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
            self.spoken.append((where, summary))
        if summary.handed:
            self.handed.update([(module, ref) for ref in summary.handed])
        if summary.sets:
            self.sets.update([(module, ref) for ref in summary.sets])
        for name in summary.writes:
            bare = name.removesuffix(BY_METHOD)
            if bare == name or not self._is_module(module, bare):
                self.writers.setdefault((module.path, bare), set()).add(where)
        self.rebinds.update((module.path, name) for name in summary.rebinds)
        for what, line in summary.dynamic:
            self.unfollowed.add(Unfollowed(where, what, line))

    # Modules

    def _is_module(self, module: Module, name: str) -> bool:
        """Whether a name stands for a module, always."""
        imported = [binding.imported for binding in module.bindings.get(name, ()) if not binding.called]
        if not imported or None in imported:
            return False
        found = self.leads.of(module, name)
        return all(each is not None and each.attribute is None for each in imported) or all(
            target.said == THE_MODULE for target in found
        )

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
        if not attributes or attributes[0] == ANY:
            self.has_modules |= not attributes
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
            self.has_modules = True
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
            node = self.nodes[module.path, name] = Node(module, name)
            label = self.resolver.label(module.path)
            node.parts.append(self.add(Part(f"{label}::{name}", "import", digest(said), label, 0, said)))
            return
        if name == "__doc__":
            self._add_docstring(module)
        elif name in IMPLICIT:
            return
        elif hasattr(builtins, name):
            self.builtins.add(name)
            self._note_taken(module, name)  # somebody may have put another function there
        elif not self.fallback(module, name, rest):
            self._note_taken(module, name)  # some other code may have set it
            self.nodes[module.path, name] = Node(module, name)
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


def _loose_piece(binding: Binding) -> Piece:
    return Piece("<module>", "module", binding.node, summarise([binding.node]), (), binding.conditions)
