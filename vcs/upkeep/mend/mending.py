"""Mending what an examination has found."""

from __future__ import annotations

from contextlib import suppress

from ...changes.incoming import Incoming
from ...changes.publish import nonces, now_ms
from ...changes.view import View
from ...counting import count
from ...errors import DamagedError, LookupFailed, storage_errors
from ...maps.refs import RefMap
from ...objects.kinds import Op, State
from ...objects.oid import NULL, Oid, hash_bytes
from ...objects.records import Record
from ...repository import Repository
from ...storage.layout import PACKS, PackName, op_name, op_seq
from ...storage.packs import codec
from ...storage.packs.op_file import Entry
from ...storage.packs.pack import Item
from ...storage.snapshot import Snapshot
from ..check.problem import Problem
from ..check.reading import PackReader
from ..check.records import Records
from ..check.ref_walk import Hole
from .examination import Examination
from .next_state import NextState
from .quarantine import Quarantine
from .rebuild import Rebuilding, described, inside_of, map_of
from .settle import Settlement
from .succession import Place, Succession

_TRIES = 1000


class Mending:
    """One attempt to mend a repository.

    Args:
        found: What is wrong with it.
        repository: The repository.
        quarantine: Where damaged files go.
        sparing: Write only what the new op itself can carry, for the disk is full: what is damaged stays where it is,
            and goes on being read there as far as that goes.

    Attributes:
        done: What was damaged, and what was done about it.
        older: What was put together again and may be older than it was.
        lost: What is gone.
    """

    def __init__(
        self, found: Examination, repository: Repository, quarantine: Quarantine, *, sparing: bool = False
    ) -> None:
        self.done: list[Problem] = []
        self.older: list[Problem] = []
        self.lost: list[Problem] = []
        self._found = found
        self._survey = found.survey
        self._store = found.survey.store
        self._repository = repository
        self._quarantine = quarantine
        self._succession = Succession(found.files, quarantine, repository.author())
        self._place = self._succession.place(found.log)
        # Ops are cut off up to the last damaged one.
        self._cut = max((seq for seq in found.bad_ops() if seq < self._place.seq), default=0)
        self._gone = found.bad_files() | {op_name(seq) for seq in found.log.entries if seq <= self._cut}
        if sparing:
            self._cut, self._gone = 0, {name for name in self._gone if found.survey.conditions[name].missing}
            what = "is too full to copy what is sound in damaged files: they stay until it is not"
            self.done.append(Problem("disk", what))
        if self._place.replaces:
            self._gone.add(op_name(self._place.seq))

    def run(self) -> bool:
        """Whether it is mended now; False where others published meanwhile and all has to be looked at again."""
        self._found.read_others(self._quarantine)
        self._incoming = Incoming(self._store, self._found.layout)
        try:
            with storage_errors(f"writing to {self._found.layout.folder}"):
                view = self._refs()
                self._bring_refs(view.base)
                added = self._copy()
                entry = self._publish(view, added)
        except BaseException:
            self._incoming.forget_packs()  # it may be published though we were told otherwise; gc knows
            raise
        finally:
            self._incoming.drop()
        if entry is None:
            return False
        self._tidy(entry)
        return True

    # The refs

    def _refs(self) -> View:
        """The refs as far as they can be read or put together, and in order."""
        found, store = self._found, self._store
        records = Records(self._survey, found.layout.folder)
        rebuilding = Rebuilding(store, records, self._written_by)
        older = [entry for seq, entry in sorted(found.log.entries.items(), reverse=True) if seq < found.base.seq]
        refs, holes, source = rebuilding.entries(found.base, older)
        if not found.base.seq:
            holes, source = [Hole("", None, NULL, "no op can be read")], None
        self._is_rebuilt = bool(holes)
        if holes:
            view = View(map_of(store, refs, self._put), self._repository.cache)
            rebuilding.add(view, inside_of(holes), source)
            self._tell(holes, view, source)
        else:
            view = View(RefMap(store, found.base.op.state.refs), self._repository.cache)
        if found.is_cut_off and found.base.seq:
            rebuilding.add(view, lambda _: True, found.base)
            what = f"is lost; what it changed was put together, but what it deleted may be as at op {found.base.seq}"
            self.older.append(Problem(op_name(found.log.last), what))
        self.older += rebuilding.older
        settlement = Settlement(self._survey, view, records)
        settlement.run()
        self._reached = settlement.reached
        self.older += settlement.older
        self.lost += settlement.lost
        return view

    def _written_by(self, entry: Entry | None) -> set[str]:
        """The files with nothing newer than an op; what was set aside before tells nothing new in any case."""
        return {*self._quarantine.packs(), *(() if entry is None else self._found.written_by(entry))}

    def _tell(self, holes: list[Hole], view: View, source: Entry | None) -> None:
        """Says of what in the holes nobody knows whether it is as it was."""
        inside = inside_of(holes)
        told = "from the records that there are" if source is None else f"from op {source.seq} and the records since"
        refs = [ref for ref, _ in view.items() if inside(ref)]
        self.older.append(
            Problem("refs", f"{count(len(refs), 'ref')} could not be read, and had to be put together {told}")
        )
        self.older += described(refs, f"was put together {told}")

    # The objects

    def _copy(self) -> list[PackName]:
        """Brings along what is sound in the files that go; returns packs that are taken in as they are."""
        for name in sorted(self._gone):
            self._bring_all(name)
        return self._take_in()

    def _bring_all(self, name: PackName) -> None:
        condition = self._survey.conditions.get(name)
        bad = set() if condition is None else {each.at.offset for each in condition.bad}
        for each in PackReader(self._found.files, name).objects():
            if each.problem is None and each.at.offset not in bad and each.at.kind != "op":
                self._bring(each.at.oid)

    def _bring_refs(self, refs: RefMap) -> None:
        """The nodes of the refs themselves, which no reference leads to."""
        for oid in refs.nodes():
            self._bring(oid)

    def _take_in(self) -> list[PackName]:
        """What is used and lies only where no state looks."""
        added: set[PackName] = set()
        for oid, places in self._store.elsewhere.items():
            if oid in self._reached and not self._is_kept(oid) and not any(name in added for name, _ in places):
                whole = next(filter(self._can_be_named, (name for name, _ in places)), None)
                if whole is None:
                    self._bring(oid)
                else:
                    added.add(whole)
        return sorted(added)

    def _can_be_named(self, name: PackName) -> bool:
        """Whether a pack can be taken in as it is; only where no collector can be at work that would delete it."""
        condemned, sound = self._found.base.op.state.condemned, self._survey.conditions[name].is_sound
        return (
            self._place.replaces
            and sound
            and name.startswith(PACKS)
            and name not in condemned
            and name not in self._gone
        )

    def _bring(self, oid: Oid) -> None:
        if not self._incoming.has(oid) and not self._is_kept(oid):
            with suppress(DamagedError, LookupFailed):  # by now it cannot be read: the next repair says so
                self._incoming.add(self._store.stored(oid))

    def _is_kept(self, oid: Oid) -> bool:
        """Whether an object lies in a file that stays."""
        return any(name not in self._gone for name, _ in self._survey.head.find(oid))

    def _put(self, record: Record) -> Oid:
        data = record.encode()
        oid = hash_bytes(data, record.KIND)
        if not self._is_kept(oid):
            self._incoming.add(Item(oid, record.KIND, *codec.compress(data), len(data)))
        return oid

    # Publishing

    def _publish(self, view: View, added: list[PackName]) -> Entry | None:
        """Publishes; None where the refs were put together and others have changed them meanwhile."""
        for record in view.brought():
            self._put(record)
        root = view.base.update(view.edits, self._put).root
        head, place = self._survey.head, self._place
        wanted = self._found.holding(self._reached) if self._found.broken else set()
        for name in self._gone:
            self._quarantine.keep(name)
        for _ in range(_TRIES):
            items = self._incoming.items()
            state = NextState(self._found.files, self._gone, [*added, *self._incoming.names()], wanted)
            entry = self._entry(place, state.after(head, root, place.seq), items)
            if self._succession.commit(place, entry):
                self._incoming.forget_packs()
                return entry
            if place.replaces or self._is_rebuilt:
                self._incoming.forget_packs()
                return None
            head = self._repository.store.refresh()
            place = Place(head.seq + 1, head.entry.oid, replaces=False)
            root = self._again(view, head)
        return None

    def _again(self, view: View, head: Snapshot) -> Oid | None:
        """The refs as others have made them, with the edits that still make sense."""
        refs = RefMap(self._repository.store, head.state.refs)
        edits = {ref: oid for ref, oid in view.edits.items() if refs.get(ref) == view.base.get(ref)}
        return refs.update(edits, self._put).root

    def _entry(self, place: Place, state: State, items: list[Item]) -> Entry:
        who = self._repository.author()
        return Entry.make(Op(place.seq, place.parent, state, *nonces(), who, now_ms(), "repair"), items)

    def _tidy(self, entry: Entry) -> None:
        """Sets aside what nothing names any more."""
        conditions = self._survey.conditions
        for name in sorted(self._gone):
            condition = conditions.get(name)
            if condition is not None and condition.missing:
                self.done.append(Problem(name, "is missing, and is not named any more"))
            elif condition is not None and not condition.is_sound:
                self.done.append(Problem(name, "is damaged; what is sound in it was copied, and it lies in quarantine"))
            if op_seq(name) is None:
                self._quarantine.move(name)
        for segment in self._found.broken:
            self._quarantine.move(segment)
            self.done.append(Problem(segment, "was made anew from the packs"))
        if self._cut:
            if self._cut == entry.seq - 1:
                self._succession.follow(entry)
            self._succession.cut(self._cut)
        for problem in self._found.log.problems():
            self.done.append(Problem(problem.where, f"{problem.what.rstrip('.')}: set right"))
