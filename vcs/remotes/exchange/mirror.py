"""A second place with the same repository, file by file: a backup, or a move to another provider.

    packs → index → ops, from the oldest on → the hint → `format`

Each file is verified on its way. A mirror is the same repository, so whoever fetches from it may change over to it; but
only one of both can be pushed to, or else they are two.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import DamagedError, RemoteChanged, RemoteRefused
from ...objects.oid import hash_bytes
from ...storage.layout import CLEANED, FORMAT, INDEX, PACKS, ROOT, op_name, op_seq, segment_name
from ...storage.op_log import OpLog
from ...storage.packs.op_file import Entry
from ..places.far_files import FarFiles
from ..places.probe import probe
from ..remote import Remote
from .fetch import download


@dataclass(frozen=True)
class Mirrored:
    """What a mirror got.

    Attributes:
        packs: How many packs.
        changes: How many changes, each an op.
    """

    packs: int
    changes: int


def mirror(source: Remote, target: FarFiles, where: str) -> Mirrored:
    """Brings what is in a repository elsewhere, and not yet in a mirror of it, there.

    Args:
        source: The repository.
        target: The files of the mirror; there may be none yet.
        where: What the mirror is called in messages.

    Raises:
        RemoteRefused: There is another repository, or the place cannot keep one.
        RemoteChanged: The mirror has changes of its own.
        DamagedError: Something of the repository is damaged.
        RemoteError: One of both cannot be reached.
    """
    return source.follow(source.look(), lambda newest: _mirror(source, newest, target, where))


def _mirror(source: Remote, newest: Entry, target: FarFiles, where: str) -> Mirrored:
    known = source.files.read(FORMAT)
    is_new = _check_target(target, known, where)
    _check_log(source, target, newest, where)
    packs = _copy_packs(source, target)
    _copy_index(source, target)
    changes = _copy_ops(source, target, newest, where)
    if source.files.exists(CLEANED):
        target.create(CLEANED, b"")
    target.hint(ROOT, source.files.read(ROOT))
    if is_new:  # last: where it is there is a repository
        target.create(FORMAT, known)
    return Mirrored(packs, changes)


def _check_target(target: FarFiles, known: bytes, where: str) -> bool:
    """Whether there is nothing yet. Raises RemoteRefused where there is something else."""
    try:
        if target.read(FORMAT) != known:
            raise RemoteRefused(f"{where} holds another repository; choose an empty place.")
    except FileNotFoundError:
        refusal = probe(target).refusal
        if refusal is not None:
            raise RemoteRefused(f"{where} cannot keep a repository ({refusal}); use another place.") from None
        return True
    return False


def _check_log(source: Remote, target: FarFiles, newest: Entry, where: str) -> None:
    """Refuses a mirror that has gone on by itself."""
    theirs = OpLog(target).newest()
    if theirs is None:
        return
    ours = newest if theirs.seq == newest.seq else source.log.entry(theirs.seq)
    if theirs.seq > newest.seq or (ours is not None and ours.oid != theirs.oid):
        raise RemoteChanged(
            f"{where} has changes that {source.where} has not: somebody has pushed there; fetch from both and push to "
            "one, and mirror to an empty place."
        )


def _copy_packs(source: Remote, target: FarFiles) -> int:
    there, wanted = set(target.list(PACKS)), source.store.snapshot.packs()
    fresh = [name for name in wanted if op_seq(name) is None and name not in there]
    source.traffic.expect(sum(source.files.size(name) for name in fresh))
    with source.notes.arrivals() as arrivals:
        for name in fresh:
            target.adopt(name, download(source, name, arrivals))
    return len(fresh)


def _copy_index(source: Remote, target: FarFiles) -> None:
    there = set(target.list(INDEX))
    for segment in source.store.snapshot.state.segments:
        if (name := segment_name(segment)) not in there:
            data = source.files.read(name)
            if hash_bytes(data, "index") != segment:
                raise DamagedError(f"The index of {source.where} is damaged, or did not come whole; try again.")
            target.put(name, data)


def _copy_ops(source: Remote, target: FarFiles, newest: Entry, where: str) -> int:
    last = max(OpLog(target).sequence(), default=0)
    fresh = [seq for seq in source.log.sequence() if last < seq <= newest.seq]
    for seq in fresh:
        entry = newest if seq == newest.seq else Entry.read(source.files, seq)
        if not target.create(op_name(seq), entry.data) and target.read(op_name(seq)) != entry.data:
            raise RemoteChanged(f"{where} was changed meanwhile; mirror to an empty place.")
    return len(fresh)
