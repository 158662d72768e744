"""What a step reaches in the state of the process: the live values behind the names that its code uses.

A name that stands for what its file says it does, a function or class defined there, adds nothing. Any other is
hashed by value, and the functions and classes that its value holds are followed by their text: so a registry that
other modules have filled, an attribute set from outside or a function put in another's place all count.
"""

from __future__ import annotations

import ast
import builtins
import collections
import functools
import os
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...values.identity import held_by
from ...values.parts import is_made_by_hand
from ..model import HOW_WRITTEN, Unfollowed, digest
from ..project.module import DEFINITIONS, Binding, Module
from ..reach import afterwards
from ..reach.identity import Identity
from ..reach.traversal import Traversal
from . import classes, settled, surroundings
from .compiled import is_as_written, is_compiled_plainly
from .done import Done, done_by
from .functions import describe_code, layers, source_path
from .installed import changed_members, functions_of, is_users, own_namespaces
from .objects import ObjectFollower
from .settled import SCALARS
from .single import (
    NOTHING,
    attribute,
    holds,
    is_definition,
    is_foreign,
    is_plain,
    is_put_around,
    is_pythons,
    spread,
)

_settings: dict[str, tuple[bytes, dict[str, str]]] = {}
"""Settings as they were last seen, and what was noted of them."""
_NUMBERS = (bool, float, int, types.NoneType)
_LONGEST = 20
"""Characters of a number that is told as it is."""
_SURROUNDINGS = frozenset({("sys", "path"), ("sys", "executable"), ("sys", "prefix"), ("sys", "version")})
"""What says where and with what Python a program runs, and not what it does."""
UNLOADED = "not loaded"
ABSENT = "absent"

_COLLECTIONS = (list, set, dict, collections.deque, collections.defaultdict, collections.Counter)

Name = tuple[str, str]
"""A module's file and a name in it."""


@dataclass(frozen=True)
class State:
    """The state that a step reaches.

    Attributes:
        values: Name → identity of the live value, where the text does not tell it; UNLOADED where its module is not
            loaded yet, ABSENT where the module has no such name.
        parts: The code that only live values lead to: part → hash.
        unhashable: Values that have no identity.
        edited: Functions whose code in memory is not what their file says now.
        added: The collections that are only added to, of which nothing is read: name → identity.
        reached: The names that only live values lead to.
        remembers: Whether there are functions among them that remember their results, as under `functools.lru_cache`.
        done: What loaded modules have done to packages.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    unhashable: tuple[Unfollowed, ...] = ()
    edited: tuple[str, ...] = ()
    added: Mapping[str, str] = field(default_factory=dict)
    reached: frozenset[Name] = frozenset()
    remembers: bool = False
    done: tuple[Done, ...] = ()


def observe(
    traversal: Traversal, identity: Identity, globals_: Mapping[str, Any], path: str, given: Mapping[str, Any]
) -> State:
    """The state behind all names that a traversal has reached, now.

    Args:
        traversal: What the text reaches; it is not changed.
        identity: The numbers of that.
        globals_: The namespace of the step's own module.
        path: That module's file.
        given: Values that it is given: the classes of these are reached as well.
    """
    return _Observer(traversal, identity, {**own_namespaces(), path: globals_}).observe(given)


class _Observer:
    """Goes through reached names, and through those that their values lead to, until there are no more."""

    def __init__(self, text: Traversal, identity: Identity, namespaces: Mapping[str, Mapping[str, Any]]) -> None:
        self._traversal = text.beyond(identity.short)
        self._text = text
        self._identity = identity
        self._follower = ObjectFollower(self._traversal)
        self._namespaces = namespaces
        self._values: dict[str, str] = {}
        self._added: dict[str, str] = {}
        self._noted: list[tuple[str, str]] = []
        self._edited: set[str] = set()
        self._loose: set[str] = set()
        self._remembers = False

    def observe(self, given: Mapping[str, Any]) -> State:
        self._take_loaded()
        for name, value in given.items():
            self._note(f"the parameter {name}", value)
        for module, name in self._text.taken:
            self._name(module, name)
        for importing, module, name in self._text.taken_at_import:
            if importing.path not in self._namespaces:
                self._name(module, name)  # its constants are still to be made
        for dotted, rest in sorted(self._text.foreign):
            self._foreign(dotted, rest)
        self._traversal.run()
        done = 0
        while done < len(self._traversal.taken):
            module, name = self._traversal.taken[done]
            done += 1
            self._name(module, name)
            self._traversal.run()
        afterwards.finish(self._traversal)
        seen = self._identity.seen_by(self._traversal)
        if seen is not None:
            self._values[HOW_WRITTEN] = seen
        return State(
            self._values,
            {self._identity.short(part.name): part.hash for part in self._traversal.parts.values()},
            tuple(sorted(self._traversal.unhashable)),
            tuple(sorted(self._edited)),
            self._added,
            frozenset((module.path, name) for module, name in self._traversal.taken),
            self._remembers,
            done_by(self._namespaces, self._text.resolver.root),
        )

    def _take_loaded(self) -> None:
        """Takes modules as wholes in which code finds names by computing them: it may find any."""
        resolver = self._traversal.resolver
        for path in sorted(self._namespaces):
            inside = path.startswith(resolver.root.rstrip(os.sep) + os.sep)
            if inside and self._text.computes_names_of(resolver.label(path)):
                module = resolver.load(path)
                if module is not None:
                    self._loose.add(path)
                    self._traversal.take_whole(module)

    def _note(self, where: str, value: Any, depth: int = 2) -> None:
        """Notes a live value."""
        for name, identity in _told(self._follower, where, value, depth):
            self._put(name, identity)

    def _put(self, where: str, identity: str) -> None:
        """Keeps what is known of a value under a name that does not say where it stands."""
        self._noted.append((where, identity))
        self._values[self._identity.short(where)] = identity

    # Names of modules

    def _name(self, module: Module, name: str) -> None:
        if module.path in self._traversal.resolver.virtual:
            return  # what the cells of a notebook have made counts with the code
        where, namespace = self._traversal.name(module, name), self._namespaces.get(module.path)
        if namespace is not None and module.path not in self._loose:
            noted = settled.noted(module, name, namespace)
            if noted is not None:
                for suffix, identity in noted:
                    self._put(f"{where}{suffix}", identity)
                return
        bindings = [binding for binding in module.bindings.get(name, ()) if not binding.called]
        if self._traversal.resolver.is_foreign(module, name):
            bindings = [binding for binding in bindings if not binding.changes]
        if namespace is None:
            if not all(isinstance(each.node, DEFINITIONS) or each.imported is not None for each in bindings):
                self._put(where, UNLOADED)
        elif (value := namespace.get(name, NOTHING)) is NOTHING:
            if bindings:
                self._put(where, ABSENT)
            elif name in vars(builtins) and not is_pythons(vars(builtins)[name]):
                self._note(where, vars(builtins)[name])
        else:
            self._held(module, name, value, where, namespace, bindings)

    def _held(
        self, module: Module, name: str, value: Any, where: str, namespace: Mapping[str, Any], bindings: list[Binding]
    ) -> None:
        """Notes what of the value that a name stands for its text does not tell."""
        before = len(self._noted)
        if issubclass(type(value), types.ModuleType):
            if len(bindings) > 1 or is_made_by_hand(value):
                self._note(where, value)
        elif issubclass(type(value), type) and not is_foreign(value):
            self._class(module, name, value, bindings)
        elif self._counts(module, name, value):
            told = self._is_told(module, name, value, bindings, namespace)
            if not told:
                self._note(where, value)
            self._remembered(where, value)
            if len(bindings) == 1 and bindings[0].imported is None and (told or type(value) in SCALARS):
                found = tuple((each[len(where) :], identity) for each, identity in self._noted[before:])
                settled.note(module, name, value, found)
        elif type(value) in _COLLECTIONS and module.path not in self._loose:
            aside = ObjectFollower(self._text.beyond(self._identity.short))  # what it holds does not count
            self._added.update((self._identity.short(each), identity) for each, identity in _told(aside, where, value))

    def _is_told(
        self, module: Module, name: str, value: Any, bindings: list[Binding], namespace: Mapping[str, Any]
    ) -> bool:
        """Whether a value is what the text says; what a function holds beside that is noted."""
        if bindings and all(binding.imported is not None for binding in bindings):
            return self._is_imported(module, value, bindings)
        if not bindings and self._is_starred(module, value, name):
            return True
        if type(value) in SCALARS:
            return False
        bare = type(value) is types.FunctionType and not vars(value)
        functions = [value] if bare else list(layers(value))
        if len(bindings) != 1 or not functions or not is_definition(module, functions[-1], bindings[0].node):
            return False
        # What packages and artvcs put around a function is told by the text and the package's version.
        outer = functions[:-1] if issubclass(type(value), types.FunctionType) else [*functions[:-1], type(value)]
        unsaid = outer and (holds(functions[-1]) or not bindings[0].decorators)
        if unsaid or not all(map(is_put_around, outer)):
            return False
        plain = all(self._traversal.resolver.leads_to_tool(module, name) for name in bindings[0].decorators)
        told = self._is_unedited(module, functions[-1], namespace, plain=plain)
        if told and not outer and holds(value):
            for key, each in held_by(value).items():
                self._note(f"{self._traversal.name(module, name)}{key}", each, depth=1)
        return told

    def _counts(self, module: Module, name: str, value: Any) -> bool:
        """Whether a value is read, and not only added to; of one that is there to be found, only if it is plain."""
        key = (module.path, name)
        if module.path in self._loose and key not in self._text.read and key in self._traversal.writes:
            return False
        if type(value) in _COLLECTIONS and key not in self._traversal.read and key not in self._text.read:
            return False
        return module.path not in self._loose or key in self._text.read or is_plain(value)

    def _remembered(self, where: str, value: Any) -> None:
        """Notes what a cached function remembers: calls that the step will not make."""
        if type(value) is not functools._lru_cache_wrapper:
            return
        self._remembers = True
        if not value.cache_info().currsize:
            return
        calls = self._follower.remembered(value, where)
        if calls is not None:
            told = sorted(f"{call[:16]}={result[:16]}" for call, result in calls.items())
            self._put(f"{where}()", " ".join(told))

    def _is_unedited(
        self, module: Module, function: types.FunctionType, namespace: Mapping[str, Any], *, plain: bool
    ) -> bool:
        if is_as_written(module, function.__code__):
            return True
        where = self._traversal.name(module, function.__code__.co_qualname)
        if plain and is_compiled_plainly(namespace):
            self._edited.add(where)
        self._put(f"{where} (bytecode)", digest(repr(describe_code(function.__code__))))
        return True

    def _is_imported(self, module: Module, value: Any, bindings: list[Binding]) -> bool:
        """Whether an imported name still is what it was imported from; that, then, is looked at there."""
        for binding in bindings:
            target = binding.imported
            assert target is not None
            location = self._traversal.resolver.locate(module, target)
            if location.kind != "own":
                if not (issubclass(type(value), types.FunctionType) and is_users(value)):
                    return True
                continue
            source = self._traversal.resolver.own(module, target)
            if source is None or not self._traversal.resolver.binds(source, target.attribute or ""):
                return False
            namespace, attribute = self._namespaces.get(location.file or ""), target.attribute
            if namespace is not None and attribute is not None and namespace.get(attribute, NOTHING) is value:
                return len(bindings) == 1
        return False

    def _is_starred(self, module: Module, value: Any, name: str) -> bool:
        """Whether a name still is what a star import took from one module; that, then, is looked at there."""
        sources = list(self._traversal.resolver.stars_binding(module, name))
        namespaces = [self._namespaces.get(source.path, {}) for source in sources]
        return len(namespaces) == 1 and namespaces[0].get(name, NOTHING) is value

    # Classes

    def _class(self, module: Module, name: str, cls: type, bindings: list[Binding]) -> None:
        """Notes what of a class its text does not tell."""
        where = self._traversal.name(module, name)
        told = len(bindings) == 1 and isinstance(bindings[0].node, ast.ClassDef) and cls.__qualname__ == name
        if not told and bindings and all(each.imported is not None for each in bindings):
            if not self._is_imported(module, cls, bindings):
                self._note(where, cls)
            return
        node = bindings[0].node if told else None  # a class's
        self._body(module, where, cls, node if isinstance(node, ast.ClassDef) else None)

    def _body(self, module: Module, where: str, cls: type, node: ast.ClassDef | None) -> None:
        """Notes what of a class, and of those within it, the statement that defines it does not tell, if one does."""
        if node is None:
            self._note(where, cls)
        if node is None or classes.computes_bases(node):
            self._note(f"{where}.__bases__", [type(cls), *cls.__bases__])
        for key, member in vars(cls).copy().items():
            if classes.is_inner(cls, key, member):
                self._body(module, f"{where}.{key}", member, classes.definition_in(node, key))
            elif not self._is_told_member(module, cls, key, member, node):
                self._note(f"{where}.{key}", member)
        for name, kept in classes.fields_of(cls).items():
            self._note(f"{where}.{name} (field)", kept)
        if told_of := classes.registered(cls):
            self._note(f"{where}.register", told_of)
        if "__subclasses__" in self._traversal.mentions:
            self._note(f"{where}.__subclasses__", list(classes.subclasses(cls)))

    def _is_told_member(self, module: Module, cls: type, key: str, member: Any, node: ast.ClassDef | None) -> bool:
        special = key.startswith("__") and key.endswith("__")
        functions = list(functions_of(member))
        if not functions:
            return special or key == "_abc_impl"
        return all(
            (special and source_path(each).startswith("<"))
            or (
                source_path(each) == module.path
                and each.__code__.co_qualname == f"{cls.__qualname__}.{key}"
                and classes.is_single(node, key)
                and not holds(each)
                and self._is_unedited(module, each, each.__globals__, plain=True)
            )
            for each in functions
        )

    # Packages

    def _foreign(self, dotted: str, rest: str) -> None:
        """Notes a name of a package in whose place the user has put something."""
        owner: Any = sys.modules.get(dotted, NOTHING)
        for name in rest.split(".") if rest else ():
            owner = attribute(owner, name)
        where = f"{dotted}.{rest}"
        if issubclass(type(owner), type):
            for key, member in changed_members(owner).items():
                self._note(f"{where}.{key}", member)
        elif issubclass(type(owner), types.FunctionType):
            if is_users(owner):
                self._note(where, owner)
        elif owner is not NOTHING and (dotted, rest) not in _SURROUNDINGS and rest and is_plain(owner):
            self._note(where, owner)  # and not what is loaded only when it is asked for
        for name, value in surroundings.of(dotted, rest):
            self._setting(name, value)

    def _setting(self, name: str, value: Any) -> None:
        """Notes a setting; one that says what it said before is not taken apart again."""
        if value is surroundings.NOT_LOADED:
            self._put(name, UNLOADED)
            return
        text, known = surroundings.plain_text(value), _settings.get(name)
        if text is not None and known is not None and known[0] == text:
            self._values.update(known[1])
            return
        self._note(name, value, depth=1)
        if text is not None:
            _settings[name] = text, {key: each for key, each in self._values.items() if key.startswith(name)}


def _told(follower: ObjectFollower, where: str, value: Any, depth: int = 2) -> Iterator[tuple[str, str]]:
    """The identity of a live value, and of what it holds where that has names, so that one of them can be the cause."""
    found = spread(value) if depth else None
    if type(value) in _NUMBERS and len(repr(value)) <= _LONGEST:
        yield where, repr(value)  # said as it is; texts may be secrets
    elif found is None:
        identity = follower.identify(value, where)
        if identity is not None:
            yield where, identity
    else:
        code, held = found
        yield where, digest(follower.refer(code, where) if code is not None else repr(list(held)))
        for key, each in held.items():
            yield from _told(follower, f"{where}{key}", each, depth - 1)
