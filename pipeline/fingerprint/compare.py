"""What changed between the code of two fingerprints, for `art why`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol


class PartLike(Protocol):
    """What is compared of a part."""

    @property
    def kind(self) -> str:
        """What it is."""

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
        name: The part's name, where it is new or stayed; else the one that it had.
        kind: Whether it is new, gone, or says something else.
        diff: Unified diff of the sources; empty when only what it stands for changed.
    """

    name: str
    kind: Literal["added", "removed", "changed"]
    diff: str


def compare(old: Mapping[str, PartLike], new: Mapping[str, PartLike]) -> list[Change]:
    """The parts that differ: by name, and where files changed their names by what they say.

    Parts are told apart by their hashes, so an edited comment is no change although the sources differ. One that only
    stands in another file is no change, nor is the import that leads there; unless there is nothing else.
    """
    moved = _moved(old, new)
    pairs = {name: (name, name) for name in old.keys() & new.keys()}
    pairs |= {after: (before, after) for before, after in moved.items()}
    pairs |= {name: (name, "") for name in old.keys() - new.keys() - moved.keys()}
    pairs |= {name: ("", name) for name in new.keys() - old.keys() - set(moved.values())}
    changes = [
        _change(name, old.get(before), new.get(after), before or name, after or name)
        for name, (before, after) in sorted(pairs.items())
        if before not in old or after not in new or old[before].hash != new[after].hash
    ]
    said = [each for each in changes if _is_code(old, new, pairs[each.name])]
    return (
        said or changes or [Change(after, "changed", _diff(before, after, "", "")) for before, after in moved.items()]
    )


def _moved(old: Mapping[str, PartLike], new: Mapping[str, PartLike]) -> dict[str, str]:
    """The parts that have another name now: those that say the same, then those that are called the same."""
    found: dict[str, str] = {}
    gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    for same_text in (True, False):
        waiting = {_key(new, name, same_text): name for name in reversed(come) if name not in found.values()}
        for name in gone:
            if name not in found and (match := waiting.pop(_key(old, name, same_text), None)) is not None:
                found[name] = match
    return found


def _key(parts: Mapping[str, PartLike], name: str, with_text: bool) -> tuple[str, str]:
    return _called(name), parts[name].hash if with_text else ""


def _called(name: str) -> str:
    return name.partition("::")[2] or name


def _is_code(old: Mapping[str, PartLike], new: Mapping[str, PartLike], pair: tuple[str, str]) -> bool:
    """Whether a part is something else than an import, before or now."""
    return any(name in parts and parts[name].kind != "import" for parts, name in zip((old, new), pair, strict=True))


def _change(name: str, before: PartLike | None, after: PartLike | None, was: str, now: str) -> Change:
    kind: Literal["added", "removed", "changed"] = "changed"
    if before is None or after is None:
        kind = "added" if before is None else "removed"
    texts = [each.source if each is not None else "" for each in (before, after)]
    return Change(name, kind, _diff(was, now, *texts))


def _diff(was: str, now: str, before: str, after: str) -> str:
    lines: Iterator[str] = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"before/{was}", f"after/{now}", lineterm=""
    )
    return "".join(f"{line}\n" for line in lines)
