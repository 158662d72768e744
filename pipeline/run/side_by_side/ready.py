"""The steps of a run that wait for nothing but room, and which of them is next."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable

from ...define.graph import Graph
from ...define.options.resources import Resources
from .costs import Costs

_DIGITS = 1
"""Of the seconds by which steps are sorted: what differs in moments comes as it was called, and so as it is stored."""


class Ready:
    """Steps that can begin.

    Where several run side by side, those come first that nobody knows, and then those that took longest the last time:
    what takes long and begins last is what all wait for in the end. Else they come as they were called.

    Args:
        graph: The steps.
        costs: What they have cost; None where one runs after another.
    """

    def __init__(self, graph: Graph, costs: Costs | None) -> None:
        self._graph = graph
        self._costs = costs
        self._count = 0
        self._by_needs: dict[Resources, list[tuple[float, int, str]]] = {}

    def add(self, steps: Iterable[str]) -> None:
        """These wait for nothing any more."""
        steps = list(steps)
        costs = [0.0] * len(steps) if self._costs is None else self._costs.seconds_of(steps)
        for step, seconds in zip(steps, costs, strict=True):
            self._count += 1
            needs = self._graph.nodes[step].step.options.resources
            heapq.heappush(self._by_needs.setdefault(needs, []), (-round(seconds, _DIGITS), self._count, step))

    def coming(self, most: int) -> list[str]:
        """Those that come next, as far as can be said: which of them fit shows when they are asked for."""
        return [step for waiting in self._by_needs.values() for _, _, step in heapq.nsmallest(most, waiting)]

    def pop(self, fits: Callable[[str, Resources], bool]) -> str | None:
        """The next one that fits; none where there is no such.

        Args:
            fits: Says whether a step can begin that needs something.
        """
        # Thousands of steps need the same: if the first of them does not fit, none does.
        firsts = sorted((waiting[0], needs) for needs, waiting in self._by_needs.items() if waiting)
        for (_, _, step), needs in firsts:
            if fits(step, needs):
                heapq.heappop(self._by_needs[needs])
                return step
        return None
