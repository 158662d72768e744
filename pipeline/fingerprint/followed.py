"""A step's code as it was followed: what it reaches, and what is asked of that as the step runs."""

from __future__ import annotations

import os
import sys
import threading
import types
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from .live import surroundings
from .live.compiled import is_as_written
from .live.done import Used
from .live.functions import layers, source_path
from .live.installed import own_namespaces
from .live.single import is_plain
from .live.state import UNLOADED, Name, State, observe
from .model import HOW_WRITTEN, Fingerprint
from .project import sources
from .project.locate import is_own, stated
from .project.module import Module
from .reach import afterwards
from .reach.identity import Identity
from .reach.traversal import Traversal
from .syntax.memo import is_memo
from .syntax.nodes import line_of

lock = threading.RLock()
"""Held by whoever follows code: a thread at a time."""


class Whole(NamedTuple):
    """All that a step reaches, and the numbers of it."""

    traversal: Traversal
    identity: Identity


@dataclass(frozen=True, slots=True)
class Followed:
    """A step's code as it was followed.

    Attributes:
        fingerprint: Its fingerprint.
        files: The files it depends on.
        settled: Whether it depends on nothing else.
        function: The function.
        given: What it is given that is more than text and numbers, by name: code of its own, such as its class.
    """

    fingerprint: Fingerprint
    files: Mapping[str, sources.Stamp | None]
    settled: bool
    function: Any
    _whole: Whole | None
    given: Mapping[str, Any] = field(default_factory=dict)

    def called_with(self, given: Mapping[str, Any]) -> Followed:
        """The same as it is called with some values."""
        more = {name: value for name, value in given.items() if not is_plain(value)}
        return replace(self, given=more) if more else self

    def is_current(self) -> bool:
        """Whether none of the files has changed since."""
        return all(sources.stamp(path) == stamp for path, stamp in self.files.items())

    def is_as(self, other: Followed) -> bool:
        """Whether it is the same function, followed in the same text."""
        alike = list(map(id, self.given.values())) == list(map(id, other.given.values()))
        return self.function is other.function and self._whole is other._whole and alike

    def state(self) -> State:
        """What the code reaches in the state of the process, now; nothing where only a part of the code counts."""
        if self._whole is None:
            return State()
        with lock:  # what other threads load meanwhile is noted where this looks
            functions = list(layers(self.function))
            globals_ = functions[-1].__globals__ if functions else {}
            return observe(*self._whole, globals_, source_path(functions[-1]) if functions else "", self.given)

    def written(self) -> Container[str]:
        """The names of modules that the code rebinds or changes in place."""
        if self._whole is None:
            return ()
        traversal, identity = self._whole
        return {identity.short(f"{traversal.resolver.label(path)}::{name}") for path, name in traversal.writes}

    def reaches(self, spelt: str) -> bool:
        """Whether the text leads to a name of a module, written with the module's file; or to a package's module.

        A package's own code may use any name of it for the user's.
        """
        if self._whole is None:
            return False
        if "::" not in spelt:
            return any(_top(dotted) == _top(spelt) for dotted, _ in self._whole.traversal.foreign)
        return self._name(spelt) in self._whole.traversal.nodes

    def _name(self, spelt: str) -> Name:
        """A name of a module as it is written with the module's label."""
        assert self._whole is not None
        label, _, name = spelt.partition("::")
        return _path_of(self._whole.traversal.resolver.root, label) or "", name

    def remembers(self, spelt: str, other: Followed) -> bool:
        """Whether a function that other code reaches, too, keeps what it found out under a name of a module.

        Then it makes no difference whether it is there already: entries of a dictionary that are only asked for by
        their keys, or what is made where there is None.

        Args:
            spelt: The name, with its module's file.
            other: The other code.
        """
        if self._whole is None or other._whole is None:
            return False
        text, (path, name) = self._whole.traversal, self._name(spelt)
        if text.writers.get((path, name), set()).isdisjoint(other._whole.traversal.writers.get((path, name), ())):
            return False
        value = own_namespaces().get(path, {}).get(name)
        mentioning = (part.source for part in text.parts.values() if name in part.source and part.name != spelt)
        return value is None or (type(value) is dict and all(is_memo(source, name) for source in mentioning))

    def unmake(self, spelt: str) -> None:
        """Sets a name of a module, written with the module's file, to None again, as it was before it was made."""
        if self._whole is not None:
            path, name = self._name(spelt)
            namespace = own_namespaces().get(path, {})
            if isinstance(namespace, dict) and name in namespace:
                namespace[name] = None

    def spelt(self, name: str) -> str:
        """The name of a value or part of the state as it is written in the code now."""
        return name if self._whole is None else self._whole.identity.long(name)

    def named(self, spelt: str) -> str:
        """The name that this code's state has for what is written so."""
        return spelt if self._whole is None else self._whole.identity.short(spelt)

    def uses(self, *modules: str) -> bool:
        """Whether the code uses anything of these modules of Python's library."""
        return self._whole is not None and any(dotted in modules for dotted, _ in self._whole.traversal.foreign)

    def uses_name(self, module: str, name: str) -> bool:
        """Whether the code uses a name of a module of Python's library or of a package."""
        if self._whole is None:
            return False
        return any(f"{dotted}.{rest}" == f"{module}.{name}" for dotted, rest in self._whole.traversal.foreign)

    def done(self, state: State, packages: Iterable[str]) -> dict[str, str]:
        """What loaded modules have done to packages that the code uses: what it is called → hash, and where it stands.

        Args:
            state: The state that the code reaches.
            packages: Distributions that it uses, beside those that its text leads to.
        """
        if self._whole is None or not state.done:
            return {}
        text = self._whole.traversal
        used = Used(text, frozenset({*self.fingerprint.packages, *packages}))
        return {each.name: f"{each.hash} {each.place}" for each in state.done if used.counts(each)}

    def asked_by(self, state: State, packages: Iterable[str]) -> set[str]:
        """The environment variables that decided what was done to packages that the code uses."""
        counting = self.done(state, packages)
        return {name for each in state.done if each.name in counting for name in each.asks.variables}

    def unloaded(self, values: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        """The packages that the code uses and are not loaded now, whose settings are among values noted earlier.

        Returns:
            Package → what its settings are called.
        """
        tops = {_top(dotted) for dotted, _ in self._whole.traversal.foreign} if self._whole else set()
        noted = [name for name, value in values.items() if value != UNLOADED]
        return {
            top: settings
            for top in sorted(tops - sys.modules.keys())
            if (settings := surroundings.names(top)) and any(name.startswith(settings) for name in noted)
        }

    def roots(
        self,
        codes: Iterable[types.CodeType],
        modules: Iterable[str],
        classes: Iterable[str],
        state: State,
    ) -> tuple[set[str], set[str]]:
        """Where to begin to follow code that was entered or loaded, as far as nothing else leads to it.

        Args:
            codes: Code objects that were entered.
            modules: Files that were run as modules or programs.
            classes: Classes that were looked up, as `module:name`.
            state: What live values lead to.

        Returns:
            The names to begin at, and those of functions whose code in memory is not what their file says.
        """
        with lock:
            if self._whole is None:
                return set(), set()
            return _roots(self._whole.traversal, codes, modules, classes, state)

    def labels(self, names: Iterable[Name]) -> set[str]:
        """Names of modules, each with its file, as roots."""
        if self._whole is None:
            return set()
        label = self._whole.traversal.resolver.label
        return {f"{label(path)}::{name}" for path, name in names}

    def beyond(self, roots: Iterable[str]) -> dict[str, dict[str, str]]:
        """What code that was found by `roots` says now: root → part → hash, of all beyond the fingerprint."""
        with lock:
            return {root: _beyond(self._whole, root) for root in roots} if self._whole is not None else {}


def _roots(
    text: Traversal,
    codes: Iterable[types.CodeType],
    modules: Iterable[str],
    classes: Iterable[str],
    state: State,
) -> tuple[set[str], set[str]]:
    taken = {(module.path, name) for module, name in text.taken} | state.reached
    known, edited = {path for path, _ in taken}, set[str]()
    found = {(path, "") for path in modules if path not in known}
    # A stored value says in which module its class is: that counts, also where the class is followed anyhow.
    stored = {name for cls in classes for name in _place_of(cls)}
    for code in codes:
        path = os.path.abspath(code.co_filename)
        module = text.resolver.load(path) if os.path.isfile(path) else None
        names = [] if module is None else list(_names_of(module, code))
        if module is not None and not any((path, name) in taken for name in names):
            found.add((path, names[0] if names else ""))
            if not is_as_written(module, code):
                edited.add(f"{text.resolver.label(path)}::{code.co_qualname}")
    return {f"{text.resolver.label(path)}::{name}" for path, name in (found - taken) | stored}, edited


def _place_of(cls: str) -> Iterator[Name]:
    """The file and the name of one of the user's classes, told as `module:qualname`."""
    module_name, _, qualname = cls.partition(":")
    main = sys.modules.get("__main__")
    script = stated(main, "__file__")
    named_after_script = isinstance(script, str) and os.path.basename(script) == f"{module_name}.py"
    module = sys.modules.get(module_name, main if named_after_script else None)
    path = stated(module, "__file__")
    if isinstance(path, str) and path.endswith(".py") and is_own(os.path.abspath(path)):
        yield os.path.abspath(path), qualname.partition(".")[0]


def _names_of(module: Module, code: types.CodeType) -> Iterator[str]:
    """The module-level names that stand for a code object."""
    top = code.co_qualname.partition(".")[0]
    if top in module.bindings:
        yield top
        return
    for name, bindings in module.bindings.items():
        for binding in bindings:
            if line_of(binding.node) <= code.co_firstlineno <= (binding.node.end_lineno or 0):
                yield name


def _beyond(whole: Whole, root: str) -> dict[str, str]:
    """Part → hash of all that code leads to beyond the fingerprint, and the root; nothing where that is gone."""
    text, identity = whole
    label, _, name = root.partition("::")
    path = _path_of(text.resolver.root, label)
    module = text.resolver.load(path) if path is not None else None
    if module is None or (name and name not in module.bindings):
        return {}
    traversal = text.beyond(identity.short)
    if name:
        traversal.follow(module, name)
    else:
        traversal.take_whole(module)
    traversal.run()
    afterwards.finish(traversal)
    found = {root: "there", **{part.name: part.hash for part in traversal.parts.values()}}
    found |= {f"{_PACKAGE}{name}": version for name, version in traversal.packages.items()}
    seen = identity.seen_by(traversal)
    return found if seen is None else {**found, HOW_WRITTEN: seen}


_PACKAGE = "the package "


def _top(dotted: str) -> str:
    return dotted.partition(".")[0]


def _path_of(root: str, label: str) -> str | None:
    """The file that a label stands for here."""
    outside = label.startswith("../")
    for base in [root] if not outside else [folder or os.getcwd() for folder in sys.path]:
        path = os.path.abspath(os.path.join(base, label.removeprefix("../")))
        if os.path.isfile(path):
            return path
    return None
