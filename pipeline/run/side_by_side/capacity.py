"""What steps that run side by side may need together."""

from __future__ import annotations

from dataclasses import replace

from ...define.options.resources import Resources

_PATIENCE = 16
"""So many others may begin before a step that is ready and does not fit; then it is its turn."""

_DIGITS = 9
"""Of parts of a core: else what comes and goes leaves a rest."""

_A_TRIFLE = 1e-6
"""Of a core: three times two thirds are two."""


class Capacity:
    """What there is for steps, and what of it is taken.

    A step that needs more than there is at all gets all there is: it runs when nothing else does.

    Args:
        slots: Cores.
        memory: Bytes; 0 where nobody counts them.
        gpus: Graphics cards.
    """

    def __init__(self, slots: int, memory: int = 0, gpus: int = 0) -> None:
        self._all = Resources(slots, memory, gpus)
        self._taken: dict[str, Resources] = {}
        self._together = Resources(0, 0, 0)  # all of that
        self._passed: dict[str, int] = {}

    def resize(self, slots: int) -> None:
        """There are so many cores now."""
        if slots != self._all.cpus:
            self._all = replace(self._all, cpus=slots)

    def fits(self, step: str, needs: Resources) -> bool:
        """Whether a step can begin beside those that run; one that has waited for long goes before others."""
        if not self._taken and not self._passed:
            return True
        longest = max(self._passed.values(), default=0)
        if longest >= _PATIENCE and self._passed.get(step, 0) < longest:
            return False
        taken, most = _sum(self._together, self._at_most(needs)), self._all
        if not self._taken or (
            taken.cpus <= most.cpus + _A_TRIFLE and taken.memory <= most.memory and taken.gpus <= most.gpus + _A_TRIFLE
        ):
            self._passed.pop(step, None)
            return True
        self._passed.setdefault(step, 0)
        return False

    def take(self, step: str, needs: Resources) -> None:
        """A step begins."""
        self.give_back(step)
        self._taken[step] = self._at_most(needs)
        self._together = _sum(self._together, self._taken[step])
        self._passed = {each: passed + 1 for each, passed in self._passed.items() if each != step}

    def give_back(self, step: str) -> None:
        """A step has ended."""
        if (taken := self._taken.pop(step, None)) is not None:
            self._together = _sum(self._together, taken, sign=-1)

    @property
    def is_full(self) -> bool:
        """Whether nothing more can begin, however little it needs."""
        return self._together.cpus >= self._all.cpus - _A_TRIFLE

    def _at_most(self, needs: Resources) -> Resources:
        return Resources(
            min(needs.cpus, self._all.cpus), min(needs.memory, self._all.memory), min(needs.gpus, self._all.gpus)
        )


def _sum(one: Resources, other: Resources, sign: int = 1) -> Resources:
    cpus, gpus = (round(mine + sign * its, _DIGITS) for mine, its in ((one.cpus, other.cpus), (one.gpus, other.gpus)))
    return Resources(cpus, one.memory + sign * other.memory, gpus)
