"""Bringing the lineage of a repository elsewhere here: all that its refs lead to but the data.

    look → packs of lineage and ops that are new → verified → merged with what is here, in one change

Data stays there until somebody reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...changes.intents import Intent, Merge, SetRef
from ...changes.transaction import Transaction
from ...errors import DamagedError, UnknownName, storage_errors
from ...maps import graph, ref_names
from ...maps.refs import RefMap
from ...objects.kinds import Artifact
from ...objects.oid import NULL, Oid
from ...repository import Repository
from ...storage.copies import expanded
from ...storage.layout import PackName, is_lineage_name, op_name, op_seq
from ...storage.packs import pack
from ...storage.packs.op_file import Entry
from ...storage.packs.pack import Item, Pack
from ...upkeep.check.reading import PackReader
from ..remote import Remote

_TRIES = 5


@dataclass(frozen=True)
class Fetched:
    """What a fetch brought.

    Attributes:
        runs: How many runs are new or changed.
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
    for _ in range(_TRIES):
        try:
            return _take_in(near, remote, entry)
        except FileNotFoundError:  # a collector may have written it anew elsewhere
            missing, entry = entry, remote.look()
            if missing.oid == entry.oid:
                break
    raise DamagedError(f"A file is missing at {remote.where} that its newest state names; try again.")


def _take_in(near: Repository, remote: Remote, entry: Entry) -> Fetched:
    seq, before = remote.merged
    if (entry.seq, entry.op.state.refs) == (seq, before):
        return Fetched()
    with near.transaction(f"fetch from {remote.name}") as transaction:
        names = _names(remote)
        _take_packs(near, remote, transaction, names)
        _take_ops(remote, transaction, entry, [name for name in names if (op_seq(name) or 0) > seq])
        changed = _changes(remote, transaction, before, entry.op.state.refs)
        _check_whole(near, remote, {new for _, new in changed.values() if new not in (None, NULL)})
        transaction.add(Merge(before, entry.op.state.refs, True))
        for intent in _pruned(near, changed):
            transaction.add(intent)
        here = near.refs()
    remote.note_merged(entry)
    return Fetched(
        sum(ref.startswith(ref_names.RUNS) for ref in changed),
        sum(ref.startswith(ref_names.ARTIFACTS) for ref in changed),
        tuple(_renumbered(here, near.refs())),
    )


def _names(remote: Remote) -> list[PackName]:
    """The files that hold objects there, as its state names them, whether or not they can be read."""
    head = remote.store.snapshot
    if len(head.segments) < len(head.state.segments):
        raise DamagedError(f"The index of {remote.where} is damaged, or did not come whole; try again.")
    listed = {name for segment in head.segments for name in segment.packs}
    return sorted((listed | {PackName(name) for name in head.state.loose}) - head.state.condemned.keys())


def _take_packs(near: Repository, remote: Remote, transaction: Transaction, names: Iterable[PackName]) -> None:
    """Takes over the packs of lineage that are not here, as they are."""
    here = set(near.store.refresh().packs())
    fresh = [name for name in names if is_lineage_name(name) and name not in here]
    remote.traffic.expect(sum(remote.files.size(name) for name in fresh))
    for name in fresh:
        path = download(remote, name)
        transaction.take(name, path)


def download(remote: Remote, name: PackName) -> Path:
    """The file of a pack, as far as it had come before, and the rest; verified.

    Raises:
        DamagedError: It is not what it is called, or an object in it is not.
    """
    path, writing = Path(remote.arriving.path(name)), f"writing what comes from {remote.where}"
    if path.exists():
        _verify(remote, name)
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
    _verify(remote, name)
    return path


def _verify(remote: Remote, name: PackName) -> None:
    """Makes sure that a pack and all its objects are what they are called. Raises DamagedError."""
    reader = PackReader(remote.arriving, name)
    wrong = [found.problem for found in reader.objects() if found.problem is not None] + reader.problems
    if wrong:
        remote.arriving.delete(name)
        raise DamagedError(f"What came from {remote.where} is damaged ({name} {wrong[0]}); try again.")


def _take_ops(remote: Remote, transaction: Transaction, newest: Entry, names: Iterable[PackName]) -> None:
    """Brings what small changes carry with them."""
    for name in names:
        data = newest.data if name == op_name(newest.seq) else remote.files.read(name)
        for item in _items(remote, name, data):
            transaction.bring(item)


def _items(remote: Remote, name: str, data: bytes) -> Iterator[Item]:
    """The objects in an op's file, the op left out, each verified."""
    try:
        found = Pack(name, data, len(data))
        for at in found.locations():
            stored = pack.record_at(data, at)
            expanded(at, stored)
            if at.kind != "op":
                yield Item(at.oid, at.kind, at.codec, stored, at.size)
    except DamagedError as error:
        raise DamagedError(f"What came from {remote.where} is damaged ({name}: {error}); try again.") from error


def _changes(
    remote: Remote, transaction: Transaction, before: Oid | None, after: Oid | None
) -> Mapping[str, tuple[Oid | None, Oid | None]]:
    """What changed there; nodes of older refs that are not here any more are brought, too."""
    remote.store.fetched.clear()
    changed = RefMap(remote.store, after).diff(RefMap(remote.store, before))
    for oid in remote.store.fetched:
        transaction.bring(remote.store.stored(oid))
    return changed


def _pruned(near: Repository, changed: Mapping[str, tuple[Oid | None, Oid | None]]) -> Iterator[Intent]:
    """What was given up there, or made again, of what has no data here: what is here stays."""
    for ref, (old, new) in changed.items():
        artifact = new or old
        if ref.startswith(ref_names.PRUNED) and artifact is not None:
            payload = near.store.record(artifact, Artifact).payload
            if not near.store.has(payload):
                yield SetRef(ref, new)


def _check_whole(near: Repository, remote: Remote, roots: Iterable[Oid | None]) -> None:
    """Makes sure that all that these lead to is here, but for data. Raises DamagedError."""
    pending = {oid for oid in roots if oid is not None}
    seen = set(pending)
    try:
        while pending:
            oid = pending.pop()
            at = near.store.location(oid)
            if at.kind in ("artifact", "blob"):
                continue  # what these lead to is data
            fresh = {*graph.references(near.store, at)} - seen
            seen |= fresh
            pending |= fresh
    except (UnknownName, DamagedError) as error:
        raise DamagedError(f"Something is missing of what {remote.where} says it has ({error}); try again.") from error


def _renumbered(before: RefMap, after: RefMap) -> Iterator[tuple[str, int, int]]:
    """The values that have another number under their name than before."""
    changed = after.diff(before)
    lost = {ref.rpartition("/")[0]: ref for ref, (_, new) in changed.items() if new is None}
    for ref, (_, new) in sorted(changed.items()):
        old = lost.get(ref.rpartition("/")[0])
        if ref.startswith(ref_names.VALUES) and new is not None and old is not None:
            name, number = ref_names.value_of(ref)
            yield name, ref_names.value_of(old)[1], number
