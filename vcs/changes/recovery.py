"""Publishing what a killed process had landed but not published.

Whoever holds the lock on a journal is alive; a journal that can be locked was left behind. Its pack is good up to the
last line whose hash the pack's bytes have, and is published up to there. What had not landed, or was lost in a power
cut before it was durable, is dropped.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import DamagedError, UnknownName, storage_errors
from ..maps import runs
from ..maps.refs import RefMap, Refs
from ..objects.kinds import Run
from ..objects.oid import hasher
from ..storage.disk.plain import read_plain
from ..storage.layout import Layout
from ..storage.packs.pack import LARGEST
from ..storage.snapshot import Snapshot
from ..storage.store import ObjectStore
from .incoming import Incoming
from .intents import Intent, PutRun
from .journal import Checkpoint, Journal, intents_of, leftovers
from .publish import now_ms, was_published
from .transaction import Transaction


@dataclass(frozen=True)
class Recovered:
    """What became of one journal: why it was written, and how many changes were published."""

    why: str
    changes: int


def recover(store: ObjectStore, layout: Layout, begin: Callable[[str], Transaction]) -> list[Recovered]:
    """Publishes what dead processes left behind.

    Args:
        store: The repository's objects.
        layout: The paths on this machine.
        begin: Begins a transaction.

    Raises:
        StorageError: The operating system refused; what is left is published at the next try.
    """
    return [found for path in leftovers(layout) if (found := _recover(store, layout, begin, path))]


def _recover(store: ObjectStore, layout: Layout, begin: Callable[[str], Transaction], path: Path) -> Recovered | None:
    with storage_errors(f"recovering {path}"):
        if not os.access(path, os.W_OK):
            return None  # gone, or another user's: it is for them to recover
        journal = Journal.take(path)
        if journal is None:
            return None
        try:
            return _publish(store, layout, begin, journal, path)
        except _MakesNoSense:
            _put_aside(layout, path)  # or it would be in the way at each start
            return None
        finally:
            journal.close()


class _MakesNoSense(Exception):
    """A journal or its pack is as it was written, and nothing that artvcs writes."""


def _publish(
    store: ObjectStore, layout: Layout, begin: Callable[[str], Transaction], journal: Journal, path: Path
) -> Recovered | None:
    pack = path.with_suffix(".pack")
    lines = journal.read()
    good = matching(pack, _unpublished(store, lines))
    with _as_senseless():
        intents, published = intents_of(good), intents_of(lines[: len(lines) - len(good)])
    if not intents and not _going_on(store, published):
        pack.unlink(missing_ok=True)
        journal.remove()
        return None
    packs = [name for line in good for name in line.packs]
    with begin(f"recover: {(good or lines)[-1].why}") as transaction:
        with _as_senseless():
            incoming = Incoming.resume(store, layout, journal, path.stem, good[-1].end if good else 0, packs)
        kept = transaction.resume(intents, incoming, _seen(store, good))
        _mark_interrupted(transaction, [*published, *kept])
        transaction.publish(tolerant=True)
    return Recovered((good or lines)[-1].why, len(kept)) if kept else None


@contextmanager
def _as_senseless() -> Iterator[None]:
    """Tells what is wrong with a journal from what is wrong with the repository."""
    try:
        yield
    except DamagedError as error:
        raise _MakesNoSense from error


def _seen(store: ObjectStore, lines: list[Checkpoint]) -> Snapshot | None:
    """The oldest moment that a dead process had looked at, if it can still be read."""
    entry = store.log.entry(min((line.seq for line in lines if line.intents), default=0))
    try:
        return None if entry is None else Snapshot(store.files, entry)
    except DamagedError:
        return None


def matching(pack: Path, checkpoints: list[Checkpoint]) -> list[Checkpoint]:
    """The lines up to the last one whose hash the incoming pack's bytes have.

    A full pack was put at its place between two lines where the later one names it: from there on the incoming pack
    began anew, and only the lines after that can be checked against its bytes. Full packs carry their own hashes.
    """
    try:
        data = read_plain(pack, LARGEST)
    except (FileNotFoundError, DamagedError):
        data = b""
    good: list[Checkpoint] = []
    anew = max((number for number, line in enumerate(checkpoints) if line.packs), default=0)
    for number, line in enumerate(checkpoints):
        if number >= anew and (
            len(data) < line.end or hasher("pack").update(data[: line.end]).hexdigest() != line.pack
        ):
            break
        good.append(line)
    return good


def _unpublished(store: ObjectStore, checkpoints: list[Checkpoint]) -> list[Checkpoint]:
    """The lines after the last one that was published."""
    for number in range(len(checkpoints), 0, -1):
        line = checkpoints[number - 1]
        if line.publishing is not None and _was_published(store, line.publishing, line.seq):
            return checkpoints[number:]
    return checkpoints


def _was_published(store: ObjectStore, nonce: str, after: int) -> bool:
    newest = store.refresh()
    if was_published(newest, nonce):
        return True
    for seq in range(newest.seq - 1, after, -1):
        entry = store.log.entry(seq)
        if entry is None:
            return False
        with suppress(DamagedError):
            if was_published(Snapshot(store.files, entry), nonce):
                return True
    return False


def _mark_interrupted(transaction: Transaction, intents: Sequence[Intent]) -> None:
    """A run whose process died is not running any more."""
    for run in _running(transaction, intents):
        ended = dataclasses.replace(run, status="interrupted", finished=now_ms())
        transaction.add(PutRun(run.oid, transaction.put(ended)))


def _going_on(store: ObjectStore, published: Sequence[Intent]) -> bool:
    """Whether a run was published and died before it could land again."""
    return any(True for _ in _running(RefMap(store, store.refresh().state.refs), published))


def _running(refs: Refs, intents: Sequence[Intent]) -> Iterator[Run]:
    """The runs that these intents are about and whose records say that they go on."""
    seen = set[str]()
    for intent in intents:
        with suppress(UnknownName, DamagedError):  # an older record, say, that was collected
            run = refs.record(intent.run, Run) if isinstance(intent, PutRun) else None
            now = None if run is None or run.run in seen else runs.by_id(refs, run.run)
            if now is not None and now.status == "running":
                seen.add(now.run)
                yield now


def _put_aside(layout: Layout, journal: Path) -> None:
    layout.quarantine.mkdir(exist_ok=True)
    for path in (journal, journal.with_suffix(".pack")):
        if path.exists():
            os.replace(path, layout.quarantine / path.name)
