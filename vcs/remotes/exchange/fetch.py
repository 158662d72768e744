"""Bringing the lineage of a repository elsewhere here: all that its refs lead to but the data.

    look → packs of lineage and ops that are new → verified → merged with what is here, in one change

Data stays there until somebody reads it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...changes.intents import Merge, SetRef
from ...changes.transaction import Transaction
from ...errors import DamagedError, UnknownName, storage_errors
from ...maps import graph, ref_names
from ...maps.refs import RefMap
from ...objects.kinds import Artifact
from ...objects.oid import NULL, Oid
from ...repository import Repository
from ...storage.layout import PackName, is_lineage_name, op_name, op_seq
from ...storage.local import LocalFiles
from ...storage.packs import pack
from ...storage.packs.op_file import Entry
from ...storage.packs.pack import Item, Pack
from ...upkeep.check import verify
from ...upkeep.check.reading import PackReader
from ...upkeep.check.verify import Found
from ..remote import Remote
from . import ranges

_MANY = 1 << 16
"""So many objects are looked for at once: more take memory."""

_LEADING = ("version", "commit", "run", "promotion", "refs", "steps", "step")
"""The kinds of what has to come with all that it leads to; what others lead to is data."""


@dataclass(frozen=True)
class Fetched:
    """What a fetch brought.

    Attributes:
        runs: How many runs are new here, or changed.
        versions: How many versions are.
        renumbered: Name, number before, and number now, of versions here whose number was another's there.
    """

    runs: int = 0
    versions: int = 0
    renumbered: tuple[tuple[str, int, int], ...] = ()


def fetch(near: Repository, remote: Remote) -> Fetched:
    """Brings what is new in the lineage of a repository elsewhere.

    Raises:
        RepositoryNotFound: Nothing has been pushed there yet.
        DamagedError: What came is not what its ids promise; nothing of it is visible.
        RemoteError: As `Remote.look`.
    """
    return take_in(near, remote, remote.look())


def take_in(near: Repository, remote: Remote, entry: Entry) -> Fetched:
    """As `fetch`, where it was just looked at: brings what is new up to a change of it."""
    return remote.follow(entry, lambda newest: _take_in(near, remote, newest))


def _take_in(near: Repository, remote: Remote, entry: Entry) -> Fetched:
    seq, before = remote.notes.merged()
    after = entry.op.state.refs
    if (entry.seq, after) == (seq, before):
        return Fetched()
    with near.transaction(f"fetch from {remote.name}") as transaction:
        names, coming = _names(remote), _Coming(near)
        _take_packs(near, remote, transaction, names, coming)
        _take_ops(remote, transaction, entry, [name for name in names if (op_seq(name) or 0) > seq], coming)
        here, pruned, given_up = near.refs(), list[tuple[str, Oid | None]](), remote.notes.given_up()
        runs = versions = 0
        for ref, old, new in _changes(remote, transaction, before, after):
            if ref.startswith((ref_names.RUNS, ref_names.ARTIFACTS)) and new is not None and here.get(ref) != new:
                runs += ref.startswith(ref_names.RUNS)
                versions += ref.startswith(ref_names.ARTIFACTS)
            if new not in (None, NULL):
                coming.leads_to(new)
            if ref.startswith(ref_names.PRUNED):
                artifact = Oid(ref_names.last_part(ref))
                given_up.discard(artifact)
                if not _has_data(near, new or old):
                    pruned.append((ref, new))
                elif new is not None:
                    given_up.add(artifact)
        coming.complete(remote, transaction, lambda: _tops(remote, transaction, before, after))
        remote.notes.note_coming(entry)  # before its refs are here
        transaction.add(Merge(before, after, True))
        for ref, new in pruned:  # what is here stays
            transaction.add(SetRef(ref, new))
    if given_up != remote.notes.given_up():
        remote.notes.note_given_up(given_up)
    remote.notes.note_merged(entry)
    remote.notes.note_taken(name for name in names if is_lineage_name(name))
    return Fetched(runs, versions, tuple(_renumbered(here, near.refs())))


class _Coming:
    """What comes, and whether all that it leads to comes, too, or is here: but for data, which may stay there."""

    def __init__(self, near: Repository) -> None:
        self._near = near
        self._wanted: set[bytes] = set()

    def note(self, found: Found) -> None:
        """Notes an object that has come, sound."""
        if found.at.kind in _LEADING:
            self._wanted.update(bytes.fromhex(link.oid) for link in found.links)

    def settle(self) -> None:
        """Forgets what is here by now: a hundred thousand runs lead to millions of objects."""
        self._wanted -= self._near.store.known(self._wanted)

    def leads_to(self, oid: Oid) -> None:
        """Notes what a ref leads to."""
        self._wanted.add(bytes.fromhex(oid))
        if len(self._wanted) > _MANY:
            self.settle()

    def complete(self, remote: Remote, transaction: Transaction, tops: Callable[[], set[Oid]]) -> None:
        """Makes sure that nothing is missing, and brings what is: as what was here, and was deleted and collected.

        Args:
            remote: From where.
            transaction: Where to.
            tops: Says what the refs lead to.

        Raises:
            DamagedError: Something is not there either.
        """
        self.settle()
        if self._wanted:
            # It may be missed by garbage alone, which nobody can ask for: so it is looked for from the refs on.
            _bring_missing(self._near, remote, transaction, tops())


def _names(remote: Remote) -> list[PackName]:
    """The files that hold objects there, as its state names them, whether or not they can be read.

    Raises:
        FileNotFoundError: A part of its index is missing, as where it has gone on since; or is damaged.
    """
    head = remote.store.snapshot
    if len(head.segments) < len(head.state.segments):
        raise FileNotFoundError(2, "A part of the index is missing")
    listed = {name for segment in head.segments for name in segment.packs}
    return sorted((listed | {PackName(name) for name in head.state.loose}) - head.state.condemned.keys())


def _take_packs(
    near: Repository, remote: Remote, transaction: Transaction, names: Iterable[PackName], coming: _Coming
) -> None:
    """Takes over the packs of lineage that are not here, as they are."""
    taken = remote.notes.taken()
    fresh = [name for name in names if is_lineage_name(name) and name not in taken]
    if taken:  # else there is nothing here yet
        fresh = [name for name in fresh if not _is_here(remote, near, name)]
    remote.traffic.expect(sum(remote.files.size(name) for name in fresh))
    with remote.notes.arrivals() as arrivals:
        for name in fresh:
            transaction.take(name, download(remote, name, arrivals, coming.note))
            coming.settle()


def _is_here(remote: Remote, near: Repository, name: PackName) -> bool:
    """Whether all that a pack holds is here: a collector has only written it anew."""
    try:
        keys = {key for key, _, _ in Pack.open(remote.files, name).held()}
    except DamagedError:
        return False  # as will be said once it has come
    return keys <= near.store.known(keys)


def download(
    remote: Remote, name: PackName, arrivals: LocalFiles, told: Callable[[Found], object] = lambda _: None
) -> Path:
    """The file of a pack, as far as it had come before, and the rest; verified.

    Args:
        remote: From where.
        name: The pack.
        arrivals: Where to; see `Notes.arrivals`.
        told: Told of each object in it.

    Raises:
        DamagedError: It is not what it is called, or an object in it is not.
    """
    path, writing = Path(arrivals.path(name)), f"writing what comes from {remote.where}"
    if path.exists():
        _verify(remote, name, arrivals, told)
        return path
    size, unfinished = remote.files.size(name), path.with_suffix(".part")
    with storage_errors(writing):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(unfinished, "ab")  # noqa: SIM115  # what goes wrong there is told apart from what does here
    with file:
        if file.tell() > size:
            file.truncate(0)
        if file.tell() < size:
            for piece in remote.files.pieces(name, file.tell()):
                with storage_errors(writing):
                    file.write(piece)
    with storage_errors(writing):
        os.replace(unfinished, path)
    _verify(remote, name, arrivals, told)
    return path


def _verify(remote: Remote, name: PackName, arrivals: LocalFiles, told: Callable[[Found], object]) -> None:
    """Makes sure that a pack and all its objects are what they are called. Raises DamagedError."""
    reader, wrong = PackReader(arrivals, name), list[str]()
    for found in reader.objects():
        if found.problem is None:
            told(found)
        else:
            wrong.append(found.problem)
    if wrong := wrong + reader.problems:
        arrivals.delete(name)
        raise DamagedError(f"What came from {remote.where} is damaged ({name} {wrong[0]}); try again.")


def _take_ops(
    remote: Remote, transaction: Transaction, newest: Entry, names: Iterable[PackName], coming: _Coming
) -> None:
    """Brings what small changes carry with them."""
    for name in names:
        data = newest.data if name == op_name(newest.seq) else remote.files.read(name)
        for item in _items(remote, name, data, coming):
            transaction.bring(item)


def _items(remote: Remote, name: str, data: bytes, coming: _Coming) -> Iterator[Item]:
    """The objects in an op's file, the op left out, each verified."""
    try:
        found = Pack(name, data, len(data))
        for at in found.locations():
            stored = pack.record_at(data, at)
            checked = verify.check(at, memoryview(stored))
            if checked.problem is not None:
                raise DamagedError(checked.problem)
            if at.kind != "op":
                coming.note(checked)
                yield Item(at.oid, at.kind, at.codec, stored, at.size)
    except DamagedError as error:
        raise DamagedError(f"What came from {remote.where} is damaged ({name}: {error}); try again.") from error


def _changes(
    remote: Remote, transaction: Transaction, before: Oid | None, after: Oid | None
) -> Iterator[tuple[str, Oid | None, Oid | None]]:
    """Each ref that changed there, with its old and its new id; nodes of refs that are not here are brought, too."""
    remote.store.fetched.clear()
    refs = RefMap(remote.store, after)
    if before is None:
        yield from ((ref, None, new) for ref, new in refs.items())
    else:
        yield from ((ref, old, new) for ref, (old, new) in refs.diff(RefMap(remote.store, before)).items())
    for oid in remote.store.fetched:
        transaction.bring(remote.store.stored(oid))
    remote.store.forget_records()  # a million refs have a hundred thousand nodes


def _tops(remote: Remote, transaction: Transaction, before: Oid | None, after: Oid | None) -> set[Oid]:
    """What the refs lead to that changed there."""
    changes = _changes(remote, transaction, before, after)
    return {new for _, _, new in changes if new is not None and new != NULL}


def _has_data(near: Repository, artifact: Oid | None) -> bool:
    """Whether the data of an artifact is here, as far as its record says."""
    return artifact is not None and near.store.has(near.store.record(artifact, Artifact).payload)


def _bring_missing(near: Repository, remote: Remote, transaction: Transaction, roots: set[Oid]) -> None:
    """Brings what is not here of all that these lead to, data left out. Raises DamagedError."""
    level, seen = roots, set(roots)
    while level:
        known = near.store.known({bytes.fromhex(oid) for oid in level})
        try:
            for item in ranges.read(remote, [oid for oid in level if bytes.fromhex(oid) not in known]):
                transaction.bring(item)
        except UnknownName as error:
            raise DamagedError(
                f"{remote.where} lacks something that it leads to; run `art fsck --repair` there, and push again from "
                "where that is."
            ) from error
        places = map(near.store.location, level)
        leading = (at for at in places if at.kind not in ("artifact", "blob"))  # what these lead to is data
        level = {oid for at in leading for oid in graph.references(near.store, at)} - seen
        seen |= level


def _renumbered(before: RefMap, after: RefMap) -> Iterator[tuple[str, int, int]]:
    """The values that have another number under their name than before."""
    if before.root is None:
        return
    changed = after.diff(before)
    lost = {ref.rpartition("/")[0]: ref for ref, (_, new) in changed.items() if new is None}
    for ref, (_, new) in sorted(changed.items()):
        old = lost.get(ref.rpartition("/")[0])
        if ref.startswith(ref_names.VALUES) and new is not None and old is not None:
            name, number = ref_names.value_of(ref)
            yield name, ref_names.value_of(old)[1], number
