"""Whose doing something is, where other steps are executed beside in processes of their own."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from typing import Self

from . import family


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
        return cls(coordinator, host, bool(family.children(coordinator) - {host}))


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
        ancestor = 0
        for ancestor in family.line(process):
            if ancestor in (self._own, self._others.host):
                return ancestor == self._own
        return ancestor == 1 or self._others.has_servers or self._has_started_any()

    def _has_started_any(self) -> bool:
        return _of_children() != self._began or bool(family.children(self._own))


def _of_children() -> tuple[float, ...]:
    """What children that have ended have used so far: something else if one more has."""
    return tuple(resource.getrusage(resource.RUSAGE_CHILDREN))
