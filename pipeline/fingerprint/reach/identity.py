"""The id of a step's code: of what it says and of how its pieces use each other, not of where they stand.

The user's own names that are reached are numbered by first use, from the step on. Each counts by its text, and by what
stands in each hole of that: the number of another name, or the dotted name of something in a package. So neither the
file nor the name under which something is imported counts. What is reached in another way than by names, and all of
code that looks at names, counts as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from blake3 import blake3

from artvcs.vcs import canonical

from ..model import Part, digest
from ..project.leads import Name, Target
from ..project.module import Module
from ..syntax.scopes import Import
from ..syntax.summary import Ref
from . import looking
from .traversal import Node, Traversal

CONTEXT = "artvcs code v2"

_NAME = re.compile(r"(.*?)::(\w+)(.*)", re.DOTALL)
_NUMBERED = re.compile(r"#(\d+)::(.*)", re.DOTALL)


def plainly(parts: Iterable[Part], packages: Mapping[str, str]) -> str:
    """An id of parts as they are written, by name."""
    told = {"packages": dict(sorted(packages.items())), "parts": sorted([part.name, part.hash] for part in parts)}
    return blake3(canonical.dumps(told), derive_key_context=CONTEXT).hexdigest()


class Identity:
    """The numbers of the names that a traversal has reached, and the id of it all.

    Attributes:
        id: 64 hex characters.
        places: The files whose place counts.
        copied: The names on the ways to what is used that do not count, as long as nothing rebinds them.
    """

    def __init__(self, traversal: Traversal) -> None:
        self._leads = traversal.leads
        self._label = traversal.resolver.label
        self._rebinds = frozenset(traversal.rebinds)
        self._classes = looking.placed(traversal)
        self._loggers = looking.loggers(traversal)
        self._passed: set[Name] = set()
        self.places: set[str] = set()
        self.copied: set[Name] = set()
        self._order: list[Node] = []
        self._numbers: dict[Name, int] = {}
        self._nodes = traversal.nodes
        self._traversal = traversal
        self._hasher = blake3(derive_key_context=CONTEXT)
        for root in traversal.roots:
            self._number(root)
        done = 0
        while done < len(self._order):  # grows meanwhile
            self._hasher.update(self._told(self._order[done]).encode("utf-8", "surrogatepass"))
            done += 1
        self._keys: dict[str, int | None] = {}
        for number, node in enumerate(self._order):
            label = f"{self._label(node.module.path)}::{node.name}"
            self._keys[label] = None if label in self._keys else number
        for label in self.places:
            traversal.add(Part(f"{label}::<place>", "file", digest(label), label, 0, ""))
        self.id = self._id(traversal)

    def _id(self, traversal: Traversal) -> str:
        """The id: of what is numbered, and of all other parts by themselves; by their names where these can be seen."""
        parts = traversal.parts
        if looking.at_code(traversal):
            rest = sorted([name, part.hash] for name, part in parts.items())
        else:
            known = [*self._order, *(self._nodes[name] for name in self._passed if name in self._nodes)]
            numbered = {name for node in known for name in node.parts}
            rest = sorted([self.short(name), part.hash] for name, part in parts.items() if name not in numbered)
        told = {"packages": dict(sorted(traversal.packages.items())), "rest": rest}
        self._hasher.update(canonical.dumps(told))
        return self._hasher.hexdigest()

    def seen_by(self, other: Traversal) -> str | None:
        """What other code may see of how this is written, or change of where its names lead; None if it is blind."""
        if looking.at_anything(other) or not other.rebinds.isdisjoint(self.copied):
            told = [(where, summary.local) for where, summary in self._traversal.spoken]
            told += [(where, (hints.digest,)) for _, where, hints in self._traversal.hints.values()]
            return digest(plainly(self._traversal.parts.values(), {}) + repr(sorted(told)))
        return None

    def short(self, name: str) -> str:
        """A part's name by its number, if it has one: the same wherever it stands."""
        found = _NAME.fullmatch(name)
        number = self._keys.get(f"{found[1]}::{found[2]}") if found is not None else None
        return name if number is None or found is None else f"#{number}::{found[2]}{found[3]}"

    def long(self, key: str) -> str:
        """The name of a part that `short` gave a number, as it stands now."""
        found = _NUMBERED.fullmatch(key)
        if found is None or int(found[1]) >= len(self._order):
            return key
        return f"{self._label(self._order[int(found[1])].module.path)}::{found[2]}"

    def _number(self, name: Name) -> int | None:
        number = self._numbers.get(name)
        if number is None and name in self._nodes:
            number = self._numbers[name] = len(self._order)
            self._order.append(self._nodes[name])
        return number

    def _told(self, node: Node) -> str:
        """What a name says, with its holes filled."""
        module, name = node.module, (node.module.path, node.name)
        place = self._leads.place(module)
        if place:
            self.places.add(place)
        told = [node.name, self._placed(self._label(module.path) if name in self._classes else "")]
        for label, said in node.said:
            told.append(label)
            if isinstance(said, Import):
                self._fill(told, module, (said, ""))
            elif said is not None:
                told.append(said.text)
                for ref in said.refs:
                    if ref != "__name__" or name not in self._loggers:
                        self._fill(told, module, ref)
                if said.loads:
                    told += [self._loading(module, each) for each in said.loads]
        return "\0".join(told) + "\1"

    def _fill(self, told: list[str], module: Module, ref: Ref) -> None:
        """Tells what stands in a hole: all that the name in it leads to."""
        for target in self._leads.of(module, ref):
            if target.plain:
                told.append(target.said)
            else:
                self._lead(told, target)
        told.append("\2")

    def _lead(self, told: list[str], target: Target) -> None:
        if target.busy:
            self.places.add(target.busy)
            return
        told.append(target.said)
        if target.own is not None:
            number = self._number(target.own)
            told.append(f"#{number}" if number is not None else self._named(target.own))
            if target.own in self._loggers and target.said not in looking.LOGGING:
                self.places.add(self._label(target.own[0]))
        if target.place:
            told.append(self._placed(target.place))
        if target.passed or target.copied:
            told += self._on_the_way(target)
        told.append("\3")

    def _placed(self, label: str) -> str:
        if label:
            self.places.add(label)
        return label

    def _on_the_way(self, target: Target) -> list[str]:
        """The names on the way to what is used that count, for they may lead somewhere else when they are rebound."""
        self._passed |= target.passed
        self.copied |= target.passed | target.copied
        if self._rebinds.isdisjoint(target.passed) and self._rebinds.isdisjoint(target.copied):
            return []
        return sorted(
            f"through {self._rebound(each)}" for each in (*target.passed, *target.copied) if each in self._rebinds
        )

    def _rebound(self, name: Name) -> str:
        """A name that code writes: where it stands counts if that is the user's, and no package's."""
        module = self._leads.resolver.load(name[0])
        is_foreign = module is not None and self._leads.resolver.is_foreign(module, name[1])
        return name[1] if is_foreign else self._named(name)

    def _named(self, name: Name) -> str:
        return f"{self._label(name[0])}::{name[1]}"

    def _loading(self, module: Module, target: Import) -> str:
        """A module that code imports as it runs: which one counts if that does something, or is a package's."""
        location = self._leads.resolver.locate(module, Import(target.level, target.loaded, None, target.loaded))
        if location.kind != "own":
            return f"loads {location.kind} {location.dotted}"
        loaded = self._leads.resolver.load(location.file) if location.file is not None else None
        return f"loads {self._placed(self._leads.place(loaded)) if loaded is not None else ''}"
