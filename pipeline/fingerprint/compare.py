"""What changed between the code of two fingerprints, for `art why`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol


class PartLike(Protocol):
    """What is compared of a part."""

    @property
    def hash(self) -> str:
        """Hex of the normalised code."""

    @property
    def source(self) -> str:
        """The text, for humans."""


@dataclass(frozen=True, slots=True)
class Change:
    """One part that differs.

    Attributes:
        name: The part's name.
        kind: Whether it is new, gone, or says something else.
        diff: Unified diff of the sources; empty when only what it stands for changed.
    """

    name: str
    kind: Literal["added", "removed", "changed"]
    diff: str


def compare(old: Mapping[str, PartLike], new: Mapping[str, PartLike]) -> list[Change]:
    """The parts that differ, by name.

    Parts are told apart by their hashes, so an edited comment is no change although the sources differ.
    """
    changes = []
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if after is None:
            changes.append(Change(name, "removed", _diff(name, before, after)))
        elif before is None:
            changes.append(Change(name, "added", _diff(name, before, after)))
        elif before.hash != after.hash:
            changes.append(Change(name, "changed", _diff(name, before, after)))
    return changes


def _diff(name: str, before: PartLike | None, after: PartLike | None) -> str:
    lines = difflib.unified_diff(
        before.source.splitlines() if before is not None else [],
        after.source.splitlines() if after is not None else [],
        f"before/{name}",
        f"after/{name}",
        lineterm="",
    )
    return "".join(f"{line}\n" for line in lines)
