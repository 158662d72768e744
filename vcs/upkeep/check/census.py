"""All objects that were found sound, and what each refers to: a million of them in some hundred megabytes.

Objects are numbered as they are first heard of, and what is known of them stands in arrays under that number.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ...counting import count
from ...objects.oid import Oid
from ...storage.packs.table import CODES, KINDS
from .verify import ANY_SIZE, Found, Link

_ABSENT = 255
_ANY = 254
_MOST = 2**64 - 1


@dataclass(frozen=True)
class Broken:
    """A reference that leads to nothing, or not to what it says.

    Attributes:
        oid: The object that is referred to.
        what: What is wrong.
        root: The object at which the way to it begins.
        missing: Whether it is not here at all.
    """

    oid: Oid
    what: str
    root: Oid
    missing: bool


class Census:
    """The objects of a repository."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._ids: list[bytes] = []
        self._kinds = bytearray()
        self._sizes = array("Q")
        self._starts, self._ends = array("L"), array("L")  # where the links of each are
        self._links, self._link_kinds, self._link_sizes = array("I"), bytearray(), array("Q")

    def __len__(self) -> int:
        return len(self._kinds) - self._kinds.count(_ABSENT)

    def __contains__(self, oid: Oid) -> bool:
        return self.kind(oid) is not None

    def kind(self, oid: Oid) -> str | None:
        """The kind of an object; None where there is no sound one."""
        number = self._numbers.get(bytes.fromhex(oid))
        code = _ABSENT if number is None else self._kinds[number]
        return None if code == _ABSENT else KINDS[code]

    def of_kind(self, kind: str) -> Iterator[Oid]:
        """All objects of a kind."""
        code = CODES[kind]
        return (Oid(raw.hex()) for raw, number in self._numbers.items() if self._kinds[number] == code)

    def add(self, found: Found) -> None:
        """Notes a sound object."""
        self.note(found.at.oid, found.at.kind, found.total, found.links)

    def note(self, oid: Oid, kind: str, total: int, links: Iterable[Link]) -> None:
        """As `add`; `total` is its size in bytes, of a tree that of all files below."""
        number = self._number(oid)
        if self._kinds[number] != _ABSENT:
            return
        self._kinds[number], self._sizes[number] = CODES[kind], min(total, _MOST)
        self._starts[number] = len(self._links)
        for link in links:
            self._links.append(self._number(link.oid))
            self._link_kinds.append(CODES[link.kind] if link.kind else _ANY)
            self._link_sizes.append(_MOST if link.size == ANY_SIZE else link.size)
        self._ends[number] = len(self._links)

    def walk(
        self, roots: Iterable[Oid], ends: AbstractSet[Oid] = frozenset(), promised: AbstractSet[Oid] = frozenset()
    ) -> Reached:
        """Follows all references.

        Args:
            roots: Where to begin.
            ends: Objects that are come to but not followed: artifacts whose data was given up.
            promised: Objects of which what they lead to alone may be missing: artifacts whose data is elsewhere.
        """
        seen, broken, tops = bytearray(len(self._kinds)), [], []
        for oid in roots:
            number = self._numbers.get(bytes.fromhex(oid))
            if number is None or self._kinds[number] == _ABSENT:
                broken.append(Broken(oid, "is missing or damaged", oid, missing=True))
            else:
                tops.append(number)
        broken += self._follow(tops, self._marked(ends | promised), seen)
        # Last, so that what something else needs, too, was missed already.
        elsewhere = [number for number in self._numbered(promised - ends) if seen[number]]
        broken += [each for each in self._follow(elsewhere, self._marked(ends), seen, again=True) if not each.missing]
        return Reached(self, seen, broken)

    def _follow(self, tops: Iterable[int], stops: bytearray, seen: bytearray, *, again: bool = False) -> list[Broken]:
        """Marks as seen what some objects lead to and is not; with `again` also if they themselves are."""
        broken = []
        for top in tops:
            pending = [top] if again or not seen[top] else []
            seen[top] = 1
            while pending:
                number = pending.pop()
                if stops[number]:
                    continue
                for at in range(self._starts[number], self._ends[number]):
                    target = self._links[at]
                    missing = self._kinds[target] == _ABSENT
                    if (problem := self._wrong(at, target)) is not None and not (missing and seen[target]):
                        broken.append(Broken(self._oid(target), problem, self._oid(top), missing))
                    if not seen[target]:
                        seen[target] = 1
                        pending.append(target)
        return broken

    def _marked(self, oids: Iterable[Oid]) -> bytearray:
        marked = bytearray(len(self._kinds))
        for number in self._numbered(oids):
            marked[number] = 1
        return marked

    def _numbered(self, oids: Iterable[Oid]) -> list[int]:
        """The numbers of those that were heard of."""
        found = (self._numbers.get(bytes.fromhex(oid)) for oid in oids)
        return [number for number in found if number is not None]

    def _wrong(self, at: int, target: int) -> str | None:
        """What is wrong with a link to an object, if something is."""
        kind, size = self._kinds[target], self._link_sizes[at]
        if kind == _ABSENT:
            return "is missing or damaged"
        if self._link_kinds[at] not in (_ANY, kind):
            return f"is a {KINDS[kind]}, not a {KINDS[self._link_kinds[at]]}"
        if size not in (_MOST, self._sizes[target]):
            return f"has {count(self._sizes[target], 'byte')}, not {size}"
        return None

    def _number(self, oid: Oid) -> int:
        raw = bytes.fromhex(oid)
        number = self._numbers.get(raw)
        if number is None:
            number = self._numbers[raw] = len(self._kinds)
            self._kinds.append(_ABSENT)
            self._sizes.append(0)
            self._starts.append(0)
            self._ends.append(0)
        return number

    def _oid(self, number: int) -> Oid:
        if len(self._ids) != len(self._numbers):
            self._ids = list(self._numbers)  # numbered in this order
        return Oid(self._ids[number].hex())


class Reached:
    """What can be reached from some roots.

    Attributes:
        broken: The references on the way that do not lead to what they should.
    """

    def __init__(self, census: Census, seen: bytearray, broken: list[Broken]) -> None:
        self.broken = broken
        self._census = census
        self._seen = seen

    def __contains__(self, oid: Oid) -> bool:
        number = self._census._numbers.get(bytes.fromhex(oid))
        return number is not None and number < len(self._seen) and bool(self._seen[number])
