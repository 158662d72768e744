"""Where every object is at one moment: the packs and index segments that one state names.

A snapshot never changes; what it names stays readable as long as its owner holds a lease (see `leases`), whatever
others publish or collect meanwhile.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress

from ..errors import DamagedError
from ..objects.kinds import State
from ..objects.oid import Oid
from .files import Files
from .layout import OPS, PACKS, PackName, is_pack_name, op_name, op_seq, segment_name
from .packs.op_file import Entry
from .packs.pack import Pack
from .packs.segment import Segment
from .packs.table import Location


class Snapshot:
    """One state of a repository and the tables that it names.

    Args:
        files: Where they are.
        entry: The log's entry with the state.
        before: An older snapshot, whose open tables are used again.

    Attributes:
        entry: The entry.
        segments: The index segments that could be read.
        loose: The packs and ops that no segment lists, newest first.
    """

    def __init__(self, files: Files, entry: Entry, before: Snapshot | None = None) -> None:
        self.entry = entry
        self._files = files
        self._checked = False
        known: dict[str, Pack] = {} if before is None else dict(before._opened)
        known[op_name(entry.seq)] = Pack(op_name(entry.seq), entry.data, len(entry.data))
        segments = {} if before is None else {segment.name: segment for segment in before.segments}
        self.segments: list[Segment] = [
            each for oid in self.state.segments if (each := segments.get(oid) or self._segment(oid))
        ]
        names = self._loose_names()
        self.loose: list[Pack] = [found for name in names if (found := known.get(name) or self._pack(name))]
        self._opened: dict[str, Pack] = {pack.name: pack for pack in self.loose}

    @property
    def seq(self) -> int:
        """The number of the op."""
        return self.entry.seq

    @property
    def state(self) -> State:
        """The state."""
        return self.entry.op.state

    def find(self, oid: Oid) -> Iterator[tuple[PackName, Location]]:
        """Everywhere that an object is, in packs that count; the newest first."""
        key, condemned = bytes.fromhex(oid), self.state.condemned
        for pack in self.loose:
            if pack.table.seek(key) == pack.table.rows:
                continue  # most have not got it, and many are asked
            with suppress(DamagedError):  # rows that make no sense hide nothing that others say; fsck names them
                for at, _ in pack.table.find(key):
                    yield PackName(pack.name), pack.inside(at)
        for segment in self.segments:
            with suppress(DamagedError):
                for at, number in segment.find(key):
                    name = segment.pack_of(number)
                    if name not in condemned:
                        yield name, at

    def in_memory(self, name: PackName, at: Location) -> bytes | None:
        """What is stored of an object in a pack, where that is in memory. Raises DamagedError as `Pack.record`."""
        pack = self._opened.get(name)
        return None if pack is None else pack.record(at)

    def places(self, keys: AbstractSet[bytes]) -> Iterator[tuple[bytes, int, int, PackName, int]]:
        """Id, codes of kind and codec, pack, and stored bytes, of everywhere that many objects are; see `find`."""
        for pack in self.loose:
            name = PackName(pack.name)
            with suppress(DamagedError):
                yield from ((key, kind, how, name, size) for key, kind, how, _, size in pack.table.places(keys))
        for segment in self.segments:
            with suppress(DamagedError):
                for key, kind, codec, number, stored in segment.places(keys):
                    if (name := segment.pack_of(number)) not in self.state.condemned:
                        yield key, kind, codec, name, stored

    def among(self, keys: AbstractSet[bytes]) -> dict[PackName, list[Location]]:
        """Pack → where the objects among many are that it has: each of them once, where it is newest, in order."""
        wanted, found = set(keys), dict[PackName, list[Location]]()
        for pack in self.loose:
            with suppress(DamagedError):
                found[PackName(pack.name)] = pack.in_order(wanted)
                wanted -= {bytes.fromhex(at.oid) for at in found[PackName(pack.name)]}
        for segment in self.segments:
            with suppress(DamagedError):
                for at, number in list(segment.among(wanted)):
                    if (name := segment.pack_of(number)) not in self.state.condemned:
                        found.setdefault(name, []).append(at)
                        wanted.discard(bytes.fromhex(at.oid))
        return {name: sorted(places, key=lambda at: at.offset) for name, places in found.items()}

    def starting_with(self, prefix: str) -> dict[Oid, Location]:
        """All objects whose id starts with this hexadecimal prefix, each once."""
        found: dict[Oid, Location] = {}
        for pack in self.loose:
            with suppress(DamagedError):
                found.update((at.oid, at) for at, _ in pack.table.starting_with(prefix))
        for segment in self.segments:
            with suppress(DamagedError):
                for at, number in segment.starting_with(prefix):
                    if segment.pack_of(number) not in self.state.condemned:
                        found.setdefault(at.oid, at)
        return found

    def packs(self) -> list[PackName]:
        """The files that hold objects and count."""
        listed = {name for segment in self.segments for name in segment.packs} - self.state.condemned.keys()
        return sorted(listed | {PackName(pack.name) for pack in self.loose})

    def without_damage(self) -> Snapshot:
        """This snapshot less the index segments whose bytes are damaged: the packs' own tables are used in their place.

        The same one where there are none; that is looked at only once, since it reads the whole index.
        """
        if self._checked or all(segment.whole() for segment in self.segments):
            self._checked = True
            return self
        mended = copy.copy(self)
        mended.segments = [segment for segment in self.segments if segment.whole()]
        there = {pack.name: pack for pack in self.loose}
        names = mended._all_names()
        mended.loose = [found for name in names if (found := there.get(name) or self._pack(name))]
        mended._checked = True
        return mended

    def _loose_names(self) -> list[PackName]:
        if len(self.segments) < len(self.state.segments):
            return self._all_names()  # the index is derived: the packs know what they hold
        return [PackName(name) for name in reversed(self.state.loose) if name not in self.state.condemned]

    def _all_names(self) -> list[PackName]:
        """Every file that may hold objects of this state: what others publish later is unknown to it, and harmless."""
        packs = [PackName(name) for name in self._files.list(PACKS) if is_pack_name(name)]
        ops = [PackName(name) for name in self._files.list(OPS) if (op_seq(name) or self.seq + 1) <= self.seq]
        listed = {name for segment in self.segments for name in segment.packs}
        return [name for name in reversed([*packs, *ops]) if name not in self.state.condemned and name not in listed]

    def _segment(self, oid: Oid) -> Segment | None:
        try:
            return Segment.open(self._files, segment_name(oid))
        except (FileNotFoundError, DamagedError):
            return None  # fsck names it

    def _pack(self, name: PackName) -> Pack | None:
        try:
            return Pack.open(self._files, name)
        except (FileNotFoundError, DamagedError):
            return None  # fsck names it; what it held is missing, and said to be so when asked for
