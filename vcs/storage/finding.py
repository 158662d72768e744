"""Where objects are: in what is being brought in, at the moment that is looked at, at a newer or an older one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet

from ..errors import AmbiguousName, DamagedError, UnknownName, storage_errors
from ..objects.oid import Oid
from .copies import Place
from .files import Files
from .layout import PackName
from .op_log import OpLog
from .packs.op_file import Entry
from .packs.pack import Pack
from .packs.pack_writer import PackWriter
from .packs.table import Location
from .snapshot import Snapshot

_HEXADECIMAL = re.compile(r"[0-9a-f]{1,64}")

Pending = PackWriter | Pack
"""What a transaction of this process has brought in: a pack being written, or a full one that no state names yet."""


class Finder:
    """Finds objects of one repository, at one moment, and at a newer one when something is not there or when asked.

    Attributes:
        files: Where the repository's files are.
        log: Its commit point.
        pending: What transactions of this process have brought in and not published.
        supplier: Brings an object here that is nowhere else, so that it is among what is pending; whether it could.
        leased: Older moments by the `id` of who in this process holds a lease on one: what is nowhere else is still
            there.
    """

    def __init__(self, files: Files, log: OpLog) -> None:
        self.files = files
        self.log = log
        self.pending: list[Pending] = []
        self.supplier: Callable[[Oid], bool] | None = None
        self.leased: dict[int, Snapshot] = {}
        self._snapshot: Snapshot | None = None

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
            if before is None or before.entry.oid != entry.oid:
                # Where a repair has put another op in the place of the last one, nothing that is open is what it was.
                kept = before if before is not None and self.log.is_there(before.entry) else None
                self._snapshot = Snapshot(self.files, entry, kept)
        assert self._snapshot is not None, "looked"
        return self._snapshot

    def adopt(self, entry: Entry) -> None:
        """Looks at an entry of the log that was just made."""
        self._snapshot = Snapshot(self.files, entry, self._snapshot)

    def close(self) -> None:
        """Forgets the snapshot; the next question looks at the newest."""
        self._snapshot = None

    def size(self, oid: Oid) -> int:
        """The object's size in bytes, uncompressed. Raises UnknownName."""
        return self.location(oid).size

    def location(self, oid: Oid) -> Location:
        """Where the object is.

        Raises:
            UnknownName: It is in no pack, also after looking at the newest moment.
        """
        for _, at in self.everywhere(oid):
            return at
        raise unknown(oid)

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

    def locate(self, oid: Oid) -> Iterator[tuple[Place, Location]]:
        """All places of an object that are known now."""
        for place in tuple(self.pending):
            if isinstance(place, PackWriter):
                if at := place.entries.get(oid):
                    yield place, at
            else:
                yield from ((PackName(place.name), at) for at, _ in place.table.find(bytes.fromhex(oid)))
        yield from self.snapshot.find(oid)

    def known(self, keys: AbstractSet[bytes]) -> set[bytes]:
        """Those of many raw ids whose objects are known now, as `locate` finds one."""
        found = {key for key, *_ in self.snapshot.places(keys)}
        for place in tuple(self.pending):
            if isinstance(place, PackWriter):
                found |= {key for key in keys - found if Oid(key.hex()) in place.entries}
            else:
                found |= {key for key, *_ in place.table.places(keys - found)}
        return found

    def everywhere(self, oid: Oid) -> Iterator[tuple[Place, Location]]:
        """All places of an object, looking again where there are none or none will do, as long as that may help."""
        yield from self.locate(oid)
        before = self.snapshot
        if self.refresh() is not before:  # published or collected by another process since we looked
            yield from self.locate(oid)
        before = self.snapshot
        if (mended := before.without_damage()) is not before:
            if self._snapshot is before:  # else another thread has looked since, and knows more
                self._snapshot = mended
            yield from self.locate(oid)
        for older in tuple(self.leased.values()):
            yield from older.find(oid)
        if self.supplier is not None and self.supplier(oid):
            yield from self.locate(oid)

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


def unknown(oid: Oid) -> UnknownName:
    """What is said of an object that is nowhere."""
    return UnknownName(f"Object {oid[:12]} is not in this repository; run `art fsck`.")
