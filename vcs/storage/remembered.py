"""Records in memory, where they never change: those that came last, as many as some bytes hold."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from ..objects.oid import Oid
from ..objects.records import Record

_RECORD_COST = 256
_SHARE = 2
"""What takes more than one of so many parts of the limit is not kept: all others would have to go."""
_LARGER = 4
"""A record takes about so many times as much memory as its encoding, and what keeps it besides (`tracemalloc`)."""


@dataclass(slots=True)
class Known:
    """A record in memory: what it takes there, and in which use of the store it was seen to be here."""

    record: Record
    cost: int
    use: int


class Remembered(OrderedDict[Oid, Known]):
    """The records that came last, as many as some bytes of memory hold."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit
        self._taken = 0

    def add(self, oid: Oid, record: Record, size: int, use: int) -> None:
        """Adds a record, unless it is very large; `size` is that of its encoding."""
        cost = _LARGER * size + _RECORD_COST
        if oid not in self and cost < self._limit // _SHARE:
            self[oid] = Known(record, cost, use)
            self._taken += cost
        while self._taken > self._limit:
            self._taken -= self.popitem(last=False)[1].cost
