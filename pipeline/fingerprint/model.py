"""What a fingerprint is: the parts that count, the packages by version, and one id over them.

The id depends on nothing but the code: not on the machine, the folder, the Python version or the way the step's file
was loaded. See `identity`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from blake3 import blake3

from artvcs.vcs import DamagedError

from ..escaping import storable

Reach = Literal["project", "function", "none"]

HOW_WRITTEN = "how code is written"
"""What counts where live code looks at names, type hints or places: all that the text says."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of code that counts.

    Attributes:
        name: File and qualified name, `model.py::Net.forward`; the same on every machine.
        kind: `function`, `class`, `constant`, `import`, `module`, `closure`, `file` or `bytecode`.
        hash: Hex of the normalised code.
        file: Path relative to the project root, None for notebooks and values.
        line: Where it starts, 1-based; 0 when it has no place.
        source: The text, for humans to read and to compare.
    """

    name: str
    kind: str
    hash: str
    file: str | None
    line: int
    source: str


@dataclass(frozen=True, slots=True, order=True)
class Unfollowed:
    """Something a step may run that the fingerprint cannot see.

    Attributes:
        where: The part it was met in.
        what: What could not be followed, in words.
        line: The line in that part's file.
    """

    where: str
    what: str
    line: int


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The transitive fingerprint of a step's code.

    Attributes:
        id: 64 hex characters; equal when the code does the same, as far as that can be told.
        parts: Everything of the user's own that counts, sorted by name.
        packages: Third-party distributions reached directly, with their versions.
        unfollowed: What could not be followed.
        unhashable: Values that the code holds and that have no identity: no result of it can be used again.
    """

    id: str
    parts: tuple[Part, ...]
    packages: Mapping[str, str]
    unfollowed: tuple[Unfollowed, ...]
    unhashable: tuple[Unfollowed, ...]


def digest(text: str) -> str:
    """The hash of normalised code, in hex."""
    return blake3(text.encode("utf-8", "surrogatepass")).hexdigest()


def build(
    id: str,  # noqa: A002
    parts: Iterable[Part],
    packages: Mapping[str, str],
    unfollowed: Iterable[Unfollowed],
    unhashable: Iterable[Unfollowed],
) -> Fingerprint:
    """Sorts what was found."""
    ordered = tuple(sorted(parts, key=lambda part: part.name))
    versions = dict(sorted(packages.items()))
    return Fingerprint(id, ordered, versions, tuple(sorted(set(unfollowed))), tuple(sorted(set(unhashable))))


def to_json(fingerprint: Fingerprint) -> dict[str, Any]:
    """The fingerprint as canonical JSON data, as a commit keeps it."""
    return {
        "id": fingerprint.id,
        "packages": dict(fingerprint.packages),
        "parts": [
            {
                "file": part.file,
                "hash": part.hash,
                "kind": part.kind,
                "line": part.line,
                "name": part.name,
                "source": storable(part.source),
            }
            for part in fingerprint.parts
        ],
        "unfollowed": [{"line": item.line, "what": item.what, "where": item.where} for item in fingerprint.unfollowed],
        "unhashable": [{"line": item.line, "what": item.what, "where": item.where} for item in fingerprint.unhashable],
    }


def from_json(data: Mapping[str, Any]) -> Fingerprint:
    """The fingerprint that `to_json` was given.

    Raises:
        DamagedError: `data` was not made by `to_json`.
    """
    try:
        return Fingerprint(
            id=data["id"],
            parts=tuple(Part(**part) for part in data["parts"]),
            packages=dict(data["packages"]),
            unfollowed=tuple(Unfollowed(**item) for item in data["unfollowed"]),
            unhashable=tuple(Unfollowed(**item) for item in data["unhashable"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"A stored fingerprint cannot be understood ({error}); run `art fsck`.") from None
