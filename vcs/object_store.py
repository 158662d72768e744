"""Finding and reading objects: id → pack → record → bytes, with the hash checked on the way out."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TypeVar

from . import chunking, codec, pack
from .errors import AmbiguousName, DamagedError, UnknownName, storage_errors
from .index import Index
from .layout import Layout
from .oid import Oid, hash_bytes, hasher
from .pack import Location, PackWriter
from .records import Record

R = TypeVar("R", bound=Record)

_OPEN_PACKS = 64
_CACHED_RECORDS = 4096


class ObjectStore:
    """Reads objects of one repository, from its packs and from packs still being written.

    Not thread-safe for writing; reading from several threads is.
    """

    def __init__(self, layout: Layout, reindex: Callable[[], None]) -> None:
        self.index = Index(layout)
        self.pending: list[PackWriter] = []
        self._layout = layout
        self._reindex = reindex
        self._fds: OrderedDict[Oid, int] = OrderedDict()
        self._records: OrderedDict[Oid, Record] = OrderedDict()

    def has(self, oid: Oid) -> bool:
        """Whether the object's own record is here (see `complete` for what it refers to)."""
        return self._locate(oid) is not None

    def complete(self, oid: Oid) -> bool:
        """Whether a blob's record and all its chunks are here, in packs that exist."""
        found = self._locate(oid)
        if found is None or not self._pack_exists(found[0]):
            return False
        at = found[1]
        return at.codec != codec.CHUNKED or all(self.complete(chunk) for chunk, _ in self._chunks(at))

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
        at = self.location(oid)
        if at.kind != kind:
            raise DamagedError(f"Object {oid[:12]} is a {at.kind}, not a {kind}.")
        check = hasher(kind)
        pieces = [oid] if at.codec != codec.CHUNKED else [chunk for chunk, _ in self._chunks(at)]
        total = 0
        for number, piece in enumerate(pieces):
            data = self._read_whole(piece)
            check.update(data)
            total += len(data)
            if number == len(pieces) - 1 and (check.hexdigest() != oid or total != at.size):
                raise DamagedError(f"Object {oid[:12]} does not match its id; run `art fsck`.")
            yield data
        if not pieces:
            raise DamagedError(f"Object {oid[:12]} has an empty list of chunks; run `art fsck`.")

    def verify(self, oid: Oid) -> None:
        """Reads an object and drops it. Raises as `read` does."""
        for _ in self.iter_read(oid, self.location(oid).kind):
            pass

    def record(self, oid: Oid, cls: type[R]) -> R:
        """A record such as a tree or a commit. Raises as `read` does."""
        known = self._records.get(oid)
        if not isinstance(known, cls):
            known = cls.decode(self.read(oid, cls.KIND))
            self.remember(oid, known)
        return known

    def remember(self, oid: Oid, record: Record) -> None:
        """Keeps a record in memory: it can never change."""
        self._records[oid] = record
        if len(self._records) > _CACHED_RECORDS:
            self._records.popitem(last=False)

    def expand(self, prefix: str, kinds: tuple[str, ...] = ()) -> Location:
        """The one object whose id starts with `prefix`.

        Raises:
            UnknownName: No object (of these kinds) does.
            AmbiguousName: More than one does.
        """
        found = {at.oid: at for at in self.index.starting_with(prefix)}
        for writer in self.pending:
            found.update({oid: at for oid, at in writer.entries.items() if oid.startswith(prefix)})
        matches = [at for at in found.values() if not kinds or at.kind in kinds]
        if len(matches) == 1:
            return matches[0]
        if not matches:
            raise UnknownName(f"No object's id starts with {prefix!r}; `art log` shows what there is.")
        shown = ", ".join(f"{at.kind} {at.oid[:12]}" for at in matches[:4])
        raise AmbiguousName(f"{prefix!r} could be {shown}{', …' if len(matches) > 4 else ''}; give more digits.")

    def chunk_ids(self, at: Location) -> list[Oid]:
        """The chunks that a blob is stored as; empty when it is stored whole."""
        return [] if at.codec != codec.CHUNKED else [chunk for chunk, _ in self._chunks(at)]

    def read_stored(self, oid: Oid) -> tuple[Location, bytes]:
        """An object's record as stored, for copying it to another pack. Raises UnknownName."""
        writer_or_pack, at = self._find(oid)
        if isinstance(writer_or_pack, PackWriter):
            return at, writer_or_pack.read(at)
        with storage_errors(f"reading pack {writer_or_pack[:12]}"):
            return at, pack.read_stored(self._fd(writer_or_pack), at)

    def refresh(self) -> None:
        """Forgets what was known of packs and index: another process may have changed them."""
        self.index.reload()
        self.close()

    def close(self) -> None:
        """Closes the open packs; reading opens them again."""
        while self._fds:
            os.close(self._fds.popitem()[1])

    def _chunks(self, at: Location) -> list[tuple[Oid, int]]:
        return chunking.decode_list(self.read_stored(at.oid)[1])

    def _read_whole(self, oid: Oid) -> bytes:
        at, stored = self.read_stored(oid)
        if at.codec == codec.CHUNKED:
            raise DamagedError(f"Object {oid[:12]} is a list of chunks where a chunk should be; run `art fsck`.")
        return codec.decompress(at.codec, stored, at.size)

    def _locate(self, oid: Oid) -> tuple[PackWriter | Oid, Location] | None:
        for writer in self.pending:
            if at := writer.entries.get(oid):
                return writer, at
        return self.index.find(oid)

    def _find(self, oid: Oid) -> tuple[PackWriter | Oid, Location]:
        found = self._locate(oid)
        if found is None or not self._pack_exists(found[0]):
            # Perhaps published or repacked by another process since we looked, perhaps a torn index.
            self.refresh()
            found = self._locate(oid)
        if found is None or not self._pack_exists(found[0]):
            self._reindex()
            found = self._locate(oid)
        if found is None:
            raise UnknownName(f"Object {oid[:12]} is not in this repository; run `art fsck`.")
        return found

    def _pack_exists(self, name: PackWriter | Oid) -> bool:
        return isinstance(name, PackWriter) or name in self._fds or self._layout.pack(name).exists()

    def _fd(self, name: Oid) -> int:
        if name in self._fds:
            self._fds.move_to_end(name)
            return self._fds[name]
        fd = self._fds[name] = os.open(self._layout.pack(name), os.O_RDONLY | os.O_CLOEXEC)
        if len(self._fds) > _OPEN_PACKS:
            os.close(self._fds.popitem(last=False)[1])
        return fd


def blob_id(data: bytes) -> Oid:
    """The id that these bytes have as a blob: what `b3sum` prints."""
    return hash_bytes(data)
