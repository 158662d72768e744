"""Values as people wrote them: of what was no plain data the stored form is shown to nobody (see `encode.to_plain`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def spelt(found: Any) -> str:
    """A stored value as Python spells what it was made of; of a member of an enum its value is known, not its name."""
    match found:
        case {**only} if len(only) == 1:
            [(mark, held)] = only.items()
            if (text := _object(mark, held)) is not None:
                return text
    if isinstance(found, Mapping):
        return "{" + ", ".join(f"{key!r}: {spelt(each)}" for key, each in found.items()) + "}"
    if type(found) is list:
        return f"[{', '.join(map(spelt, found))}]"
    if type(found) is tuple:
        return f"({', '.join(map(spelt, found))}{',' * (len(found) == 1)})"
    return repr(found)


def _object(mark: Any, held: Any) -> str | None:
    """What stands under a mark; None where it is none."""
    match mark, held:
        case "$dataclass" | "$model", [name, Mapping() as fields]:
            return f"{name}({', '.join(f'{key}={spelt(each)}' for key, each in fields.items())})"
        case "$namedtuple", [name, list() as items]:
            return f"{name}({', '.join(map(spelt, items))})"
        case "$enum", [name, {"$name": str(member)}]:
            return f"{name}.{member}"
        case "$enum", [name, value]:
            return f"{name}({spelt(value)})"
        case "$set" | "$frozenset", list() as items:
            return f"{{{', '.join(map(spelt, items))}}}"
        case "$dict", Mapping() as items:
            return "{" + ", ".join(f"{key!r}: {spelt(each)}" for key, each in items.items()) + "}"
        case "$complex", [float() as real, float() as imaginary]:
            return repr(complex(real, imaginary))
        case str(), str() if mark.startswith("$"):
            return held  # a path, a date, and what else has a text of its own
    return None
