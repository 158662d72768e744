"""What becomes of refs and references that lead to nothing: what can be made again is, the rest is said to be lost.

A ref whose record is lost gets an older record of the same thing, if one lies around; a version is made again from the
marks that tell its value; else the ref is taken out. What other records refer to and is lost gets a mark of its own, so
that these records stay as they are: `lost/<id>`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator

from ...changes.view import View
from ...maps import ref_names, steps
from ...objects.kinds import Run, Version
from ...objects.oid import NULL, Oid
from ...objects.records import Record
from ..check import ref_walk, verify
from ..check.problem import Problem
from ..check.records import Records
from ..check.ref_walk import describe
from ..check.references import names_of, promised
from ..check.survey import Survey

_MARKED_RUN = (ref_names.TIMES, ref_names.RUN_NAMES, ref_names.PIPELINES)


class Settlement:
    """Puts the refs of a view in order.

    Attributes:
        older: What was made again, and may be older than it was.
        lost: What is gone.
    """

    def __init__(self, survey: Survey, view: View, records: Records) -> None:
        self.older: list[Problem] = []
        self.lost: list[Problem] = []
        self._census = survey.census
        self._promised = promised(survey)
        self._view = view
        self._records = records
        self._gone: set[tuple[str, int]] = set()  # versions that are lost

    def run(self) -> None:
        """Looks at all refs, and at all that they lead to."""
        wrong = [(ref, oid) for ref, oid in self._view.items() if self._is_wrong(ref, oid)]
        for ref, oid in wrong:
            self._settle(ref, oid)
        self._settle_torn_runs()
        self._settle_marks()
        self._settle_newest()
        self._mark_lost()

    def put(self, record: Record) -> Oid:
        """Makes a record that takes a lost one's place."""
        oid = self._view.put(record)
        links = verify.links_of(record)
        self._census.note(oid, record.KIND, 0, links)
        return oid

    def _is_wrong(self, ref: str, oid: Oid) -> bool:
        expected = ref_walk.leads_to(ref)
        if not ref_walk.is_spelt(ref):
            return True
        if expected == "":
            return oid != NULL
        if oid == NULL:
            return expected is not None
        return self._census.kind(oid) is None or expected not in (None, self._census.kind(oid))

    def _settle(self, ref: str, oid: Oid) -> None:
        if not ref_walk.is_spelt(ref):
            self._view.set(ref, None)
            self.lost.append(Problem(f"ref {ref}", "was not spelt as such a ref is, and is taken out"))
        elif ref_walk.leads_to(ref) == "":
            self._view.set(ref, NULL)
        elif ref.startswith(ref_names.ARTIFACTS):
            self._settle_version(ref)
        elif ref.startswith(ref_names.RUNS):
            self._settle_run(ref)
        elif not ref.startswith(ref_names.NEWEST):
            self._view.set(ref, None)
            self.lost.append(Problem(self._named(ref), f"the {self._kind(ref)} {oid[:12]} is lost"))

    def _settle_version(self, ref: str) -> None:
        name, number = ref_names.name_of(ref), ref_names.number_of(ref)
        artifact = self._artifacts.get((name, number))
        older = self._records.version(name, number, artifact)
        if older is not None:
            self._view.set(ref, older)
            self.older.append(Problem(describe(ref), "its record was lost; an older one took its place"))
        elif (made := self._version_again(name, number, artifact)) is not None:
            self._view.set(ref, self.put(made))
            self.older.append(Problem(describe(ref), "its record was lost and made again; tags and metadata are gone"))
        else:
            self.lost.append(Problem(describe(ref), "its record is lost, and with it which value it was"))
            grave = Version(name, number, None, NULL, None, None, None, "saved", 0, (), {}, deleted=True)
            later = next(self._view.items(ref_names.versions(name), reverse=True))[0] != ref
            # A number is never given again: what stays of the last one keeps it.
            self._view.set(ref, None if later else self.put(grave))
            self._gone.add((name, number))

    @functools.cached_property
    def _artifacts(self) -> dict[tuple[str, int], Oid]:
        """Name and number of a version → its artifact, as the marks tell it."""
        marks = (ref for ref, _ in self._view.items(ref_names.VALUES) if ref_walk.is_spelt(ref))
        return {ref_names.value_of(ref): Oid(ref.split("/")[1]) for ref in marks}

    def _version_again(self, name: str, number: int, artifact: Oid | None) -> Version | None:
        """A version as the marks and the commits tell it."""
        ending = f"/{number:010d}"
        labels = [ref for ref, _ in self._view.items(ref_names.labels_of(name)) if ref.endswith(ending)]
        if artifact is None or self._census.kind(artifact) != "artifact":
            return None
        label = ref_names.label_of(labels[0]) if labels else None
        made = self._records.maker(name, artifact)
        if made is None:
            return Version(name, number, label, artifact, None, None, None, "saved", self._records.now, (), {})
        commit, output, record, run = made
        return Version(name, number, label, artifact, commit, output, run, "step", record.finished, (), {})

    def _settle_run(self, ref: str) -> None:
        run_id = ref_names.last_part(ref)
        older = self._records.run(run_id)
        if older is not None:
            self._put_run(ref, self._view.record(older, Run))
            self.older.append(Problem(self._named(ref), "its record was lost; an older one took its place"))
        else:
            self.lost.append(Problem(self._named(ref), "its record is lost"))
            self._view.set(ref, None)

    def _settle_torn_runs(self) -> None:
        """Makes runs again of whose steps some are lost."""
        for ref, oid in list(self._view.items(ref_names.RUNS)):
            run = self._view.record(oid, Run)
            if not steps.is_whole(run):
                older = self._records.run(run.run)
                before = None if older is None else self._view.record(older, Run)
                made = steps.salvaged(run, before, self._view, self.put)
                self._put_run(ref, made)
                self.lost.append(Problem(self._named(ref), "what became of some of its steps is lost"))

    def _put_run(self, ref: str, run: Run) -> None:
        """Puts a record in the place of one that is lost; who goes on with the run, if anybody does, says so again."""
        if run.status == "running":
            run = dataclasses.replace(run, status="interrupted", finished=self._records.now)
        self._view.set(ref, self.put(run))

    def _settle_marks(self) -> None:
        """Takes marks away that lead to a version or a run that there is none of."""
        runs = {ref_names.last_part(ref) for ref, _ in self._view.items(ref_names.RUNS)}
        gone = [
            ref for prefix in _MARKED_RUN for ref, _ in self._view.items(prefix) if ref_names.last_part(ref) not in runs
        ]
        marks = [
            (ref, *ref_names.value_of(ref))
            for prefix in (ref_names.VALUES, ref_names.LINKS)
            for ref, _ in self._view.items(prefix)
        ]
        marks += [
            (ref, ref_names.name_of(ref), ref_names.number_of(ref)) for ref, _ in self._view.items(ref_names.LABELS)
        ]
        for ref, name, number in marks:
            if (name, number) in self._gone or self._view.get(ref_names.version(name, number)) is None:
                gone.append(ref)
        for ref in gone:
            self._view.set(ref, None)

    def _settle_newest(self) -> None:
        for ref, oid in list(self._view.items(ref_names.NEWEST)):
            name = ref_names.name_of(ref)
            last = next((each for each in self._versions(name) if not each.deleted), None)
            if last is None or self._is_wrong(ref, oid):
                self._view.set(ref, None if last is None else last.artifact)

    def _versions(self, name: str) -> Iterator[Version]:
        """The versions of a name, newest first; only those that can be read are left by now."""
        return (self._view.record(oid, Version) for _, oid in self._view.items(ref_names.versions(name), reverse=True))

    def _mark_lost(self) -> None:
        ends = {oid for _, oid in self._view.items(ref_names.PRUNED)}
        reached = self._census.walk((oid for _, oid in self._view.items() if oid != NULL), ends, self._promised)
        missing = {each.oid: each.root for each in reached.broken if each.missing}
        known = {Oid(ref_names.last_part(ref)) for ref, _ in self._view.items(ref_names.LOST)}
        for oid in known - missing.keys():
            self._view.set(ref_names.lost(oid), None)  # it is here again, or nothing needs it any more
        fresh = {oid: root for oid, root in missing.items() if oid not in known}
        names = names_of(set(fresh.values()), self._view.items()) if fresh else {}
        for oid, root in fresh.items():
            self._view.set(ref_names.lost(oid), NULL)
            self.lost.append(Problem(names.get(root, root), f"what it needs is lost: {oid}"))
        self.reached = reached

    def _named(self, ref: str) -> str:
        """What people call it: of a run that is lost, the marks tell its name."""
        if ref.startswith(ref_names.RUNS):
            run_id = ref_names.last_part(ref)
            for mark, _ in self._view.items(ref_names.RUN_NAMES):
                if ref_names.last_part(mark) == run_id:
                    return f"run {ref_names.name_of(mark)}"
        return describe(ref)

    def _kind(self, ref: str) -> str:
        return ref_walk.leads_to(ref) or "object"
