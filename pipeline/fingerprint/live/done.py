"""What the user's loaded modules have done to packages, and which of that counts for a step.

It is the same for all steps, and nearly always what it was when the step before was looked at: it is found once, and
again for what has been loaded or edited since.
"""

from __future__ import annotations

import ast
import os
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from blake3 import blake3

from ..model import digest
from ..project import packages, sources
from ..project.leads import Leads, Name
from ..project.locate import TOOL
from ..project.resolve import Resolver
from ..reach import afterwards
from ..reach.acting import VARIABLES
from ..reach.callees import Callees
from ..reach.effects import Effect, Search
from ..reach.traversal import Traversal
from .objects import ObjectFollower
from .surroundings import plain_text

_EVERYWHERE = frozenset({"builtins", "codecs"})
"""Modules of Python's library that any code uses without naming them."""
_LIMITS = "sys.set"
"""How the names begin of functions that change what any code may do, as how deeply it may recurse."""
_NOTHING = object()
_LARGEST = 1 << 24
"""Bytes: a larger file is told apart by what the file system says of it."""
_MOST_HELD = 10_000
"""Entries of a container that is looked into."""
_VARIABLE = re.compile(r"""["']([A-Z][A-Z0-9_]*)["']""")
_PATH = re.compile(r"[\w./ -]*\.\w{1,8}")
"""What looks like the name of a file."""
_ASKED_OF_LOGGERS = frozenset(
    {"disabled", "getEffectiveLevel", "getLevelName", "handlers", "hasHandlers", "isEnabledFor", "level"}
)


class Asked(NamedTuple):
    """What a statement depends on beside its text.

    Attributes:
        names: The names of modules that it uses, each with its module's file.
        variables: The environment variables that it names.
        paths: The files that it may name.
    """

    names: tuple[Name, ...] = ()
    variables: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    def answers(self, namespaces: Mapping[str, Mapping[str, Any]], resolver: Resolver) -> list[bytes]:
        """What all that is now; nothing of what is neither plain data nor holds code."""
        values = (namespaces.get(path, {}).get(name, _NOTHING) for path, name in self.names)
        found = [_plain(value) or _code_in(value, resolver) for value in values]
        found += [os.environb.get(os.fsencode(name), b"") for name in self.variables]
        return [*found, *map(_content, self.paths)]


class Done(NamedTuple):
    """What the user's code has done to a package as it was imported (see `reach.effects`).

    Attributes:
        top: The package, or the module of Python's library.
        name: What was called or set in it, or what of the user's that uses, wherever it stands.
        place: The file where it stands.
        hash: What it says.
        hands: Whether it is the user's own that is given to the package.
        asks: What its doing depends on beside its text.
    """

    top: str
    name: str
    place: str
    hash: str
    hands: bool
    asks: Asked = Asked()


def done_by(namespaces: Mapping[str, Mapping[str, Any]], root: str) -> tuple[Done, ...]:
    """What modules have done to packages.

    Args:
        namespaces: The loaded modules, by file.
        root: The project's folder.
    """
    known = _known.get(root)
    if known is None or not known.is_current():
        known = _known[root] = _Found(Resolver(root))
    return tuple(_now(each, namespaces, known.resolver) for each in known.by(namespaces))


def _now(each: Done, namespaces: Mapping[str, Mapping[str, Any]], resolver: Resolver) -> Done:
    """Something that was done, with what it depended on as that is now."""
    if not any(each.asks):
        return each
    answers = each.asks.answers(namespaces, resolver)
    if not any(answers):
        return each
    return each._replace(hash=digest("\n".join([each.hash, *(answer.hex() for answer in answers)])))


def _plain(value: Any) -> bytes:
    if value is _NOTHING or issubclass(type(value), types.FunctionType | types.ModuleType | type):
        return b""
    return plain_text(value) or (plain_text(vars(value)) if hasattr(value, "__dict__") else None) or b""


def _code_in(value: Any, resolver: Resolver) -> bytes:
    """What tells the user's functions and classes that a container holds, such as a registry that is handed over."""
    if type(value) not in (dict, list, set, tuple) or len(value) > _MOST_HELD:
        return b""
    entries = value.copy().items() if type(value) is dict else enumerate(list(value))
    held = [(str(key), each) for key, each in entries if issubclass(type(each), types.FunctionType | type)]
    if not held:
        return b""
    traversal = Traversal(resolver)
    identity = ObjectFollower(traversal).identify(held, "what is handed over")
    traversal.run()
    return f"{identity} {sorted((part.name, part.hash) for part in traversal.parts.values())}".encode()


def _content(path: str) -> bytes:
    """What tells the content of a plain file; nothing of what is none, or cannot be read."""
    stamp = sources.stamp(path)
    if stamp is None or not os.path.isfile(path):
        return b""
    if stamp[1] > _LARGEST or sources.is_settled(stamp):
        return _content_of(path, stamp)
    return _content_of.__wrapped__(path, stamp)  # it may be written again within the same tick


@lru_cache(maxsize=1000)
def _content_of(path: str, stamp: sources.Stamp) -> bytes:
    if stamp[1] > _LARGEST:
        return repr(stamp).encode()
    try:
        with open(path, "rb") as file:
            return blake3(file.read()).digest()
    except OSError:
        return b""


@dataclass
class _Found:
    """What was found in the modules of a project, as their files were.

    Attributes:
        resolver: Which files these were.
    """

    resolver: Resolver
    _by_path: dict[str, list[Done]] = field(default_factory=dict)
    _settled: bool = True
    _put_together: tuple[tuple[str, ...], tuple[Done, ...]] = ((), ())

    def is_current(self) -> bool:
        """Whether none of the files has changed since they were read."""
        files = self.resolver.files.items()
        return self._settled and all(sources.stamp(path) == stamp for path, stamp in files)

    def by(self, namespaces: Mapping[str, Mapping[str, Any]]) -> tuple[Done, ...]:
        """What these modules have done."""
        loaded = tuple(sorted(namespaces))
        if loaded != self._put_together[0]:
            for path in loaded:
                if path not in self._by_path:
                    self._by_path[path] = list(self._find(path, namespaces))
            found: dict[tuple[str, str], list[Done]] = {}
            for each in (each for path in loaded for each in self._by_path[path]):
                found.setdefault((each.top, each.name), []).append(each)
            self._settled = all(map(sources.is_settled, self.resolver.files.values()))
            self._put_together = loaded, tuple(map(_merged, found.values()))
        return self._put_together[1]

    def _find(self, path: str, namespaces: Mapping[str, Mapping[str, Any]]) -> Iterator[Done]:
        module = self.resolver.load(path)
        if module is not None:
            for effect in Search(Callees(self.resolver, Leads(self.resolver), namespaces)).of(module):
                yield from self._does(effect)

    def _does(self, effect: Effect) -> Iterator[Done]:
        """What one effect does: the statement itself, and all of the user's that it uses."""
        traversal, label = Traversal(self.resolver), self.resolver.label(effect.place.module.path)
        summary = None if effect.is_bound else effect.summary()
        if summary is None:
            traversal.follow(effect.place.module, effect.name)
        else:
            traversal.use(effect.place.module, effect.name, summary)
        traversal.run()
        afterwards.finish(traversal)
        used = [part for part in traversal.parts.values() if part.kind != "import"]
        if summary is not None:
            said = effect.said(summary, traversal.leads)
            yield Done(effect.top, effect.name, label, said, hands=bool(used), asks=_asked(effect, traversal))
        for part in used:
            place, _, name = part.name.partition("::")
            yield Done(effect.top, name, place, part.hash, hands=True)


_known: dict[str, _Found] = {}


def _asked(effect: Effect, traversal: Traversal) -> Asked:
    """What an effect depends on beside its text."""
    names = [key for module, name in traversal.taken if (key := (module.path, name)) in traversal.read]
    names += [(module.path, name) for _, module, name in traversal.taken_at_import]
    nodes = [*effect.nodes, *([effect.place.function] if effect.place.function is not None else [])]
    constants = [each.value for node in nodes for each in ast.walk(node) if isinstance(each, ast.Constant)]
    texts = [value for value in constants if isinstance(value, str)]
    told = "\n".join([*map(ast.unparse, nodes), *(part.source for part in traversal.parts.values())])
    variables = _VARIABLE.findall(told) if "environ" in told or "getenv" in told else []
    paths = [text for text in texts if _PATH.fullmatch(text)]
    return Asked(tuple(dict.fromkeys(names)), tuple(dict.fromkeys(variables)), tuple(dict.fromkeys(paths)))


def _merged(same: list[Done]) -> Done:
    """Several of one name as one, in their order."""
    if len(same) == 1:
        return same[0]
    hashes = dict.fromkeys(each.hash for each in same)
    parts = zip(*(each.asks for each in same), strict=True)
    asks = Asked(*(tuple(dict.fromkeys(each for found in part for each in found)) for part in parts))
    return same[-1]._replace(hash=digest(" ".join(hashes)), hands=any(each.hands for each in same), asks=asks)


@dataclass(frozen=True)
class Used:
    """What a step uses.

    Attributes:
        text: What its text reaches.
        distributions: The distributions that it uses, with all that these need.
    """

    text: Traversal
    distributions: frozenset[str]
    _known: dict[str, bool] = field(default_factory=dict)

    @cached_property
    def _tops(self) -> frozenset[str]:
        return frozenset(dotted.partition(".")[0] for dotted, _ in self.text.foreign)

    def counts(self, done: Done) -> bool:
        """Whether something that was done to a package may change what the step does."""
        if done.top == VARIABLES:
            return bool(self.distributions - {TOOL})
        if done.top == "logging":
            # It decides which lines are written: that counts where somebody asks, or code of the user's writes them.
            return "logging" in self._tops and (done.hands or self.text.asks(_ASKED_OF_LOGGERS))
        return done.name.startswith(_LIMITS) or self._uses(done.top)

    def _uses(self, top: str) -> bool:
        """Whether the step uses anything of a top-level module."""
        if top not in self._known:
            own = top in self._tops | _EVERYWHERE
            self._known[top] = own or not self.distributions.isdisjoint(packages.own_distributions(top))
        return self._known[top]
