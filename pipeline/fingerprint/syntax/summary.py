"""Reads a piece of code once: its normalised text, and the outside names it uses.

The text leaves out positions, comments, docstrings, formatting and local annotations, and has no field
that only newer Pythons know, so one function has one hash on all of them. The name of a local variable, which
only the code itself can see, is a number in it, by first appearance; a name from outside is a hole, to be filled by
what it leads to.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..model import digest
from . import definitions, expressions
from .nodes import FunctionNode, parameters
from .scopes import Import, Scope
from .walk import Reader, Walk

Ref = str | tuple[Import, str]
"""A global name with the attributes read from it, `utils.clean`; or what an import inside the code binds."""

_READERS: dict[type, Reader] = {**expressions.READERS, **definitions.READERS}
_EMPTY: frozenset[Any] = frozenset()
_A_CLASS = -1
"""In place of a hole: a parameter that is given a class."""
_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Summary:
    """What one piece of code says.

    Attributes:
        text: Hash of the normalised text, with holes for what it takes from outside.
        digest: Hash of the text and of the names that are in its holes.
        refs: What it uses, in the order of the text; the holes are numbered by it.
        handed: Those that it hands on or keeps, and does not only call or ask for.
        loads: The modules that it imports by itself, in order.
        writes: Global names it rebinds or changes in place; with `BY_METHOD` behind those of which it calls a method.
        rebinds: Those that it rebinds.
        sets: What it sets attributes of, beside local variables.
        dynamic: What cannot be followed, and the line.
        mentions: Attributes that it reads from anything and that may lead to other code, as `__subclasses__`.
        local: The names of its local variables.
        words: The words in the texts it holds, which may be names, as in a query.
    """

    text: str
    digest: str
    refs: tuple[Ref, ...]
    handed: frozenset[Ref]
    loads: tuple[Import, ...]
    writes: frozenset[str]
    rebinds: frozenset[str]
    sets: frozenset[Ref]
    dynamic: tuple[tuple[str, int], ...]
    mentions: frozenset[str]
    local: tuple[str, ...]
    words: frozenset[str]


def summarise(
    nodes: Sequence[ast.AST], *, omit: Iterable[ast.AST] = (), bare: ast.AST | None = None, hints: bool = True
) -> Summary:
    """Reads `nodes` as code at module level.

    Args:
        nodes: Statements or expressions.
        omit: Functions inside them to leave out, because they are read as parts of their own.
        bare: A definition to read without its decorators.
        hints: Whether the type hints of that definition are read, too.
    """
    walk = Walk(_READERS, frozenset(id(node) for node in omit), bare, hints)
    walk.run(nodes)
    return _Speller().summary(walk)


def summarise_hints(node: FunctionNode) -> Summary | None:
    """Reads the type hints of a function's signature alone; None if there are none."""
    if node.returns is None and all(each.annotation is None for each in parameters(node.args)):
        return None
    walk = Walk(_READERS, frozenset(), None)
    definitions.push_hints(walk, node.args, node.returns)
    walk.run(())
    return _Speller().summary(walk)


class _Speller:
    """Says for each name in a text what it means."""

    def __init__(self) -> None:
        self.numbers: dict[Ref, int] = {}
        self.refs: list[Ref] = []
        self.local: dict[tuple[int, str], int] = {}
        self.used: set[tuple[int, str]] = set()

    def summary(self, walk: Walk) -> Summary:
        handed = set[int]()
        loads = list[tuple[int, Scope, str, Import]]()
        text: list[Any] = walk.out
        for position, item in enumerate(text):
            if item.__class__ is str:
                continue
            scope, name, how = item
            if how is True or how is False:
                known = scope.spelt.get(name) if scope.__class__ is Scope else self.known((scope, name))
                if known is None:
                    known = scope.spelt[name] = self.spell(scope, name)
                text[position] = known[0]
                if not how and known[1]:
                    handed.update(known[1])
            else:
                loads.append((position, scope, name, how))
        for position, scope, name, target in loads:
            text[position] = self.loading(scope, name, target)
        said = digest("\0".join(text))
        if _A_CLASS in handed:
            handed.discard(_A_CLASS)
            walk.outside.mentions.add(expressions.CLASS_OF)
        if self.numbers.get("type") in handed:
            walk.outside.mentions.add(expressions.CLASS_OF)
        refs = tuple(self.refs)
        loaded = tuple(target for _, _, _, target in loads)
        return Summary(
            said,
            digest("\0".join([said, *map(str, refs), *map(str, loaded)])),
            refs,
            frozenset([refs[number] for number in handed]) if handed else _EMPTY,
            loaded,
            _written(walk),
            frozenset(walk.top.rebinds) if walk.top.rebinds else _EMPTY,
            _set(walk),
            tuple(walk.outside.dynamic),
            frozenset(walk.outside.mentions) if walk.outside.mentions else _EMPTY,
            (*(name for _, name in self.local), *(name for _, _, name, _ in loads)),
            words(walk.outside.strings) if walk.outside.strings else _EMPTY,
        )

    def spell(self, scope: Scope, chain: str) -> tuple[str, tuple[int, ...]]:
        """A name with attributes, as it stands in the text; and the holes that it is, if it is from outside."""
        name, dot, rest = chain.partition(".")
        owner = scope.owner(name)
        if owner is None:
            number = self.hole(chain)
            return f"g{number}", (number,)
        if name in owner.imports:
            self.used.add((owner.number, name))
            numbers = tuple(self.hole((target, rest)) for target in owner.imports[name])
            if len(numbers) == 1 and name not in owner.assigned:
                return f"g{numbers[0]}", numbers
            holes = "".join(f" g{number}" for number in numbers)
            return f"v{self.variable(owner, name)}{dot}{rest}{holes}", numbers
        if owner.kind == "class":
            # A class body may read a name from outside before it binds its own.
            beyond, numbers = self.spell(owner.parent or owner.top, chain)
            return f"c{owner.number}.{chain} {beyond}", numbers
        if name in owner.fixed:
            return f"n{owner.number}.{chain}", (_A_CLASS,) if name in owner.classes and not rest else ()
        return f"v{self.variable(owner, name)}{dot}{rest}", ()

    def loading(self, scope: Scope, name: str, target: Import) -> str:
        """An import inside a function, as it stands in the text."""
        owner = scope.owner(name)
        if owner is None or owner.kind == "class":
            bound = f"n{name} g{self.hole((target, ''))}"
        elif (owner.number, name) not in self.used:
            # Imported for its effects alone, so all of the module counts.
            bound = f"g{self.hole((Import(target.level, target.loaded, target.attribute, target.loaded), ''))}"
        else:
            bound = f"v{self.variable(owner, name)}" if name in owner.assigned or len(owner.imports[name]) > 1 else ""
        return f"import {bound}"

    def known(self, ref: Ref) -> tuple[str, tuple[int, ...]]:
        """What is known to be from outside."""
        return f"g{self.hole(ref)}", ()

    def hole(self, ref: Ref) -> int:
        number = self.numbers.get(ref)
        if number is None:
            number = self.numbers[ref] = len(self.refs)
            self.refs.append(ref)
        return number

    def variable(self, owner: Scope, name: str) -> int:
        return self.local.setdefault((owner.number, name), len(self.local))


def _written(walk: Walk) -> frozenset[str]:
    """The global names that are rebound or changed in place."""
    written = set(walk.top.writes)
    for scope in walk.scopes[1:]:
        written.update(name for name in scope.writes if scope.owner(name.removesuffix(expressions.BY_METHOD)) is None)
    return frozenset(written) if written else _EMPTY


def words(texts: Iterable[str]) -> frozenset[str]:
    """The words in texts that could be names."""
    return frozenset([word for text in texts for word in _WORD.findall(text)])


def _set(walk: Walk) -> frozenset[Ref]:
    """What attributes are set of: global names, and what is imported inside the code."""
    found = set[Ref]()
    for scope, name in walk.outside.sets:
        of, first = name.rpartition(".")[0], name.partition(".")[0]
        owner = scope.owner(first)
        if owner is None:
            found.add(of)
        elif first in owner.imports:
            found.update((target, of.partition(".")[2]) for target in owner.imports[first])
    return frozenset(found) if found else _EMPTY
