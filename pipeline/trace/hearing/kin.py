"""Whose doing something is, where other steps are executed beside in processes of their own."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Others:
    """Who does something beside that is not a step's doing.

    Attributes:
        coordinator: The process that coordinates the run. What it has started itself may well read for a step.
        host: The process that those are below that execute other steps.
        has_servers: Whether the coordinator had started other processes before: where nobody says who does something,
            it may be they, for a step.
    """

    coordinator: int
    host: int
    has_servers: bool

    @classmethod
    def beside(cls, coordinator: int, host: int) -> Self:
        """Looks who there is."""
        return cls(coordinator, host, bool({*_children(coordinator)} - {host}))


class Kin:
    """This process and those that it has started.

    Args:
        others: What these do is not its doing.
    """

    def __init__(self, others: Others) -> None:
        self._own = os.getpid()
        self._others = others
        self._began = _of_children()

    def begin_anew(self) -> None:
        """What was started by now does not count any more, if it has ended."""
        self._began = _of_children()

    def has(self, process: int) -> bool:
        """Whether something is this process' doing, or of one that it has started, or of nobody's who is known.

        Args:
            process: Who has done it; 0 where nobody says.
        """
        if process == self._others.coordinator:
            return False
        while process > 1:
            if process == self._own:
                return True
            if process == self._others.host:
                return False
            process = _parent(process)
        return process == 1 or self._others.has_servers or self._has_started_any()

    def _has_started_any(self) -> bool:
        if _of_children() != self._began:
            return True
        return any(True for _ in _children(self._own))


def _children(process: int) -> Iterator[int]:
    """The processes that a process has started and that go on."""
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal() and _parent(int(entry.name)) == process:
            yield int(entry.name)


def _parent(process: int) -> int:
    """Who has started a process; 0 if it has ended."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _of_children() -> tuple[float, ...]:
    """What children that have ended have used so far: something else if one more has."""
    return tuple(resource.getrusage(resource.RUSAGE_CHILDREN))
