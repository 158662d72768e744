"""What the hits of a run owe: what they would leave behind beside their outputs, had they run.

An execution may change a value in the process, a variable, a file; a hit does none of that, and a step after it may
need it. As long as those after it are hits, too, it makes no difference: they are compared with what would be there.
For one that has to run, the hits that owe what it uses are run again first.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from ...fingerprint import Followed, State
from .. import chance, environment
from ..model import Trace
from ..paths import ABSENT, FOLDER
from ..places import Places
from . import whereabouts
from .debt import Debt, noted
from .due import Due
from .kinds import ADDED, FILES, GONE, MODULES, PARTS, SOURCES, VALUES, VARIABLES
from .uses import files_left, on_disk, root
from .whereabouts import Whereabouts
from .written import Written

_UNKNOWN = "unknown"
_MOST = 200
"""Debts that are kept; older ones are forgotten."""


class Owed:
    """What hits owe.

    Args:
        state_of: Tells the state that code reaches now.
        places: Which paths names of files stand for.
        written: Knows what steps have left in files.
        debts: The debts so far; those of the process outlast a run.
        shares_memory: Whether steps find in memory what those before them left there; else it is lost with their
            processes, and nobody owes it.
        tried: Whether nothing is run: then no folder is made.

    Attributes:
        due: Finds those that have to run after all.
    """

    def __init__(
        self,
        state_of: Callable[[Followed], State],
        places: Places,
        written: Written,
        debts: list[Debt],
        *,
        shares_memory: bool,
        tried: bool,
    ) -> None:
        self._tried = tried
        self._shares_memory = shares_memory
        self._state_of = state_of
        self._places = places
        self._written = written
        self._debts = debts
        self.due = Due(state_of, places, written, debts)

    def leave(self, step: str, name: str, decision: Any, code: Followed, trace: Trace) -> None:
        """A step is a hit: leaves what a hit can leave, as the execution did, and notes that it owes the rest.

        Args:
            step: Its invocation id.
            name: Its name.
            decision: By what it can be run again.
            code: Its code.
            trace: What the execution was seen to use.
        """
        here = self._places.here()
        trace = trace if self._shares_memory else on_disk(trace)
        done = self._written.add(trace, here)
        files = files_left(trace, here)
        made = self._written.leave_folders(files) if not self._tried else []
        if any(map(trace.left_of, (VALUES, PARTS, VARIABLES, FILES, MODULES))):
            found = {name: environment.answer(name) for name in trace.left_of(VARIABLES)}
            if values := trace.left_of(VALUES):
                found |= {name: noted(self._state_of(code), name) for name in values}
            as_found = chance.looks(), Whereabouts.now(), here
            del self._debts[:-_MOST]
            debt = Debt(step, name, decision, code, trace, files, found, *as_found, self._written, done, made)
            self._debts.append(debt)
        chance.leave(trace.left_of(SOURCES))
        whereabouts.take(trace, here)  # which may be one of them

    def nodes(self) -> Iterator[Any]:
        """The steps that may have to run again."""
        return (debt.decision.node for debt in self._debts)

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
            chance.put_back(debt.sources)
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
        self._written.again(trace, debt.places, debt.done_in(self._written) if debt.files else 1)

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

    def undone(self, trace: Trace) -> str | None:
        """A path that an execution left otherwise than it is since one before it ran again: it has to run, too."""
        return self._written.undone(files_left(trace, self._places.here()))

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
        return self._files_of_hits(self._written.gone)

    def stale(self) -> Iterator[tuple[str, str]]:
        """The files that hits of this run owe and that hold what another execution has left, each with its step."""
        return self._files_of_hits(self._written.stale)

    def _files_of_hits(self, found: Callable[[Mapping[str, str], int], Iterator[str]]) -> Iterator[tuple[str, str]]:
        for hit in (each for each in self._debts if each.written is self._written):
            yield from ((hit.step, hit.places.spell(path)) for path in found(hit.files, hit.done))


def _told(trace: Trace, name: str, values: Mapping[str, str]) -> bool:
    return trace.values.get(name, GONE) == values.get(name, GONE)


def _put(into: dict[str, str], name: str, value: str) -> None:
    if value == GONE:
        into.pop(name, None)
    else:
        into[name] = value
