"""Reading parts of a stored file, wherever it is: of what is elsewhere only the pieces come that are asked for.

Each piece is checked against the list of pieces, and the list against the file's id only where all of it is read. So a
part of what is elsewhere is as good as the place that it comes from: whoever trusts signers and not the place has to
bring the whole.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from itertools import accumulate, islice

from ...errors import DamagedError, UnknownName
from ...maps import trees
from ...objects.kinds import Artifact
from ...objects.nodes import FILE, Entry
from ...objects.oid import Oid
from ...repository import Repository
from ...storage.copies import content
from ...storage.packs import chunking, codec
from ...storage.store import ObjectStore
from .. import config
from ..config import Configured
from ..known import connect
from ..remote import Remote
from . import ranges, supply

_KEPT = 64 << 20
"""So many bytes of what was read stay in memory."""

_AT_ONCE = 64 << 10
"""So many bytes are read at once at least."""

_AHEAD = 16 << 20
"""So many bytes are read ahead at most, where one part is asked for after the other."""


class _NoSuchFile(UnknownName):
    """The artifact is there, and has no such file."""


def open_file(near: Repository, artifact: Oid, path: str | None = None) -> io.BufferedReader:
    """A file of an artifact, to be read and sought in.

    Args:
        near: The repository here.
        artifact: The artifact's id; its record is here.
        path: Where in the artifact the file is; the only one by default.

    Raises:
        UnknownName: There is no such file, or its data is nowhere.
        DamagedError: It is not what its id promises.
        RemoteError: Who has it cannot be reached.
    """
    payload = near.store.record(artifact, Artifact).payload
    if supply.is_here(near, artifact):
        return _open(near.store, None, payload, path)
    settings, promised = config.read(near), near.promises().by(artifact)
    if settings.trust is None or settings.trust.results is None:
        for name in sorted(settings.remotes.keys() & promised, key=lambda name: name != config.DEFAULT):
            try:
                return _open_there(near, settings.remotes[name], artifact, payload, path)
            except _NoSuchFile:
                raise
            except supply.FAILURES:
                continue  # another may have it
    supply.bring(near, [artifact])  # or says what is wrong
    return _open(near.store, None, payload, path)


def _open_there(
    near: Repository, configured: Configured, artifact: Oid, payload: Oid, path: str | None
) -> io.BufferedReader:
    remote = connect(near, configured)
    if not remote.recall():
        remote.look()
    remote.place_delivered([artifact])
    return _open(remote.store, remote, payload, path)


def _open(store: ObjectStore, remote: Remote | None, payload: Oid, path: str | None) -> io.BufferedReader:
    entry = _find(store, payload, path)
    return io.BufferedReader(_Stored(store, remote, entry), _AT_ONCE)


def _find(store: ObjectStore, tree: Oid, path: str | None) -> Entry:
    if path is None:
        found = list(islice(trees.entries(store, tree), 2))
        if len(found) == 1 and found[0].mode == FILE:
            return found[0]
        raise _NoSuchFile("It is no single file; say which one, by its path.")
    entry: Entry | None = None
    for name in path.split("/"):
        entry = trees.find(store, tree if entry is None else entry.id, name)
        if entry is None:
            break
    if entry is None or entry.mode != FILE:
        raise _NoSuchFile(f"It has no file {path!r}; `art show` lists them.")
    return entry


class _Stored(io.RawIOBase):
    """A stored file of which pieces are read as they are needed; not safe to use from several threads."""

    def __init__(self, store: ObjectStore, remote: Remote | None, entry: Entry) -> None:
        self.name = entry.name
        self._store = store
        self._remote = remote
        self._size = entry.size
        self._position = 0
        at = store.location(entry.id)
        if at.kind != "blob" or at.size != entry.size:
            raise DamagedError(f"{entry.name} is not what its folder says; run `art fsck`.")
        self._chunks = (
            chunking.decode_list(store.stored(entry.id).stored, at.size)
            if at.codec == codec.CHUNKED
            else [(entry.id, at.size)]
        )
        self._starts = [0, *accumulate(size for _, size in self._chunks)]
        self._known: OrderedDict[Oid, bytes] = OrderedDict()
        self._expected = -1  # where somebody goes on who reads one part after the other
        self._ahead = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to a place; see `io.IOBase.seek`."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"There is nothing before a file's beginning ({base + offset}).")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # any writable buffer
        """Reads as many bytes as fit; see `io.RawIOBase.readinto`."""
        start, end = self._position, min(self._position + len(buffer), self._size)
        if end <= start:
            return 0
        first, last = bisect_right(self._starts, start) - 1, bisect_right(self._starts, end - 1) - 1
        self._ahead = min(2 * self._ahead + _AT_ONCE, _AHEAD) if start == self._expected else 0
        self._expected = end
        most = bisect_right(self._starts, min(end + self._ahead, self._size) - 1) - 1
        if any(oid not in self._known for oid, _ in self._chunks[first : last + 1]):
            self._bring([oid for oid, _ in self._chunks[first : most + 1]])
        with memoryview(buffer).cast("B") as view:
            for number in range(first, last + 1):
                oid, size = self._chunks[number]
                data = self._known[oid]
                if len(data) != size:
                    raise DamagedError(f"{self.name} has a piece of another size than it should; run `art fsck`.")
                at = self._starts[number]
                piece = data[max(start - at, 0) : end - at]
                done = max(at, start) - start
                view[done : done + len(piece)] = piece
        self._position = end
        while len(self._known) > 1 and sum(map(len, self._known.values())) > _KEPT:
            self._known.popitem(last=False)
        return end - start

    def _bring(self, oids: list[Oid]) -> None:
        missing = dict.fromkeys(oid for oid in oids if oid not in self._known)
        for oid in oids:
            if oid in self._known:
                self._known.move_to_end(oid)
        if self._remote is not None:
            there = self._remote.store.not_near([bytes.fromhex(oid) for oid in missing])
            for oid, data in self._come(self._remote, there):
                self._known[oid] = data
                del missing[oid]
        for oid in missing:
            self._known[oid] = self._store.read(oid, "blob")

    def _come(self, remote: Remote, oids: list[Oid]) -> list[tuple[Oid, bytes]]:
        before = remote.store.snapshot
        try:
            return list(_contents(remote, oids))
        except (UnknownName, FileNotFoundError):
            if remote.look().oid == before.entry.oid:
                raise
        return list(_contents(remote, oids))  # a collector has written it anew elsewhere


def _contents(remote: Remote, oids: list[Oid]) -> Iterator[tuple[Oid, bytes]]:
    return ((item.oid, content(item)) for item in ranges.read(remote, oids))
