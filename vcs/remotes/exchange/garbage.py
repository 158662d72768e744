"""Collecting the garbage of a repository elsewhere: the same collector, on ground where nobody has a lease.

Who pushes sees, when he publishes, that something was condemned, makes sure that what he sent and relies on is still
there, and begins anew where it is not; who reads and does not find a file looks at the newest state. So nothing here is
safe because of a clock: what was sent and is in no state yet is spared for a day so that nobody has to send it twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from ...changes.transaction import Transaction
from ...errors import DamagedError, RemoteRefused, UnknownName
from ...maps import ref_names
from ...objects.kinds import Artifact, Version
from ...repository import Repository
from ...storage.disk import leases
from ...storage.layout import (
    EXECUTING,
    INDEX,
    PACKS,
    PROBE,
    PackName,
    is_lineage_name,
    is_pack_name,
    op_seq,
    segment_name,
)
from ...storage.snapshot import Snapshot
from ...upkeep.gc import Done, Plan, Progress, collect_on, plan_on, unseen
from ..remote import Remote, tried
from . import ranges
from .fetch import fetch

MAX_UNUSED = 0.25
"""By default packs elsewhere are written anew until no more than this share is garbage: it costs coming and going.

But what was given up goes in any case.
"""

_SPARED = 24 * 3600.0
"""Seconds for which what no state names is left to who sent it."""

_PROBE_SPARED = 24 * 3600.0
"""Seconds for which what is tried out there is left to who does that."""

_CLAIM_SPARED = 30 * 24 * 3600.0
"""Seconds for which claims are spared of who may have died: no step takes longer."""

_INDEX_SPARED = 7 * 24 * 3600.0
"""Seconds for which an index is spared that no state names: whoever is about to name it need not send it again."""


def plan(near: Repository, remote: Remote, max_unused: float | None = None) -> Plan:
    """As `gc.plan`, elsewhere; what is new there is fetched first, since most of it is read here.

    Raises:
        RemoteError: It cannot be reached.
        DamagedError: Its refs are damaged.
    """
    fetch(near, remote)
    return plan_on(_There(remote), _unused(remote, max_unused))


def collect(near: Repository, remote: Remote, max_unused: float | None = None, progress: Progress = unseen) -> Done:
    """As `gc.collect`, elsewhere.

    Raises:
        RemoteRefused: It is somebody's own repository, or what is needed is not allowed there.
        RemoteError: It cannot be reached.
        DamagedError: Its refs are damaged.
    """
    progress("fetching what is new", 0, 1)
    fetch(near, remote)
    seen = remote.notes.seen()
    if seen is not None and seen.identity is None:
        raise RemoteRefused(f"{remote.where} is somebody's own repository; run `art gc` there.")
    return tried(lambda: collect_on(_There(remote), _unused(remote, max_unused), progress))


def _unused(remote: Remote, asked: float | None) -> float:
    """The share of garbage that may stay: none where somebody has given up data that is still there."""
    if asked is not None:
        return asked
    payloads = set[bytes]()
    for _, oid in remote.refs().items(ref_names.PRUNED):
        with suppress(UnknownName, DamagedError):  # a record that is lost says of no data that it is there
            payloads.add(bytes.fromhex(remote.store.record(oid, Artifact).payload))
    return 0.0 if any(True for _ in remote.store.snapshot.places(payloads)) else MAX_UNUSED


def give_up(near: Repository, remote: Remote, version: Version) -> None:
    """Gives up the data of a version elsewhere; its record stays, and whoever has the data keeps it.

    Raises:
        UnknownName: It is not there.
        RemoteRefused: Nothing can be changed there.
        RemoteError: It cannot be reached.
    """
    fetch(near, remote)
    refs, artifact = remote.refs(), version.artifact
    if not any(True for _ in refs.items(ref_names.values(version.name, artifact))):
        raise UnknownName(f"{version.spelt} is not at {remote.name}; nothing to do.")
    if refs.get(ref_names.pruned(artifact)) is not None:
        return
    with remote.transaction(f"give up the data of {version.name}") as transaction:
        transaction.set_ref(ref_names.pruned(artifact), artifact)
    fetch(near, remote)


class _There:
    """A repository elsewhere, as a ground of which nobody knows who is there: see `Ground`."""

    def __init__(self, remote: Remote) -> None:
        self.store = remote.store
        self._remote = remote

    def begin(self, why: str) -> Transaction:
        """See `Ground.begin`."""
        return self._remote.transaction(why)

    def promised(self) -> None:
        """See `Ground.promised`: all that it refers to has to be there."""

    def ahead(self, keys: Collection[bytes]) -> None:
        """See `Ground.ahead`: what is not here comes in few requests."""
        with suppress(UnknownName, DamagedError, FileNotFoundError):  # then each is looked for by itself
            self.store.come(ranges.read(self._remote, self.store.not_near(keys)))

    def is_lineage(self, name: PackName) -> bool:
        """See `Ground.is_lineage`; what small changes carry with them is lineage, and hardly anything else."""
        return is_lineage_name(name) or op_seq(name) is not None

    def abandoned(self, head: Snapshot) -> list[PackName]:
        """See `Ground.abandoned`."""
        named = {*head.packs(), *head.state.condemned}
        return [
            PackName(name)
            for name, age in self._remote.files.ages(PACKS)
            if age > _SPARED and is_pack_name(name) and name not in named
        ]

    def settle(self) -> None:
        """See `Ground.settle`: what the dead have not published, nobody can."""

    def holders(self) -> list[leases.Holder]:
        """See `Ground.holders`: there are none."""
        return []

    def leftovers(self) -> dict[str, int]:
        """See `Ground.leftovers`: old indexes, and what is left of tests of the place and of who executed something."""
        files = self._remote.files
        old = [name for name, age in files.ages(INDEX) if age > _INDEX_SPARED]
        old += [name for name, age in files.ages(PROBE) if age > _PROBE_SPARED]
        old += [name for name, age in files.ages(EXECUTING) if age > _CLAIM_SPARED]
        named = set(map(segment_name, self.store.look().state.segments))
        return {name: 0 for name in old if name not in named}

    def sweep(self) -> dict[str, int]:
        """See `Ground.sweep`."""
        swept, files = self.leftovers(), self._remote.files
        kept = dict[str, bytes]()
        for name in swept:
            if name.startswith(f"{INDEX}/"):
                with suppress(FileNotFoundError):  # another collector was here
                    kept[name] = files.read(name)
            files.delete(name)
        # Who has named one since we looked has seen that it was there: see `Publisher`.
        named = set(map(segment_name, self.store.look().state.segments)) if kept else set()
        for name in named & kept.keys():
            files.put(name, kept[name])
            del swept[name]
        return swept

    def kept_edits(self) -> Iterable[Path]:
        """See `Ground.kept_edits`: nothing is checked out there."""
        return ()
