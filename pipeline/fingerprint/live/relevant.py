"""Whether what the user's code has done to packages, as it was imported, counts for a step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..project import packages
from ..reach.effects import VARIABLES
from ..reach.traversal import Traversal
from .state import Done

_EVERYWHERE = frozenset({"builtins", "codecs", "sys"})
"""Modules of Python's library that any code uses without naming them."""
_ASKED_OF_LOGGERS = frozenset(
    {"disabled", "getEffectiveLevel", "getLevelName", "handlers", "hasHandlers", "isEnabledFor", "level"}
)


@dataclass(frozen=True)
class Used:
    """What a step uses.

    Attributes:
        text: What its text reaches.
        distributions: The distributions that it uses, with all that these need.
    """

    text: Traversal
    distributions: frozenset[str]

    @cached_property
    def _tops(self) -> frozenset[str]:
        return frozenset(dotted.partition(".")[0] for dotted, _ in self.text.foreign)

    def counts(self, done: Done) -> bool:
        """Whether something that was done to a package may change what the step does."""
        if done.top == VARIABLES:
            return bool(self.distributions)
        if done.top == "logging":
            # It decides which lines are written: that counts where somebody asks, or code of the user's writes them.
            return "logging" in self._tops and (done.hands or self.text.asks(_ASKED_OF_LOGGERS))
        if done.top in self._tops or done.top in _EVERYWHERE:
            return True
        return not self.distributions.isdisjoint(packages.own_distributions(done.top))
