"""Finding and reading objects: id → pack → record → bytes, with the hash checked on the way out."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

from ..errors import AmbiguousName, DamagedError, UnknownName, storage_errors
from ..objects.oid import Oid, hash_bytes, hasher
from ..objects.records import Record
from .files import Files
from .layout import PackName
from .op_log import OpLog
from .packs import chunking, codec, pack
from .packs.op_file import Entry
from .packs.pack_writer import PackWriter
from .packs.table import Location
from .snapshot import Snapshot
from .soundness import Memo, NoMemo, Soundness

R = TypeVar("R", bound=Record)
T = TypeVar("T")

_HEXADECIMAL = re.compile(r"[0-9a-f]{1,64}")
_CACHED_BYTES = 64 << 20
_RECORD_COST = 1024

Place = PackWriter | PackName
"""A pack being written, or a finished one."""

Pending = PackWriter | pack.Pack
"""What a transaction of this process has brought in: a pack being written, or a full one that no state names yet."""


class ObjectStore:
    """Reads objects of one repository, from its packs and from packs still being written.

    Safe to use from several threads. Looks at a snapshot, and at a newer one when something is not there or when asked.

    Attributes:
        files: Where the repository's files are.
        log: Its commit point.
        soundness: What is known of the state of its packs.
        pending: What transactions of this process have brought in and not published.
        leased: Older moments that somebody in this process holds a lease on: what is nowhere else is still there.
    """

    def __init__(self, files: Files, log: OpLog, memo: Memo | None = None) -> None:
        self.files = files
        self.log = log
        self.soundness = Soundness(files, memo or NoMemo())
        self.pending: list[Pending] = []
        self.leased: list[Snapshot] = []
        self._snapshot: Snapshot | None = None
        self._sound: set[tuple[PackName, Oid]] = set()  # objects of packs that are not vouched for
        self._records: OrderedDict[Oid, tuple[Record, int]] = OrderedDict()
        self._cached_bytes = 0
        self._mutex = threading.RLock()

    # Moments

    @property
    def snapshot(self) -> Snapshot:
        """The moment that is looked at."""
        return self._snapshot or self.refresh()

    def refresh(self) -> Snapshot:
        """Looks at the newest moment, and returns it.

        Raises:
            DamagedError: The newest op is damaged, or there is none.
        """
        before = self._snapshot
        with storage_errors("reading the repository"):
            if before is not None and self.log.is_newest(before.entry):
                return before
            entry = self.log.newest()
            if entry is None:
                raise DamagedError("The repository has no ops; restore its folder `ops` from a copy.")
            if before is None or before.seq != entry.seq:
                self._snapshot = Snapshot(self.files, entry, before)
        assert self._snapshot is not None, "looked"
        return self._snapshot

    def adopt(self, entry: Entry) -> None:
        """Looks at an entry of the log that was just made."""
        self._snapshot = Snapshot(self.files, entry, self._snapshot)

    # Asking

    def has(self, oid: Oid) -> bool:
        """Whether the object's own record is here and sound (see `complete` for what it refers to)."""
        return any(self.is_sound_at(place, at) for place, at in self._locate(oid))

    def published(self, oid: Oid, snapshot: Snapshot | None = None) -> bool:
        """As `has`, what transactions have not published left out; at the moment that is looked at, or another."""
        return any(self.is_sound_at(place, at) for place, at in (snapshot or self.snapshot).find(oid))

    def sound(self, oids: Iterable[Oid], snapshot: Snapshot) -> set[Oid]:
        """Those of many objects that are `published` at a moment."""
        found: set[Oid] = set()
        doubtful: set[Oid] = set()
        for key, _, _, name in snapshot.places({bytes.fromhex(oid) for oid in oids}):
            (found if self.soundness.vouches_for(name) else doubtful).add(Oid(key.hex()))
        return found | {oid for oid in doubtful - found if self.published(oid, snapshot)}

    def complete(self, oid: Oid) -> bool:
        """Whether a blob's record and all its chunks are here and sound."""
        try:
            return self.has(oid) and all(self.has(chunk) for chunk in self.chunk_ids(self.location(oid)))
        except (UnknownName, DamagedError):
            return False

    def kept(self, oids: Iterable[Oid], snapshot: Snapshot | None = None) -> dict[Oid, tuple[PackName, ...]]:
        """Those of many objects that are published, complete, and in packs that are whole → these packs.

        Args:
            oids: The objects.
            snapshot: The moment to look at, if another.
        """
        snapshot = snapshot or self.snapshot
        found: dict[Oid, tuple[PackName, ...]] = {}
        for oid, (how, name) in self._in_whole_packs(oids, snapshot).items():
            if how != codec.CHUNKED:
                found[oid] = (name,)
                continue
            with suppress(UnknownName, DamagedError):
                wanted = set(self.chunk_ids(self.location(oid)))
                chunks = self._in_whole_packs(wanted, snapshot)
                if len(chunks) == len(wanted) and all(how != codec.CHUNKED for how, _ in chunks.values()):
                    found[oid] = (name, *{each for _, each in chunks.values()})
        return found

    def _in_whole_packs(self, oids: Iterable[Oid], snapshot: Snapshot) -> dict[Oid, tuple[int, PackName]]:
        """Each of these objects that is published in a pack that is whole → its codec there, and the pack."""
        found: dict[Oid, tuple[int, PackName]] = {}
        for key, _, how, name in snapshot.places({bytes.fromhex(oid) for oid in oids}):
            if self.soundness.vouches_for(name):
                found.setdefault(Oid(key.hex()), (how, name))
        return found

    def size(self, oid: Oid) -> int:
        """The object's size in bytes, uncompressed. Raises UnknownName."""
        return self.location(oid).size

    def stored_size(self, oid: Oid) -> int:
        """Bytes the object takes in packs, its chunks included. Raises UnknownName."""
        at = self.location(oid)
        return at.stored + sum(self.location(chunk).stored for chunk in self.chunk_ids(at))

    def location(self, oid: Oid) -> Location:
        """Where the object is.

        Raises:
            UnknownName: It is in no pack, also after looking at the newest moment.
        """
        for _, at in self._everywhere(oid):
            return at
        raise _unknown(oid)

    def chunk_ids(self, at: Location) -> list[Oid]:
        """The chunks that a blob is stored as; empty when it is stored whole."""
        return [] if at.codec != codec.CHUNKED else [chunk for chunk, _ in self._chunks(at)]

    # Reading

    def read(self, oid: Oid, kind: str) -> bytes:
        """An object's bytes, its hash checked.

        Raises:
            UnknownName: The object is not here.
            DamagedError: It is of another kind, or not what its id promises.
        """
        return b"".join(self.iter_read(oid, kind))

    def iter_read(self, oid: Oid, kind: str = "blob") -> Iterator[bytes]:
        """Yields an object's bytes in pieces; the hash is checked before the last piece is yielded.

        Raises:
            UnknownName: The object or one of its chunks is not here.
            DamagedError: It is of another kind, or not what its id promises.
        """
        at, data = self._load(oid)
        if at.kind != kind:
            raise DamagedError(f"Object {oid[:12]} is a {at.kind}, not a {kind}.")
        if at.codec == codec.CHUNKED:
            yield from self._iter_chunks(at, chunking.decode_list(data, at.size))
        else:
            yield data

    def _iter_chunks(self, blob: Location, chunks: list[tuple[Oid, int]]) -> Iterator[bytes]:
        check, ready = hasher(), b""
        for number, (chunk, size) in enumerate(chunks):
            if number:
                yield ready
            at, ready = self._load(chunk, in_one_piece=True)
            if (at.kind, at.size) != ("blob", size):
                raise DamagedError(f"Object {blob.oid[:12]} has a chunk that is none; run `art fsck`.")
            check.update(ready)
        if check.hexdigest() != blob.oid:
            raise _mismatch(blob.oid)
        yield ready

    def verify(self, oid: Oid) -> None:
        """Reads an object and drops it. Raises as `read` does."""
        for _ in self.iter_read(oid, self.location(oid).kind):
            pass

    def record(self, oid: Oid, cls: type[R], *, keep: bool = True) -> R:
        """A record such as a tree or a commit; kept in memory unless it will not be asked for again soon.

        Raises as `read` does.
        """
        known = self._records.get(oid)
        if known is not None and isinstance(known[0], cls):
            return known[0]
        data = self.read(oid, cls.KIND)
        record = cls.decode(data)
        if keep:
            self.remember(oid, record, len(data))
        return record

    def remember(self, oid: Oid, record: Record, size: int = 0) -> None:
        """Keeps a record in memory: it can never change. `size` is that of its encoding."""
        with self._mutex:
            if oid not in self._records:
                self._records[oid] = record, size + _RECORD_COST
                self._cached_bytes += size + _RECORD_COST
            while self._cached_bytes > _CACHED_BYTES:
                self._cached_bytes -= self._records.popitem(last=False)[1][1]

    def stored(self, oid: Oid, snapshot: Snapshot | None = None) -> pack.Item:
        """An object as it is stored, for copying it to another pack; its hash is checked, but not those of its chunks.

        Args:
            oid: The object.
            snapshot: Look only there.

        Raises:
            UnknownName: It is not here.
            DamagedError: It is damaged wherever it is.
        """

        def take(place: Place, at: Location) -> pack.Item:
            return pack.Item(oid, at.kind, at.codec, self._verified(place, at)[0], at.size)

        return self._try_all(oid, take, None if snapshot is None else snapshot.find(oid))

    def expand(self, prefix: str, kinds: tuple[str, ...] = ()) -> Location:
        """The one object whose id starts with `prefix`.

        Raises:
            UnknownName: No object (of these kinds) does.
            AmbiguousName: More than one does.
        """
        matches = self._starting_with(prefix, kinds)
        if not matches:
            # Another process may have published it, or the index be damaged.
            self._snapshot = self.refresh().without_damage()
            matches = self._starting_with(prefix, kinds)
        if len(matches) == 1:
            return matches[0]
        if not matches:
            raise UnknownName(f"No object's id starts with {prefix!r}; `art log` shows what there is.")
        shown = ", ".join(f"{at.kind} {at.oid[:12]}" for at in matches[:4])
        raise AmbiguousName(f"{prefix!r} could be {shown}{', …' if len(matches) > 4 else ''}; give more digits.")

    def close(self) -> None:
        """Forgets the snapshot; the next question looks at the newest."""
        self._snapshot = None

    def _starting_with(self, prefix: str, kinds: tuple[str, ...]) -> list[Location]:
        if not _HEXADECIMAL.fullmatch(prefix):
            return []
        found = self.snapshot.starting_with(prefix)
        for place in tuple(self.pending):
            if isinstance(place, PackWriter):
                found.update(place.starting_with(prefix))
            else:
                found.update({at.oid: at for at, _ in place.table.starting_with(prefix)})
        return [found[oid] for oid in sorted(found) if not kinds or found[oid].kind in kinds]

    def _chunks(self, at: Location) -> list[tuple[Oid, int]]:
        return chunking.decode_list(self._load(at.oid)[1], at.size)

    def _locate(self, oid: Oid) -> Iterator[tuple[Place, Location]]:
        for place in tuple(self.pending):
            if isinstance(place, PackWriter):
                if at := place.entries.get(oid):
                    yield place, at
            else:
                yield from ((PackName(place.name), at) for at, _ in place.table.find(bytes.fromhex(oid)))
        yield from self.snapshot.find(oid)

    def _everywhere(self, oid: Oid) -> Iterator[tuple[Place, Location]]:
        """All places of an object, looking again where there are none or none will do, as long as that may help."""
        yield from self._locate(oid)
        before = self.snapshot
        if self.refresh() is not before:  # published or collected by another process since we looked
            yield from self._locate(oid)
        before = self.snapshot
        self._snapshot = before.without_damage()
        if self._snapshot is not before:
            yield from self._locate(oid)
        for older in tuple(self.leased):
            yield from older.find(oid)

    def _try_all(
        self, oid: Oid, take: Callable[[Place, Location], T], places: Iterator[tuple[Place, Location]] | None = None
    ) -> T:
        """The first of an object's places that will do: where one copy is damaged, another may be sound."""
        problem: Exception | None = None
        for place, at in places or self._everywhere(oid):
            try:
                return take(place, at)
            except FileNotFoundError:
                continue  # collected since
            except DamagedError as error:
                problem = error
                if not isinstance(place, PackWriter):
                    self.soundness.distrust(place)
        raise problem or _unknown(oid)

    def _load(self, oid: Oid, *, in_one_piece: bool = False) -> tuple[Location, bytes]:
        """An object and its bytes; of a blob in chunks the list of these, unless it has to be in one piece."""

        def take(place: Place, at: Location) -> tuple[Location, bytes]:
            # What makes a list good is what it leads to; its pack vouches for it, or all of that is read.
            if at.codec == codec.CHUNKED and (in_one_piece or not self.is_sound_at(place, at)):
                raise DamagedError(f"Object {oid[:12]} is stored as chunks that do not make it; run `art fsck`.")
            # Of records many are in memory with the small pack that they came in; whether that pack is still sound
            # on disk is not asked here.
            known = None if at.kind == "blob" or isinstance(place, PackWriter) else self.snapshot.in_memory(place, at)
            return at, self._verified(place, at, known)[1]

        with storage_errors(f"reading object {oid[:12]}"):
            return self._try_all(oid, take)

    def _verified(self, place: Place, at: Location, known: bytes | None = None) -> tuple[bytes, bytes]:
        """What is stored at one place, and what it expands to, checked against the id."""
        stored = self._read_at(place, at) if known is None else known
        return stored, expanded(at, stored)

    def _read_at(self, place: Place, at: Location) -> bytes:
        check_sizes(at)
        if isinstance(place, PackWriter):
            stored = place.read(at)
            if stored is None:
                raise FileNotFoundError  # published by another thread since we looked
            return stored
        return pack.check_record(self.files.read(place, at.offset, pack.RECORD_SIZE + at.stored), at)

    def check_at(self, place: Place, at: Location) -> None:
        """Reads an object at one place and drops it; of a blob in chunks, the list of these.

        Raises:
            DamagedError: It is not what its id promises.
            FileNotFoundError: The place is gone.
        """
        _, data = self._verified(place, at)
        if at.codec == codec.CHUNKED:
            chunking.decode_list(data, at.size)

    def is_sound_at(self, place: Place, at: Location) -> bool:
        """Whether the copy of an object at one place can be read."""
        if isinstance(place, PackWriter) or self.soundness.vouches_for(place) or (place, at.oid) in self._sound:
            return True
        try:
            _, data = self._verified(place, at)
            if at.codec == codec.CHUNKED:
                for _ in self._iter_chunks(at, chunking.decode_list(data, at.size)):
                    pass
        except (DamagedError, UnknownName, FileNotFoundError):
            return False
        self._sound.add((place, at.oid))
        return True


def expanded(at: Location, stored: bytes) -> bytes:
    """What the stored bytes of an object expand to, checked against its id; a list of chunks is only looked at.

    Raises:
        DamagedError: It is not what its id promises.
    """
    if at.codec == codec.CHUNKED:
        if at.kind != "blob":
            raise DamagedError(f"Object {at.oid[:12]} is a list of chunks where none should be; run `art fsck`.")
        return stored
    data = codec.decompress(at.codec, stored, at.size)
    if hash_bytes(data, at.kind) != at.oid:
        raise _mismatch(at.oid)
    return data


def check_sizes(at: Location) -> None:
    """Refuses what no writer makes before any of it is read: a table may be hostile."""
    if at.codec == codec.CHUNKED:
        most, needed = chunking.MAX_LIST, at.stored
    else:
        most = chunking.MAX_CHUNK if at.kind == "blob" else codec.MAX_SIZE
        needed = max(at.stored, at.size)
    if needed > most:
        raise DamagedError(f"Object {at.oid[:12]} cannot take so many bytes; run `art fsck`.")


def _unknown(oid: Oid) -> UnknownName:
    return UnknownName(f"Object {oid[:12]} is not in this repository; run `art fsck`.")


def _mismatch(oid: Oid) -> DamagedError:
    return DamagedError(f"Object {oid[:12]} does not match its id; run `art fsck`.")


def blob_id(data: bytes) -> Oid:
    """The id that these bytes have as a blob: what `b3sum` prints."""
    return hash_bytes(data)
