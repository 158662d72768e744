"""Deciding what a collection does with each pack: keep it, delete it, or write anew what is alive in it.

A plan is data: it explains itself and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ...errors import DamagedError
from ...objects.oid import Oid
from ...storage.layout import PackName, op_seq
from ...storage.packs.pack import Pack
from ...storage.packs.table import CODES
from ...storage.snapshot import Snapshot
from ...storage.store import ObjectStore
from .mark import Mark

KEEP_OPS = 16
"""So many of the newest ops stay as they are, unless data of users is garbage in them."""

_DIES_DAILY = (CODES["refs"], CODES["op"])
"""Every change outdates a few of these."""

SLACK = 16
"""So many more there may be before any of the old ones is: a collection makes ops too, and would never find nothing."""

MAX_UNUSED = 0.05
"""By default packs are written anew until no more than this share of what they hold is garbage."""

SMALL_PACK, FEW_OBJECTS = 16 << 20, 1 << 17
"""Packs of fewer bytes and fewer objects are put together when there are several."""

_SEVERAL = 4

Action = Literal["keep", "delete", "rewrite"]


@dataclass(frozen=True)
class Verdict:
    """What becomes of one pack. Sizes are bytes.

    Attributes:
        pack: Its name.
        action: What is done.
        reason: Why, in a few words.
        live: The raw ids of objects in it that stay.
        dead: Objects in it that go.
        live_bytes: What those that stay take.
        dead_bytes: What those that go take.
    """

    pack: PackName
    action: Action
    reason: str
    live: tuple[bytes, ...] = field(repr=False)
    dead: int
    live_bytes: int
    dead_bytes: int


@dataclass(frozen=True)
class Plan:
    """What a collection does, or would do.

    Attributes:
        verdicts: One for each pack.
        lost: Objects that are referred to and cannot be read → why.
        leftovers: Files and folders that killed processes left, and no state names → their bytes, 0 where nobody says.
    """

    verdicts: tuple[Verdict, ...]
    lost: dict[Oid, str]
    leftovers: dict[str, int] = field(default_factory=dict)

    def packs(self, action: Action) -> list[Verdict]:
        """The packs with which this is done."""
        return [verdict for verdict in self.verdicts if verdict.action == action]

    @property
    def live(self) -> int:
        """Objects that stay."""
        return sum(len(verdict.live) for verdict in self.verdicts)

    @property
    def dead(self) -> int:
        """Objects that go."""
        return sum(verdict.dead for verdict in self.verdicts if verdict.action != "keep")

    @property
    def freed(self) -> int:
        """Bytes of the objects that go, and of what was left."""
        dead = sum(verdict.dead_bytes for verdict in self.verdicts if verdict.action != "keep")
        return dead + sum(self.leftovers.values())


def make(store: ObjectStore, head: Snapshot, mark: Mark, max_unused: float = MAX_UNUSED) -> Plan:
    """Decides for each pack of a moment.

    Args:
        store: Where the packs are.
        head: The moment.
        mark: What is alive at it.
        max_unused: Write packs anew until at most this share of what they hold is garbage, 0 to 1.
    """
    kept: set[bytes] = set()
    looked = list(_look(store, head, mark, kept))
    outdated = _outdated(looked, kept, store.log.sequence())
    budget = max_unused * sum(each.live_bytes for each in looked)
    together = sum(map(_is_small, looked)) >= _SEVERAL
    verdicts = []
    # Where there is little garbage it may stay, within the budget; what holds the most is written anew.
    for each in sorted(looked, key=lambda each: (_unused_share(each), each.pack)):
        action, reason = _decide(each, kept, outdated, budget, together=together)
        if action == "keep":
            budget -= each.dead_bytes
        verdicts.append(Verdict(each.pack, action, reason, each.live, each.dead, each.live_bytes, each.dead_bytes))
    return Plan(tuple(verdicts), {oid: str(error) for oid, error in mark.lost.items()})


@dataclass(frozen=True)
class _Looked:
    """What one pack holds.

    Attributes:
        sound: Whether all of it is as it was written.
        hurt: What is alive and damaged in it; None where nobody knows.
    """

    pack: PackName
    live: tuple[bytes, ...]
    sound: bool
    hurt: frozenset[bytes] | None
    dead: int
    live_bytes: int
    dead_bytes: int
    dead_data: int


def _look(store: ObjectStore, head: Snapshot, mark: Mark, kept: set[bytes]) -> Iterable[_Looked]:
    for name in sorted(head.packs(), key=lambda name: (op_seq(name) is not None, name)):
        try:
            yield _look_at(store, name, mark, kept)
        except (FileNotFoundError, DamagedError):
            yield _Looked(name, (), False, None, 0, 0, 0, 0)


def _look_at(store: ObjectStore, name: PackName, mark: Mark, kept: set[bytes]) -> _Looked:
    live, hurt, dead, live_bytes, dead_bytes, dead_data = [], set(), 0, 0, 0, 0
    sound, pack = store.soundness.vouches_for(name), Pack.open(store.files, name)
    for row, (key, kind, stored) in enumerate(pack.held()):
        # Of several copies one stays; a damaged pack's are no copies to rely on.
        alive = mark.live.get(key)
        if alive is None or alive in kept:
            dead, dead_bytes, dead_data = dead + 1, dead_bytes + stored, dead_data + (kind not in _DIES_DAILY)
        elif sound or store.is_sound_at(name, pack.table.row(row)[0]):
            kept.add(alive)
            live.append(alive)
            live_bytes += stored
        else:
            hurt.add(alive)
    return _Looked(name, tuple(live), sound, frozenset(hurt), dead, live_bytes, dead_bytes, dead_data)


def _outdated(looked: Iterable[_Looked], kept: set[bytes], sequence: list[int]) -> int:
    """The newest op that goes: all before it go too, since the log is cleaned up from its beginning."""
    unwanted = (each for each in looked if each.dead_data or (not each.sound and _is_mended(each, kept)))
    with_garbage = [seq for each in unwanted if (seq := op_seq(each.pack)) is not None]
    old = sequence[:-KEEP_OPS] if len(sequence) > KEEP_OPS + SLACK else []
    return max([0, *old, *with_garbage])


def _decide(each: _Looked, kept: set[bytes], outdated: int, budget: float, *, together: bool) -> tuple[Action, str]:
    seq = op_seq(each.pack)
    if seq is not None and seq > outdated:
        return "keep", "one of the newest changes"
    if each.hurt is None:
        return "keep", "it is missing or damaged; run `art fsck --repair`"
    if not _is_mended(each, kept):
        return "keep", "it is damaged and holds what is used and nowhere else; run `art fsck --repair`"
    if not each.live:
        return "delete", "nothing in it is used"
    if not each.sound:
        return "rewrite", "it is damaged"
    if seq is not None:
        return "rewrite", "an old change; what it holds goes into a pack"
    if each.dead_bytes > budget and (each.dead_data or each.dead_bytes > SMALL_PACK):
        return "rewrite", f"{_unused_share(each):.0%} of it is unused"
    if together and _is_small(each):
        return "rewrite", "one of several small packs"
    return "keep", "most of it is used" if each.dead else "all of it is used"


def _is_mended(each: _Looked, kept: set[bytes]) -> bool:
    """Whether what is damaged in a pack is whole elsewhere."""
    return each.hurt is not None and each.hurt <= kept


def _unused_share(each: _Looked) -> float:
    return each.dead_bytes / ((each.live_bytes + each.dead_bytes) or 1)


def _is_small(each: _Looked) -> bool:
    is_small = each.live_bytes + each.dead_bytes < SMALL_PACK and len(each.live) + each.dead < FEW_OBJECTS
    return is_small and op_seq(each.pack) is None
