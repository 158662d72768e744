"""The refs, as far as they can be read: the entries of the map, and the ranges of names that damage hides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...errors import DamagedError, LookupFailed
from ...maps import ref_names
from ...objects.nodes import RefsNode
from ...objects.oid import Oid

Entry = tuple[str, Oid]
"""A ref and the id that it leads to."""


@dataclass(frozen=True)
class Hole:
    """Names of which nobody can say what they lead to: those after `low`, up to and with `high` (None: all).

    Attributes:
        node: The node of the map that cannot be read.
        why: What is wrong with it.
    """

    low: str
    high: str | None
    node: Oid
    why: str

    def __contains__(self, ref: str) -> bool:
        return ref > self.low and (self.high is None or ref <= self.high)


def walk(
    read: Callable[[Oid], RefsNode], root: Oid | None, low: str = "", high: str | None = None
) -> Iterator[Entry | Hole]:
    """All entries of a refs map in order, and the holes between them.

    Args:
        read: Reads a node; what raises DamagedError or LookupFailed is a hole.
        root: The map's root.
        low: Only names after this one.
        high: Only names up to this one.
    """
    if root is None:
        return
    try:
        node = read(root)
    except (DamagedError, LookupFailed) as error:
        yield Hole(low, high, root, str(error))
        return
    yield from _below(read, node, low, high)


def _below(read: Callable[[Oid], RefsNode], node: RefsNode, low: str, high: str | None) -> Iterator[Entry | Hole]:
    before = low
    for entry in node.entries:
        if high is not None and before >= high:
            return
        if entry[0] > low and node.level == 0:
            if high is None or entry[0] <= high:
                yield entry[0], Oid(entry[1])
        elif entry[0] > low:
            end = entry[0] if high is None else min(entry[0], high)
            try:
                yield from _below(read, _child(read, node, entry), before, end)
            except (DamagedError, LookupFailed) as error:
                yield Hole(before, end, Oid(entry[1]), str(error))
            before = entry[0]


def _child(read: Callable[[Oid], RefsNode], node: RefsNode, entry: tuple[object, ...]) -> RefsNode:
    child = read(Oid(str(entry[1])))
    if (child.level, child.entries[-1][0], *child.summary) != (node.level - 1, entry[0], *entry[2:]):
        raise DamagedError("It is not what the node above it says.")
    return child


_LEADS_TO = {
    ref_names.RUNS: "run",
    ref_names.ARTIFACTS: "version",
    ref_names.CACHE: "commit",
    ref_names.NEWEST: "artifact",
    ref_names.PRUNED: "artifact",
    ref_names.KEPT: "artifact",
    ref_names.VOUCHED: "blob",
    ref_names.STAGES: "promotion",
    **dict.fromkeys(ref_names.MARKS, ""),
}

_NAME, _ID, _NUMBER, _TIME = "[^/]*", "[0-9a-f]{64}", "[0-9]{10,16}", "-?[0-9]{15,16}"
_SPELT = {
    start: re.compile(rest)
    for start, rest in {
        ref_names.RUNS: _NAME,
        ref_names.TIMES: f"{_TIME}/{_NAME}",
        ref_names.RUN_NAMES: f"{_NAME}/{_NAME}",
        ref_names.PIPELINES: f"{_NAME}/{_TIME}/{_NAME}",
        ref_names.ARTIFACTS: f"{_NAME}/{_NUMBER}",
        ref_names.VALUES: f"{_ID}/{_NAME}/{_NUMBER}",
        ref_names.LABELS: f"{_NAME}/{_NAME}/{_NUMBER}",
        ref_names.LINKS: f"{_ID}/{_NAME}/{_NAME}/{_NUMBER}",
        ref_names.NEWEST: _NAME,
        ref_names.STAGES: f"{_NAME}/{_NAME}/{_TIME}/{_ID}",
        **dict.fromkeys((ref_names.CACHE, ref_names.VOUCHED), f"{_ID}/{_ID}"),
        **dict.fromkeys((ref_names.PRUNED, ref_names.KEPT, ref_names.LOST), _ID),
    }.items()
}


def leads_to(ref: str) -> str | None:
    """The kind of object that a ref leads to; empty where it only has to be there, None where nobody says."""
    return _LEADS_TO.get(ref[: ref.find("/") + 1])


def is_spelt(ref: str) -> bool:
    """Whether a ref is spelt as its kind is; of unknown kinds nobody says how."""
    start = ref[: ref.find("/") + 1]
    return start not in _SPELT or _SPELT[start].fullmatch(ref, len(start)) is not None


def describe(ref: str) -> str:
    """What people call the thing that a ref leads to."""
    if ref.startswith(ref_names.ARTIFACTS) and is_spelt(ref):
        return f"{ref_names.name_of(ref)}@{ref_names.number_of(ref)}"
    if ref.startswith(ref_names.RUNS):
        return f"run {ref_names.last_part(ref)}"
    if ref.startswith(ref_names.CACHE):
        return f"the cached result {ref_names.name_of(ref)[:12]}"
    if ref.startswith(ref_names.STAGES):
        return f"a promotion of {ref_names.name_of(ref)}"
    return ref
