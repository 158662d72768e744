"""Checking everything: every byte of every file, and that whatever is referred to is there.

Never changes and never deletes anything. Looks at one moment, so that writers beside it are no problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import ArtError, DamagedError, storage_errors
from ..maps import graph, ref_names
from ..maps.refs import RefMap
from ..objects.oid import Oid, is_oid
from ..repository import Repository
from ..storage import leases, pack
from ..storage.layout import (
    FORMAT,
    GITIGNORE_TEXT,
    INDEX,
    OPS,
    PACKS,
    ROOT,
    Layout,
    PackName,
    is_pack_name,
    op_name,
    op_seq,
    segment_name,
)
from ..storage.pack import Pack
from ..storage.registers import read_register
from ..storage.segment import Segment
from ..storage.snapshot import Snapshot
from ..storage.store import ObjectStore
from ..storage.table import Location

Progress = Callable[[str, int], None]
"""Called with the name of what is checked, and the bytes just read."""


_LANDS = (".pack", ".journal")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, and what."""

    where: str
    what: str


def fsck(folder: Path, progress: Progress = lambda _, __: None) -> Iterator[Problem]:
    """Checks the repository in `folder` (the `.artifacts` folder itself).

    Args:
        folder: The repository.
        progress: Told how it goes.

    Yields:
        What is wrong; nothing for a repository that is whole.
    """
    with storage_errors(f"checking {folder}"):
        try:
            repository = Repository(folder)
            head = repository.store.refresh()
        except ArtError as error:
            yield Problem("repository", str(error))
            return
        lease = _lease(repository.layout, head)
        try:
            head = repository.store.refresh()
            repository.store.leased.append(head)
            if lease is not None:
                lease.move(head.seq)
            yield from _Check(repository.store, repository.layout, head, progress).run()
        finally:
            if lease is not None:
                lease.end()


def _lease(layout: Layout, head: Snapshot) -> leases.Lease | None:
    try:
        return leases.begin(layout.leases, head.seq)
    except OSError:
        return None  # it can be read and not written: then nobody collects garbage here either


class _Check:
    def __init__(self, store: ObjectStore, layout: Layout, head: Snapshot, progress: Progress) -> None:
        self._store = store
        self._files = store.files
        self._layout = layout
        self._head = head
        self._progress = progress
        self._unreadable: set[PackName] = set()

    def run(self) -> Iterator[Problem]:
        yield from self._check_small_files()
        yield from self._check_ops()
        yield from self._check_index()
        head = self._head
        for name in sorted({*head.packs(), *map(PackName, head.state.loose)} - head.state.condemned.keys()):
            yield from self._check_pack(name)
        yield from self._check_strangers()
        self._progress("references", 0)
        yield from self._check_references()

    def _check_small_files(self) -> Iterator[Problem]:
        layout = self._layout
        try:
            read_register(layout.format)
            # Neither it nor the hint is made durable: zeros are what a power cut may leave, and harm nobody.
            if not layout.gitignore.is_file() or layout.gitignore.read_text().strip("\0") not in (GITIGNORE_TEXT, ""):
                yield Problem(".gitignore", "is not as artvcs wrote it")
        except (ArtError, ValueError) as error:
            yield Problem(FORMAT, str(error))
        root = layout.folder / ROOT
        hint = (root.read_bytes()[:32].strip(b"\0\n") if root.is_file() else b"") or b"0"
        if not hint.isdigit():
            yield Problem(ROOT, "is not a number; the next change writes it anew")
        elif int(hint) > self._store.refresh().seq:
            yield Problem(ROOT, f"names change {int(hint)}, which is not there: it was lost, or this file is damaged")
        if layout.stat_cache.is_file():
            try:
                read_register(layout.stat_cache)
            except ArtError as error:
                yield Problem(layout.stat_cache.name, str(error))

    def _check_ops(self) -> Iterator[Problem]:
        """That each op there is can be read and follows the one before it."""
        parent = None
        for seq in self._store.log.sequence():
            if seq > self._head.seq:
                return  # published since
            try:
                entry = self._store.log.entry(seq)
            except ArtError as error:
                parent = None
                yield Problem(op_name(seq), str(error))
                continue
            if entry is None:
                parent = None
                continue  # cleaned up since
            if parent is not None and entry.op.parent != parent:
                yield Problem(op_name(seq), "does not follow the op before it")
            parent = entry.oid

    def _check_index(self) -> Iterator[Problem]:
        for oid in self._head.state.segments:
            name = segment_name(oid)
            self._progress(name, 0)
            try:
                segment = Segment.open(self._files, name)
                if not segment.whole():
                    yield Problem(name, "is damaged: its bytes do not match its name")
                    continue
                yield from self._check_rows(segment)
            except FileNotFoundError:
                yield Problem(name, "is missing")
            except ArtError as error:
                yield Problem(name, str(error))

    def _check_rows(self, segment: Segment) -> Iterator[Problem]:
        """That a segment says of each pack what the pack says of itself."""
        own: dict[PackName, set[Location]] = {}
        for at, number in segment:
            name = segment.pack_of(number)
            if name not in self._head.state.condemned:
                own.setdefault(name, set()).add(at)
        for name, rows in own.items():
            try:
                if rows != set(Pack.open(self._files, name).locations()):
                    yield Problem(segment_name(segment.name), f"does not list what {name} holds")
            except (FileNotFoundError, DamagedError):
                continue  # named by itself

    def _check_pack(self, name: PackName) -> Iterator[Problem]:
        try:
            self._progress(name, 0)
            found = Pack.open(self._files, name)
            data = self._files.map(name)
            self._progress(name, len(data))
            if name.startswith(PACKS) and pack.pack_id(bytes(data[-pack.TRAILER_SIZE :])) != name.rpartition("/")[2]:
                yield Problem(name, "is damaged: its bytes do not match its name")
            elif not found.whole(self._files):
                yield Problem(name, "is damaged: its bytes are not those that were written")
            elif sorted(pack.scan(data, found.end), key=_by_oid) != sorted(found.locations(), key=_by_oid):
                yield Problem(name, "is damaged: its table does not match its records")
            for at in found.locations():
                yield from self._check_object(name, at)
        except FileNotFoundError:
            self._unreadable.add(name)
            yield Problem(name, "is missing")
        except ArtError as error:
            self._unreadable.add(name)
            yield Problem(name, str(error))

    def _check_object(self, name: PackName, at: Location) -> Iterator[Problem]:
        try:
            self._store.check_at(name, at)
            if at.kind in graph.RECORDS:
                self._store.record(at.oid, graph.RECORDS[at.kind])
        except ArtError as error:
            yield Problem(f"{at.kind} {at.oid} in {name}", str(error))

    def _check_strangers(self) -> Iterator[Problem]:
        """Files that are not ours; packs that no state names are garbage, and no problem."""
        folder = self._layout.folder
        ours = self._layout.top_names()
        strangers = [path.name for path in folder.iterdir() if path.name not in ours]
        strangers += [name for name in self._files.list(OPS) if op_seq(name) is None]
        strangers += [name for name in self._files.list(PACKS) if not is_pack_name(name)]
        strangers += [name for name in self._files.list(INDEX) if not is_oid(name.rpartition("/")[2])]
        strangers += [f"incoming/{path.name}" for path in self._layout.incoming.glob("*") if path.suffix not in _LANDS]
        strangers += [str(path.relative_to(folder)) for path in self._layout.packs.rglob("*") if path.is_symlink()]
        for path in self._layout.trust.glob("*"):
            if path.is_symlink() or not path.is_file():  # any bytes will do: those that are no proof trust nothing
                strangers.append(str(path.relative_to(folder)))
        for name in sorted(set(strangers)):
            yield Problem(name, "is not a file of an artifact repository")

    def _check_references(self) -> Iterator[Problem]:
        root = self._head.state.refs
        if root is None:
            return
        refs, found = RefMap(self._store, root), []
        try:
            ends = {oid for _, oid in refs.items(ref_names.PRUNED)}
        except ArtError:
            ends = set()  # the damaged refs are named on the way

        def note(oid: Oid, error: ArtError) -> None:
            found.append(Problem(f"reference {oid}", str(error)))

        for at in graph.reachable(self._store, [root], note, ends=ends):
            places = {place for place, _ in self._head.find(at.oid)} if self._unreadable else set()
            if places and places <= self._unreadable:
                yield Problem(f"reference {at.oid}", f"The {at.kind} is in a pack that cannot be read.")
        yield from found


def _by_oid(at: Location) -> tuple[Oid, int]:
    return at.oid, at.offset
