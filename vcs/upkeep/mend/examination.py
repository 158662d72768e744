"""What is wrong with a repository, found out so far that it can be mended."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor

from ...objects.kinds import Op
from ...storage.files import Files
from ...storage.layout import PACKS, Layout, PackName, is_pack_name, op_name, op_seq, segment_name
from ...storage.packs.op_file import Entry
from ...storage.packs.pack import Pack
from ...storage.snapshot import Snapshot
from ..check import log_look
from ..check.census import Reached
from ..check.problem import Problem
from ..check.references import check_references
from ..check.survey import Progress, Survey
from .quarantine import Quarantine
from .succession import NOTHING


class Examination:
    """Looks at everything at one moment: the newest that can be read.

    Attributes:
        log: The log.
        base: The newest op that can be read; one with no state where there is none.
        survey: What was found in the packs.
        broken: Index segments that are damaged or missing.
        is_well: Whether there is nothing to mend.
    """

    def __init__(self, layout: Layout, files: Files, executor: Executor, progress: Progress) -> None:
        self.layout = layout
        self.files = files
        self.executor = executor
        self.log = log_look.look(files)
        self.base = self.log.head or Entry.make(Op(0, None, NOTHING, "", "", "", 0, ""), ())
        self.survey = Survey(files, layout, self.base, executor, progress)
        problems = [*self.log.problems(), *self._read_named()]
        self._check_refused()
        whole = {segment.name for segment in self.survey.head.segments}
        self.broken = [segment_name(oid) for oid in self.base.op.state.segments if oid not in whole]
        progress("references", 1, 1)
        self.is_well = not problems and not self.broken and self._is_complete()

    def _is_complete(self) -> bool:
        """Whether all that is referred to is where the moment looks; what lies elsewhere has to be taken in."""
        store, elsewhere = self.survey.store, self.survey.store.elsewhere
        store.elsewhere = {}
        try:
            return not any(True for _ in check_references(self.survey))
        finally:
            store.elsewhere = elsewhere

    @property
    def is_cut_off(self) -> bool:
        """Whether there was a change after the newest op that can be read."""
        return self.base.seq < self.log.last

    def _read_named(self) -> Iterator[Problem]:
        survey = self.survey
        named = survey.names()
        yield from survey.read(named)
        yield from survey.read(sorted({op_name(seq) for seq in self.log.entries} - set(named)), elsewhere=True)
        yield from survey.check_lists()

    def read_others(self, quarantine: Quarantine) -> None:
        """Reads whatever else may hold what is missing: files that no state names, and what was set aside before."""
        packs = [name for name in self.files.list(PACKS) if is_pack_name(name)]
        others = {*packs, *map(op_name, self.log.damaged)} - self.survey.conditions.keys()
        for _ in self.survey.read([*sorted(others), *quarantine.packs()], elsewhere=True):
            pass
        for _ in self.survey.check_lists():
            pass
        self._check_refused()

    def _check_refused(self) -> None:
        """Stops where the system did not let something be read: what is in it is not therefore lost."""
        for condition in self.survey.conditions.values():
            if condition.refused is not None:
                raise condition.refused

    def written_by(self, entry: Entry) -> set[str]:
        """The files that were there when an op was made: those with the objects of its state, and older ops."""
        state = entry.op.state
        older = (op_name(seq) for seq in (*self.log.entries, *self.log.damaged) if seq <= entry.seq)
        return {*Snapshot(self.files, entry).packs(), *state.loose, *state.condemned, *older}

    def bad_ops(self) -> set[int]:
        """The numbers of ops that are damaged or missing."""
        conditions = self.survey.conditions
        bad = {seq for name in conditions if (seq := op_seq(name)) is not None and not conditions[name].is_sound}
        return bad | set(self.log.damaged) | {gap[-1] for gap in self.log.missing}

    def bad_files(self) -> set[PackName]:
        """The files that the moment names and that are damaged or missing."""
        return {name for name in self.survey.names() if not self.survey.conditions[name].is_sound}

    def holding(self, reached: Reached) -> set[PackName]:
        """The sound files that hold anything that is used."""
        sound = [name for name, condition in self.survey.conditions.items() if condition.is_sound]
        packs = [PackName(name) for name in sound if op_seq(name) is not None or is_pack_name(name)]
        return {name for name in packs if self._holds(name, reached)}

    def _holds(self, name: PackName, reached: Reached) -> bool:
        try:
            return any(at.oid in reached for at in Pack.open(self.files, name).locations())
        except FileNotFoundError:
            return False  # no state named it, and a collector has deleted it since
