"""Everything that lies in a repository, read once: the log, the packs that a moment names, and all objects in them."""

from __future__ import annotations

import errno
import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field

from ...errors import DamagedError
from ...maps.promises import Promises
from ...objects.oid import Oid, hash_bytes, hasher
from ...storage.copies import Place
from ...storage.files import Files
from ...storage.layout import Layout, PackName
from ...storage.op_log import OpLog
from ...storage.packs import chunking, codec, pack
from ...storage.packs.op_file import Entry
from ...storage.packs.pack import Pack
from ...storage.packs.table import Location
from ...storage.snapshot import Snapshot
from ...storage.store import ObjectStore
from .census import Census
from .problem import Problem
from .reading import PackReader
from .verify import Found

_AHEAD = 8
"""So many packs are begun before the one that is looked at has ended."""

_COARSE = 16 << 10

Progress = Callable[[str, int, int], None]
"""Called with what is looked at, the bytes read so far, and how many there are in all."""


@dataclass
class Condition:
    """What was found in one pack.

    Attributes:
        problems: What is wrong with the file as a whole.
        bad: Its objects that are not sound.
        missing: Whether there is no such file.
        refused: Why the system did not let it be read, if it did not: that says nothing of what is in it.
    """

    problems: list[str] = field(default_factory=list)
    bad: list[Found] = field(default_factory=list)
    missing: bool = False
    refused: OSError | None = None

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems and not self.bad


class Moment(OpLog):
    """The log of ops stopped at one entry: whoever reads by it sees that moment, whatever others do."""

    def __init__(self, files: Files, entry: Entry) -> None:
        super().__init__(files)
        self._entry = entry

    def newest(self) -> Entry | None:
        """The entry at which it was stopped."""
        return self._entry

    def is_newest(self, entry: Entry) -> bool:
        """Whether it is that one."""
        return entry.seq == self._entry.seq


class Shelf(ObjectStore):
    """Reads objects at one moment, and those that lie where it does not look.

    Attributes:
        elsewhere: Where these are.
    """

    def __init__(self, files: Files, entry: Entry) -> None:
        super().__init__(files, Moment(files, entry))
        self.elsewhere: dict[Oid, list[tuple[PackName, Location]]] = {}

    def locate(self, oid: Oid) -> Iterator[tuple[Place, Location]]:
        """See `ObjectStore.locate`."""
        yield from super().locate(oid)
        yield from self.elsewhere.get(oid, ())


class Survey:
    """What is found in the packs of one moment.

    Attributes:
        store: Reads what was found.
        head: The moment.
        census: The objects that are sound.
        conditions: File → what was found in it.
        promised: What repositories elsewhere have promised.
    """

    def __init__(
        self, files: Files, layout: Layout, entry: Entry, executor: Executor, progress: Progress
    ) -> None:  # fmt: skip
        self.store = Shelf(files, entry)
        self.head = Snapshot(files, entry).without_damage()
        self.census = Census()
        self.conditions: dict[str, Condition] = {}
        self.promised = Promises(self.store, layout)
        self._files = files
        self._executor = executor
        self._progress = progress
        self._lists: list[tuple[str, Found]] = []
        self._done = self._total = 0

    def names(self) -> list[PackName]:
        """The files whose objects count."""
        state = self.head.state
        return sorted({*self.head.packs(), *map(PackName, state.loose)} - state.condemned.keys())

    def read(self, names: Iterable[str], *, elsewhere: bool = False) -> Iterator[Problem]:
        """Reads files of packs and ops, notes what is in them, and says what is wrong with it.

        Args:
            names: The files.
            elsewhere: The moment does not name them; what is sound in them can be read by `store` all the same.
        """
        for reader, objects in self._readers(names):
            name, condition = reader.name, Condition()
            self.conditions[name] = condition
            for found in objects:
                if found.problem is not None:
                    condition.bad.append(found)
                    continue
                if elsewhere or not reader.has_table:
                    self.store.elsewhere.setdefault(found.at.oid, []).append((PackName(name), found.at))
                if found.is_list:
                    self._lists.append((name, found))
                else:
                    self.census.add(found)
            condition.problems, condition.missing = reader.problems, reader.missing
            condition.refused = reader.refused
            yield from (Problem(name, problem) for problem in condition.problems)
            yield from (_bad_object(name, found) for found in condition.bad)

    def _readers(self, names: Iterable[str]) -> Iterator[tuple[PackReader, Iterator[Found]]]:
        """Files and what is in them; the next ones are read meanwhile, as far as that helps."""
        sizes = {name: self._size(name) for name in names}
        self._total += sum(sizes.values())
        begun: deque[tuple[PackReader, Iterator[Found]]] = deque()
        for name, size in sizes.items():
            begun.append(self._in_background(name, size) if self._is_coarse(name, size) else self._in_turn(name))
            if len(begun) > _AHEAD:
                yield begun.popleft()
        yield from begun

    def _in_turn(self, name: str) -> tuple[PackReader, Iterator[Found]]:
        reader = PackReader(self._files, name, functools.partial(self._told, name))
        return reader, reader.objects()

    def _in_background(self, name: str, size: int) -> tuple[PackReader, Iterator[Found]]:
        reader = PackReader(self._files, name)
        future = self._executor.submit(lambda: list(reader.objects()))

        def objects() -> Iterator[Found]:
            found = future.result()
            self._told(name, size)
            yield from found

        return reader, objects()

    def _is_coarse(self, name: str, size: int) -> bool:
        """Whether a pack holds few objects for its size: of many, verifying is work for the interpreter, one by one."""
        try:
            return size > _COARSE and Pack.open(self._files, name).table.rows * _COARSE < size
        except (DamagedError, OSError):
            return False  # said when it is read

    def check_lists(self) -> Iterator[Problem]:
        """Whether the large blobs are what their chunks make together: once all chunks that there are were read.

        One that misses a chunk is not here; whether it should be, its references tell.
        """
        lists, self._lists = self._lists, []
        self._total += sum(found.at.size for _, found in lists)
        for (name, found), made in zip(lists, self._executor.map(self._make, lists), strict=True):
            self._told(name, found.at.size)
            if made == found.at.oid:
                self.census.add(found)
            elif made is not None:
                bad = Found(found.at, problem="Its chunks do not make it.")
                self.conditions[name].bad.append(bad)
                yield _bad_object(name, bad)

    def _make(self, listed: tuple[str, Found]) -> str | None:
        """The id of what the chunks of a blob make together; None where one of them is missing or damaged."""
        check, last = hasher(), None
        data: bytes | memoryview = b""
        for link in listed[1].links:
            if link.oid != last:  # as in a file of zeros
                last, data = link.oid, self._chunk(link.oid, link.size)
            if len(data) != link.size:
                return None
            check.update(data)
        return check.hexdigest()

    def _chunk(self, oid: Oid, size: int) -> bytes | memoryview:
        """The bytes of a chunk; none where there is none that is right."""
        for place, at in self.places(oid):
            if (at.kind, at.size) != ("blob", size) or at.codec == codec.CHUNKED or size > chunking.MAX_CHUNK:
                continue
            try:
                record = memoryview(self._files.read(place, at.offset, pack.RECORD_SIZE + at.stored))
                data = codec.decompress(at.codec, pack.check_record(record, at), at.size)
            except (DamagedError, FileNotFoundError):
                continue
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                continue
            condition = self.conditions.get(place)
            if (condition is not None and condition.is_sound) or hash_bytes(data) == oid:
                return data
        return b""

    def places(self, oid: Oid) -> Iterator[tuple[PackName, Location]]:
        """Where an object lies, sound or not."""
        yield from self.head.find(oid)
        yield from self.store.elsewhere.get(oid, ())

    def _told(self, name: str, size: int) -> None:
        self._done += size
        self._progress(name, self._done, max(self._total, self._done))

    def _size(self, name: str) -> int:
        try:
            return self._files.size(name)
        except (OSError, DamagedError):
            return 0


def _bad_object(name: str, found: Found) -> Problem:
    return Problem(f"{found.at.kind} {found.at.oid} in {name}", found.problem or "")
