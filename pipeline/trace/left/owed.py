"""What the hits of a run owe: what they would leave behind beside their outputs, had they run.

An execution may change a value in the process, a variable, a file; a hit does none of that, and a step after it may
need it. As long as those after it are hits, too, it makes no difference: they are compared with what would be there.
For one that has to run, the hits that owe what it uses are run again first.
"""

from __future__ import annotations

import dataclasses
import importlib
import itertools
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ...fingerprint import Followed, State
from .. import chance, environment
from ..model import Trace
from ..paths import ABSENT, FOLDER, LINK
from ..places import Places
from . import order, whereabouts
from .kinds import ADDED, APPENDED, FILES, GONE, MODULES, PARTS, SOURCES, VALUES, VARIABLES
from .uses import ORDER, Uses, asked, read, root
from .whereabouts import Whereabouts
from .written import Written

_UNKNOWN = "unknown"
_MOST = 200
"""Debts that are kept; older ones are forgotten."""
_NOW = sys.maxsize
"""So many steps have left files: what any of them has left since does not count."""


@dataclass(frozen=True, eq=False)
class Debt:
    """A step that was a hit, and would have left something.

    Attributes:
        step: Its invocation id.
        name: Its name.
        decision: By what it can be run again.
        code: Its code.
        trace: What the execution was seen to use.
        files: Paths that it left → what was there.
        found: What of all that it left was there when it was a hit: name or variable → what it was.
        sources: The random numbers as it found them.
        whereabouts: Where the process worked.
        places: What its relative paths stand for, from there.
        written: What knew of the files of its run.
        done: How many steps of that run had left files.
        made: Folders that were made in its place.
    """

    step: str
    name: str
    decision: Any
    code: Followed
    trace: Trace
    files: Mapping[str, str]
    found: Mapping[str, str]
    sources: Mapping[str, str]
    whereabouts: Whereabouts
    places: Places
    written: Written
    done: int
    made: list[str]

    def leads_to(self, module: str) -> bool:
        """Whether the code leads to a module of the user's."""
        inside = os.sep + module.replace(".", os.sep)
        return any(path.endswith((f"{inside}.py", os.path.join(inside, "__init__.py"))) for path in self.code.files)


class Owed:
    """What hits owe.

    Args:
        state_of: Tells the state that code reaches now.
        places: Which paths names of files stand for.
        written: Knows what steps have left in files.
        debts: The debts so far; those of the process outlast a run.
        tried: Whether nothing is run: then no folder is made.
    """

    def __init__(
        self,
        state_of: Callable[[Followed], State],
        places: Places,
        written: Written,
        debts: list[Debt],
        *,
        tried: bool,
    ) -> None:
        self._tried = tried
        self._state_of = state_of
        self._places = places
        self._written = written
        self._debts = debts
        self._spared: set[tuple[int, str]] = set()

    def leave(self, step: str, name: str, decision: Any, code: Followed, trace: Trace) -> None:
        """A step is a hit: leaves what a hit can leave, as the execution did, and notes that it owes the rest.

        Args:
            step: Its invocation id.
            name: Its name.
            decision: By what it can be run again.
            code: Its code.
            trace: What the execution was seen to use.
        """
        here = self._here
        done = self._written.add(trace, here)
        files = {here.resolve(name): what for name, what in trace.left_of(FILES).items()}
        made = self._written.leave_folders(files) if not self._tried else []
        if any(map(trace.left_of, (VALUES, PARTS, VARIABLES, FILES, MODULES))):
            found = {name: environment.answer(name) for name in trace.left_of(VARIABLES)}
            if values := trace.left_of(VALUES):
                found |= {name: _of(self._state_of(code), name) for name in values}
            as_found = chance.states(), Whereabouts.now(), here
            del self._debts[:-_MOST]
            debt = Debt(step, name, decision, code, trace, files, found, *as_found, self._written, done, made)
            self._debts.append(debt)
        chance.leave(trace.left_of(SOURCES))
        whereabouts.take(trace, here)  # which may be one of them

    @property
    def _here(self) -> Places:
        """What relative paths stand for in the working directory."""
        return self._places.from_(os.getcwd())

    def begin(self, function: Any) -> None:
        """A step's function begins anew: what it owes from an earlier run is forgotten, as it may have been reset."""
        self._debts[:] = [
            each for each in self._debts if each.written is self._written or each.code.function is not function
        ]

    def __bool__(self) -> bool:
        return bool(self._debts)

    @contextmanager
    def paid(self, debt: Debt) -> Iterator[None]:
        """The block runs a step after all: it finds what hits can leave as it found it when it was a hit."""
        with chance.kept(), whereabouts.kept():
            chance.leave(debt.sources)
            debt.whereabouts.restore()
            debt.written.take_away(debt.made)
            yield
        self.forgive(debt)

    def has(self, debt: Debt) -> bool:
        """Whether a step still owes something."""
        return debt in self._debts

    def renew(self, step: str) -> None:
        """A step of this run is decided anew: what it owes is forgotten."""
        self._debts[:] = [each for each in self._debts if each.written is not self._written or each.step != step]

    def ran_again(self, debt: Debt, trace: Trace) -> None:
        """A hit has run after all; what was seen of it takes the place of what it owed."""
        self._written.again(trace, debt.places, self._done(debt) if debt.files else 1)

    def forgive(self, debt: Debt) -> None:
        """A step owes nothing any more: it runs, or would."""
        with suppress(ValueError):  # another thread has run it, too
            self._debts.remove(debt)

    def load(self) -> bool:
        """Imports the modules that hits would have imported, for what these do to packages; whether there were any.

        Only those that the hits' code leads to: a trace may come from a stranger.
        """
        names = {
            name for debt in self._debts for name in debt.trace.left_of(MODULES) if debt.leads_to(name)
        } - sys.modules.keys()
        for name in sorted(names):
            with suppress(Exception):  # a module may raise anything; whoever needs it says so
                importlib.import_module(name)
        return not names.isdisjoint(sys.modules)

    def over(self, code: Followed, state: State, trace: Trace) -> State:
        """The state that code would reach if all had run.

        Args:
            code: The code.
            state: What it reaches.
            trace: What it is compared with: what functions only remember may be there or not.
        """
        if not self._debts:
            return state
        values, parts = dict(state.values), dict(state.parts)
        roots = {root(name) for name in values}
        for hit in self._debts:
            for name, now in hit.trace.left_of(VALUES).items():
                spelt = hit.code.spelt(name)
                mine, was = code.named(spelt), hit.trace.values.get(name, hit.trace.left_of(ADDED).get(name, GONE))
                if root(mine) not in roots and (mine in state.added or not code.reaches(root(spelt))):
                    continue
                if _told(trace, mine, values) and code.remembers(root(spelt), hit.code):
                    continue
                if values.get(mine, GONE) == was:
                    _put(values, mine, now)
                elif name in hit.trace.left_of(ADDED):
                    _put(values, mine, _UNKNOWN)
            for name, now in hit.trace.left_of(PARTS).items():
                mine, was = code.named(hit.code.spelt(name)), hit.trace.parts.get(name, GONE)
                if parts.get(mine, GONE) == was and (mine in trace.parts or was != GONE):
                    _put(parts, mine, now)
        return dataclasses.replace(state, values=values, parts=parts)

    def variable(self, name: str) -> str:
        """What an environment variable would answer if all had run."""
        for hit in reversed(self._debts):
            if name in hit.trace.left_of(VARIABLES) and hit.found[name] == environment.answer(name):
                return hit.trace.left_of(VARIABLES)[name]
        return environment.answer(name)

    def file(self, path: str, *, rewritten: bool) -> str | None:
        """What a file would hold if the hits that owe it had run, where that counts; None where it is what it is.

        Args:
            path: The file.
            rewritten: Whether the step changes, moves or removes it, so that it is as it left it when it is a hit.
        """
        for hit in reversed(self._debts if self._tried or rewritten else ()):
            if (left := hit.files.get(path)) is not None and self._written.owes(path, left, hit.done):
                return left
        return None

    def undoes(self, trace: Trace) -> bool:
        """Whether an execution left files otherwise than they are since one before it ran again: it has to run, too."""
        return self._written.undoes({self._here.resolve(name): what for name, what in trace.left_of(FILES).items()})

    def so_far(self, path: str) -> str | None:
        """What the steps of this run have left at a path so far, or would have; None if none has left anything."""
        return self._written.so_far(path)

    def is_gone(self, path: str) -> bool:
        """Whether there is nothing at a path, or only a folder that a hit has made."""
        return not os.path.lexists(path) or self._written.is_bare(path)

    def brings_others(self, folder: str, seen: Collection[str]) -> bool:
        """Whether hits would have put other files into a folder than those seen in it, if they put any there."""
        inside = os.path.join(folder, "")
        left = (each for hit in self._debts for each in hit.files.items())
        brought = {path for path, what in left if path.startswith(inside) and what not in (ABSENT, FOLDER)}
        return bool(brought) and brought != {path for path in seen if path.startswith(inside)}

    def gone(self) -> Iterator[tuple[str, str]]:
        """The files that hits of this run owe and that are not there at all, each with its step."""
        for hit in (each for each in self._debts if each.written is self._written):
            yield from ((hit.step, hit.places.spell(path)) for path in self._written.gone(hit.files, hit.done))

    def overtaken(self, trace: Trace) -> Iterator[str]:
        """The paths of hits that others were written after since, as far as an execution asked for such an order."""
        uses = {each for each in read(trace, self._here) if each[0] == ORDER}
        for hit in self._debts if uses else ():
            yield from self._overtaken(hit, uses)

    def _overtaken(self, hit: Debt, uses: set[Uses]) -> Iterator[str]:
        if hit.written is not self._written:
            return
        dated = (
            path
            for path in hit.files
            if (ORDER, path) in uses
            or ((ORDER, os.path.join(os.path.dirname(path), "")) in uses and order.is_named_by_time(path))
        )
        yield from self._written.overtaken(dated, hit.files.keys(), hit.name, hit.done)

    def files_of(self, trace: Trace) -> list[Debt]:
        """The hits that owe files which an execution has read, in order."""
        own = {self._here.resolve(name) for name in trace.left_of(FILES)}  # as it has left them, whatever they were
        return self._needed({*read(trace, self._here)}, None, own)

    def needed(self, code: Followed, traces: Iterable[Trace], given: Collection[str]) -> list[Debt]:
        """The hits that owe what a step uses that is about to run, in order.

        Args:
            code: The step's code.
            traces: What it was seen to use before.
            given: Paths that it is given: it may use what is there, or below.
        """
        uses = {*self._uses(code)}
        for trace in traces:
            uses |= {*asked(trace, self._here)}
        for path in (path for hit in self._debts for path in hit.files) if given else ():
            if any(each in given for each in self._places.inside(path)):
                uses.add((FILES, path))
        return self._needed(uses, code)

    def _needed(
        self,
        uses: set[Uses],
        code: Followed | None,
        own: Collection[str] = (),
        found: Mapping[str, str] = MappingProxyType({}),
        until: int = 0,
    ) -> list[Debt]:
        needed, removed = list[Debt](), set[str]()
        for hit in reversed(self._debts):
            files = self._owed_files(hit, uses, removed, () if needed else own)
            owed = itertools.chain(self._owed(hit), files, self._missed_files(hit, found, until))
            if any(self._is_used(kind, name, uses, code, hit) for kind, name in owed):
                needed.append(hit)
                uses |= {*self._uses(hit.code), *asked(hit.trace, hit.places)}
                removed |= {path for path, left in hit.files.items() if left == ABSENT}
        return needed[::-1]

    def _missed_files(self, hit: Debt, found: Mapping[str, str], until: int) -> Iterator[Uses]:
        for path in hit.files.keys() & found.keys():
            if self._written.is_missed(path, hit.files[path], found[path], self._done(hit), until):
                yield FILES, path

    def _done(self, hit: Debt) -> int:
        """How many executions of this run had left files when a hit would have."""
        return hit.done if hit.written is self._written else 1

    def _is_used(self, kind: str, name: str, uses: set[Uses], code: Followed | None, hit: Debt) -> bool:
        if kind != VALUES or code is None:
            return (kind, name) in uses
        if (kind, name) not in uses and not code.reaches(name):
            return False
        if code.remembers(name, hit.code):
            self._spared.add((id(hit), name))
            return False
        return True

    def missed(self, trace: Trace, places: Places) -> list[Debt]:
        """The hits that should have run before a step that has just run: it has used what they owe.

        Args:
            trace: What was seen of it.
            places: What its relative paths stand for.
        """
        found = {name: facets["content"] for name, facets in trace.files.items() if "content" in facets}
        found = {places.resolve(name): what for name, what in {**found, **trace.left_of(APPENDED)}.items()}
        until = self._written.add(Trace(), places) - bool(trace.left_of(FILES))
        due = {id(each): each for each in self._needed({*asked(trace, places)}, None, found=found, until=until)}
        due.update((id(each), each) for each in self._made_otherwise())
        return [each for each in self._debts if id(each) in due]

    def _made_otherwise(self) -> list[Debt]:
        """The hits of which what a step that has just run made anew, where there was None, is not what they owe.

        It was thought to be: one function makes it for both. What it made is taken away again.
        """
        spared, self._spared = self._spared, set()
        found = []
        for hit in self._debts:
            after = self._state_of(hit.code).values
            for name, now in hit.trace.left_of(VALUES).items():
                top = root(hit.code.spelt(name))
                was_none = hit.trace.values.get(hit.code.named(top)) == repr(None)
                if (id(hit), top) in spared and was_none and after.get(name) not in (now, repr(None)):
                    found.append(hit)
                    hit.code.unmake(top)
        return list({id(each): each for each in found}.values())

    def _uses(self, code: Followed) -> Iterator[Uses]:
        state = self._state_of(code)
        return ((VALUES, root(code.spelt(name))) for name in (*state.values, *state.added))

    def _owed(self, hit: Debt) -> Iterator[Uses]:
        """What a hit would have left in the process, and is as it found it; what was set since is as it should be."""
        for name, left in hit.trace.left_of(VALUES).items():
            now = _of(self._state_of(hit.code), name)
            is_found_out_again = name.endswith("()")  # what a cached function remembers
            if now != left and not is_found_out_again and (now == hit.found[name] or name in hit.trace.left_of(ADDED)):
                yield VALUES, root(hit.code.spelt(name))
        for name, left in hit.trace.left_of(VARIABLES).items():
            if left != environment.answer(name) == hit.found[name]:
                yield VARIABLES, name

    def _owed_files(self, hit: Debt, uses: set[Uses], removed: Collection[str], own: Collection[str]) -> Iterator[Uses]:
        """The files that a hit would have left otherwise, as far as they are used.

        Args:
            hit: The hit.
            uses: What is used.
            removed: What hits after it remove that have to run again, as one that moves a file: they find it before.
            own: What does not count, for whoever uses it leaves it otherwise.
        """
        done = self._done(hit)
        for path, left in ((path, left) for path, left in hit.files.items() if path not in own):
            used = {(FILES, path), (FILES, os.path.join(os.path.dirname(path), ""))}
            if left.startswith(LINK):  # what is used may be behind it
                used |= {each for each in uses if each[1].startswith(f"{path}{os.sep}")}
            if not uses.isdisjoint(used) and self._written.owes(path, left, _NOW if path in removed else done):
                yield from used
        for path in self._overtaken(hit, uses):
            yield from ((ORDER, path), (ORDER, os.path.join(os.path.dirname(path), "")))


def _of(state: State, name: str) -> str:
    return state.values.get(name, state.added.get(name, GONE))


def _told(trace: Trace, name: str, values: Mapping[str, str]) -> bool:
    return trace.values.get(name, GONE) == values.get(name, GONE)


def _put(into: dict[str, str], name: str, value: str) -> None:
    if value == GONE:
        into.pop(name, None)
    else:
        into[name] = value
