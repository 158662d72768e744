"""What steps in processes of their own do not see: what those before them leave in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..fingerprint import Followed
from ..trace.left import uses
from ..trace.model import Trace


@dataclass(frozen=True)
class Unseen:
    """Something in memory that a step uses, and that one before it leaves otherwise.

    Attributes:
        step: Who uses it.
        by: Who leaves it otherwise.
        what: What it is, in words.
    """

    step: str
    by: str
    what: str

    def __str__(self) -> str:
        return (
            f"The step {self.step!r} uses {self.what}, as it was when the run began: what {self.by!r} leaves there is "
            f"in another process; have {self.by!r} return it, or run them in one process, with executor='inline'."
        )


class Apart:
    """Notes what steps use of memory, and what they leave there."""

    def __init__(self) -> None:
        self._used: dict[str, frozenset[uses.Uses]] = {}
        self._left: dict[str, frozenset[uses.Uses]] = {}
        self._known: dict[frozenset[uses.Uses], frozenset[uses.Uses]] = {}  # most steps use the same: kept once

    def note(self, step: str, code: Followed, trace: Trace) -> None:
        """Notes a step that has ended, or was reused."""
        for noted, found in (self._used, uses.in_memory(code, trace)), (self._left, uses.left_in_memory(code, trace)):
            noted.pop(step, None)
            if each := frozenset(found):
                noted[step] = self._known.setdefault(each, each)

    def unseen(self, order: Iterable[str]) -> Iterator[Unseen]:
        """What steps would have found otherwise, had they run one after another in one process; one thing of each.

        Args:
            order: The steps, in the order in which they would have run.
        """
        by: dict[uses.Uses, str] = {}
        for step in order if self._left else ():
            if missed := sorted(self._used.get(step, frozenset()) & by.keys()):
                yield Unseen(step, by[missed[0]], uses.spelt(missed[0]))
            by.update(dict.fromkeys(self._left.get(step, ()), step))
