"""Bringing data here that is elsewhere: what artifacts hold, by ranges, many at once.

    what is not here → where it lies there → ranges, put together where they are near → verified → kept here

Level by level: a folder says which files are in it, a list of chunks which chunks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from ...errors import DamagedError, UnknownName
from ...maps import graph
from ...objects.kinds import Artifact
from ...objects.oid import Oid
from ...repository import Repository
from ...storage.copies import expanded
from ...storage.layout import PackName
from ...storage.packs import pack
from ...storage.packs.pack import RECORD_SIZE, Item
from ...storage.packs.table import Location
from ..remote import Remote

_NEAR = 256 << 10
"""Records no further apart than that come in one request: what lies between costs less than another."""

_LARGEST = 16 << 20
"""Bytes that are asked for at once, but for a record that is larger."""

_AT_ONCE = 8
"""Requests that are on their way at the same time."""


_KEPT = 256 << 20
"""After so many bytes what came is kept: who is interrupted goes on from there."""


@dataclass
class _Range:
    """Records of one pack that are asked for together, in the order in which they lie."""

    name: PackName
    records: list[Location] = field(default_factory=list)

    @property
    def start(self) -> int:
        return self.records[0].offset

    @property
    def end(self) -> int:
        return _end(self.records[-1])


def fetch_data(near: Repository, remote: Remote, artifacts: Iterable[Oid]) -> int:
    """Brings what artifacts hold and is not here; returns how many objects came.

    Raises:
        UnknownName: Something is not there either.
        DamagedError: Something that came is not what its id promises; what is kept of the rest was verified.
        RemoteError: It cannot be reached.
    """
    if not remote.recall():
        remote.look()
    roots = {remote.store.record(oid, Artifact).payload for oid in artifacts}
    try:
        return _Bringing(near, remote).bring(roots)
    except (UnknownName, FileNotFoundError):  # since it was seen last it may have come there, or lie elsewhere now
        before = remote.store.snapshot
        remote.look()
        if remote.store.snapshot is before:
            raise
        return _Bringing(near, remote).bring(roots)


class _Bringing:
    def __init__(self, near: Repository, remote: Remote) -> None:
        self._repository = near
        self._near = near.store
        self._remote = remote

    def bring(self, roots: set[Oid]) -> int:
        seen, level, count = set(roots), set(roots), 0
        while level:
            missing = {oid for oid in level if not self._near.has(oid)}
            self._come(missing)
            count += len(missing)
            below = {found for oid in level for found in graph.references(self._near, self._near.location(oid))}
            level = below - seen
            seen |= level
        return count

    def _come(self, oids: set[Oid]) -> None:
        """Brings objects from there, each verified."""
        ranges = _ranges(self._locate(oid) for oid in oids)
        self._remote.traffic.expect(sum(each.end - each.start for each in ranges))
        for group in _groups(ranges):
            with self._repository.transaction(f"data from {self._remote.name}") as transaction:
                for each, data in self._read_ahead(group):
                    for item in self._items(each, data):
                        transaction.bring(item)
                transaction.edit_state(lambda _, state: state)  # objects alone are worth a change

    def _read_ahead(self, ranges: Iterable[_Range]) -> Iterator[tuple[_Range, bytes]]:
        """The ranges in order, a few of them read before they are asked for: all at once may be more than memory."""
        waiting: deque[tuple[_Range, Future[bytes]]] = deque()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for each in ranges:
                if len(waiting) == _AT_ONCE:
                    first, read = waiting.popleft()
                    yield first, read.result()
                waiting.append((each, pool.submit(self._read, each)))
            for first, read in waiting:
                yield first, read.result()

    def _locate(self, oid: Oid) -> tuple[PackName, Location]:
        for found in self._remote.store.snapshot.find(oid):
            return found
        raise UnknownName(
            f"Object {oid[:12]} is neither here nor at {self._remote.where}; who made it has to push it again."
        )

    def _read(self, each: _Range) -> bytes:
        return self._remote.files.read(each.name, each.start, each.end - each.start)

    def _items(self, each: _Range, data: bytes) -> Iterator[Item]:
        for at in each.records:
            try:
                stored = pack.check_record(data[at.offset - each.start : _end(at) - each.start], at)
                expanded(at, stored)
            except DamagedError as error:
                raise DamagedError(f"What came from {self._remote.where} is damaged ({error}); try again.") from error
            yield Item(at.oid, at.kind, at.codec, stored, at.size)


def _ranges(places: Iterable[tuple[PackName, Location]]) -> list[_Range]:
    """What is asked for together."""
    ranges: list[_Range] = []
    for name, at in sorted(places, key=lambda place: (place[0], place[1].offset)):
        last = ranges[-1] if ranges else None
        if (
            last is None
            or last.name != name
            or at.offset - last.end > _NEAR
            or _end(at) - last.start > _LARGEST
        ):  # fmt: skip
            ranges.append(last := _Range(name))
        last.records.append(at)
    return ranges


def _groups(ranges: Iterable[_Range]) -> Iterator[list[_Range]]:
    """What is kept in one change."""
    group: list[_Range] = []
    for each in ranges:
        group.append(each)
        if sum(found.end - found.start for found in group) >= _KEPT:
            yield group
            group = []
    if group:
        yield group


def _end(at: Location) -> int:
    return at.offset + RECORD_SIZE + at.stored
