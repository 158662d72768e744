"""What steps that run side by side may need together."""

from __future__ import annotations

import os
from pathlib import Path

from ..define.options.resources import Resources

_PATIENCE = 16
"""So many others may begin before a step that is ready and does not fit; then it is its turn."""


class Capacity:
    """What there is for steps, and what of it is taken.

    A step that needs more than there is at all gets all there is: it runs when nothing else does.

    Args:
        slots: Cores.
        memory: Bytes; None where nobody counts them.
    """

    def __init__(self, slots: float, memory: int | None = None) -> None:
        self._all = Resources(float(slots), memory or 0)
        self._counts_memory = memory is not None
        self._taken: dict[str, Resources] = {}
        self._passed: dict[str, int] = {}

    def fits(self, step: str, needs: Resources) -> bool:
        """Whether a step can begin beside those that run; one that has waited for long goes before others."""
        others = [each for each in self._passed.values() if each >= _PATIENCE]
        if others and self._passed.get(step, 0) < max(others):
            return False
        cpus = sum(each.cpus for each in self._taken.values())
        memory = sum(each.memory for each in self._taken.values())
        asked = self._at_most(needs)
        if not self._taken or (cpus + asked.cpus <= self._all.cpus and memory + asked.memory <= self._all.memory):
            self._passed.pop(step, None)
            return True
        self._passed.setdefault(step, 0)
        return False

    def take(self, step: str, needs: Resources) -> None:
        """A step begins."""
        self._taken[step] = self._at_most(needs)
        self._passed = {each: passed + 1 for each, passed in self._passed.items() if each != step}

    def give_back(self, step: str) -> None:
        """A step has ended."""
        self._taken.pop(step, None)

    @property
    def is_full(self) -> bool:
        """Whether nothing more can begin, however little it needs."""
        return sum(each.cpus for each in self._taken.values()) >= self._all.cpus

    def _at_most(self, needs: Resources) -> Resources:
        memory = min(needs.memory, self._all.memory) if self._counts_memory else 0
        return Resources(min(needs.cpus, self._all.cpus), memory)


def memory_here() -> int | None:
    """Bytes that processes can take now: what is available, or what is left of a container's limit; None if untold."""
    found = []
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    except (OSError, ValueError):
        pass
    try:  # https://docs.kernel.org/admin-guide/cgroup-v2.html
        most = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii").strip()
        if most.isdecimal():
            found.append(max(0, int(most) - int(used)))
    except (OSError, ValueError):
        pass
    return min(found, default=None)


def cores_here() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
