"""Reading objects: id → pack → record → bytes, with the hash checked on the way out, and whether they can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

from ..errors import DamagedError, UnknownName, storage_errors
from ..objects.oid import Oid, hash_bytes, hasher
from ..objects.records import Record
from .copies import Place, check_sizes, expanded, mismatch, read_at
from .disk import mutexes
from .files import Files
from .finding import Finder, unknown
from .layout import PackName
from .op_log import OpLog
from .packs import chunking, codec, pack
from .packs.pack_writer import PackWriter
from .packs.table import Location
from .remembered import Remembered
from .snapshot import Snapshot
from .soundness import Memo, NoMemo, Soundness

R = TypeVar("R", bound=Record)
T = TypeVar("T")

_CACHED_BYTES = 64 << 20
_AHEAD_BYTES = 16 << 20


class ObjectStore(Finder):
    """Reads objects of one repository, from its packs and from packs still being written.

    Safe to use from several threads.

    Attributes:
        soundness: What is known of the state of its packs.
    """

    def __init__(self, files: Files, log: OpLog, memo: Memo | None = None) -> None:
        super().__init__(files, log)
        self.soundness = Soundness(files, memo or NoMemo())
        self._sound: set[tuple[PackName, Oid]] = set()  # objects of packs that are not vouched for
        self._use = 0  # of the store, see `look_again`
        self._records = Remembered(_CACHED_BYTES)
        # What is asked for soon, and not again: it takes the place of nothing else.
        self._ahead = Remembered(_AHEAD_BYTES)
        self._mutex = mutexes.own(self)

    def look_again(self) -> None:
        """Another use of the store begins: what is in memory, or was seen to be sound, is asked for again."""
        self._use += 1
        self._sound.clear()
        self.soundness.look_again()
        self.close()  # small packs are in memory as a whole

    # Asking

    def has(self, oid: Oid) -> bool:
        """Whether the object's own record is here and sound (see `complete` for what it refers to)."""
        return any(self.is_sound_at(place, at) for place, at in self.locate(oid))

    def published(self, oid: Oid, snapshot: Snapshot | None = None) -> bool:
        """As `has`, what transactions have not published left out; at the moment that is looked at, or another."""
        return any(self.is_sound_at(place, at) for place, at in (snapshot or self.snapshot).find(oid))

    def sound(self, oids: Iterable[Oid], snapshot: Snapshot) -> set[Oid]:
        """Those of many objects that are `published` at a moment."""
        found: set[Oid] = set()
        doubtful: set[Oid] = set()
        for key, _, _, name, _ in snapshot.places({bytes.fromhex(oid) for oid in oids}):
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
        for key, _, how, name, _ in snapshot.places({bytes.fromhex(oid) for oid in oids}):
            if self.soundness.vouches_for(name):
                found.setdefault(Oid(key.hex()), (how, name))
        return found

    def stored_size(self, oid: Oid) -> int:
        """Bytes the object takes in packs, its chunks included. Raises UnknownName."""
        at = self.location(oid)
        return at.stored + sum(self.location(chunk).stored for chunk in self.chunk_ids(at))

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
            raise mismatch(blob.oid)
        yield ready

    def verify(self, oid: Oid) -> None:
        """Reads an object and drops it. Raises as `read` does."""
        for _ in self.iter_read(oid, self.location(oid).kind):
            pass

    def record(self, oid: Oid, cls: type[R], *, keep: bool = True) -> R:
        """A record such as a tree or a commit; kept in memory unless it will not be asked for again soon.

        Raises as `read` does.
        """
        known = self._records.get(oid) or self._ahead.get(oid)
        if known is not None and isinstance(found := known.record, cls):
            if known.use == self._use:
                return found
            if self.has(oid):
                known.use = self._use
                return found
        data = self.read(oid, cls.KIND)
        record = cls.decode(data)
        if keep:
            self.remember(oid, record, len(data))
        return record

    def read_ahead(self, oids: Iterable[Oid], cls: type[R], *, keep: bool = False) -> None:
        """Brings many records to memory at once, where `record` finds them; it deals with those that cannot be read.

        Args:
            oids: The records.
            cls: Their kind.
            keep: Whether they will be asked for again and again.
        """
        into = self._records if keep else self._ahead
        wanted = {bytes.fromhex(oid) for oid in oids if oid not in self._records and oid not in self._ahead}
        for name, places in self.snapshot.among(wanted).items() if wanted else ():
            with storage_errors(f"reading {name}"), suppress(FileNotFoundError):
                for at, record in pack.records(self.files, name, places):
                    with suppress(DamagedError):
                        check_sizes(at)
                        data = expanded(at, pack.check_record(record, at))
                        if (at.kind, at.codec == codec.CHUNKED) == (cls.KIND, False):
                            with self._mutex:
                                into.add(at.oid, cls.decode(data), len(data), self._use)

    def remember(self, oid: Oid, record: Record, size: int = 0) -> None:
        """Keeps a record in memory, unless it is very large: it can never change. `size` is that of its encoding."""
        with self._mutex:
            self._records.add(oid, record, size, self._use)

    def forget_records(self) -> None:
        """Gives up the memory that records take: those of another kind come now."""
        with self._mutex:
            self._records = Remembered(_CACHED_BYTES)
            self._ahead = Remembered(_AHEAD_BYTES)

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

    def _chunks(self, at: Location) -> list[tuple[Oid, int]]:
        return chunking.decode_list(self._load(at.oid)[1], at.size)

    def _try_all(
        self, oid: Oid, take: Callable[[Place, Location], T], places: Iterator[tuple[Place, Location]] | None = None
    ) -> T:
        """The first of an object's places that will do: where one copy is damaged, another may be sound."""
        problem: Exception | None = None
        for place, at in places or self.everywhere(oid):
            try:
                return take(place, at)
            except FileNotFoundError:
                continue  # collected since
            except DamagedError as error:
                problem = error
                if not isinstance(place, PackWriter):
                    self.soundness.distrust(place)
        raise problem or unknown(oid)

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
        stored = read_at(self.files, place, at) if known is None else known
        return stored, expanded(at, stored)

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


def blob_id(data: bytes) -> Oid:
    """The id that these bytes have as a blob: what `b3sum` prints."""
    return hash_bytes(data)
