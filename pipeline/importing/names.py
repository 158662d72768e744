"""What the things of another tool are called here."""

from __future__ import annotations

from collections.abc import Callable

from ..fingerprint.model import digest
from .storing import as_name

_DIGITS = 0, 8, 64
"""So many digits of a hash are tried to tell a name from one that is taken."""


class Names:
    """Names of one kind, given in one import: no two things share one, nor does one with what is here already."""

    def __init__(self) -> None:
        self._called: dict[str, str] = {}

    def of(self, original: str, wanted: str, may_be: Callable[[str], bool]) -> str:
        """What something is called here: as is wanted, or, where that is another's, so with a hash of the original.

        Args:
            original: What tells it from all others.
            wanted: What it is to be called.
            may_be: Says of a name whether nothing is called so here, or that very thing from an earlier import.
        """
        if original not in self._called:
            taken = set(self._called.values())
            names = (as_name(f"{wanted}-{digest(original)[:digits]}" if digits else wanted) for digits in _DIGITS)
            self._called[original] = next(
                (each for each in names if each not in taken and may_be(each)), as_name(digest(original))
            )
        return self._called[original]
