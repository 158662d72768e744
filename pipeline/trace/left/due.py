"""Which hits have to run after all: those that owe what a step uses, and those that owe what these use."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

from ...fingerprint import Followed, State
from .. import environment
from ..model import Trace
from ..paths import ABSENT, LINK
from ..places import Places
from . import order
from .debt import Debt, noted
from .kinds import ADDED, APPENDED, FILES, VALUES, VARIABLES
from .uses import ORDER, Uses, asked, files_left, read, root
from .written import Written

_NOW = sys.maxsize
"""So many steps have left files: what any of them has left since does not count."""


class Due:
    """Finds the hits that have to run.

    Args:
        state_of: Tells the state that code reaches now.
        places: Which paths names of files stand for.
        written: Knows what steps have left in files.
        debts: What is owed, in order; it grows and shrinks.
    """

    def __init__(
        self, state_of: Callable[[Followed], State], places: Places, written: Written, debts: list[Debt]
    ) -> None:
        self._state_of = state_of
        self._places = places
        self._written = written
        self._debts = debts
        self._spared: set[tuple[int, str]] = set()

    def overtaken(self, trace: Trace) -> Iterator[str]:
        """The paths of hits that others were written after since, as far as an execution asked for such an order."""
        uses = {each for each in read(trace, self._places.here()) if each[0] == ORDER}
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
        own = files_left(trace, self._places.here())  # as it has left them, whatever they were
        return self._needed({*read(trace, self._places.here())}, None, own)

    def needed(self, code: Followed, traces: Iterable[Trace], given: Collection[str]) -> list[Debt]:
        """The hits that owe what a step uses that is about to run, in order.

        Args:
            code: The step's code.
            traces: What it was seen to use before.
            given: Paths that it is given: it may use what is there, or below.
        """
        uses = {*self._uses(code)}
        for trace in traces:
            uses |= {*asked(trace, self._places.here())}
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
            if self._written.is_missed(path, hit.files[path], found[path], hit.done_in(self._written), until):
                yield FILES, path

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
        until = self._written.done - bool(trace.left_of(FILES))  # as it began
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
            now = noted(self._state_of(hit.code), name)
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
        done = hit.done_in(self._written)
        for path, left in ((path, left) for path, left in hit.files.items() if path not in own):
            used = {(FILES, path), (FILES, os.path.join(os.path.dirname(path), ""))}
            if left.startswith(LINK):  # what is used may be behind it
                used |= {each for each in uses if each[1].startswith(f"{path}{os.sep}")}
            if not uses.isdisjoint(used) and self._written.owes(path, left, _NOW if path in removed else done):
                yield from used
        for path in self._overtaken(hit, uses):
            yield from ((ORDER, path), (ORDER, os.path.join(os.path.dirname(path), "")))
