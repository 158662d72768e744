"""What this machine has for steps: memory, graphics cards, cores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from artvcs.vcs import count

from ..define.options.resources import Resources, memory


@dataclass(frozen=True)
class Machine:
    """What a machine has for steps, beside cores.

    Attributes:
        memory: Bytes that are free; 0 where nobody counts them.
        gpus: Graphics cards.
        cores: Cores that this process may use.
    """

    memory: int
    gpus: int
    cores: int

    @classmethod
    def here(cls) -> Machine:
        """This one, as it is now."""
        return cls(memory_here(), gpus_here(), cores_here())

    def lacks(self, needs: Resources) -> str:
        """In words, what a step needs more than there is; nothing where there is all of it."""
        return ", and ".join(self._lacking(needs))

    def _lacking(self, needs: Resources) -> Iterator[str]:
        if needs.cpus > self.cores:
            yield f"{count(needs.cpus, 'core')}, of which this machine has {self.cores}"
        if needs.memory > self.memory > 0:
            yield f"{memory(needs.memory)} of memory, of which {memory(self.memory)} are free here"
        if needs.gpus > self.gpus:
            there = f"{self.gpus} of them" if self.gpus else "none"
            yield f"{count(needs.gpus, 'graphics card')}, and this machine has {there}"


def memory_here() -> int:
    """Bytes that processes can take now: what is available, or what is left of a container's limit; 0 if untold."""
    found = []
    with suppress(OSError, ValueError):  # not Linux
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    with suppress(OSError, ValueError):  # no container; https://docs.kernel.org/admin-guide/cgroup-v2.html
        most, used = (
            _CGROUP.joinpath(name).read_text(encoding="ascii").strip() for name in ("memory.max", "memory.current")
        )
        found.append(max(0, int(most) - int(used)))
    return min(found, default=0)


_CGROUP = Path("/sys/fs/cgroup")


def gpus_here() -> int:
    """Graphics cards that this process may use, by NVIDIA's variable or driver."""
    if (said := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return len([each for each in said.split(",") if each.strip()])
    return sum(each.name.removeprefix("nvidia").isdecimal() for each in Path("/dev").glob("nvidia[0-9]*"))


def cores_here() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
