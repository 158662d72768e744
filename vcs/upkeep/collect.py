"""Garbage collection: mark what the refs reach, then sweep the rest.

`plan` looks and changes nothing; `collect` carries a plan out. Objects that stay are copied out of packs that hold
garbage, and out of the many small packs that runs leave, into one new pack. The order is safe at every point: the
new pack and the index stand before an old pack goes, so a crash leaves at worst something stored twice.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..changes import recovery
from ..changes.incoming import Incoming
from ..changes.transaction import now_ms
from ..errors import RepositoryBusy, storage_errors
from ..objects.kinds import Op
from ..objects.oid import Oid
from ..refs.walk import op_chain, pruned, reachable
from ..repository import Repository
from ..storage import durable
from ..storage.pack import PackWriter, read_table

SMALL_PACK = 16 << 20
"""Packs below this many bytes are put together when there are several."""

_DIES_DAILY = ("refs", "op")
"""Every publish outdates a few of these: alone they are no reason to copy a large pack."""

_KEEP_TMP = 24 * 3600.0


@dataclass
class Plan:
    """What a collection would do. Sizes are bytes in packs.

    Attributes:
        live: Objects that stay.
        dead: Objects that go.
        freed: Bytes of the objects that go.
        old_packs: Packs that go, after what stays of them was copied.
        copied: Objects to copy, and the pack each is read from.
    """

    live: int = 0
    dead: int = 0
    freed: int = 0
    old_packs: list[Oid] = field(default_factory=list)
    copied: list[Oid] = field(default_factory=list)


def plan(repository: Repository) -> Plan:
    """Finds what nothing refers to.

    Raises:
        DamagedError: Something that is referred to is damaged: run fsck first.
        UnknownName: Something that is referred to is missing.
    """
    with storage_errors(f"reading {repository.layout.folder}"):
        return _plan(repository, _mark(repository))


def collect(repository: Repository) -> Plan:
    """Makes a plan and carries it out; returns it.

    Raises:
        RepositoryBusy: A run is writing to the repository.
        DamagedError: As `plan`.
    """
    with storage_errors(f"collecting garbage in {repository.layout.folder}"), _alone(repository):
        _check_nothing_landed(repository)
        repository.store.refresh()
        done = _plan(repository, _mark(repository))
        if done.old_packs:
            _rewrite(repository, done)
        _sweep_tmp(repository)
        return done


@contextmanager
def _alone(repository: Repository) -> Iterator[None]:
    busy = "A run is writing to this repository; try `art gc` again when it has ended."
    # First, since it may name objects that no published ref does.
    recovery.recover(repository)
    with durable.lock(repository.layout.gc_lock, timeout=2.0, busy=busy), repository.locked():
        yield


def _check_nothing_landed(repository: Repository) -> None:
    if any(path.stat().st_size for path in repository.layout.incoming.glob("*.journal")):
        raise RepositoryBusy("A killed run left work that is not published yet; try `art gc` again.")


def _mark(repository: Repository) -> set[Oid]:
    store, newest = repository.store, repository.read_root().op
    live = {oid for oid, _ in op_chain(store, newest)}
    if newest is not None:
        live.update(at.oid for at in reachable(store, [newest], ends=pruned(repository.refs())))
    return live


def _plan(repository: Repository, live: set[Oid]) -> Plan:
    result = Plan(live=len(live))
    kept: set[Oid] = set()
    small: list[tuple[Oid, list[Oid]]] = []
    for path in sorted(repository.layout.pack_files(), key=lambda path: -path.stat().st_size):
        table = read_table(path)
        stays = [at.oid for at in table if at.oid in live and at.oid not in kept]
        goes = [at for at in table if at.oid not in live or at.oid in kept]
        kept.update(stays)
        large = path.stat().st_size >= SMALL_PACK
        if large and all(at.kind in _DIES_DAILY for at in goes):
            continue
        result.dead += len(goes)
        result.freed += sum(at.stored for at in goes)
        if goes:
            result.old_packs.append(Oid(path.name))
            result.copied.extend(stays)
        elif not large:
            small.append((Oid(path.name), stays))
    if len(small) > 1 or (small and result.old_packs):
        result.old_packs.extend(name for name, _ in small)
        result.copied.extend(oid for _, stays in small for oid in stays)
    return result


def _rewrite(repository: Repository, done: Plan) -> None:
    incoming = Incoming.create(repository.layout)
    try:
        writer = incoming.writer
        for oid in done.copied:
            _copy(repository, writer, oid)
        register = repository.read_root()
        refs = repository.refs_at(register.op).root
        op = Op(register.seq + 1, register.op, refs, repository.author(), now_ms(), "gc")
        data = op.encode()
        writer.add(op.oid, "op", 0, data, len(data))
        incoming.finish(repository.layout)
    finally:
        incoming.drop()
    repository.store.index.rebuild(leaving_out=set(done.old_packs))
    repository.write_root(op.seq, op.oid)
    for name in done.old_packs:
        repository.layout.pack(name).unlink(missing_ok=True)
    repository.store.refresh()


def _copy(repository: Repository, writer: PackWriter, oid: Oid) -> None:
    # Read back through the hash first: damage must stop a collection, not be carried on by it.
    at, stored = repository.store.read_stored(oid)
    repository.store.verify(oid)
    writer.add(oid, at.kind, at.codec, stored, at.size)


def _sweep_tmp(repository: Repository) -> None:
    for path in repository.layout.tmp.iterdir():
        if time.time() - path.lstat().st_mtime > _KEEP_TMP:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
