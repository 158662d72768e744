"""What an import is to bring of what another tool has kept, in the order in which Git's revisions came.

What was made is planned with the revision that said it first. What stages made is planned together, as a run of them:
each revision that says something else of them than all before it is one.
"""

from __future__ import annotations

import graphlib
import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from artvcs.vcs import Input, Refs, Repository, hash_bytes, runs
from artvcs.vcs import versions as known
from artvcs.vcs.git import History, Revision

from ..keepers import revisions
from ..keepers.tracked import Held, Keeper, Made, Problem, Tracked, digest_of
from .storing import as_name


@dataclass(frozen=True)
class Planned:
    """What is to be brought at once.

    Attributes:
        made: What was made, each after what it was made of.
        revision: The Git revision that said so first.
        pipeline: What the pipeline of that is called.
        run: The id of the run of stages that this is; None for what was added by hand.
    """

    made: tuple[Made, ...]
    revision: Revision
    pipeline: str
    run: str | None = None

    @property
    def name(self) -> str:
        """What the run is called."""
        return as_name(f"{self.pipeline}-{self.revision.id[:8]}")

    @property
    def outputs(self) -> Iterator[Tracked]:
        """All that is kept of it."""
        return (each for made in self.made for each in made.outputs)


@dataclass
class Report:
    """What an import did, or would do.

    Attributes:
        made: The versions, as `NAME@NUMBER`; as `NAME@REVISION` where nothing was done.
        runs: The names of runs.
        there: How many versions were there already.
        unusable: What could not be brought → why.
        revisions: How many revisions were looked at.
        size: Bytes of what was brought.
    """

    made: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    there: int = 0
    unusable: dict[str, str] = field(default_factory=dict)
    revisions: int = 0
    size: int = 0


class Plan:
    """What is to be brought from one Git repository.

    Args:
        repository: Where to.
        history: The Git repository's history.
        keeper: The tool.
        watch: Told how many revisions were looked at.

    Attributes:
        report: What could not be understood is told there.
        noted: Under which name a version notes what the tool calls its content.
        names: Path → what it is called here.
        now: Path → the hash of what is kept there in the revision that is checked out.
        there: Path and hash → what has been brought already.
        first: What a stage made → the run that has it first.
        planned: What is to be brought, in order.
    """

    def __init__(self, repository: Repository, history: History, keeper: Keeper, watch: Callable[[int], None]) -> None:
        self._history = history
        self._keeper = keeper
        self._problems, self._seen = set[Problem](), set[str]()
        self.report = Report()
        self.noted = revisions.noted(keeper.name)
        self.names: dict[str, str] = {}
        self.now: dict[str, str] = {}
        self.there: dict[Held, Input] = {}
        self.first: dict[str, str] = {}
        found, outputs = self._look(watch)
        refs = repository.refs()
        self._name(refs, {path for path, _ in outputs})
        self.report.there = sum(each in self.there for each in outputs)
        self.planned = [each for each in found if self._is_news(refs, each)]

    def _look(self, watch: Callable[[int], None]) -> tuple[list[Planned], set[Held]]:
        """What all revisions say, each thing once; and path and hash of what is kept."""
        found, outputs, head = list[Planned](), set[Held](), self._history.head
        for revision in self._history.revisions():
            watch(self.report.revisions)
            self.report.revisions += 1
            here = self._made(revision)
            by_file = defaultdict[str, list[Made]](list)
            for made in here:
                if made.is_stage:
                    by_file[made.file].append(made)
                elif any(each.held not in outputs for each in made.outputs):
                    found.append(Planned((made,), revision, self._keeper.name))
            found += (
                Planned(_in_order(stages), revision, self._pipeline(file), run)
                for file, stages in by_file.items()
                if (run := self._new_run(stages)) is not None
            )
            now = {each.path: each.digest for made in here for each in made.outputs}
            outputs.update(Held(*each) for each in now.items())
            if revision.id == head:
                self.now = now
        return found, outputs

    def _made(self, revision: Revision) -> list[Made]:
        """What was made as of a revision; what cannot be understood is noted."""
        found = list[Made]()
        for each in self._keeper.tracked(self._history, revision):
            if isinstance(each, Made):
                found.append(each)
            elif each not in self._problems:  # of many revisions that have it, the first is named
                self._problems.add(each)
                self.report.unusable[f"{each.of} at {revision.id[:8]}"] = each.why
        return found

    def _new_run(self, stages: list[Made]) -> str | None:
        """The id of the run that stages are; None where an earlier revision says the same of them all.

        The id is made of what is said, so that another import knows the run again.
        """
        run = hash_bytes("\0".join([self._keeper.name, *sorted(each.key for each in stages)]).encode(), "made")[:32]
        if run in self._seen:
            return None
        self._seen.add(run)
        for each in stages:
            self.first.setdefault(each.key, run)
        return run

    def _pipeline(self, file: str) -> str:
        """What the pipeline of the stages in a file is called."""
        folder = PurePosixPath(file).parent
        return as_name(self._keeper.name if folder == PurePosixPath() else f"{self._keeper.name}-{folder}")

    def _is_news(self, refs: Refs, planned: Planned) -> bool:
        """Whether something of it is not here."""
        is_run = planned.run is not None and runs.by_id(refs, planned.run) is None
        return is_run or any(each.held not in self.there for each in planned.outputs)

    def _name(self, refs: Refs, paths: set[str]) -> None:
        """Finds what each path is called here, and what of it has been brought already.

        What had a name keeps it. Else it is called by its last part, or by all of them where that is another's.
        """
        last = Counter(PurePosixPath(path).name for path in paths)
        new = list[str]()
        for path in sorted(paths):
            name = next((name for name in _callable(path) if self._is_of(refs, name, path)), None)
            if name is None:
                new.append(path)
            else:
                self.names[path] = name
        for path in new:
            short, *longer = _callable(path)
            free = [short] if last[PurePosixPath(path).name] == 1 else []
            taken = {*self.names.values()}
            self.names[path] = next(
                name for name in (*free, *longer) if name not in taken and not known.exists(refs, name)
            )
        for path, name in self.names.items():
            for version in known.of(refs, name):
                key = version.metadata.get(self.noted)
                if isinstance(key, str) and version.metadata.get("path") == path:
                    self.there[Held(path, digest_of(key))] = Input(
                        version.artifact, name, version.commit, version.output
                    )

    def _is_of(self, refs: Refs, name: str, path: str) -> bool:
        """Whether a name was given to a path before."""
        found = known.newest(refs, name)
        return found is not None and self.noted in found.metadata and found.metadata.get("path") == path


def _in_order(stages: list[Made]) -> tuple[Made, ...]:
    """Each after those whose outputs it took, or what lies in these, or what these lie in."""
    makers = defaultdict[str, set[int]](set)
    for number, made in enumerate(stages):
        for each in made.outputs:
            for place in (each.path, *map(str, PurePosixPath(each.path).parents)):
                makers[place].add(number)
    exact = {each.path: number for number, made in enumerate(stages) for each in made.outputs}
    order = graphlib.TopologicalSorter[int](dict.fromkeys(range(len(stages)), ()))
    for number, made in enumerate(stages):
        for taken in made.inputs:
            around = {exact[place] for place in map(str, PurePosixPath(taken.path).parents) if place in exact}
            order.add(number, *((makers.get(taken.path, set()) | around) - {number}))
    try:
        return tuple(stages[number] for number in order.static_order())
    except graphlib.CycleError:  # no tool makes such, but somebody may write one
        return tuple(stages)


def _callable(path: str) -> list[str]:
    """What a path can be called here, the shortest first; the last is no other path's."""
    names = as_name(PurePosixPath(path).name), as_name(path)
    return [*dict.fromkeys(names), as_name(f"{path}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:6]}")]
