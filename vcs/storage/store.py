"""Finding and reading objects: id → pack → record → bytes, with the hash checked on the way out."""

from __future__ import annotations

import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TypeVar

from ..errors import AmbiguousName, DamagedError, UnknownName, storage_errors
from ..objects.oid import Oid, hash_bytes, hasher
from ..objects.records import Record
from . import chunking, codec, pack
from .layout import Layout
from .pack import Location, PackWriter
from .segments import Index

R = TypeVar("R", bound=Record)

_HEXADECIMAL = re.compile(r"[0-9a-f]{1,64}")
_TRIES = 3
_OPEN_PACKS = 64
_CACHED_BYTES = 64 << 20
_RECORD_COST = 1024
_NESTING = 4
"""How deep lists of chunks may stand in lists of chunks. One level is what we write; a chunk that was stored as a
large blob of its own, cut by other rules, makes two."""


class ObjectStore:
    """Reads objects of one repository, from its packs and from packs still being written.

    Safe to use from several threads.
    """

    def __init__(self, layout: Layout, reindex: Callable[[], None]) -> None:
        self.index = Index(layout)
        self.pending: list[PackWriter] = []
        self._layout = layout
        self._reindex = reindex
        self._fds: OrderedDict[Oid, int] = OrderedDict()
        self._seen: set[Oid] = set()  # packs that were there since the last refresh
        self._records: OrderedDict[Oid, tuple[Record, int]] = OrderedDict()
        self._cached_bytes = 0
        self._mutex = threading.RLock()  # a descriptor must not be closed while it is read from

    def __del__(self) -> None:
        self.close()

    def has(self, oid: Oid) -> bool:
        """Whether the object's own record is here, in a pack that exists (see `complete` for what it refers to)."""
        found = self._locate(oid)
        return found is not None and self._pack_exists(found[0])

    def is_pending(self, oid: Oid) -> bool:
        """Whether the object is in a pack still being written."""
        return any(oid in writer.entries for writer in tuple(self.pending))

    def complete(self, oid: Oid) -> bool:
        """Whether a blob's record and all its chunks are here, in packs that exist."""
        try:
            return all(self.has(piece) for piece in self._pieces(oid))
        except UnknownName:
            return False

    def size(self, oid: Oid) -> int:
        """The object's size in bytes, uncompressed. Raises UnknownName."""
        return self.location(oid).size

    def stored_size(self, oid: Oid) -> int:
        """Bytes the object takes in packs, its chunks included. Raises UnknownName."""
        at = self.location(oid)
        if at.codec != codec.CHUNKED:
            return at.stored
        return at.stored + sum(self.location(chunk).stored for chunk, _ in self._chunks(at))

    def location(self, oid: Oid) -> Location:
        """Where the object is.

        Raises:
            UnknownName: It is in no pack, also after looking at the packs anew.
        """
        return self._find(oid)[1]

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
        at, stored = self.read_stored(oid)
        if at.kind != kind:
            raise DamagedError(f"Object {oid[:12]} is a {at.kind}, not a {kind}.")
        if at.codec == codec.CHUNKED:
            yield from self._iter_chunks(at)
            return
        data = codec.decompress(at.codec, stored, at.size)
        if hash_bytes(data, kind) != oid:
            raise _mismatch(oid)
        yield data

    def _iter_chunks(self, at: Location) -> Iterator[bytes]:
        check, size, ready = hasher(), 0, b""
        for number, piece in enumerate(self._pieces(at.oid)):
            if number:
                yield ready
            at_piece, stored = self.read_stored(piece)
            ready = codec.decompress(at_piece.codec, stored, at_piece.size)
            check.update(ready)
            size += len(ready)
            if size > at.size:
                break
        if size != at.size or check.hexdigest() != at.oid:
            raise _mismatch(at.oid)
        yield ready

    def verify(self, oid: Oid) -> None:
        """Reads an object and drops it. Raises as `read` does."""
        for _ in self.iter_read(oid, self.location(oid).kind):
            pass

    def record(self, oid: Oid, cls: type[R]) -> R:
        """A record such as a tree or a commit. Raises as `read` does."""
        known = self._records.get(oid)
        if known is not None and isinstance(known[0], cls):
            return known[0]
        data = self.read(oid, cls.KIND)
        record = cls.decode(data)
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

    def expand(self, prefix: str, kinds: tuple[str, ...] = ()) -> Location:
        """The one object whose id starts with `prefix`.

        Raises:
            UnknownName: No object (of these kinds) does.
            AmbiguousName: More than one does.
        """
        matches = self._starting_with(prefix, kinds)
        if not matches:
            self.refresh()  # another process may have published it
            matches = self._starting_with(prefix, kinds)
        if len(matches) == 1:
            return matches[0]
        if not matches:
            raise UnknownName(f"No object's id starts with {prefix!r}; `art log` shows what there is.")
        shown = ", ".join(f"{at.kind} {at.oid[:12]}" for at in matches[:4])
        raise AmbiguousName(f"{prefix!r} could be {shown}{', …' if len(matches) > 4 else ''}; give more digits.")

    def _starting_with(self, prefix: str, kinds: tuple[str, ...]) -> list[Location]:
        if not _HEXADECIMAL.fullmatch(prefix):
            return []
        found = {at.oid: at for at in self.index.starting_with(prefix)}
        for writer in tuple(self.pending):
            found.update({oid: at for oid, at in tuple(writer.entries.items()) if oid.startswith(prefix)})
        return [at for at in found.values() if not kinds or at.kind in kinds]

    def chunk_ids(self, at: Location) -> list[Oid]:
        """The chunks that a blob is stored as; empty when it is stored whole."""
        return [] if at.codec != codec.CHUNKED else [chunk for chunk, _ in self._chunks(at)]

    def read_stored(self, oid: Oid) -> tuple[Location, bytes]:
        """An object's record as stored, for copying it to another pack. Raises UnknownName."""
        for _ in range(_TRIES):
            place, at = self._find(oid)
            if isinstance(place, PackWriter):
                if (stored := place.read(at)) is not None:
                    return at, stored
                continue  # published by another thread since we looked
            with storage_errors(f"reading pack {place[:12]}"), self._mutex:
                try:
                    return at, pack.read_stored(self._fd(place), at)
                except FileNotFoundError:
                    self.refresh()  # collected by another process since we looked: it is in another pack now
        raise UnknownName(f"Object {oid[:12]} is not in this repository; run `art fsck`.")

    def refresh(self) -> None:
        """Forgets what was known of packs and index: another process may have changed them."""
        self.index.reload()
        self._seen.clear()
        self.close()

    def close(self) -> None:
        """Closes the open packs; reading opens them again."""
        with self._mutex:
            while self._fds:
                os.close(self._fds.popitem()[1])

    def _chunks(self, at: Location) -> list[tuple[Oid, int]]:
        return chunking.decode_list(self.read_stored(at.oid)[1])

    def _pieces(self, oid: Oid, depth: int = 0) -> Iterator[Oid]:
        """The object itself, or the chunks that it is stored as."""
        at = self.location(oid)
        if at.codec != codec.CHUNKED:
            yield oid
        elif at.kind != "blob" or depth == _NESTING:
            raise DamagedError(f"Object {oid[:12]} is a list of chunks where none should be; run `art fsck`.")
        else:
            for chunk, _ in self._chunks(at):
                yield from self._pieces(chunk, depth + 1)

    def _locate(self, oid: Oid) -> tuple[PackWriter | Oid, Location] | None:
        for writer in tuple(self.pending):
            if at := writer.entries.get(oid):
                return writer, at
        return self.index.find(oid)

    def _find(self, oid: Oid) -> tuple[PackWriter | Oid, Location]:
        # Perhaps published or repacked by another process since we looked, perhaps a torn index.
        for look_again in (self.refresh, self._reindex, None):
            found = self._locate(oid)
            if found is not None and self._pack_exists(found[0]):
                return found
            if look_again is not None:
                look_again()
        raise UnknownName(f"Object {oid[:12]} is not in this repository; run `art fsck`.")

    def _pack_exists(self, name: PackWriter | Oid) -> bool:
        if isinstance(name, PackWriter) or name in self._seen:
            return True
        if there := self._layout.pack(name).exists():
            self._seen.add(name)
        return there

    def _fd(self, name: Oid) -> int:
        if name in self._fds:
            self._fds.move_to_end(name)
            return self._fds[name]
        fd = self._fds[name] = os.open(self._layout.pack(name), os.O_RDONLY | os.O_CLOEXEC)
        if len(self._fds) > _OPEN_PACKS:
            os.close(self._fds.popitem(last=False)[1])
        return fd


def _mismatch(oid: Oid) -> DamagedError:
    return DamagedError(f"Object {oid[:12]} does not match its id; run `art fsck`.")


def blob_id(data: bytes) -> Oid:
    """The id that these bytes have as a blob: what `b3sum` prints."""
    return hash_bytes(data)
