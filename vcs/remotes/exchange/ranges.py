"""Reading many objects of a repository elsewhere in few requests.

where each lies → ranges, put together where they are near → many at once → each verified
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from ...errors import DamagedError, UnknownName
from ...objects.oid import Oid
from ...storage.copies import expanded
from ...storage.layout import PackName
from ...storage.packs import pack
from ...storage.packs.pack import RECORD_SIZE, Item
from ...storage.packs.pack_writer import PackWriter
from ...storage.packs.table import Location
from ..remote import Remote

_NEAR = 256 << 10
"""Records no further apart than that come in one request: what lies between costs less than another."""

_LARGEST = 16 << 20
"""Bytes that are asked for at once, but for a record that is larger."""

_AT_ONCE = 8
"""Requests that are on their way at the same time."""


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


def read(remote: Remote, oids: Iterable[Oid]) -> Iterator[Item]:
    """Objects from there, in the order in which they lie.

    Raises:
        UnknownName: One is not there.
        FileNotFoundError: A file that its index names is missing.
        DamagedError: One is not what its id promises.
        RemoteError: It cannot be reached.
    """
    ranges = _ranges(_locate(remote, oid) for oid in oids)
    remote.traffic.expect(sum(each.end - each.start for each in ranges))
    for each, data in _read_ahead(remote, ranges):
        yield from _items(remote, each, data)


def _read_ahead(remote: Remote, ranges: Iterable[_Range]) -> Iterator[tuple[_Range, bytes]]:
    """The ranges in order, a few of them read before they are asked for: all at once may be more than memory."""
    waiting: deque[tuple[_Range, Future[bytes]]] = deque()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for each in ranges:
            if len(waiting) == _AT_ONCE:
                first, read = waiting.popleft()
                yield first, read.result()
            waiting.append((each, pool.submit(_read, remote, each)))
        for first, read in waiting:
            yield first, read.result()


def _locate(remote: Remote, oid: Oid) -> tuple[PackName, Location]:
    for place, at in remote.store.locate(oid):
        if not isinstance(place, PackWriter):  # which is here
            return place, at
    raise UnknownName(f"Object {oid[:12]} is neither here nor at {remote.where}; who made it has to push it again.")


def _read(remote: Remote, each: _Range) -> bytes:
    return remote.files.read(each.name, each.start, each.end - each.start)


def _items(remote: Remote, each: _Range, data: bytes) -> Iterator[Item]:
    for at in each.records:
        try:
            stored = pack.check_record(data[at.offset - each.start : _end(at) - each.start], at)
            expanded(at, stored)
        except DamagedError as error:
            raise DamagedError(f"What came from {remote.where} is damaged ({error}); try again.") from error
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


def _end(at: Location) -> int:
    return at.offset + RECORD_SIZE + at.stored
