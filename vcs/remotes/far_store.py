"""Reading objects of a repository elsewhere: what is here, too, is read here.

Each look at the newest state takes its time, and nobody has to look before he commits: who comes second is told so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress

from ..errors import DamagedError, RemoteError, RemoteUnreachable, UnknownName
from ..objects.oid import Oid
from ..storage.copies import Place, content
from ..storage.files import Files, nothing
from ..storage.layout import PackName, op_name
from ..storage.op_log import OpLog, Outcome
from ..storage.packs.op_file import Entry
from ..storage.packs.pack import Item
from ..storage.packs.table import Location
from ..storage.snapshot import Snapshot
from ..storage.soundness import NoMemo, Soundness
from ..storage.store import ObjectStore

_DOUBTS = 2
"""So often an attempt without an answer is followed by a look at what became of it, and by another attempt."""


class FarLog(OpLog):
    """A log of ops elsewhere, where anything may have become of it since it was looked at last.

    Args:
        files: Its files.
        check: Called with each newest entry that is found, or with None where there is none that can be read. Raises
            where that is not what it can have become.

    Attributes:
        moved: Whether an attempt to commit has shown that the newest entry is another than the one that is known.
    """

    def __init__(self, files: Files, check: Callable[[Entry | None], object]) -> None:
        super().__init__(files)
        self.moved = False
        self._check = check
        self._doubts = 0

    def newest(self) -> Entry | None:
        """See `OpLog.newest`."""
        try:
            found = super().newest()
        except DamagedError:
            self._check(None)
            raise
        self._check(found)
        return found

    def commit(self, entry: Entry, visible: Callable[[], object] = nothing) -> Outcome:
        """See `OpLog.commit`."""
        try:
            outcome = super().commit(entry, visible)
        except RemoteUnreachable:
            self.moved = True  # or not: that shows a look
            self._doubts += 1
            if self._doubts > _DOUBTS:
                raise
            return Outcome.UNKNOWN
        except BaseException:
            self.moved = True
            raise
        self.moved, self._doubts = outcome is not Outcome.COMMITTED, 0
        if outcome is Outcome.UNKNOWN:
            self._take_back(entry)
        return outcome

    def _take_back(self, entry: Entry) -> None:
        """Deletes an entry that does not stand, if none follows it: another log was put in the place of this one.

        The next entry of that one would find its place taken, and whoever looks for its newest one this. Where it is
        the same log the place had been cleaned up, long ago: an entry that stands is followed by another before the
        one that it names goes.
        """
        with suppress(RemoteError, DamagedError):  # who may not delete leaves it; the next look says what is wrong
            if not self._files.exists(op_name(entry.seq + 1)) and self.is_there(entry):
                self._files.delete(op_name(entry.seq))


class FarStore(ObjectStore):
    """Objects of a repository elsewhere.

    Args:
        files: Its files, with copies of its index here.
        log: Its commit point, asked for there.
        near: The repository here.

    Attributes:
        fetched: What was read there since somebody emptied this list, for it is not here.
    """

    def __init__(self, files: Files, log: FarLog, near: ObjectStore) -> None:
        super().__init__(files, log)
        self.fetched: list[Oid] = []
        self._come: dict[Oid, Item] = {}
        self._far_log = log
        self.soundness = _Believed(files)
        self._near = near

    @property
    def is_new(self) -> bool:
        """Whether nothing has been looked at yet."""
        return self._snapshot is None

    @property
    def moment(self) -> Snapshot | None:
        """The moment that was looked at last, if any was."""
        return self._snapshot

    def look(self) -> Snapshot:
        """Looks at the newest moment, and returns it. Raises as `Finder.refresh`."""
        self._far_log.moved = False
        return super().refresh()

    def refresh(self) -> Snapshot:
        """The moment that was looked at last; the newest, where that is known not to be it."""
        return self.look() if self._snapshot is None or self._far_log.moved else self._snapshot

    def everywhere(self, oid: Oid) -> Iterator[tuple[Place, Location]]:
        """See `Finder.everywhere`."""
        yield from super().everywhere(oid)
        before = self.snapshot
        if self.look() is not before:
            yield from self.locate(oid)

    def location(self, oid: Oid) -> Location:
        """See `Finder.location`; of what is here, where it is here."""
        try:
            return self._near.location(oid)
        except UnknownName:
            return super().location(oid)

    def not_near(self, keys: Collection[bytes]) -> list[Oid]:
        """Those of many raw ids whose objects are there and not here."""
        left = {*keys} - self._near.known({*keys})
        return [Oid(key.hex()) for key in self.known(left)]

    def come(self, items: Iterable[Item]) -> None:
        """Keeps verified objects from there until others come: they are about to be read."""
        self._come = {item.oid: item for item in items}

    def _load(self, oid: Oid, *, in_one_piece: bool = False) -> tuple[Location, bytes]:
        try:
            return self._near._load(oid, in_one_piece=in_one_piece)
        except UnknownName:
            if (item := self._come.get(oid)) is not None:
                return super().location(oid), content(item)
            found = super()._load(oid, in_one_piece=in_one_piece)
        self.fetched.append(oid)
        return found


class _Believed(Soundness):
    """Packs elsewhere are taken to be as they were written until one is seen not to be.

    To hash one means to fetch all of it. Each object that is read is checked in any case.
    """

    def __init__(self, files: Files) -> None:
        super().__init__(files, NoMemo())
        self._bad: set[PackName] = set()

    def look_again(self) -> None:
        """See `Soundness.look_again`."""
        self._bad.clear()

    def vouches_for(self, name: PackName) -> bool:
        """See `Soundness.vouches_for`."""
        return name not in self._bad

    def written(self, name: PackName) -> None:
        """See `Soundness.written`."""
        self._bad.discard(name)

    def distrust(self, name: PackName) -> None:
        """See `Soundness.distrust`."""
        self._bad.add(name)
