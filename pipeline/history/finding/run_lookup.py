"""Finding runs by what people call them, and what was executed in them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from artvcs.vcs import (
    AmbiguousName,
    Commit,
    DamagedError,
    LookupFailed,
    ObjectStore,
    Oid,
    Refs,
    Run,
    UnknownName,
    canonical,
    runs,
    some_steps,
)

from . import meant

if TYPE_CHECKING:
    from ...fingerprint import Fingerprint

_SHOWN = 4

_HEAD = "HEAD"


def find_run(refs: Refs, text: str) -> Run:
    """The run with this id, name, or unique start of either.

    Raises:
        UnknownName: There is none.
        AmbiguousName: There is more than one.
    """
    if (run := runs.readable(refs, text)) is not None:
        return run
    for matches in (
        _some(runs.named(refs, text)),
        _some(itertools.chain(runs.with_id_like(refs, text), runs.named_like(refs, text))) if text else [],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            shown = ", ".join(f"{run.name} ({run.run[:8]})" for run in matches[: _SHOWN - 1])
            more = ", and more" if len(matches) == _SHOWN else ""
            raise AmbiguousName(f"{text!r} could be {shown}{more}; give its id.")
    hint = meant.near(partial(meant.pipelines_and_runs, refs), text)
    raise UnknownName(f"There is no run {text!r}{hint}; `art log` lists those there are.")


def find_run_spec(refs: Refs, asked: str) -> Run:
    """The run that a text stands for: as `find_run`, or `HEAD` for the newest, or the newest of a pipeline by its name.

    After any of these, `~2` stands for two runs before it: of its pipeline, but for `HEAD`.

    Raises:
        UnknownName: There is none.
        AmbiguousName: There is more than one.
    """
    exact = runs.by_id(refs, asked) or next(runs.named(refs, asked), None)
    start, back = meant.steps_back(asked)
    if exact is not None:
        return find_run(refs, asked)
    if start == _HEAD:
        following = runs.newest_first(refs)
    elif runs.latest(refs, start) is not None:
        following = runs.of_pipeline(refs, start)
    elif back:
        run = find_run(refs, start)
        following = itertools.dropwhile(lambda each: each.run != run.run, runs.of_pipeline(refs, run.pipeline))
    else:
        return find_run(refs, asked)
    found = next(itertools.islice(following, back, None), None)
    if found is None:
        raise UnknownName(f"There are not so many runs that {asked!r} is one; `art log` lists those there are.")
    return found


def _some(found: Iterator[Run]) -> list[Run]:
    """The first few runs, each once."""
    each_once = {run.run: run for run in itertools.islice(found, 2 * _SHOWN)}  # one may be found in two ways
    return list(each_once.values())[:_SHOWN]


@dataclass
class LastExecutions:
    """The newest executions of steps in a run or those of its pipeline before it, of those that can be read.

    They are looked for together as soon as one is asked for: each run is read once, and not once for each step.

    Attributes:
        refs: Where runs are looked up.
        run: The run, if there is one.
        steps: The invocation ids of all steps that may be asked for.
    """

    refs: Refs
    run: Run | None
    steps: Sequence[str]

    def of(self, step: str) -> Commit | None:
        """That of a step; None if there is none."""
        run, commit = self._found.get(step, (None, None))
        while run is not None:
            with suppress(LookupFailed, DamagedError):  # collected, or damaged: one before it may be there
                if commit is not None:
                    return self.refs.record(commit, Commit)
            run = self._before(run)
            commit = last_commit(run, step)
        return None

    @cached_property
    def _found(self) -> dict[str, tuple[Run, Oid]]:
        """Each step → the newest run that has an execution of it, and which that is."""
        found, missing, run = dict[str, tuple[Run, Oid]](), set(self.steps), self.run
        while run is not None and missing:
            with suppress(LookupFailed, DamagedError):
                for step, each in some_steps(run, missing).items():
                    if each.commit is not None:
                        found[step] = run, each.commit
            missing -= found.keys()
            run = self._before(run)
        return found

    def _before(self, run: Run) -> Run | None:
        with suppress(LookupFailed, DamagedError):  # what led on from there is not known any more
            return runs.by_id(self.refs, run.previous) if run.previous else None
        return None


def last_commit(run: Run | None, step: str) -> Oid | None:
    """The commit whose outputs a run has of a step, if it has any."""
    found = run.steps.get(step) if run is not None else None
    return found.commit if found is not None else None


def code_of(store: ObjectStore, commit: Commit) -> Fingerprint:
    """The code that an execution ran, part by part."""
    from ...fingerprint import from_json  # costs a hundredth of a second, and what looks up names needs none of it

    return from_json(canonical.loads(store.read(commit.code.source, "blob")))
