"""Whether all that an execution was seen to use is as it was."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Protocol

from artvcs.vcs import Oid, Repository

from ..fingerprint import UNLOADED, Followed, State, is_setting, package_version
from . import chance, environment, paths
from .left.consumed import is_as_left
from .left.debt import Debt
from .left.kinds import APPENDED, FILES
from .left.owed import Owed
from .left.uses import on_disk
from .left.written import Written
from .model import NOT_INSTALLED, Difference, Trace
from .places import WORKING_DIRECTORY, Places

_debts: dict[str, list[Debt]] = {}
"""What hits in this process owe, by project."""

_MOMENT = 0.05
"""Seconds for which code is taken to be as it was looked at."""

_MOST_TRACES = 500
"""So many are kept in memory."""

Ask = Callable[[str], str]
"""Answers a question to the Client, or about the run, as it would be answered now."""


class Coded(Protocol):
    """What has code, as a step has."""

    def code(self) -> Followed:
        """It, as it is now."""


class States:
    """The states that steps' code reaches, each looked at once as long as nothing of the user's runs.

    Args:
        repository: Where the results are.
        shares_memory: Whether steps find in memory what those before them left there.
        tried: Whether nothing is run: then what hits owe is forgotten afterwards.

    Attributes:
        owed: What would be otherwise if all steps so far had run.
        written: What steps have left in files.
        takes: Executions whose results steps of this run have → the first such step.
    """

    def __init__(self, repository: Repository, *, shares_memory: bool, tried: bool = False) -> None:
        debts = _debts.setdefault(str(repository.project), [])
        if not shares_memory:
            debts = [replace(each, trace=on_disk(each.trace)) for each in debts if each.files]
        self._repository = repository
        self.written = Written(repository, _places_of(repository))
        self.owed = Owed(
            self.of, _places_of(repository), self.written, list(debts) if tried else debts,
            shares_memory=shares_memory, tried=tried,
        )  # fmt: skip
        self.takes: dict[Oid, str] = {}
        self._known: dict[int, tuple[Followed, State]] = {}
        self._codes: dict[int, tuple[float, Coded, Followed]] = {}
        self._traces: dict[Oid, Trace | None] = {}
        self._unchanged: set[tuple[Oid, str]] = set()
        self._brought: dict[str, Mapping[str, str]] = {}

    def bring(self, settings: Iterable[str], state: State) -> None:
        """Packages were loaded only to compare their settings, which are so since."""
        for each in settings:
            self._brought[each] = _below(each, state.values)

    def without_brought(self, then: Mapping[str, str], now: State) -> State:
        """A state as it would be if settings were not loaded that were not loaded then, as far as nobody set them."""
        values = dict(now.values)
        for each, brought in self._brought.items():
            if then.get(each) == UNLOADED and _below(each, values) == brought:
                values = {name: value for name, value in values.items() if name not in brought} | {each: UNLOADED}
        return replace(now, values=values) if self._brought else now

    def code(self, step: Coded) -> Followed:
        """A step's code, looked at once as long as nothing runs, and for a moment: somebody may edit its files."""
        now = time.monotonic()
        if (known := self._codes.get(id(step))) is None or known[0] < now - _MOMENT:
            known = self._codes[id(step)] = now, step, step.code()
        return known[2]

    def look_at_code(self) -> None:
        """A step has ended somewhere, which may have written files: code is looked at again."""
        self._codes.clear()

    def of(self, code: Followed) -> State:
        """The state that some code reaches."""
        known = self._known.get(id(code.function))
        if known is None or not known[0].is_as(code):
            known = self._known[id(code.function)] = code, code.state()
        return known[1]

    def after(self, code: Followed) -> State:
        """The state that some code reaches, which has just run; all others are looked at again."""
        self.forget()
        return self.of(code)

    def forget(self) -> None:
        """Something may have run: looks at all of them again."""
        self._known.clear()
        self._codes.clear()
        self._unchanged.clear()

    def trace_of(self, id_: Oid) -> Trace | None:
        """What executions were seen to use, see `Trace.read`: many have seen the same."""
        if id_ not in self._traces:
            if len(self._traces) >= _MOST_TRACES:
                self._traces.clear()
            self._traces[id_] = Trace.read(self._repository.store, id_)
        return self._traces[id_]

    def differences(self, id_: Oid, trace: Trace, world: World) -> Iterator[Difference]:
        """What is not as executions saw it. What many have seen is looked at once, as long as nothing runs.

        Args:
            id_: Which trace it is.
            trace: What they were seen to use.
            world: What that is compared with.
        """
        seen = id_, world.code.fingerprint.id
        if seen in self._unchanged:
            return
        is_same = True
        for each in differences(trace, world):
            is_same = False
            yield each
        if is_same and all(map(chance.is_source, trace.context)):  # else it is told something else of each step
            self._unchanged.add(seen)

    def leaves(self, trace: Trace) -> None:
        """A hit leaves what it can: others may not be as they were."""
        if trace.left:
            self._unchanged.clear()


@dataclass
class World:
    """What executions are compared with.

    Attributes:
        repository: Where the results are.
        code: The step's code, as it was followed.
        states: What knows the states that code reaches.
        ask: Answers questions to the Client.
        context: Answers questions about the run.
        folder: Where the process works as the step is about to begin.
    """

    repository: Repository
    code: Followed
    states: States
    ask: Ask
    context: Ask
    folder: str = field(default_factory=os.getcwd)

    @cached_property
    def state(self) -> State:
        """The state that the code reaches, when it was first asked for."""
        return self.states.of(self.code)

    def look_again(self) -> None:
        """Something was loaded: the state is another."""
        self.states.forget()
        self.__dict__.pop("state", None)

    @cached_property
    def places(self) -> Places:
        """Which paths names of files stand for."""
        return _paths(str(self.repository.project), str(self.repository.layout.folder)).from_(self.folder)

    def told(self, name: str) -> str:
        """What the step would be told of its run and its surroundings."""
        if name == WORKING_DIRECTORY:
            return self.places.spell(os.getcwd())
        return chance.answer(name) or self.context(name)

    def file(self, name: str, facet: str, *, rewritten: bool) -> str:
        """What a path answers now; of one that is `rewritten`, moved or removed, what it would have answered before."""
        path = self.places.resolve(name)
        left = self.states.owed.file(path, rewritten=rewritten) if facet in ("content", "kind") else None
        if left is None:
            return paths.answer(path, facet, self.repository.file_ids)
        return left if facet == "content" else paths.kind_left(left)

    def expect(self, names: Mapping[str, object]) -> None:
        """Says which files will be asked for."""
        self.repository.file_ids.expect(map(self.places.resolve, names))


def _places_of(repository: Repository) -> Places:
    return Places(str(repository.project), str(repository.layout.folder))


_paths = lru_cache(4)(Places)
"""A run asks for the same again and again; each from a folder of its own."""


def differences(trace: Trace, world: World) -> Iterator[Difference]:
    """What is not as an execution saw it, what costs least to find first."""
    for each in _compare("env", trace.env, world.states.owed.variable):
        yield from _variables(each) if each.subject == environment.ALL else [each]
    yield from _compare("package", trace.packages, lambda name: package_version(name) or NOT_INSTALLED)
    for each in _compare("context", trace.context, world.told):
        yield replace(each, kind="value") if chance.is_source(each.subject) else each
    _load_what_has_settings(trace, world)
    state = world.states.without_brought(trace.values, world.state)
    for each in _state(trace, world.states.owed.over(world.code, state, trace)):
        yield replace(each, subject=world.code.spelt(each.subject))
    yield from _done(trace.done, world.code.done(world.state, trace.packages))
    world.expect(trace.files)
    left = trace.left_of(FILES)
    for name, facets in trace.files.items():
        yield from (
            Difference(paths.kind_of(facet, was, now), name, *paths.told(facet, was, now))
            for facet, was in facets.items()
            if (now := world.file(name, facet, rewritten=name in left)) != was
            and not (left and is_as_left(name, facet, (was, now), trace, world.places, world.states.owed))
        )
    for name, was in trace.left_of(APPENDED).items():
        so_far = world.states.owed.so_far(world.places.resolve(name))
        if so_far not in (None, was):
            yield Difference("file", name, was, so_far)
    for path in itertools.islice(world.states.owed.due.overtaken(trace), 1):
        yield Difference("file", world.places.spell(path), "the newest in its folder", "written before others in it")
    world.repository.file_ids.settle()
    for root, parts in world.code.beyond(trace.code).items():
        gone = {root: trace.code[root].get(root, "there")}  # and not all that it led to
        yield from _changed("code", trace.code[root] if parts else gone, parts)
    yield from _compare("answer", trace.answers, world.ask)


def _below(name: str, values: Mapping[str, str]) -> dict[str, str]:
    """What was noted of a setting: of it as a whole, and of what it holds."""
    return {each: value for each, value in values.items() if each == name or each.startswith(f"{name}[")}


def _load_what_has_settings(trace: Trace, world: World) -> None:
    """Loads packages that were loaded by then, and are now only if a step before this one runs: they have settings."""
    missing = world.code.unloaded(trace.values) if UNLOADED in world.state.values.values() else {}
    for top in missing:
        with contextlib.suppress(Exception):  # a package may raise anything; then it differs, and the step says why
            importlib.import_module(top)
    if missing:
        world.look_again()
        world.states.bring((name for names in missing.values() for name in names), world.state)


def _compare(kind: str, then: Mapping[str, str], ask: Ask) -> Iterator[Difference]:
    for subject, was in then.items():
        if (now := ask(subject)) != was:
            yield Difference(kind, subject, was, now)


def _variables(names: Difference) -> Iterator[Difference]:
    """The variables that came or went, where it counts which there are."""
    then, now = set((names.old or "").split()), set((names.new or "").split())
    for name in sorted(then ^ now):
        yield Difference("env", name, "set" if name in then else None, "set" if name in now else None)


def _changed(kind: str, then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    for subject in sorted(then.keys() | now.keys()):
        if then.get(subject) != now.get(subject):
            yield Difference(kind, subject, then.get(subject), now.get(subject))


def _done(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    """Compares what was done to packages; where that stands is only told."""
    for name in sorted(then.keys() | now.keys()):
        (old, _, there), (new, _, here) = then.get(name, "").partition(" "), now.get(name, "").partition(" ")
        if old != new:
            yield Difference("code", f"{here or there}::{name}", old or None, new or None)


def _state(trace: Trace, now: State) -> list[Difference]:
    """Compares live values; where the execution loaded their modules itself, with those after it."""
    found = [*_changed("value", trace.values, now.values), *_changed("code", trace.parts, now.parts)]
    found = [each for each in found if not _is_remembered_alike(each, trace)]
    if found and any(value == UNLOADED for value in trace.values.values()):
        kept = {name: value for name, value in trace.values.items() if value != UNLOADED}
        later = [
            *_changed("value", {**kept, **trace.later_values}, now.values),
            *_changed("code", {**trace.parts, **trace.later_parts}, now.parts),
        ]
        found = min(found, [each for each in later if not _is_remembered_alike(each, trace)], key=len)
    return _without_loading(found)


def _without_loading(found: list[Difference]) -> list[Difference]:
    """Differences without the settings that only came or went with their package; these are told if nothing else is."""
    loading = [each for each in found if is_setting(each.subject) and {each.old, each.new} & {None, UNLOADED}]
    others = [each for each in found if each not in loading]
    return others or loading[:1]


def _is_remembered_alike(difference: Difference, trace: Trace) -> bool:
    """Whether a cached function remembers no more than it did then or found out as the step ran, and forgot nothing."""
    if difference.kind != "value" or not difference.subject.endswith("()"):
        return False
    then, now = set((difference.old or "").split()), set((difference.new or "").split())
    made = set(trace.values.get(difference.subject, "").split())
    return made <= now <= made | then | set(trace.later_values.get(difference.subject, "").split())
